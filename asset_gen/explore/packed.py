"""How do codes and directions stand in JSON? In steps of 1/32, 8 bits each, as base64."""

from __future__ import annotations

import binascii
from base64 import b64decode, b64encode

import numpy as np
from numpy.typing import NDArray

from asset_gen.errors import ProjectError

STEP = 1 / 32
"""Of what is stored, from −4 to 4; latents have a standard deviation of 1."""


def pack(values: NDArray[np.floating]) -> str:
    """Numbers of any shape, rounded to the nearest step and kept within what can be stored."""
    return b64encode(np.clip(np.rint(values / STEP), -127, 127).astype(np.int8).tobytes()).decode()


def unpack(text: str, *shape: int) -> NDArray[np.float32]:
    """The numbers, in the shape that they had.

    Raises:
        ProjectError: there are more or fewer of them.
    """
    try:
        values = np.frombuffer(b64decode(text, validate=True), np.int8).reshape(shape)
    except (binascii.Error, ValueError):
        raise ProjectError(
            f"an explored sprite's origin holds {text[:20]!r}…, which aren't {np.prod(shape)} numbers. "
            f"Restore the file that says so from version control."
        ) from None
    return np.asarray(values * np.float32(STEP), np.float32)
