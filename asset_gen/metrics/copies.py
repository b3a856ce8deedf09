"""How many generated sprites are copies of training sprites?

A sprite counts as a copy when it is nearer to a training sprite, mirrored or not, than the nearest hundredth of all
training sprites are to each other, or within one grey level of it. Distances are root mean squares over premultiplied
RGBA at 32 pixels, 0–1.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from asset_gen.metrics.prdc import distances
from asset_gen.pixels import shrink_area, to_network

SIDE = 32
PERCENTILE = 1
GREY_LEVEL = 1 / 255


def copy_limit(training: NDArray[np.uint8]) -> float:
    """The 1st percentile of nearest-neighbour distances within the training sprites [n, s, s, 4].

    At least one grey level: in a set that repeats itself the percentile is 0, and nothing is nearer than that.
    """
    own = _nearest(training, training, skip_self=True)
    return max(float(np.percentile(own, PERCENTILE)), GREY_LEVEL)


def share_of_copies(sprites: NDArray[np.uint8], training: NDArray[np.uint8], limit: float | None = None) -> float:
    """Share of ``sprites`` [n, s, s, 4] that are nearer to a training sprite than ``limit``: 0–1.

    ``limit`` is the ``copy_limit`` of ``training``, which is computed where it isn't given.
    """
    limit = copy_limit(training) if limit is None else limit
    return float((_nearest(sprites, training, skip_self=False) < limit).mean())


@dataclass(frozen=True, slots=True)
class Neighbours:
    """The k training sprites that are nearest to each of n sprites, nearest first."""

    rows: NDArray[np.int64]
    """[n, k]: which training sprites."""
    distances: NDArray[np.float32]
    """[n, k]: root mean square over premultiplied RGBA, 0–1."""
    mirrored: NDArray[np.bool_]
    """[n, k]: whether the mirrored training sprite is the nearer one."""


def nearest_neighbours(sprites: NDArray[np.uint8], training: NDArray[np.uint8], k: int = 3) -> Neighbours:
    """Neighbours of ``sprites`` [n, s, s, 4] among ``training`` [m, s, s, 4]; all where there are fewer."""
    a, b = rendered(sprites), rendered(training)
    plain, mirrored = (
        distances(a.reshape(len(a), -1), view.reshape(len(b), -1)) / np.sqrt(a[0].size) for view in (b, b[..., ::-1])
    )
    between = np.asarray(np.minimum(plain, mirrored), np.float32)
    rows = np.argsort(between, axis=1, kind="stable")[:, :k]
    return Neighbours(
        rows=rows,
        distances=np.take_along_axis(between, rows, axis=1),
        mirrored=np.take_along_axis(mirrored < plain, rows, axis=1),
    )


def nearest_distances(sprites: NDArray[np.uint8], training: NDArray[np.uint8]) -> NDArray[np.float32]:
    """[n]: distance of every sprite to its nearest training sprite, mirrored or not."""
    return _nearest(sprites, training, skip_self=False)


def _nearest(sprites: NDArray[np.uint8], training: NDArray[np.uint8], skip_self: bool) -> NDArray[np.float32]:
    """Distance of every sprite to its nearest training sprite: [n]."""
    a, b = rendered(sprites), rendered(training)
    nearest = np.full(len(a), np.inf, np.float32)
    for view in (b, b[..., ::-1]):
        between = distances(a.reshape(len(a), -1), view.reshape(len(b), -1)) / np.sqrt(a[0].size)
        if skip_self:
            np.fill_diagonal(between, np.inf)
        nearest = np.minimum(nearest, between.min(axis=1))
    return nearest


def rendered(sprites: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Premultiplied float32 [n, 4, 32, 32] in 0–1."""
    if sprites.shape[1] != SIDE:
        sprites = np.stack([shrink_area(sprite, SIDE, SIDE) for sprite in sprites])
    return np.asarray((to_network(sprites) + 1) / 2, np.float32)
