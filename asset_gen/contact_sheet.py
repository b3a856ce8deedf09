"""How does a person look through a candidate set? A page that opens from disk, sorts and filters, and draws lazily.

index.html       the page, with its style and script
candidates.js    its data, as a script, since a page that was opened from disk can't fetch JSON
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from html import escape
from itertools import islice
from math import inf, isnan
from pathlib import Path
from string import Template
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from asset_gen.candidates import Row, RowsOfSet

TEMPLATES = Path(__file__).parent / "templates"
BINS = 24
PART = 4096  # rows that are in memory at once
OWN_SCORES = {"p_type": "p(type)", "entropy": "entropy"}
"""Columns of every candidate set that are scores, and what a person calls them."""


def write_contact_sheet(
    folder: Path,
    rows: RowsOfSet,
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
    shown = kept = 0
    kinds: set[str] = set()
    with (folder / "candidates.js").open("w", encoding="utf-8") as file:
        file.write('globalThis.candidates = {\n"scores": ')
        file.write(json.dumps(histograms(_scores_of(rows), rows)))
        file.write(',\n"sprites": [')
        for row in rows:
            kept += row.kept
            kinds.add(row.type)
            address = image(row)
            if address is None:
                continue
            entry = [row.name, row.type, int(row.kept), row.reason, address, _figures(row), _neighbours(row)]
            file.write((",\n" if shown else "\n") + json.dumps(entry, ensure_ascii=False))
            shown += 1
        file.write("\n]};\n")
    choice = run["choice"]
    facts = [run["model_name"], f"seed {choice['seed']}", f"filter {choice['filter']}"]
    facts += [f"oversample {choice['oversample']}", f"run {run['run']}"]
    if shown < len(rows):
        facts.append(f"shown are the {shown} kept; all lie in the shards")
    words = {"kept": kept, "drawn": len(rows), "side": side, "run": run["run"], "facts": " · ".join(facts)}
    text = Template(_template("html")).substitute(
        {name: escape(str(word)) for name, word in words.items()},
        kinds="".join(f"<option>{escape(kind)}</option>" for kind in sorted(kinds)),
        css=_template("css"),
        js=_template("js"),
    )
    (folder / "index.html").write_text(text, encoding="utf-8")


def _template(ending: str) -> str:
    return (TEMPLATES / f"contact_sheet.{ending}").read_text(encoding="utf-8")


def histograms(scores: Mapping[str, str], rows: RowsOfSet) -> list[dict[str, Any]]:
    """How each of these scores (name → label) is spread over kept and other candidates.

    Each has ``name``, ``label``, ``low`` and ``high`` (None where no candidate has the score), and ``kept`` and
    ``rest``: how many lie in each of ``BINS`` equal parts from low to high.
    """
    low, high = dict.fromkeys(scores, inf), dict.fromkeys(scores, -inf)
    for some in _parts(rows):
        for name in scores:
            values = _known(some, name)
            low[name], high[name] = values.min(initial=low[name]), values.max(initial=high[name])
    counts = {(name, kept): np.zeros(BINS, np.int64) for name in scores for kept in (True, False)}
    for some in _parts(rows):
        for name, kept in counts:
            if low[name] <= high[name]:
                values = _known([row for row in some if row.kept is kept], name)
                span = low[name], high[name] if high[name] > low[name] else low[name] + 1
                counts[name, kept] += np.histogram(values, BINS, span)[0]
    found = []
    for name, label in scores.items():
        known = low[name] <= high[name]
        found.append(
            {
                "name": name,
                "label": label,
                "low": float(low[name]) if known else None,
                "high": float(high[name]) if known else None,
                "kept": counts[name, True].tolist() if known else [],
                "rest": counts[name, False].tolist() if known else [],
            }
        )
    return found


def _parts(rows: RowsOfSet) -> Iterator[list[Row]]:
    """All rows, some at a time: a million are never in memory at once."""
    every = iter(rows)
    while some := list(islice(every, PART)):
        yield some


def _known(rows: list[Row], name: str) -> NDArray[np.float64]:
    """A score of those that have it."""
    values = np.array([_score(row, name) for row in rows], np.float64)
    return values[np.isfinite(values)]


def _scores_of(rows: RowsOfSet) -> dict[str, str]:
    """Name → label of every score."""
    first = next(iter(rows), None)
    return OWN_SCORES | {name: name.replace("_", " ") for name in (first.scores if first else ())}


def _score(row: Row, name: str) -> float:
    return float(getattr(row, name)) if name in OWN_SCORES else row.scores[name]


def _figures(row: Row) -> list[float | None]:
    """Scores in the order of ``_scores_of``; None for one that isn't known."""
    figures = (row.p_type, row.entropy, *row.scores.values())
    return [None if isnan(figure) else float(f"{figure:.4g}") for figure in figures]


def _neighbours(row: Row) -> list[list[str | float]]:
    return [[near.name, round(near.distance, 4)] for near in row.nearest]
