"""What does a network that was trained on photographs see of a sprite?

Sprites are laid on white, enlarged by whole pixels to at least ``shown`` (whole pixels keep pixel art what it is) and
resized bilinearly to the network's side, as PyTorch's ``interpolate(…, align_corners=False)`` does: without a filter.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from asset_gen import pixels
from asset_gen.blas import on_one_core


def network_pictures(sprites: NDArray[np.uint8], side: int, shown: int = 1) -> NDArray[np.float32]:
    """[n, 3, side, side] in [-1, 1] of square sprites [n, s, s, 4]."""
    rows = resizing(sprites.shape[1], side, shown)
    white = pixels.on_white(sprites).astype(np.float32).transpose(0, 3, 1, 2) / 127.5 - 1
    with on_one_core():
        return np.asarray(rows @ (white @ rows.T), np.float32)


@lru_cache(maxsize=8)
def resizing(size: int, side: int, shown: int = 1) -> NDArray[np.float32]:
    """[side, size]: the share of each row of a picture in each row of the resized one; every line sums to 1."""
    enlarged = size * -(-shown // size)
    places = np.maximum((np.arange(side) + 0.5) * enlarged / side - 0.5, 0)
    low = np.minimum(places.astype(np.int64), enlarged - 1)
    high = np.minimum(low + 1, enlarged - 1)
    shares = np.zeros((side, enlarged))
    np.add.at(shares, (np.arange(side), low), 1 - (places - low))
    np.add.at(shares, (np.arange(side), high), places - low)
    return np.asarray(shares.reshape(side, size, enlarged // size).sum(axis=2), np.float32)
