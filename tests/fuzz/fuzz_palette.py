"""A palette as text, whatever program wrote it: read, or refused."""

from __future__ import annotations

from asset_gen.palette_files import read_palette
from tests.fuzz.scratch import folder

FILE = folder("palette") / "stranger.gpl"


def attack(data: bytes) -> None:
    FILE.write_bytes(data)
    colours = read_palette(FILE)
    assert 1 <= len(colours) <= 256
