"""What does the JSON beside a sheet say of its sprites? TexturePacker's and Aseprite's, hash and array.

TexturePacker: a frame may be rotated a quarter turn and trimmed. Aseprite: tags name spans of frames, slices name
rectangles. A ``type`` in a frame, as assetgen itself writes it, wins.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path, PurePosixPath

import msgspec
import numpy as np

from asset_gen.errors import SpriteError
from asset_gen.images import MAX_SIDE, Rgba
from asset_gen.importers.cut import Box

MAX_JSON = 64 * 2**20  # bytes


class Rect(msgspec.Struct, frozen=True):
    """A rectangle in pixels."""

    x: int
    y: int
    w: int
    h: int


class Size(msgspec.Struct, frozen=True):
    """Width and height in pixels."""

    w: int
    h: int


class Frame(msgspec.Struct, frozen=True):
    """A frame of either program."""

    frame: Rect
    filename: str = ""
    rotated: bool = False
    trimmed: bool = False
    spriteSourceSize: Rect | None = None  # noqa: N815 (TexturePacker's own key)
    sourceSize: Size | None = None  # noqa: N815
    type: str = ""


class Tag(msgspec.Struct, frozen=True):
    """A span of frames."""

    name: str
    first: int = msgspec.field(name="from")
    last: int = msgspec.field(name="to")


class SliceKey(msgspec.Struct, frozen=True):
    """A slice's rectangle from a frame on."""

    frame: int
    bounds: Rect


class Slice(msgspec.Struct, frozen=True):
    """A named rectangle of the canvas."""

    name: str
    keys: list[SliceKey] = []


class Meta(msgspec.Struct, frozen=True):
    """What is said of the whole sheet."""

    image: str = ""
    frameTags: list[Tag] = []  # noqa: N815 (Aseprite's own key)
    slices: list[Slice] = []


class Document(msgspec.Struct, frozen=True):
    """The file."""

    frames: dict[str, Frame] | list[Frame]
    meta: Meta = Meta()


@dataclass(frozen=True, slots=True)
class Canvas:
    """A frame as it was before it was packed."""

    name: str
    label: str
    """The type its file names; empty where it names none."""
    picture: Rgba


