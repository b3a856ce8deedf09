"""Precision and recall (Kynkäänniemi et al. 2019, arXiv:1904.06991), density and coverage (Naeem et al. 2020,
arXiv:2002.09797): how much of what is generated looks real, and how much of what is real is generated."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

NEIGHBOURS = 5
BLOCK = 1 << 21  # distances at a time, so that memory stays flat


@dataclass(frozen=True, slots=True)
class Prdc:
    """Four figures; all but density lie in 0–1."""

    precision: float
    recall: float
    density: float
    coverage: float


def precision_recall(real: NDArray[np.floating], fake: NDArray[np.floating], neighbours: int = NEIGHBOURS) -> Prdc:
    """Figures for features [n, d] and [m, d]; balls reach to each sprite's k-th nearest neighbour in its own set.

    Raises:
        ValueError: a set has no more rows than ``neighbours``.
    """
    if min(len(real), len(fake)) <= neighbours:
        raise ValueError(f"precision and recall need more than {neighbours} sprites on each side")
    real_radius, fake_radius = _radius(real, neighbours), _radius(fake, neighbours)
    balls = np.zeros(len(fake), np.int64)
    recalled, covered = 0, 0
    for rows in _blocks(len(real), len(fake)):
        between = distances(real[rows], fake)
        radius = real_radius[rows]
        balls += (between < radius[:, None]).sum(axis=0)
        recalled += int((between < fake_radius[None, :]).any(axis=1).sum())
        covered += int((between.min(axis=1) < radius).sum())
    return Prdc(
        precision=float((balls > 0).mean()),
        recall=recalled / len(real),
        density=float(balls.mean() / neighbours),
        coverage=covered / len(real),
    )


def distances(a: NDArray[np.floating], b: NDArray[np.floating]) -> NDArray[np.float32]:
    """Euclidean distances [n, m] between rows [n, d] and [m, d]."""
    a, b = np.asarray(a, np.float32), np.asarray(b, np.float32)
    squared = a @ b.T
    squared *= -2
    squared += (a**2).sum(axis=1)[:, None]
    squared += (b**2).sum(axis=1)[None]
    np.clip(squared, 0, None, out=squared)
    return np.asarray(np.sqrt(squared, out=squared), np.float32)


def _blocks(count: int, across: int) -> Iterator[slice]:
    """Rows whose distances to ``across`` others are looked at together."""
    size = max(1, BLOCK // across)
    for start in range(0, count, size):
        yield slice(start, min(start + size, count))


def _radius(features: NDArray[np.floating], neighbours: int) -> NDArray[np.float32]:
    """Distance of every row to its k-th nearest other row: [n]."""
    radii = []
    for rows in _blocks(len(features), len(features)):
        own = distances(features[rows], features)
        own[np.arange(len(own)), rows.start + np.arange(len(own))] = 0
        own.partition(neighbours, axis=1)
        radii.append(own[:, neighbours].copy())  # a view would keep the whole block
    return np.concatenate(radii)
