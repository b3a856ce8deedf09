"""Does a sprite look like a sprite of the set at all? Four plain figures of its pixels, and the range they may have.

The range is that of the training sprites themselves, their 1st to 99th percentile: what is clutter in one set is
another set's style.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from asset_gen.pixels import OPAQUE

MEASURES = ("coverage", "border", "specks", "colours")
PERCENTILES = (1, 99)
SPECK = 4
"""Pixels below which a piece that touches nothing is a speck."""
DEPTH = 8
"""Levels of a channel that are told apart when colours are counted: a network never hits the same colour twice."""
BLOCK = 64  # sprites at a time: what a processor's cache holds

Limits = Mapping[str, tuple[float, float]]
"""Measure → least and greatest value that is not odd."""


def measure(sprites: NDArray[np.uint8]) -> dict[str, NDArray[np.float32]]:
    """Each of ``MEASURES`` [n] for straight sprites [n, s, s, 4].

    coverage: share of pixels that can be seen, 0–1. border: the same along the border. specks: pieces of fewer than
    four pixels that touch nothing. colours: different ones, at eight levels a channel.
    """
    parts = [_measured(sprites[start : start + BLOCK]) for start in range(0, len(sprites), BLOCK)]
    figures = (np.concatenate(figure) for figure in zip(*parts, strict=True))
    return {name: np.asarray(figure, np.float32) for name, figure in zip(MEASURES, figures, strict=True)}


def _measured(sprites: NDArray[np.uint8]) -> tuple[NDArray[np.floating] | NDArray[np.int64], ...]:
    """The figures of a block, in the order of ``MEASURES``."""
    seen = sprites[..., 3] >= OPAQUE
    edge = np.concatenate([seen[:, 0], seen[:, -1], seen[:, 1:-1, 0], seen[:, 1:-1, -1]], axis=1)
    return seen.mean(axis=(1, 2)), edge.mean(axis=1), _specks(seen), _colours(sprites, seen)


def limits_of(sprites: NDArray[np.uint8]) -> dict[str, tuple[float, float]]:
    """The range of each measure within a set [n, s, s, 4]."""
    ranges = {name: np.percentile(values, PERCENTILES) for name, values in measure(sprites).items()}
    return {name: (float(low), float(high)) for name, (low, high) in ranges.items()}


def oddity(figures: Mapping[str, NDArray[np.float32]], limits: Limits) -> NDArray[np.int64]:
    """[n]: place in ``MEASURES`` of the first figure that is out of its range; −1 where none is."""
    odd = np.full(len(next(iter(figures.values()))), -1, np.int64)
    for place, name in reversed(list(enumerate(MEASURES))):
        low, high = limits[name]
        odd[(figures[name] < low) | (figures[name] > high)] = place
    return odd


def _colours(sprites: NDArray[np.uint8], seen: NDArray[np.bool_]) -> NDArray[np.int64]:
    """[n]: how many colours can be seen."""
    levels = (sprites[..., :3] // (256 // DEPTH)).astype(np.int64)
    colour = (levels[..., 0] * DEPTH + levels[..., 1]) * DEPTH + levels[..., 2]
    present = np.zeros((len(sprites), DEPTH**3), bool)
    row, *_ = np.nonzero(seen)
    present[row, colour[seen]] = True
    return np.asarray(present.sum(axis=1))


def _specks(seen: NDArray[np.bool_]) -> NDArray[np.int64]:
    """[n]: pieces of seen [n, h, w] smaller than ``SPECK``; pixels touch at corners, too.

    Every pixel takes the greatest number of those within three steps. All of a speck then has one number that nothing
    else has and nothing else touches; a few pixels of a larger piece that share a number touch others of the piece.
    """
    size = seen[0].size
    numbers = np.arange(1, size + 1, dtype=np.int32).reshape(seen.shape[1:])
    labels = np.where(seen, numbers, 0)
    for _ in range(SPECK - 1):
        labels = np.where(seen, _greatest_near(labels), 0)
    least = -_greatest_near(np.where(seen, -labels, -size - 1))
    touches = seen & ((_greatest_near(labels) != labels) | (least != labels))
    places = labels[seen] + np.nonzero(seen)[0] * (size + 1)
    total = len(seen) * (size + 1)
    pixels = np.bincount(places, minlength=total)
    touching = np.bincount(places, touches[seen], minlength=total)
    specks = (pixels > 0) & (pixels < SPECK) & (touching == 0)
    return np.asarray(specks.reshape(len(seen), -1).sum(axis=1))


def _greatest_near(labels: NDArray[np.int32]) -> NDArray[np.int32]:
    """The greatest of each pixel [n, h, w] and the eight around it."""
    for axis in (1, 2):
        wide = labels.copy()
        first, last = [[slice(None)] * 3 for _ in range(2)]
        first[axis], last[axis] = slice(None, -1), slice(1, None)
        a, b = tuple(first), tuple(last)
        np.maximum(wide[a], labels[b], out=wide[a])
        np.maximum(wide[b], labels[a], out=wide[b])
        labels = wide
    return labels