def read_json(path: Path) -> Document:
    """A sheet's JSON.

    Raises:
        SpriteError: it is missing, damaged, or of neither program; the message says where in it.
    """
    try:
        if path.stat().st_size > MAX_JSON:
            raise SpriteError(f"{path}: {path.stat().st_size // 2**20} MiB are no description of a sheet.")
        return msgspec.json.decode(path.read_bytes(), type=Document)
    except FileNotFoundError:
        raise SpriteError(f"{path}: there is no such file. Export the sheet with its JSON again.") from None
    except (OSError, msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise SpriteError(
            f"{path}: is no JSON of TexturePacker or Aseprite ({error}). Export it again as JSON (hash or array)."
        ) from None


def picture_of(path: Path, document: Document) -> Path:
    """The picture that a sheet's JSON names, beside it.

    Raises:
        SpriteError: it names none, or one in another folder.
    """
    name = document.meta.image
    if not name:
        raise SpriteError(f"{path}: names no picture (meta.image). Give the picture instead of its JSON.")
    if PurePosixPath(name.replace("\\", "/")).name != name or name in (".", "..") or "\0" in name or ":" in name:
        raise SpriteError(f"{path}: its picture {name[:80]!r} lies elsewhere. Put it beside the JSON, by name alone.")
    return path.with_name(name)


def canvases(path: Path, document: Document, sheet: Rgba) -> list[Canvas]:
    """Every frame, turned back and set on its untrimmed canvas.

    Raises:
        SpriteError: a frame, tag or size is not what it can be; the message names it.
    """
    frames = document.frames
    named = list(frames.items()) if isinstance(frames, dict) else [(frame.filename, frame) for frame in frames]
    labels = _tagged(path, document.meta.frameTags, [name for name, _ in named])
    return [
        Canvas(name, frame.type or labels[place], _unpacked(path, name, frame, sheet))
        for place, (name, frame) in enumerate(named)
    ]


def _tagged(path: Path, tags: list[Tag], names: list[str]) -> list[str]:
    """For every frame the tag that it is named after, or else the one that spans it; "" where there is none.

    Of several drawings in one sheet Aseprite counts each one's frames from nought, so that their tags overlap; nothing
    but names tells then.
    """
    labels = [""] * len(names)
    for tag in tags:
        if not 0 <= tag.first <= tag.last < len(names):
            raise SpriteError(
                f"{path}: the tag {tag.name[:40]!r} spans frames {tag.first}–{tag.last}, and there are {len(names)}. "
                f"Export the sheet again."
            )
        labels[tag.first : tag.last + 1] = [tag.name.strip()] * (tag.last + 1 - tag.first)
    stems = [label_in(name) for name in names]
    if len(set(stems)) > 1 and _overlap(tags):
        labels = [""] * len(names)
    known = {tag.name.strip() for tag in tags}
    return [stem if stem in known else label for stem, label in zip(stems, labels, strict=True)]


def _overlap(tags: list[Tag]) -> bool:
    spans = sorted((tag.first, tag.last) for tag in tags)
    return any(start <= end for (_, end), (start, _) in pairwise(spans))


def _unpacked(path: Path, name: str, frame: Frame, sheet: Rgba) -> Rgba:
    place, cure = frame.frame, "Export picture and JSON again, together."
    width, height = (place.h, place.w) if frame.rotated else (place.w, place.h)
    box = Box(place.x, place.y, width, height)
    if not box.inside(sheet):
        raise SpriteError(
            f"{path}: the frame {name[:80]!r} ({width}×{height} at {place.x}, {place.y}) doesn't lie on the sheet of "
            f"{sheet.shape[1]}×{sheet.shape[0]} pixels. {cure}"
        )
    picture = box.cut(sheet)
    if frame.rotated:
        picture = np.rot90(picture).copy()
    source, whole = frame.spriteSourceSize, frame.sourceSize
    if not frame.trimmed or source is None or whole is None:
        return picture
    if not (0 < whole.w <= MAX_SIDE and 0 < whole.h <= MAX_SIDE) or not (
        0 <= source.x <= whole.w - place.w and 0 <= source.y <= whole.h - place.h
    ):
        raise SpriteError(f"{path}: the frame {name[:80]!r} doesn't fit into its untrimmed size. {cure}")
    canvas = np.zeros((whole.h, whole.w, 4), np.uint8)
    canvas[source.y : source.y + place.h, source.x : source.x + place.w] = picture
    return canvas


def sliced(path: Path, slices: list[Slice], frames: list[Canvas]) -> list[Canvas]:
    """What every slice cuts out of every frame; a slice's name is its type, without a number at the end.

    Raises:
        SpriteError: a slice lies outside its frame.
    """
    pieces = []
    for part in slices:
        keys = sorted(part.keys, key=lambda key: key.frame)
        for number, frame in enumerate(frames):
            valid = [key for key in keys if key.frame <= number]
            if not valid or not valid[-1].bounds.w or not valid[-1].bounds.h:
                continue  # hidden here
            bounds = valid[-1].bounds
            box = Box(bounds.x, bounds.y, bounds.w, bounds.h)
            if not box.inside(frame.picture):
                height, width = frame.picture.shape[:2]
                raise SpriteError(
                    f"{path}: the slice {part.name[:40]!r} lies outside its frame of {width}×{height} pixels. Mend it."
                )
            pieces.append(Canvas(f"{part.name}_{number}", label_in(part.name), box.cut(frame.picture)))
    return pieces


def label_in(name: str) -> str:
    """The type that a frame's or slice's name tells: its folder, or the name without ending and number.

    ``dragon/red.png`` and ``dragon_017`` are dragons; ``"hero 3.aseprite"`` is a hero.
    """
    path = PurePosixPath(name.replace("\\", "/"))
    if path.parent.name:
        return path.parent.name
    stem = path.name.rsplit(".", 1)[0] if "." in path.name[1:] else path.name
    return stem.rstrip("0123456789").rstrip(" _-.#(")
