"""How are explored sprites shown? As a sheet, or one after another as an animation."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from asset_gen import pixels
from asset_gen.errors import UsageError
from asset_gen.png import SOURCE_TYPE, XMP, encode_sheet

FORMATS = (".png", ".gif", ".apng")
GAP = 1
"""Empty pixels between sprites, before they are enlarged."""
OPAQUE_COLOURS = 255  # of a GIF's frame, with one more for what is transparent

Sprites = NDArray[np.uint8]  # [n, s, s, 4], straight alpha


def encoded(sprites: Sprites, suffix: str, columns: int, scale: int = 4, pace: float = 8) -> bytes:
    """The file's content.

    Args:
        sprites: [n, s, s, 4].
        suffix: one of ``FORMATS``: a sheet, or an animation.
        columns: of the sheet.
        scale: how many times every pixel is enlarged.
        pace: pictures a second of an animation.
    """
    if suffix == ".png":
        return encode_sheet(sheet(sprites, columns, scale))
    return animation(pixels.enlarge(sprites, scale), suffix, pace)


def sheet(sprites: Sprites, columns: int, scale: int = 1) -> NDArray[np.uint8]:
    """Rows of ``columns`` sprites, RGBA uint8 [h, w, 4]."""
    side = sprites.shape[1] + GAP
    rows = -(-len(sprites) // columns)
    picture = np.zeros((rows * side - GAP, columns * side - GAP, 4), np.uint8)
    for place, sprite in enumerate(sprites):
        top, left = place // columns * side, place % columns * side
        picture[top : top + side - GAP, left : left + side - GAP] = sprite
    large: NDArray[np.uint8] = pixels.enlarge(picture[None], scale)[0]
    return large


def animation(sprites: Sprites, suffix: str, pace: float) -> bytes:
    """A GIF, or an APNG, that goes on for ever; says in its metadata that a trained model made it."""
    buffer, rest = io.BytesIO(), {"save_all": True, "duration": round(1000 / pace), "loop": 0}
    if suffix == ".gif":
        frames = [_indexed(sprite) for sprite in sprites]
        frames[0].save(
            buffer,
            "GIF",
            append_images=frames[1:],
            disposal=2,
            transparency=OPAQUE_COLOURS,
            optimize=False,
            comment=SOURCE_TYPE.encode(),
            **rest,
        )
        return buffer.getvalue()
    marks = PngInfo()
    marks.add_itxt("XML:com.adobe.xmp", XMP)
    frames = [Image.fromarray(sprite, "RGBA") for sprite in sprites]
    frames[0].save(buffer, "PNG", append_images=frames[1:], disposal=1, blend=0, pnginfo=marks, **rest)
    return buffer.getvalue()


def _indexed(sprite: NDArray[np.uint8]) -> Image.Image:
    """A frame of a GIF: what is less than half opaque is transparent."""
    colours = Image.fromarray(sprite, "RGBA").convert("RGB").quantize(OPAQUE_COLOURS, dither=Image.Dither.NONE)
    places = np.asarray(colours).copy()
    places[sprite[..., 3] < pixels.OPAQUE] = OPAQUE_COLOURS
    frame = Image.fromarray(places, "P")
    table = (colours.getpalette() or [])[: 3 * OPAQUE_COLOURS]
    frame.putpalette(table + [0] * (3 * (OPAQUE_COLOURS + 1) - len(table)))
    return frame


def check_out(path: Path, formats: Sequence[str] = FORMATS) -> None:
    """Refuse, before any work, to write over a picture that assetgen hasn't made.

    Raises:
        UsageError: another ending, no such folder, or a file of somebody's.
    """
    if path.suffix.lower() not in formats:
        raise UsageError(f"--out {path}: the file's name must end in {', '.join(formats)}.")
    if not path.parent.is_dir():
        raise UsageError(f"--out {path}: there is no folder {path.parent}. Create it first.")
    if path.exists() and not (path.is_file() and SOURCE_TYPE.encode() in path.read_bytes()):
        raise UsageError(f"--out {path}: is there already, and assetgen didn't draw it. Give another name.")
