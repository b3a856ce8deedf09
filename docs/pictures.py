"""Draws the README's picture from a published project: python docs/pictures.py PROJECT OUT.png

The first eight slots of every type, in slot order, on a checkerboard; nothing is chosen by hand.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

EACH = 8
CHECKER = (236, 228)


def picture(project: Path) -> Image.Image:
    """Two columns of types, a row each with its name."""
    out = project / "assets" / "generated"
    sheets = json.loads((out / "manifest.json").read_text())["sheets"]
    side = sheets[0]["cell"][0]
    row, name_width = side + 8, 96
    block = name_width + EACH * (side + 4) + 24
    rows = -(-len(sheets) // 2)
    y, x = np.indices((rows * row, 2 * block)) // 8
    board = np.where((y + x) % 2, *CHECKER).astype(np.uint8)
    canvas = Image.fromarray(board).convert("RGBA")
    pen = ImageDraw.Draw(canvas)
    for number, sheet in enumerate(sheets):
        left, top = number // rows * block, number % rows * row
        pen.text((left + 8, top + row // 2 - 6), sheet["type"], fill=(40, 40, 40, 255), font_size=14)
        with Image.open(out / sheet["image"]) as image:
            for place, sprite in enumerate(sheet["sprites"][:EACH]):
                sx, sy, width, height = sprite["rect"]
                cut = image.convert("RGBA").crop((sx, sy, sx + width, sy + height))
                canvas.alpha_composite(cut, (left + name_width + place * (side + 4), top + 4))
    return canvas.convert("RGB")


if __name__ == "__main__":
    picture(Path(sys.argv[1])).save(sys.argv[2], optimize=True)
