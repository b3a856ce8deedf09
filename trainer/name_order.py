"""What does a sprite's file name tell of its type? Artists number what belongs together one after another.

Sprites whose names differ in their last number alone, and in it by little, are likely of one type where a set was
numbered by families, and tell nothing where it wasn't; how much they count is for whoever knows the set's types to find
out. Folders' names don't take part: they are what is to be checked.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

REACH = 1.0
"""Difference of numbers over which what a neighbour says falls to 1/e."""
PRIOR = 0.5
"""Neighbours that the shares of all types weigh as much as."""
BLOCK = 256  # names at a time, so that memory grows with n, not with n²
FAR = 1e9
"""Of names that differ in more than their last number, or have none."""

Places = NDArray[np.float64]  # [n, 2]: which series of names, which number in it


def places_of(names: Sequence[str]) -> Places:
    """[n, 2]: each name's series, and its last number there: those of ``imp9`` and ``imp10`` are neighbours."""
    series: dict[str, int] = {}
    places = np.empty((len(names), 2))
    for row, name in enumerate(names):
        found = re.fullmatch(r"(.*?)(\d{1,15})(\D*)", name.lower(), re.DOTALL)
        rest = f"{found[1]}\0{found[3]}" if found else f"\0\0{row}"  # a series of its own
        places[row] = series.setdefault(rest, len(series)), int(found[2]) if found else 0
    return places


def neighbours_say(
    places: Places, targets: NDArray[np.float32], learnt: NDArray[np.int64], asked: NDArray[np.int64]
) -> NDArray[np.float64]:
    """p(type | names around it) [asked, types], from the ``targets`` [n, types] of the rows ``learnt``."""
    known, said = targets[learnt].astype(np.float64), np.empty((len(asked), targets.shape[1]))
    for start in range(0, len(asked), BLOCK):
        rows = slice(start, start + BLOCK)
        apart = np.abs(places[asked[rows]][:, None] - places[learnt][None])
        near = np.exp(-np.where(apart[..., 0] > 0, FAR, apart[..., 1]) / REACH)
        said[rows] = near @ known + PRIOR * known.mean(axis=0)
    return np.asarray(said / said.sum(axis=1, keepdims=True))
