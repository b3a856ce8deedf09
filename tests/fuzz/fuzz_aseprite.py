"""An Aseprite drawing: read, or refused."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from asset_gen.importers.aseprite_file import read_aseprite


def attack(data: bytes) -> None:
    drawing = read_aseprite(Path("stranger.aseprite"), data)
    for frame in drawing.frames:
        assert frame.dtype == np.uint8
        assert frame.shape == (drawing.height, drawing.width, 4)
