"""How is a picture from a stranger read safely?"""

from __future__ import annotations

import warnings
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError
from PIL.PngImagePlugin import PngImageFile

from asset_gen.errors import SpriteError, TooLargeError

FORMATS = ("PNG", "WEBP", "GIF", "BMP")
SUFFIXES = frozenset({".png", ".webp", ".gif", ".bmp"})
MAX_SIDE = 8192
MAX_PIXELS = 16_777_216  # 4096 × 4096: a stranger's large sheet, 64 MiB once decoded
MAX_SHEET_PIXELS = 16384 * 16384  # the largest that ``--max-size`` allows, 1 GiB once decoded
PNG_START = b"\x89PNG\r\n\x1a\n"
READ_AT_ONCE = 1 << 20  # bytes

Rgba = NDArray[np.uint8]  # [height, width, 4], straight alpha


def read_rgba(path: Path, data: BinaryIO | None = None) -> Rgba:
    """The first frame of a PNG, WebP, GIF or BMP as uint8 [height, width, 4] with straight alpha.

    Every colour type is converted; 16-bit grey keeps its upper 8 bits. Where ``data`` is given, ``path`` only names it.

    Raises:
        SpriteError: not such a picture, damaged, too large, or not readable; the message names the file.
    """
    return _decoded(path, lambda: _opened(path, data or path))


def read_whole(path: Path) -> Rgba:
    """Like ``read_rgba``, for a sheet that assetgen wrote: a PNG must be there to its last chunk.

    A decoder needs no more than the pixels, and takes a file that breaks off behind them for whole. A sheet may be
    larger than what is taken from strangers.

    Raises:
        SpriteError: see ``read_rgba``; a PNG that breaks off, or a chunk of which doesn't keep its sum.
        TooLargeError: so many pixels that it wasn't looked at.
    """
    picture = _decoded(path, lambda: _opened_sheet(path))
    try:
        reason = _png_flaw(path)
    except OSError as error:
        reason = str(error)
    if reason:
        raise SpriteError(f"{path}: damaged ({reason}). Save it again, or remove it.")
    return picture


def _opened(path: Path, source: BinaryIO | Path) -> Image.Image:
    """A picture from anybody, its pixels not decoded yet."""
    with warnings.catch_warnings():
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        image = Image.open(source, formats=FORMATS)
    width, height = image.size
    if width > MAX_SIDE or height > MAX_SIDE or width * height > MAX_PIXELS:
        image.close()
        raise TooLargeError(
            f"{path}: {width}×{height} pixels are more than a sprite may have "
            f"({MAX_PIXELS:,} in all, {MAX_SIDE} a side). Cut it into sprites first."
        )
    return image


def _opened_sheet(path: Path) -> Image.Image:
    """A sheet, its pixels not decoded yet; what isn't a PNG any more is opened like a stranger's picture."""
    with path.open("rb") as file:
        ours = file.read(len(PNG_START)) == PNG_START
    if not ours:
        return _opened(path, path)
    image = PngImageFile(path)  # Image.open refuses what is larger than Pillow's own limit
    if image.width * image.height > MAX_SHEET_PIXELS:
        image.close()
        raise TooLargeError(f"{path}: {image.width}×{image.height} pixels are more than a sheet of ours can have.")
    return image


def _decoded(path: Path, opened: Callable[[], Image.Image]) -> Rgba:
    """What a picture shows; whatever its decoder raises names the file and the cure."""
    try:
        with opened() as image:
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
        raise TooLargeError(f"{path}: a decompression bomb: far too many pixels for its file. Remove it.") from None
    except PermissionError:
        raise SpriteError(f"{path}: no permission to read it. Change its mode, or leave it out.") from None
    except FileNotFoundError:
        raise SpriteError(f"{path}: there is no such file.") from None
    except Exception as error:  # Pillow's decoders raise OSError, ValueError, SyntaxError, struct.error, EOFError …
        if path.exists() and path.stat().st_size == 0:
            raise SpriteError(f"{path}: the file is empty (0 bytes). Save it again, or remove it.") from None
        reason = "not a PNG, WebP, GIF or BMP" if isinstance(error, UnidentifiedImageError) else f"damaged ({error})"
        raise SpriteError(f"{path}: {reason}. Save it again, or remove it.") from None


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
