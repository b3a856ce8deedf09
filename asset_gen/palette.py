"""Which colours may a sprite use, and which of them is nearest?

Distances are Euclidean in OKLab (Ottosson 2020), where equal distances look about equally far.
"""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from asset_gen.errors import UsageError

MAX_COLOURS = 256
Colours = NDArray[np.uint8]  # [k, 3]

_TO_LMS = np.array(
    [
        [0.4122214708, 0.5363325363, 0.0514459929],
        [0.2119034982, 0.6806995451, 0.1073969566],
        [0.0883024619, 0.2817188376, 0.6299787005],
    ]
)
_TO_LAB = np.array(
    [
        [0.2104542553, 0.7936177850, -0.0040720468],
        [1.9779984951, -2.4285922050, 0.4505937099],
        [0.0259040371, 0.7827717662, -0.8086757660],
    ]
)


def oklab(colours: NDArray[np.uint8]) -> NDArray[np.float64]:
    """sRGB uint8 [..., 3] → OKLab [..., 3]: L 0–1, a and b about ±0.4."""
    srgb = colours.astype(np.float64) / 255
    linear = np.where(srgb <= 0.04045, srgb / 12.92, ((srgb + 0.055) / 1.055) ** 2.4)
    lab: NDArray[np.float64] = np.cbrt(linear @ _TO_LMS.T) @ _TO_LAB.T
    return lab


def learn_palette(sprites: NDArray[np.uint8], count: int) -> Colours:
    """``count`` colours for the opaque pixels of sprites [n, h, w, 4], by median cut; sorted, each once."""
    opaque = sprites[sprites[..., 3] > 0][:, :3]
    if not len(opaque):
        return np.zeros((1, 3), np.uint8)
    strip = Image.fromarray(opaque[None], "RGB").quantize(count, Image.Quantize.MEDIANCUT)
    table = np.array(strip.getpalette(), np.uint8).reshape(-1, 3)
    return np.unique(table[np.unique(np.array(strip))], axis=0)


def apply_palette(sprites: NDArray[np.uint8], palette: Colours) -> NDArray[np.uint8]:
    """Sprites [n, h, w, 4] with every visible pixel moved to the nearest colour of ``palette``; no dithering."""
    visible = sprites[..., 3] > 0
    colours, place = np.unique(sprites[visible][:, :3], axis=0, return_inverse=True)
    target = oklab(palette)
    nearest = np.empty(len(colours), np.int64)
    for start in range(0, len(colours), 4096):
        lab = oklab(colours[start : start + 4096])
        nearest[start : start + 4096] = ((lab[:, None] - target[None]) ** 2).sum(axis=2).argmin(axis=1)
    result = sprites.copy()
    result[visible, :3] = palette[nearest[place.reshape(-1)]]
    return result


def to_hex(palette: Colours) -> list[str]:
    """``#rrggbb`` for every colour."""
    return [f"#{r:02x}{g:02x}{b:02x}" for r, g, b in palette.tolist()]


def from_hex(colours: list[str]) -> Colours:
    """The inverse of ``to_hex``."""
    return np.array([list(bytes.fromhex(colour.lstrip("#"))) for colour in colours], np.uint8).reshape(-1, 3)


def read_palette(path: Path) -> Colours:
    """Colours of a GIMP palette (``.gpl``) or a list of hexadecimal colours (``.hex``), in file order, each once.

    Raises:
        UsageError: no such file, or a line that is no colour; the message names the line.
    """
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"--palette {path}: can't be read ({error}). Give a number, or a .gpl or .hex file.") from None
    gimp = bool(lines) and lines[0].strip() == "GIMP Palette"
    colours: dict[tuple[int, int, int], None] = {}
    for number, line in enumerate(lines[gimp:], start=1 + gimp):
        text = line.strip()
        if not text or (text.startswith("#") and gimp) or re.match(r"(Name|Columns):", text):
            continue
        found = (
            re.match(r"([0-9]{1,3})\s+([0-9]{1,3})\s+([0-9]{1,3})\b", text)
            if gimp
            else re.fullmatch(r"#?([0-9a-fA-F]{6})", text)
        )
        if not found:
            cure = "Write red, green and blue from 0 to 255." if gimp else "Write six hexadecimal digits, as in ff8800."
            raise UsageError(f"--palette {path}, line {number}: {text[:30]!r} is no colour. {cure}")
        rgb = tuple(map(int, found.groups())) if gimp else tuple(bytes.fromhex(found[1]))
        if max(rgb) > 255:
            raise UsageError(f"--palette {path}, line {number}: {text[:30]!r}: a channel is larger than 255.")
        colours[rgb[0], rgb[1], rgb[2]] = None
    if not 1 <= len(colours) <= MAX_COLOURS:
        raise UsageError(f"--palette {path}: holds {len(colours)} colours; 1 to {MAX_COLOURS} can be used.")
    return np.array(list(colours), np.uint8)
