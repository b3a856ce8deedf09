"""A sheet's JSON, of TexturePacker or Aseprite: its frames are cut out, or it is refused."""

from __future__ import annotations

import numpy as np

from asset_gen.importers.sheet_json import canvases, picture_of, read_json, sliced
from tests.fuzz.scratch import folder

FILE = folder("sheet") / "sheet.json"
SHEET = np.full((64, 64, 4), 255, np.uint8)


def attack(data: bytes) -> None:
    FILE.write_bytes(data)
    document = read_json(FILE)
    frames = canvases(FILE, document, SHEET)
    sliced(FILE, document.meta.slices, frames)
    assert picture_of(FILE, document).parent == FILE.parent
