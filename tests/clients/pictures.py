"""Sprites that can't be mistaken for each other, and where on a picture one of them is."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def colours(name: str, width: int, height: int) -> NDArray[np.uint8]:
    """A sprite of opaque noise, another for every name: [h, w, 4]."""
    pixels = np.random.default_rng(list(name.encode())).integers(0, 256, (height, width, 4), np.uint8)
    pixels[..., 3] = 255
    return pixels


def is_on(picture: NDArray[np.uint8], sprite: NDArray[np.uint8]) -> bool:
    """Whether all opaque pixels of a sprite [h, w, 4] are somewhere on a picture [h, w, 3], not enlarged."""
    places = np.argwhere(np.ones((picture.shape[0] - sprite.shape[0] + 1, picture.shape[1] - sprite.shape[1] + 1)))
    for row, column in np.argwhere(sprite[..., 3]):  # places fall away pixel by pixel
        seen = picture[places[:, 0] + row, places[:, 1] + column]
        places = places[(seen == sprite[row, column, :3]).all(1)]
        if not len(places):
            return False
    return True
