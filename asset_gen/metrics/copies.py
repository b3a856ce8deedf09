"""How many generated sprites are copies of training sprites?

A sprite counts as a copy when it is nearer to a training sprite, mirrored or not, than the nearest hundredth of all
training sprites are to each other, or within one grey level of it. Distances are root mean squares over premultiplied
RGBA at 32 pixels, 0–1.
"""

from __future__ import annotations

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


def share_of_copies(sprites: NDArray[np.uint8], training: NDArray[np.uint8]) -> float:
    """Share of ``sprites`` [n, s, s, 4] that are nearer to a training sprite than ``copy_limit``: 0–1."""
    return float((_nearest(sprites, training, skip_self=False) < copy_limit(training)).mean())


def _nearest(sprites: NDArray[np.uint8], training: NDArray[np.uint8], skip_self: bool) -> NDArray[np.float32]:
    """Distance of every sprite to its nearest training sprite: [n]."""
    a, b = _rendered(sprites), _rendered(training)
    nearest = np.full(len(a), np.inf, np.float32)
    for view in (b, b[..., ::-1]):
        between = distances(a.reshape(len(a), -1), view.reshape(len(b), -1)) / np.sqrt(a[0].size)
        if skip_self:
            np.fill_diagonal(between, np.inf)
        nearest = np.minimum(nearest, between.min(axis=1))
    return nearest


def _rendered(sprites: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Premultiplied float32 [n, 4, 32, 32] in 0–1."""
    if sprites.shape[1] != SIDE:
        sprites = np.stack([shrink_area(sprite, SIDE, SIDE) for sprite in sprites])
    return np.asarray((to_network(sprites) + 1) / 2, np.float32)
