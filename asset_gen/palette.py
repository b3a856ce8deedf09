"""Which colours may a sprite use, and which of them is nearest?

Distances are Euclidean in OKLab (Ottosson 2020), where equal distances look about equally far.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray
from PIL import Image

MAX_COLOURS = 256
ROUNDS = 12  # of k-means, after which nothing moves that an eye would see
MANY = 4096  # colours, from which on nearly equal ones count as one
OUTLINE_SHARE = 0.05  # of all pixels at borders, from which on a dark colour is an outline's
OUTLINE_STEP = 0.06  # in OKLab: outline colours nearer than that are one
THRESHOLDS = (np.array([[0, 8, 2, 10], [12, 4, 14, 6], [3, 11, 1, 9], [15, 7, 13, 5]]) + 0.5) / 16 - 0.5
"""Bayer's 4×4 matrix, centred."""
DITHER = 0.08  # of lightness, from the darkest threshold to the lightest
Colours = NDArray[np.uint8]  # [k, 3]

_TO_LMS = np.array(
    [
        [0.4122214708, 0.5363325363, 0.0514459929],
        [0.2119034982, 0.6806995451, 0.1073969566],
        [0.0883024619, 0.2817188376, 0.6299787005],
    ]
)
_TO_LAB = np.array(
    [
        [0.2104542553, 0.7936177850, -0.0040720468],
        [1.9779984951, -2.4285922050, 0.4505937099],
        [0.0259040371, 0.7827717662, -0.8086757660],
    ]
)


def oklab(colours: NDArray[np.uint8]) -> NDArray[np.float64]:
    """sRGB uint8 [..., 3] → OKLab [..., 3]: L 0–1, a and b about ±0.4."""
    srgb = colours.astype(np.float64) / 255
    linear = np.where(srgb <= 0.04045, srgb / 12.92, ((srgb + 0.055) / 1.055) ** 2.4)
    lab: NDArray[np.float64] = np.cbrt(linear @ _TO_LMS.T) @ _TO_LAB.T
    return lab


