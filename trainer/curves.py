"""What does a person see of a run: sample sheets, curves, and the types in the set."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from asset_gen.pixels import enlarge

CHECKER = (203, 211)  # two greys, so that transparency shows
SHEET_COLUMNS = 8
"""Sprites a type on the sample sheets of a run."""
MARGIN = 150  # pixels at most for names beside the rows of a sheet
FONT_SIZE = 14  # pixels
INK = (32, 34, 38)

Line = Mapping[str, Any]
"""A line of ``stats.jsonl`` or ``evaluations.jsonl``."""
LIGHT = {"ink": "#24272c", "grid": "#9aa0a8", "first": "#3f6fb5", "second": "#cf6a1e", "best": "#1f7a4d"}
DARK = {"ink": "#dfe2e6", "grid": "#737a84", "first": "#82b1f5", "second": "#f5a762", "best": "#5fd39a"}


def sample_sheet(sprites: NDArray[np.uint8], columns: int, zoom: int = 2, names: Sequence[str] = ()) -> Image.Image:
    """Straight RGBA uint8 [n, s, s, 4], row by row, ``columns`` a row, on a checkerboard.

    ``names`` are written in a margin on the left, one a row; the sprites stay whole pixels.
    """
    n, size = sprites.shape[:2]
    rows = -(-n // columns)
    cell = size + 2
    sheet = np.zeros((rows * cell, columns * cell, 4), np.uint8)
    for number, sprite in enumerate(sprites):
        row, column = divmod(number, columns)
        sheet[row * cell + 1 : row * cell + 1 + size, column * cell + 1 : column * cell + 1 + size] = sprite
    y, x = np.indices(sheet.shape[:2]) // 4
    board = np.where((y + x) % 2, *CHECKER)[..., None].astype(np.uint16)
    alpha = sheet[..., 3:].astype(np.uint16)
    flat = ((sheet[..., :3] * alpha + board * (255 - alpha)) // 255).astype(np.uint8)
    bare = Image.fromarray(enlarge(flat[None], zoom)[0], "RGB")
    return _with_margin(bare, names, cell * zoom) if names else bare


def _with_margin(sheet: Image.Image, names: Sequence[str], height: int) -> Image.Image:
    """The sheet with a name on the left of each row of ``height`` pixels."""
    font = ImageFont.load_default(FONT_SIZE)
    short = [_shortened(name, font, MARGIN - FONT_SIZE) for name in names]
    margin = int(max(font.getlength(name) for name in short)) + FONT_SIZE
    wide = Image.new("RGB", (margin + sheet.width, sheet.height), (CHECKER[1],) * 3)
    wide.paste(sheet, (margin, 0))
    pen = ImageDraw.Draw(wide)
    for row, name in enumerate(short):
        pen.text((margin - FONT_SIZE // 2, (row + 0.5) * height), name, fill=INK, font=font, anchor="rm")
    return wide


def _shortened(name: str, font: Any, width: float) -> str:
    """``name``, or as much of its beginning as fits into ``width`` pixels."""
    if font.getlength(name) <= width:
        return name
    return next((text for end in range(len(name), 0, -1) if font.getlength(text := name[:end] + "…") <= width), "…")


def types_chart(counts: Mapping[str, int], path: Path) -> None:
    """Sprites per type as bars, most frequent first (the paper's figure 3)."""
    ordered = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    names = [name if len(name) <= 24 else f"{name[:23]}…" for name, _ in ordered]
    with _figure(7.0, 0.9 + 0.25 * len(ordered)) as (figure, axes):
        bars = axes.barh(range(len(ordered)), [n for _, n in ordered], color=LIGHT["first"], height=0.72)
        axes.set_yticks(range(len(ordered)), names)
        axes.tick_params(axis="y", length=0)
        axes.invert_yaxis()
        axes.set_ylim(len(ordered) - 0.4, -0.6)
        axes.bar_label(bars, padding=3, fontsize=9)
        axes.set_xlabel("sprites")
        axes.margins(x=0.08)
        axes.spines[["top", "right"]].set_visible(False)
        axes.set_title(f"{sum(counts.values()):,} sprites in {len(counts)} types")
        figure.savefig(path, dpi=120)


def training_curves(stats: Sequence[Line], path: Path, evaluations: Sequence[Line] = ()) -> None:
    """The charts of a run one below the other: losses, D(x) and D(G(z)) (the paper's figures 7 and 8), and KID.

    Nothing is written where there is nothing to show.
    """
    charts = charts_of(stats, evaluations)
    if not charts:
        return
    with _figure(8.0, 2.9 * len(charts), rows=len(charts)) as (figure, panels):
        for panel, draw in zip(np.atleast_1d(panels), charts.values(), strict=True):
            draw(panel, LIGHT)
        figure.savefig(path, dpi=120)


def save_chart(chart: Chart, path: Path) -> None:
    """One chart as a picture."""
    with _figure(6.0, 3.4) as (figure, panel):
        chart(panel, LIGHT)
        figure.savefig(path, dpi=120)


def chart_svgs(stats: Sequence[Line], evaluations: Sequence[Line], colours: Mapping[str, str]) -> dict[str, bytes]:
    """Title → one chart as SVG without a background, small enough to be read on a phone."""
    drawn = {}
    for title, draw in charts_of(stats, evaluations).items():
        with _figure(4.4, 2.7, colours=colours) as (figure, panel):
            draw(panel, colours)
            file = BytesIO()
            figure.savefig(file, format="svg", transparent=True, metadata={"Date": None})
        drawn[title] = file.getvalue()
    return drawn


Chart = Callable[[Any, Mapping[str, str]], None]
"""Draws into axes with colours."""


def charts_of(stats: Sequence[Line], evaluations: Sequence[Line]) -> dict[str, Chart]:
    """Title → chart; those for which there is nothing to show are left out."""
    charts: dict[str, Chart] = {}
    if stats:
        charts["Losses"] = lambda axes, colours: _losses(axes, colours, stats)
        charts["What the discriminator believes"] = lambda axes, colours: _beliefs(axes, colours, stats)
    if evaluations:
        charts["Distance to the training sprites"] = lambda axes, colours: _distance(axes, colours, evaluations)
    if charts:
        end = max(line["kimg"] for line in [*stats, *evaluations])
        return {title: _over_sprites(draw, end) for title, draw in charts.items()}
    return charts


def _over_sprites(draw: Chart, end: float) -> Chart:
    """The chart over thousands of sprites seen, from the start to ``end``, so that charts can be compared."""

    def drawn(axes: Any, colours: Mapping[str, str]) -> None:
        draw(axes, colours)
        axes.set_xlim(-0.01 * end, 1.02 * end)
        axes.set_xlabel("sprites seen (thousands)")
        axes.grid(alpha=0.25)
        axes.spines[["top", "right"]].set_visible(False)
        if axes.get_legend_handles_labels()[0]:
            axes.legend(frameon=False, ncols=2, loc="lower right", bbox_to_anchor=(1, 1), borderaxespad=0)

    return drawn


def _losses(axes: Any, colours: Mapping[str, str], stats: Sequence[Line]) -> None:
    _curve(axes, stats, "loss_g", "generator", colours["first"])
    _curve(axes, stats, "loss_d", "discriminator", colours["second"])
    axes.set_ylabel("loss")


def _beliefs(axes: Any, colours: Mapping[str, str], stats: Sequence[Line]) -> None:
    axes.axhline(0.5, color=colours["grid"], linewidth=0.8, linestyle=":")
    _curve(axes, stats, "d_real", "D(x)", colours["first"])
    _curve(axes, stats, "d_fake", "D(G(z))", colours["second"])
    axes.set_ylabel("mean of σ(logit)")
    axes.set_ylim(-0.02, 1.02)


def _distance(axes: Any, colours: Mapping[str, str], evaluations: Sequence[Line]) -> None:
    kimg, kid = ([line[key] for line in evaluations] for key in ("kimg", "kid"))
    best = min(evaluations, key=lambda line: float(line["kid"]))
    axes.plot(kimg, kid, color=colours["first"], marker="o", markersize=4, linewidth=1.4)
    axes.plot(best["kimg"], best["kid"], "*", color=colours["best"], markersize=13, label=f"best: {best['kid']:.1f}")
    if min(kid) > 0 and max(kid) > 8 * min(kid):  # the first checkpoints are often ten times worse than the last
        from matplotlib.ticker import NullFormatter, ScalarFormatter

        axes.set_yscale("log", subs=(2, 5))
        axes.yaxis.set_major_formatter(ScalarFormatter())
        axes.yaxis.set_minor_formatter(ScalarFormatter() if max(kid) < 100 * min(kid) else NullFormatter())
    axes.set_ylabel("KID × 10⁻³")


def _curve(axes: Any, stats: Sequence[Line], key: str, label: str, colour: str) -> None:
    """Every value, light, under the moving mean."""
    kimg, values = (np.array([line[name] for line in stats], float) for name in ("kimg", key))
    axes.plot(kimg, values, color=colour, alpha=0.3, linewidth=0.7)
    marker = "o" if len(values) == 1 else ""  # a line of one point can't be seen
    mean = moving_mean(values, max(1, len(values) // 40))
    axes.plot(kimg, mean, color=colour, linewidth=1.5, marker=marker, label=label)


def moving_mean(values: NDArray[np.float64], reach: int) -> NDArray[np.float64]:
    """Mean of each value [n] and its neighbours up to ``reach`` away; fewer near the ends."""
    total = np.concatenate([[0.0], np.cumsum(values)])
    place = np.arange(len(values))
    reaches = np.minimum(np.minimum(reach, place), len(values) - 1 - place)
    return np.asarray((total[place + reaches + 1] - total[place - reaches]) / (2 * reaches + 1))


@contextmanager
def _figure(
    width: float, height: float, rows: int = 1, colours: Mapping[str, str] = LIGHT
) -> Iterator[tuple[Any, Any]]:
    """(figure, axes) in inches without pyplot: no global state, no window system."""
    from matplotlib import rc_context
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    inks = ("text.color", "axes.labelcolor", "axes.edgecolor", "xtick.color", "ytick.color")
    style: dict[Any, Any] = dict.fromkeys(inks, colours["ink"]) | {
        "grid.color": colours["grid"],
        "text.parse_math": False,  # a $ in a name is no formula
        "svg.hashsalt": "assetgen",  # the same chart, the same bytes
    }
    with rc_context(style):
        figure = Figure(figsize=(width, height), layout="constrained")
        FigureCanvasAgg(figure)
        yield figure, figure.subplots(rows)
