"""How are palettes read and written? GIMP (``.gpl``), hexadecimal (``.hex``), JASC (``.pal``), strips (``.png``).

Aseprite, GIMP, Krita, Lospec and most pixel editors read at least two of these.
"""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from asset_gen.errors import ProjectError, SpriteError, UsageError
from asset_gen.images import read_rgba
from asset_gen.palette import MAX_COLOURS, Colours, to_hex

MAX_BYTES = 2**20
Colour = tuple[int, int, int]
NUMBERS = re.compile(r"([0-9]{1,3})\s+([0-9]{1,3})\s+([0-9]{1,3})\b")


@dataclass(frozen=True, slots=True)
class Format:
    """A kind of file: how it is known, read and written."""

    read: Callable[[Path], list[Colour]]
    write: Callable[[Colours, str], bytes]
    """From colours and the palette's name."""


def read_palette(path: Path) -> Colours:
    """The colours of a palette file, in file order, each once. Text says itself of which format it is.

    Raises:
        UsageError: no such file, or no palette; the message names the line and the cure.
    """
    known = FORMATS.get(path.suffix.lower(), FORMATS[".hex"])
    colours = list(dict.fromkeys(known.read(path)))
    if not 1 <= len(colours) <= MAX_COLOURS:
        raise UsageError(f"--palette {path}: holds {len(colours)} colours; 1 to {MAX_COLOURS} can be used.")
    return np.array(colours, np.uint8)


def write_palette(path: Path, colours: Colours) -> None:
    """Write colours in the format of the path's ending, and read them back.

    Raises:
        UsageError: the ending is of no palette format.
        ProjectError: the file can't be written, or holds something else afterwards.
    """
    if path.suffix.lower() not in FORMATS:
        raise UsageError(f"--out {path}: palettes are written as {', '.join(FORMATS)}. Give such a name.")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        stage = path.with_name(f".{path.name}.tmp")
        stage.write_bytes(FORMATS[path.suffix.lower()].write(colours, path.stem))
        stage.replace(path)
    except OSError as error:
        raise ProjectError(f"{path}: can't be written ({error.strerror}). Check its folder and the disk.") from None
    if not np.array_equal(read_palette(path), colours):
        raise ProjectError(f"{path}: holds other colours than were written. Check the disk.")


def _text_of(path: Path) -> list[str]:
    try:
        if path.stat().st_size > MAX_BYTES:
            raise UsageError(f"--palette {path}: {path.stat().st_size:,} bytes are no palette.")
        return path.read_text(encoding="utf-8-sig").splitlines()
    except UnicodeDecodeError:
        if path.suffix.lower() == ".pal":
            raise UsageError(f"--palette {path}: is no JASC palette in text. Save it as JASC, .gpl or .hex.") from None
        raise UsageError(f"--palette {path}: can't be read as text. Give a {', '.join(FORMATS)} file.") from None
    except OSError as error:
        raise UsageError(
            f"--palette {path}: can't be read ({error.strerror}). Give a number, or a {', '.join(FORMATS)} file."
        ) from None


def _read_text(path: Path) -> list[Colour]:
    lines = _text_of(path)
    first = lines[0].strip() if lines else ""
    if first == "GIMP Palette":
        return list(_numbers(path, lines, 1, re.compile("#|Name:|Columns:|Channels:")))
    if first == "JASC-PAL":
        return list(_numbers(path, lines, 3, None))
    return list(_hexadecimal(path, lines))


def _numbers(path: Path, lines: list[str], start: int, skipped: re.Pattern[str] | None) -> Iterable[Colour]:
    for number, line in enumerate(lines[start:], start=start + 1):
        text = line.strip()
        if not text or (skipped and skipped.match(text)):
            continue
        found = NUMBERS.match(text)
        if not found:
            raise UsageError(
                f"--palette {path}, line {number}: {text[:30]!r} is no colour. Write red, green and blue from 0 to 255."
            )
        red, green, blue = map(int, found.groups())
        if max(red, green, blue) > 255:
            raise UsageError(f"--palette {path}, line {number}: {text[:30]!r}: a channel is larger than 255.")
        yield red, green, blue


def _hexadecimal(path: Path, lines: list[str]) -> Iterable[Colour]:
    for number, line in enumerate(lines, start=1):
        text = line.strip()
        if not text or text.startswith(";"):
            continue
        found = re.fullmatch(r"#?([0-9a-fA-F]{6})", text)
        if not found:
            raise UsageError(
                f"--palette {path}, line {number}: {text[:30]!r} is no colour. "
                f"Write six hexadecimal digits, as in ff8800."
            )
        red, green, blue = bytes.fromhex(found[1])
        yield red, green, blue


def _read_strip(path: Path) -> list[Colour]:
    """The visible colours of a picture, in reading order."""
    try:
        picture = read_rgba(path)
    except SpriteError as error:
        raise UsageError(f"--palette {error}") from None
    visible = picture[picture[..., 3] > 0][:, :3]
    colours, first = np.unique(visible, axis=0, return_index=True)
    return [(int(r), int(g), int(b)) for r, g, b in colours[np.argsort(first)]]


def _gimp(colours: Colours, name: str) -> bytes:
    rows = [f"{r:3} {g:3} {b:3}\t{r:02x}{g:02x}{b:02x}" for r, g, b in colours.tolist()]
    return "\n".join(["GIMP Palette", f"Name: {name}", "Columns: 8", "#", *rows, ""]).encode()


def _jasc(colours: Colours, name: str) -> bytes:
    rows = [f"{r} {g} {b}" for r, g, b in colours.tolist()]
    return "\r\n".join(["JASC-PAL", "0100", str(len(rows)), *rows, ""]).encode()


def _hex(colours: Colours, name: str) -> bytes:
    return "".join(f"{colour[1:]}\n" for colour in to_hex(colours)).encode()


def _strip(colours: Colours, name: str) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(colours[None], "RGB").save(buffer, "PNG")
    return buffer.getvalue()


FORMATS = {
    ".gpl": Format(_read_text, _gimp),
    ".hex": Format(_read_text, _hex),
    ".pal": Format(_read_text, _jasc),
    ".png": Format(_read_strip, _strip),
}
