"""What became of a training, for a person: ``<run>/report.html``, one page that stands alone.

Pictures are embedded, nothing is fetched, and a content security policy lets no script run but the page's own: it can
be opened from a disk or sent to an artist as it is.
"""

from __future__ import annotations

import io
from base64 import b64encode
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from hashlib import sha256
from itertools import islice
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from asset_gen.metrics.copies import copy_limit, nearest_neighbours
from trainer import curves
from trainer.checkpoint import write_synced
from trainer.config import Config, load_config, outside_networks, run_report
from trainer.dataset import Dataset
from trainer.evaluate import read_evaluations, read_lines
from trainer.presets import PRESETS

FILE = "report.html"
EXAMPLES = 4
"""Generated sprites a type that are shown with their neighbours."""
UNTYPED_EXAMPLES = 16
NEIGHBOURS = 3
SHEETS = 24
SHEET_PIXELS = 6_000_000
"""Sample sheets on the page, at most; and their pixels together, so that large sprites don't make a page of 100 MB."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Sheet:
    """A sample sheet, at one pixel a pixel."""

    step: int
    kimg: float
    picture: str
    """A data URI."""
    width: int
    height: int


@dataclass(frozen=True, slots=True)
class Neighbour:
    """A training sprite beside a generated one."""

    picture: str
    file: str
    kind: str
    """Its type, as written by the artist."""
    distance: float
    mirrored: bool
    is_copy: bool


@dataclass(frozen=True, slots=True)
class Example:
    """A generated sprite and the training sprites that are nearest to it."""

    picture: str
    neighbours: list[Neighbour]


def write_report(
    run: Path,
    dataset: Dataset,
    sprites: NDArray[np.uint8],
    kinds: NDArray[np.integer] | None,
    *,
    step: int,
    device: str,
    classifier: Mapping[str, Any],
) -> Path:
    """Gather what the run folder holds, and write the page whole or not at all.

    Args:
        run: its ``config.json`` and ``data.json`` must be there; statistics, evaluations and sheets are shown if so.
        dataset: the sprites that were trained on.
        sprites: generated ones, straight RGBA [n, s, s, 4], not chosen by anybody; the first few a type are shown.
        kinds: [n], the column of ``dataset.types`` of each; None: an untyped generator's.
        step: that of the weights that drew ``sprites``.
        device: what the training ran on, in words.
        classifier: figures of the run's type classifier (``trainer.classifier.train_classifier``).

    Raises:
        ModelError: ``config.json`` or ``data.json`` is damaged.
        OSError: the page can't be written; the one before it, if any, is still there.
    """
    from jinja2 import Environment, PackageLoader, StrictUndefined

    config, data = load_config(run), run_report(run)
    limit = copy_limit(dataset.sprites)
    stats = read_lines(run / "stats.jsonl")
    evaluations = list(read_evaluations(run).values())
    pages = Environment(loader=PackageLoader("trainer"), autoescape=True, undefined=StrictUndefined)
    script = pages.get_template("report.js").render()
    text = pages.get_template(FILE).render(
        title=run.resolve().name,
        facts=_facts(config, data, dataset, [*stats, *evaluations], device, _accuracy(classifier)),
        settings=_settings(config, dataset),
        summary=PRESETS[config.preset].summary,
        types=_types(dataset),
        refused=data.get("refused", {}),
        notices=data.get("notices", []),
        charts=_charts(stats, evaluations),
        sheets=_sheets(run, dataset, stats, typed=kinds is not None),
        rows=list(dataset.types.values()) if kinds is not None else [],
        cell=dataset.size + 2,
        evaluations=evaluations,
        best=min(evaluations, key=lambda line: float(line["kid"]), default=None),
        examples=_examples(dataset, sprites, kinds, limit),
        step=step,
        limit=limit,
        size=dataset.size,
        script=script,
        script_hash=b64encode(sha256(script.encode()).digest()).decode(),
        duration=duration,
        thousands=thousands,
    )
    stage = run / f".{FILE}.tmp"
    try:
        write_synced(stage, text.encode("utf-8", "backslashreplace"))
        stage.replace(run / FILE)
    finally:
        stage.unlink(missing_ok=True)
    return run / FILE


def duration(seconds: float) -> str:
    """``48 s``, ``12 min`` or ``1 h 48 min``."""
    if seconds < 60:
        return f"{seconds:.0f} s"
    hours, minutes = divmod(round(seconds / 60), 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min"


def thousands(kimg: float) -> str:
    """``613`` or ``1,250``; of a short run ``1.3``."""
    return f"{kimg:,.0f}" if kimg >= 10 or kimg == 0 else f"{kimg:.1f}"


def _facts(
    config: Config,
    data: Mapping[str, Any],
    dataset: Dataset,
    lines: Sequence[Mapping[str, Any]],
    device: str,
    accuracy: str,
) -> list[tuple[str, str]]:
    """The training in a few lines: (name, value); the last of ``lines``, of both kinds, says how long it was."""
    last = max(lines, key=lambda line: int(line["step"]), default={"step": 0, "kimg": 0.0, "seconds": 0.0})
    sprites = f"{len(dataset.files):,} of {len(dataset.types)} types, from the folder “{Path(config.sprites).name}”"
    size = f"{dataset.size} × {dataset.size} pixels"
    return [
        ("preset", config.preset),
        ("training sprites", sprites),
        ("size", size),
        ("sprites seen", f"{thousands(last['kimg'])} thousand, in {last['step']:,} steps"),
        ("training time", duration(last["seconds"])),
        ("device", device),
        ("networks trained by others", ", ".join(outside_networks(config)) or "none"),
        ("type classifier", accuracy),
    ]


def _accuracy(figures: Mapping[str, Any]) -> str:
    """How far the run's classifier can be trusted."""
    if figures["accuracy"] is None:
        return "no held-out sprites to test it on"
    return f"right for {figures['accuracy']:.0%} of {figures['held_out']} held-out sprites"


