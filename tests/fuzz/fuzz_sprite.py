"""A picture: read as RGBA of a size that is allowed, or refused."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path

import numpy as np

from asset_gen.images import MAX_PIXELS, read_rgba


def attack(data: bytes) -> None:
    picture = read_rgba(Path("stranger.png"), BytesIO(data))
    assert picture.dtype == np.uint8
    assert picture.ndim == 3
    assert picture.shape[2] == 4
    assert picture.shape[0] * picture.shape[1] <= MAX_PIXELS
