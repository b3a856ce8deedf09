"""How is a picture from a stranger read safely?"""

from __future__ import annotations

import warnings
import zlib
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError

from asset_gen.errors import SpriteError

FORMATS = ("PNG", "WEBP", "GIF", "BMP")
SUFFIXES = frozenset({".png", ".webp", ".gif", ".bmp"})
MAX_SIDE = 8192
MAX_PIXELS = 16_777_216  # 4096 × 4096: a large sheet, 64 MiB once decoded
PNG_START = b"\x89PNG\r\n\x1a\n"
READ_AT_ONCE = 1 << 20  # bytes

Rgba = NDArray[np.uint8]  # [height, width, 4], straight alpha


def read_rgba(path: Path, data: BinaryIO | None = None) -> Rgba:
    """The first frame of a PNG, WebP, GIF or BMP as uint8 [height, width, 4] with straight alpha.

    Every colour type is converted; 16-bit grey keeps its upper 8 bits. Where ``data`` is given, ``path`` only names it.

    Raises:
        SpriteError: not such a picture, damaged, too large, or not readable; the message names the file.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(data or path, formats=FORMATS) as image:
                width, height = image.size
                if width > MAX_SIDE or height > MAX_SIDE or width * height > MAX_PIXELS:
                    raise SpriteError(
                        f"{path}: {width}×{height} pixels are more than a sprite may have "
                        f"({MAX_PIXELS:,} in all, {MAX_SIDE} a side). Cut it into sprites first."
                    )
                image.seek(0)
                image.load()
                if image.mode.startswith("I"):  # 16-bit grey, which convert() would clip instead of scale
                    samples = np.asarray(image, np.uint32)
                    opaque = (samples != image.info.get("transparency", -1)) * np.uint32(0xFFFF)
                    return np.asarray(np.stack([samples, samples, samples, opaque], axis=2) >> 8, np.uint8)
                return np.array(image.convert("RGBA"))
    except SpriteError:
        raise
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise SpriteError(f"{path}: a decompression bomb: far too many pixels for its file. Remove it.") from None
    except PermissionError:
        raise SpriteError(f"{path}: no permission to read it. Change its mode, or leave it out.") from None
    except FileNotFoundError:
        raise SpriteError(f"{path}: there is no such file.") from None
    except Exception as error:  # Pillow's decoders raise OSError, ValueError, SyntaxError, struct.error, EOFError …
        if path.exists() and path.stat().st_size == 0:
            raise SpriteError(f"{path}: the file is empty (0 bytes). Save it again, or remove it.") from None
        reason = "not a PNG, WebP, GIF or BMP" if isinstance(error, UnidentifiedImageError) else f"damaged ({error})"
        raise SpriteError(f"{path}: {reason}. Save it again, or remove it.") from None


def read_whole(path: Path) -> Rgba:
    """Like ``read_rgba``, for a file that assetgen wrote: a PNG must be there to its last chunk.

    A decoder needs no more than the pixels, and takes a file that breaks off behind them for whole.

    Raises:
        SpriteError: see ``read_rgba``; a PNG that breaks off, or a chunk of which doesn't keep its sum.
    """
    picture = read_rgba(path)
    try:
        reason = _png_flaw(path)
    except OSError as error:
        reason = str(error)
    if reason:
        raise SpriteError(f"{path}: damaged ({reason}). Save it again, or remove it.")
    return picture


def _png_flaw(path: Path) -> str | None:
    """What keeps a PNG from being whole, or None; also None for a picture of another format."""
    with path.open("rb") as file:
        if file.read(len(PNG_START)) != PNG_START:
            return None
        name = b""
        while name != b"IEND":
            head = file.read(8)
            left, name = int.from_bytes(head[:4]), head[4:]
            check = zlib.crc32(name)
            while left and (data := file.read(min(left, READ_AT_ONCE))):
                check, left = zlib.crc32(data, check), left - len(data)
            end = file.read(4)
            if len(head) < 8 or left or len(end) < 4:
                return "it breaks off before its end"
            if int.from_bytes(end) != check:
                return f"its chunk {name.decode('latin-1')!r} doesn't keep its sum"
    return None