def _settings(config: Config, dataset: Dataset) -> dict[str, str]:
    """Everything that a person may have chosen, for the record."""
    chosen = asdict(config.settings) | {
        "merge": ", ".join(f"{source} → {target}" for source, target in config.merge.items()),
        "background": "auto" if config.background else "keep",
        "judge": config.judge,
        "started from": (config.lineage or {}).get("name", "random weights"),
        "sprites sha256": config.data_sha256,
    }
    return {name: "–" if value in (None, "", {}) else str(value) for name, value in chosen.items()}


def _types(dataset: Dataset) -> list[tuple[str, int]]:
    """(type as written, sprites), most frequent first."""
    counts = dataset.counts()
    return sorted(((dataset.types[slug], n) for slug, n in counts.items()), key=lambda item: (-item[1], item[0]))


def _charts(stats: Sequence[Mapping[str, Any]], evaluations: Sequence[Mapping[str, Any]]) -> list[tuple[str, str, str]]:
    """(title, for a light page, for a dark one)."""
    light, dark = (curves.chart_svgs(stats, evaluations, colours) for colours in (curves.LIGHT, curves.DARK))
    return [(title, _uri(light[title], "svg+xml"), _uri(dark[title], "svg+xml")) for title in light]


def _sheets(run: Path, dataset: Dataset, stats: Sequence[Mapping[str, Any]], typed: bool) -> list[Sheet]:
    """Sample sheets from first to newest; where there are too many, some of them, evenly spread."""
    paths = sorted(path for path in (run / "samples").glob("*.png") if path.stem.isdigit())
    pictures = [
        (int(path.stem), picture)
        for path in _some(paths, SHEETS)
        if (picture := _bare(path, dataset.size + 2, len(dataset.types) if typed else None)) is not None
    ]
    if pictures:
        pictures = _some(pictures, max(2, SHEET_PIXELS // (pictures[-1][1].width * pictures[-1][1].height)))
    steps, kimg = ([line[key] for line in stats] or [0] for key in ("step", "kimg"))
    # beyond the last line, which may be a few steps back, sprites go on at the same rate
    rate = kimg[-1] / max(1, steps[-1])
    return [
        Sheet(
            step,
            float(np.interp(step, steps, kimg) + max(0, step - steps[-1]) * rate),
            _image_uri(picture),
            *picture.size,
        )
        for step, picture in pictures
    ]


def _some(things: list[T], most: int) -> list[T]:
    """At most so many of them, evenly spread, first and last among them."""
    if len(things) <= most:
        return things
    return [things[round(place)] for place in np.linspace(0, len(things) - 1, most)]


def _bare(path: Path, cell: int, rows: int | None) -> Image.Image | None:
    """The sprites of a sheet alone, without names and at one pixel a pixel; None where it isn't one of this run's."""
    try:
        with Image.open(path) as file:
            sheet = np.array(file.convert("RGB"))
    except OSError:  # torn by a kill: the others will do
        return None
    height, width = sheet.shape[:2]
    rows = rows or height // (2 * cell)
    zoom, rest = divmod(height, max(1, rows) * cell)
    margin = width - curves.SHEET_COLUMNS * cell * zoom
    if not zoom or rest or margin < 0:
        return None
    return Image.fromarray(np.ascontiguousarray(sheet[::zoom, margin::zoom]))


def _examples(
    dataset: Dataset, sprites: NDArray[np.uint8], kinds: NDArray[np.integer] | None, limit: float
) -> list[tuple[str, list[Example]]]:
    """(type as written, generated sprites with their neighbours)."""
    labels = list(dataset.types.values())
    groups = {"": np.arange(len(sprites))[:UNTYPED_EXAMPLES]}
    if kinds is not None:
        groups = {label: np.flatnonzero(kinds == column)[:EXAMPLES] for column, label in enumerate(labels)}
    rows = np.concatenate(list(groups.values()))
    found = nearest_neighbours(sprites[rows], dataset.sprites, NEIGHBOURS)
    examples = iter(
        [
            Example(
                _sprite_uri(sprites[row]),
                [
                    Neighbour(
                        _sprite_uri(dataset.sprites[near]),
                        dataset.files[near],
                        labels[dataset.first_types[near]],
                        float(distance),
                        bool(mirrored),
                        bool(distance < limit),
                    )
                    for near, distance, mirrored in zip(*neighbours, strict=True)
                ],
            )
            for row, *neighbours in zip(rows, found.rows, found.distances, found.mirrored, strict=True)
        ]
    )
    return [(label, list(islice(examples, len(group)))) for label, group in groups.items() if len(group)]


def _sprite_uri(sprite: NDArray[np.uint8]) -> str:
    return _image_uri(Image.fromarray(sprite, "RGBA"))


def _image_uri(picture: Image.Image) -> str:
    """Lossless WebP, fewer bytes than PNG; quality and method are the encoder's effort."""
    file = io.BytesIO()
    picture.save(file, "WEBP", lossless=True, quality=50, method=2)
    return _uri(file.getvalue(), "webp")


def _uri(data: bytes, kind: str) -> str:
    return f"data:image/{kind};base64,{b64encode(data).decode()}"
