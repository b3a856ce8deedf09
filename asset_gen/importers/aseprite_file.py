"""What does an ``.aseprite`` file hold? Frames as Aseprite shows them, tags and slices.

Read after the published description of the format (docs/ase-file-specs.md in Aseprite's repository): layers and groups
with visibility and opacity, raw, linked and compressed cels, RGBA, grey and indexed colours. Whatever would come out
otherwise than Aseprite draws it (other blend modes than Normal, tilemaps, anything of a newer version) is refused:
``UnsupportedError`` says what, and Aseprite itself can still export it.
"""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from asset_gen.errors import SpriteError
from asset_gen.images import MAX_PIXELS, MAX_SIDE, Rgba
from asset_gen.importers.sheet_json import Rect, Slice, SliceKey

MAGIC, FRAME_MAGIC = 0xA5E0, 0xF1FA
MAX_FRAMES_PIXELS = 16 * MAX_PIXELS
LAYER, CEL, TAGS, PALETTE, SLICE, TILESET = 0x2004, 0x2005, 0x2018, 0x2019, 0x2022, 0x2023
OLD_PALETTES = (0x0004, 0x0011)
WITHOUT_PIXELS = (0x2006, 0x2007, 0x2008, 0x2016, 0x2017, 0x2020, TILESET)
"""Chunks that change no pixel of what is read here: cel extra, colour profile, external files, mask, path, user data;
tilesets are refused by the layers that use them."""
LAYER_KINDS = {0: "image", 1: "group"}
BYTES_A_PIXEL = {32: 4, 16: 2, 8: 1}


class UnsupportedError(SpriteError):
    """The file is whole, and holds what only Aseprite itself can draw."""


@dataclass(frozen=True, slots=True)
class Layer:
    """One layer, groups included."""

    visible: bool
    """With all groups around it."""
    background: bool
    opacity: float
    """0–1, its groups' opacities multiplied in."""
    group: bool


@dataclass(frozen=True, slots=True)
class Cel:
    """A layer's picture in one frame."""

    x: int
    y: int
    opacity: float
    order: int
    picture: Rgba


@dataclass(slots=True)
class Drawing:
    """A file as far as it has been read."""

    width: int
    height: int
    depth: int
    transparent: int
    """Index of the transparent colour, for indexed drawings."""
    frames: list[Rgba] = field(default_factory=list)
    tags: list[tuple[str, int, int]] = field(default_factory=list)
    """Name, first and last frame."""
    slices: list[Slice] = field(default_factory=list)


class _Reader:
    """Little-endian values from the front of some bytes."""

    def __init__(self, data: bytes) -> None:
        self.data, self.place = data, 0

    def take(self, size: int) -> bytes:
        if size < 0 or self.place + size > len(self.data):
            raise EOFError
        self.place += size
        return self.data[self.place - size : self.place]

    def read(self, form: str) -> tuple[int, ...]:
        return struct.unpack(f"<{form}", self.take(struct.calcsize(f"<{form}")))

    def text(self) -> str:
        (size,) = self.read("H")
        return self.take(size).decode("utf-8", "replace")

    def rest(self) -> bytes:
        return self.take(len(self.data) - self.place)


def read_aseprite(path: Path, data: bytes) -> Drawing:
    """The drawing in a file's bytes; ``path`` only names it.

    Raises:
        SpriteError: it is no such file, damaged or too large.
        UnsupportedError: only Aseprite can draw it; the message says why.
    """
    try:
        return _Parser(path, data).drawing()
    except (EOFError, struct.error, zlib.error, ValueError) as error:
        raise SpriteError(
            f"{path}: a damaged Aseprite file ({str(error) or 'it ends too early'}). Save it again."
        ) from None


