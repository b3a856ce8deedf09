"""What does a person see of a run: sample sheets, curves, and the types in the set."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from asset_gen.pixels import enlarge

CHECKER = (203, 211)  # two greys, so that transparency shows


def sample_sheet(sprites: NDArray[np.uint8], columns: int, zoom: int = 2) -> Image.Image:
    """Straight RGBA uint8 [n, s, s, 4], row by row, ``columns`` a row, on a checkerboard."""
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
    return Image.fromarray(enlarge(flat[None], zoom)[0], "RGB")


def types_chart(counts: Mapping[str, int], path: Path) -> None:
    """Sprites per type as a bar chart, most frequent first (the paper's figure 3)."""
    ordered = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    figure, axes = _figure(max(6.0, 0.45 * len(ordered)), 3.6)
    bars = axes.bar([name for name, _ in ordered], [n for _, n in ordered], color="#4c72b0")
    axes.bar_label(bars, fontsize=8)
    axes.set_ylabel("sprites")
    axes.tick_params(axis="x", rotation=60)
    axes.set_title(f"{sum(counts.values())} sprites in {len(counts)} types")
    figure.savefig(path, dpi=120)


def training_curves(stats: Sequence[Mapping[str, float]], path: Path) -> None:
    """Losses above, σ(D(x)) and σ(D(G(z))) below (the paper's figures 7 and 8), over steps."""
    steps = [line["step"] for line in stats]
    figure, axes = _figure(8.0, 6.0, rows=2)
    for key, label in (("loss_g", "generator"), ("loss_d", "discriminator")):
        axes[0].plot(steps, [line[key] for line in stats], label=label, linewidth=0.9)
    axes[0].set_ylabel("loss")
    for key, label in (("d_real", "D(x)"), ("d_fake", "D(G(z))")):
        axes[1].plot(steps, [line[key] for line in stats], label=label, linewidth=0.9)
    axes[1].set_ylabel("mean of σ(logit)")
    axes[1].set_ylim(-0.02, 1.02)
    axes[1].set_xlabel("step")
    for panel in axes:
        panel.legend()
        panel.grid(alpha=0.3)
    figure.savefig(path, dpi=120)


def _figure(width: float, height: float, rows: int = 1):  # type: ignore[no-untyped-def]
    """A figure without pyplot: no global state, no window system."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), layout="constrained")
    FigureCanvasAgg(figure)
    return figure, figure.subplots(rows)
