"""How does a person look through a candidate set? A page that opens from disk, sorts and filters, and draws lazily.

index.html       the page, with its style and script
candidates.js    its data, as a script, since a page that was opened from disk can't fetch JSON
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from math import isnan
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from asset_gen.candidates import Row

BINS = 24
OWN_SCORES = {"p_type": "p(type)", "entropy": "entropy"}
"""Columns of every candidate set that are scores, and what a person calls them."""


def write_contact_sheet(
    folder: Path,
    rows: Sequence[Row],
    run: Mapping[str, Any],
    image: Callable[[Row], str | None],
    side: int,
) -> None:
    """Write the page and its data.

    Args:
        folder: of the candidate set.
        rows: every candidate; histograms are of all of them.
        run: what ``run.json`` says.
        image: address of a candidate's picture; None: it isn't shown.
        side: of a candidate in pixels.
    """
    from jinja2 import Environment, PackageLoader

    shown = 0
    with (folder / "candidates.js").open("w", encoding="utf-8") as file:
        file.write('globalThis.candidates = {\n"scores": ')
        file.write(json.dumps([histogram(name, label, rows) for name, label in _scores_of(rows).items()]))
        file.write(',\n"sprites": [')
        for row in rows:
            address = image(row)
            if address is None:
                continue
            entry = [row.name, row.type, int(row.kept), row.reason, address, _figures(row), _neighbours(row)]
            file.write((",\n" if shown else "\n") + json.dumps(entry, ensure_ascii=False))
            shown += 1
        file.write("\n]};\n")
    environment = Environment(loader=PackageLoader("asset_gen"), autoescape=True)
    assert environment.loader is not None
    parts = {
        name: environment.loader.get_source(environment, f"contact_sheet.{name}")[0]  # as it is: our own
        for name in ("css", "js")
    }
    kept = sum(row.kept for row in rows)
    kinds = sorted({row.type for row in rows})
    page = environment.get_template("contact_sheet.html")
    text = page.render(run=run, drawn=len(rows), kept=kept, shown=shown, kinds=kinds, side=side, **parts)
    (folder / "index.html").write_text(text, encoding="utf-8")


def histogram(name: str, label: str, rows: Sequence[Row]) -> dict[str, Any]:
    """How a score is spread over kept and other candidates.

    Returns ``name``, ``label``, ``low`` and ``high`` (None where no candidate has the score), and ``kept`` and
    ``rest``: how many lie in each of ``BINS`` equal parts from low to high.
    """
    values = np.array([_score(row, name) for row in rows], np.float64)
    kept = np.array([row.kept for row in rows], bool)
    known = np.isfinite(values)
    if not known.any():
        return {"name": name, "label": label, "low": None, "high": None, "kept": [], "rest": []}
    low, high = float(values[known].min()), float(values[known].max())
    counts = [
        np.histogram(values[known & mine], BINS, (low, high if high > low else low + 1))[0].tolist()
        for mine in (kept, ~kept)
    ]
    return {"name": name, "label": label, "low": low, "high": high, "kept": counts[0], "rest": counts[1]}


def _scores_of(rows: Sequence[Row]) -> dict[str, str]:
    """Name → label of every score."""
    further = list(rows[0].scores) if rows else []
    return OWN_SCORES | {name: name.replace("_", " ") for name in further}


def _score(row: Row, name: str) -> float:
    return float(getattr(row, name)) if name in OWN_SCORES else row.scores[name]


def _figures(row: Row) -> list[float | None]:
    """Scores in the order of ``_scores_of``; None for one that isn't known."""
    figures = (row.p_type, row.entropy, *row.scores.values())
    return [None if isnan(figure) else float(f"{figure:.4g}") for figure in figures]


def _neighbours(row: Row) -> list[list[str | float]]:
    return [[near.name, round(near.distance, 4)] for near in row.nearest]