class _Parser:
    """Reads one file, front to back."""

    def __init__(self, path: Path, data: bytes) -> None:
        self.path, self.reader = path, _Reader(data)
        self.palette = np.zeros((256, 4), np.uint8)
        self.new_palette = False
        self.layers: list[Layer] = []
        self.groups: list[Layer] = []
        """The groups around the next layer, outermost first."""
        self.cels: list[dict[int, Cel]] = []

    def drawing(self) -> Drawing:
        if len(self.reader.data) < 128 or struct.unpack_from("<H", self.reader.data, 4)[0] != MAGIC:
            raise SpriteError(f"{self.path}: is no Aseprite file. Give a file that Aseprite saved.")
        header = _Reader(self.reader.take(128))
        _, _, frames, width, height, depth, self.flags = header.read("IHHHHHI")
        header.read("HII")
        (transparent,) = header.read("B")
        if depth not in BYTES_A_PIXEL:
            self._unsupported(f"colours of {depth} bits")
        if not 0 < width <= MAX_SIDE or not 0 < height <= MAX_SIDE or frames * width * height > MAX_FRAMES_PIXELS:
            raise SpriteError(f"{self.path}: {frames} frames of {width}×{height} pixels are too many. Split it.")
        self.it = Drawing(width, height, depth, transparent)
        for _ in range(frames):
            self._frame()
        self.it.frames = [self._composed(cels) for cels in self.cels]
        return self.it

    def _unsupported(self, what: str) -> None:
        raise UnsupportedError(
            f"{self.path}: holds {what}, which this assetgen can't draw. Put Aseprite's program 'aseprite' on the "
            f"PATH, or export a sheet with JSON from it and use 'assetgen data sheet'."
        )

    def _frame(self) -> None:
        _, magic, old_count, _, _, count = self.reader.read("IHHHHI")
        if magic != FRAME_MAGIC:
            raise ValueError("a frame doesn't begin where it should")
        self.cels.append({})
        for _ in range(count or old_count):
            size, kind = self.reader.read("IH")
            chunk = _Reader(self.reader.take(size - 6))
            if kind == LAYER:
                self._layer(chunk)
            elif kind == CEL:
                self._cel(chunk)
            elif kind == TAGS:
                self._tags(chunk)
            elif kind == SLICE:
                self._slice(chunk)
            elif kind == PALETTE:
                self._palette(chunk)
            elif kind in OLD_PALETTES:
                self._old_palette(chunk, 63 if kind == 0x0011 else 255)
            elif kind not in WITHOUT_PIXELS:
                self._unsupported(f"a part of a newer version (chunk {kind:#06x})")

    def _layer(self, chunk: _Reader) -> None:
        flags, kind, level, _, _, blend, opacity = chunk.read("HHHHHHB")
        if kind not in LAYER_KINDS:
            self._unsupported("a tilemap" if kind == 2 else f"a layer of kind {kind}")
        if flags & 64:  # a reference layer is never part of the picture
            flags &= ~1
        del self.groups[level:]
        around = self.groups[-1] if self.groups else None
        valid = self.flags & (2 if kind == 1 else 1)
        layer = Layer(
            visible=bool(flags & 1) and (around is None or around.visible),
            background=bool(flags & 8),
            opacity=(opacity / 255 if valid else 1.0) * (around.opacity if around else 1.0),
            group=kind == 1,
        )
        if blend and layer.visible and (kind == 0 or self.flags & 2):
            self._unsupported(f"the blend mode {blend} (only Normal is known)")
        self.layers.append(layer)
        if layer.group:
            self.groups.append(layer)

    def _cel(self, chunk: _Reader) -> None:
        number, x, y, opacity, kind, order = chunk.read("HhhBHh")
        chunk.take(5)
        if number >= len(self.layers):
            raise ValueError(f"a cel of layer {number}, and there are {len(self.layers)}")
        layer = self.layers[number]
        if not layer.visible:
            return
        if kind == 1:
            (frame,) = chunk.read("H")
            if frame >= len(self.cels) - 1:
                raise ValueError(f"a cel linked to frame {frame}, which comes later")
            if (linked := self.cels[frame].get(number)) is not None:
                self.cels[-1][number] = linked
            return
        if kind not in (0, 2):
            self._unsupported("a tilemap" if kind == 3 else f"a cel of kind {kind}")
        width, height = chunk.read("HH")
        size = width * height * BYTES_A_PIXEL[self.it.depth]
        if width * height > MAX_PIXELS:
            raise ValueError(f"a cel of {width}×{height} pixels")
        data = chunk.take(size) if kind == 0 else _inflated(chunk.rest(), size)
        self.cels[-1][number] = Cel(
            x, y, opacity / 255 * layer.opacity, order, self._picture(data, width, height, layer)
        )

    def _picture(self, data: bytes, width: int, height: int, layer: Layer) -> Rgba:
        if self.it.depth == 32:
            return np.frombuffer(data, np.uint8).reshape(height, width, 4)
        if self.it.depth == 16:
            grey = np.frombuffer(data, np.uint8).reshape(height, width, 2)
            return grey[..., [0, 0, 0, 1]]
        places = np.frombuffer(data, np.uint8).reshape(height, width)
        picture = self.palette[places]
        if not layer.background:
            picture[places == self.it.transparent] = 0
        return picture

    def _tags(self, chunk: _Reader) -> None:
        (count,) = chunk.read("H")
        chunk.take(8)
        for _ in range(count):
            first, last = chunk.read("HH")
            chunk.take(13)
            self.it.tags.append((chunk.text().strip(), first, last))

    def _slice(self, chunk: _Reader) -> None:
        count, flags, _ = chunk.read("III")
        name, keys = chunk.text(), []
        for _ in range(count):
            frame, x, y, width, height = chunk.read("IiiII")
            chunk.take((16 if flags & 1 else 0) + (8 if flags & 2 else 0))
            keys.append(SliceKey(frame, Rect(x, y, width, height)))
        self.it.slices.append(Slice(name, keys))

    def _palette(self, chunk: _Reader) -> None:
        _, first, last = chunk.read("III")
        chunk.take(8)
        self.new_palette = True
        for place in range(first, last + 1):
            (named, *colour) = chunk.read("HBBBB")
            if place < 256:
                self.palette[place] = colour
            if named & 1:
                chunk.text()

    def _old_palette(self, chunk: _Reader, most: int) -> None:
        """Older files, and beside the new one in newer."""
        if self.new_palette:
            return
        (packets,) = chunk.read("H")
        place = 0
        for _ in range(packets):
            skip, count = chunk.read("BB")
            place += skip
            for _ in range(count or 256):
                colour = chunk.read("BBB")
                if place < 256:
                    self.palette[place] = [*(min(value, most) * 255 // most for value in colour), 255]
                place += 1

    def _composed(self, cels: dict[int, Cel]) -> Rgba:
        """A frame: its cels from the lowest layer up, each laid over what is there."""
        canvas = np.zeros((self.it.height, self.it.width, 4), np.uint8)
        for _, cel in sorted(cels.items(), key=lambda item: (item[0] + item[1].order, item[1].order)):
            left, top = max(cel.x, 0), max(cel.y, 0)
            right = min(cel.x + cel.picture.shape[1], self.it.width)
            bottom = min(cel.y + cel.picture.shape[0], self.it.height)
            if left < right and top < bottom:
                upper = cel.picture[top - cel.y : bottom - cel.y, left - cel.x : right - cel.x]
                canvas[top:bottom, left:right] = _over(canvas[top:bottom, left:right], upper, cel.opacity)
        return canvas


def _inflated(data: bytes, size: int) -> bytes:
    """``size`` bytes out of a zlib stream, and not one more."""
    stream = zlib.decompressobj()
    pixels = stream.decompress(data, size)
    if len(pixels) != size:
        raise ValueError("a cel has fewer pixels than it should")
    return pixels


def _over(lower: Rgba, upper: Rgba, opacity: float) -> Rgba:
    """Normal blending of straight alpha; an opaque upper pixel replaces the lower one exactly."""
    alpha_up = upper[..., 3:].astype(np.float64) / 255 * opacity
    alpha_low = lower[..., 3:].astype(np.float64) / 255
    alpha = alpha_up + alpha_low * (1 - alpha_up)
    colour = (upper[..., :3] * alpha_up + lower[..., :3] * alpha_low * (1 - alpha_up)) / np.maximum(alpha, 1e-9)
    return np.asarray(np.rint(np.concatenate([colour, alpha * 255], axis=2)), np.uint8)