def learn_palette(sprites: Iterable[NDArray[np.uint8]], count: int) -> Colours:
    """At most ``count`` colours for the visible pixels of sprites [h, w, 4], sorted, each once.

    Colours of outlines keep entries of their own, exactly; the others are k-means in OKLab over the square roots of how
    often they occur, so that an accent isn't drowned by a large area. Every entry is a colour that was drawn.
    """
    pictures = list(sprites)
    colours, counts = _tally([picture[picture[..., 3] > 0][:, :3] for picture in pictures])
    if not len(colours):
        return np.zeros((1, 3), np.uint8)
    if len(colours) <= count:
        return colours
    kept = outline_colours(pictures)[: max(1, count // 4)]
    if len(colours) > MANY:
        colours, counts = _thinned(colours, counts)
    weights = np.sqrt(counts)
    lab, fixed = oklab(colours), oklab(kept)
    centres = np.concatenate([fixed, oklab(_median_cut(colours, counts, count - len(kept)))])
    for _ in range(ROUNDS):
        nearest = _nearest(lab, centres)
        total = np.bincount(nearest, weights, len(centres))
        sums = np.stack([np.bincount(nearest, weights * lab[:, axis], len(centres)) for axis in range(3)], axis=1)
        used = total > 0
        centres[used] = sums[used] / total[used, None]
        centres[: len(fixed)] = fixed
    drawn = colours[_nearest(centres[len(fixed) :], lab)]
    return np.unique(np.concatenate([kept, drawn]), axis=0)


def outline_colours(sprites: Iterable[NDArray[np.uint8]]) -> Colours:
    """The colours [k, 3] that draw outlines, most frequent first.

    An outline is what lies at a figure's border and is darker than half of all visible pixels; of colours that look
    alike, the most frequent stands for all.
    """
    edges, inside = [], []
    for picture in sprites:
        visible = picture[..., 3] > 0
        padded = np.pad(visible, 1)
        around = padded[:-2, 1:-1] & padded[2:, 1:-1] & padded[1:-1, :-2] & padded[1:-1, 2:]
        edges.append(picture[visible & ~around][:, :3])
        inside.append(picture[visible][:, :3])
    colours, counts = _tally(edges)
    every, often = _tally(inside)
    if not len(every):
        return np.zeros((0, 3), np.uint8)
    lightness = oklab(every)[:, 0]
    order = np.argsort(lightness)
    half = lightness[order][np.searchsorted(np.cumsum(often[order]), often.sum() / 2)]
    found: list[int] = []
    lab, share = oklab(colours), counts / counts.sum()
    dark = np.flatnonzero(lab[:, 0] < half)
    for place in dark[np.argsort(-counts[dark], kind="stable")]:
        alike = ((lab[dark] - lab[place]) ** 2).sum(axis=1) < OUTLINE_STEP**2
        if share[dark][alike].sum() < OUTLINE_SHARE:
            continue
        if all(((lab[other] - lab[place]) ** 2).sum() >= OUTLINE_STEP**2 for other in found):
            found.append(int(place))
        if len(found) == MAX_COLOURS // 4:
            break
    return colours[found]


def _tally(parts: list[NDArray[np.uint8]]) -> tuple[Colours, NDArray[np.int64]]:
    """Every colour of lists of colours [n, 3] once, sorted, and how often it occurs."""
    every = np.concatenate(parts) if parts else np.zeros((0, 3), np.uint8)
    packed = every.astype(np.uint32) @ np.array([65536, 256, 1], np.uint32)
    values, counts = np.unique(packed, return_counts=True)
    return np.stack([values >> 16, values >> 8 & 255, values & 255], axis=1).astype(np.uint8), counts


def _thinned(colours: Colours, counts: NDArray[np.int64]) -> tuple[Colours, NDArray[np.int64]]:
    """The most frequent colour of each cube of 8×8×8, and how often any of the cube occurs."""
    cube = (colours >> 3).astype(np.int64) @ np.array([1024, 32, 1])
    order = np.lexsort((-counts, cube))
    first = np.flatnonzero(np.diff(cube[order], prepend=-1))
    return colours[order[first]], np.add.reduceat(counts[order], first)


def _median_cut(colours: Colours, counts: NDArray[np.int64], count: int) -> Colours:
    """Where k-means begins."""
    repeats = np.maximum(1, np.rint(8 * np.sqrt(counts / counts.min())).clip(1, 64)).astype(np.int64)
    strip = Image.fromarray(colours.repeat(repeats, axis=0)[None], "RGB").quantize(count, Image.Quantize.MEDIANCUT)
    table = np.array(strip.getpalette(), np.uint8).reshape(-1, 3)
    return np.asarray(table[np.unique(np.array(strip))])


def _nearest(lab: NDArray[np.float64], centres: NDArray[np.float64]) -> NDArray[np.int64]:
    """The number of the nearest of ``centres`` [k, 3] for each of ``lab`` [n, 3]; the first of equals."""
    nearest = np.empty(len(lab), np.int64)
    for start in range(0, len(lab), 4096):
        part = lab[start : start + 4096]
        nearest[start : start + 4096] = ((part[:, None] - centres[None]) ** 2).sum(axis=2).argmin(axis=1)
    return nearest


def apply_palette(sprites: NDArray[np.uint8], palette: Colours, dither: bool = False) -> NDArray[np.uint8]:
    """Sprites [n, h, w, 4] with every visible pixel moved to the nearest colour of ``palette``.

    ``dither`` moves lightness by a 4×4 pattern first, except where a pixel has a colour of the palette already.
    """
    visible = sprites[..., 3] > 0
    colours, place = np.unique(sprites[visible][:, :3], axis=0, return_inverse=True)
    target, place = oklab(palette), place.reshape(-1)
    lab = oklab(colours)
    nearest = _nearest(lab, target)
    result = sprites.copy()
    if not dither:
        result[visible, :3] = palette[nearest[place]]
        return result
    rows, columns = np.nonzero(visible)[1:]
    moved = lab[place]
    exact = (palette[nearest] == colours).all(axis=1)[place]
    moved[:, 0] += np.where(exact, 0, DITHER * THRESHOLDS[rows % 4, columns % 4])
    result[visible, :3] = palette[_nearest(moved, target)]
    return result


def off_palette(sprites: NDArray[np.uint8], palette: Colours) -> int:
    """How many visible pixels of [..., 4] have a colour that ``palette`` lacks."""
    weights = np.array([65536, 256, 1], np.uint32)
    visible = sprites[sprites[..., 3] > 0][:, :3].astype(np.uint32) @ weights
    return int(np.count_nonzero(~np.isin(visible, palette.astype(np.uint32) @ weights)))


def to_hex(palette: Colours) -> list[str]:
    """``#rrggbb`` for every colour."""
    return [f"#{r:02x}{g:02x}{b:02x}" for r, g, b in palette.tolist()]


def from_hex(colours: list[str]) -> Colours:
    """The inverse of ``to_hex``."""
    return np.array([list(bytes.fromhex(colour.lstrip("#"))) for colour in colours], np.uint8).reshape(-1, 3)
