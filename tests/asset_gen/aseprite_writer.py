"""Writes small ``.aseprite`` files after the format's published description, so that tests need no Aseprite."""

from __future__ import annotations

import struct
import zlib

import numpy as np
from numpy.typing import NDArray


def text(value: str) -> bytes:
    data = value.encode()
    return struct.pack("<H", len(data)) + data


def chunk(kind: int, data: bytes) -> bytes:
    return struct.pack("<IH", len(data) + 6, kind) + data


def layer(
    name: str = "layer", *, flags: int = 1, kind: int = 0, level: int = 0, blend: int = 0, opacity: int = 255
) -> bytes:
    return chunk(0x2004, struct.pack("<HHHHHHB3x", flags, kind, level, 0, 0, blend, opacity) + text(name))


def cel(picture: NDArray[np.uint8], x: int = 0, y: int = 0, *, of: int = 0, opacity: int = 255, order: int = 0,
        packed: bool = True) -> bytes:  # fmt: skip
    """``picture`` [h, w, channels] of layer ``of``."""
    height, width = picture.shape[:2]
    data = zlib.compress(picture.tobytes()) if packed else picture.tobytes()
    head = struct.pack("<HhhBHh5xHH", of, x, y, opacity, 2 if packed else 0, order, width, height)
    return chunk(0x2005, head + data)


def linked(frame: int, of: int = 0) -> bytes:
    return chunk(0x2005, struct.pack("<HhhBHh5xH", of, 0, 0, 255, 1, 0, frame))


def tags(*spans: tuple[str, int, int]) -> bytes:
    body = b"".join(struct.pack("<HHB8x4x", first, last, 0) + text(name) for name, first, last in spans)
    return chunk(0x2018, struct.pack("<H8x", len(spans)) + body)


def part(name: str, *keys: tuple[int, int, int, int, int]) -> bytes:
    """A slice: frame, x, y, width, height of every key."""
    return chunk(
        0x2022, struct.pack("<III", len(keys), 0, 0) + text(name) + b"".join(struct.pack("<IiiII", *k) for k in keys)
    )


def palette(*colours: tuple[int, int, int, int]) -> bytes:
    body = b"".join(struct.pack("<HBBBB", 0, *colour) for colour in colours)
    return chunk(0x2019, struct.pack("<III8x", len(colours), 0, len(colours) - 1) + body)


def aseprite(frames: list[list[bytes]], width: int = 8, height: int = 8, depth: int = 32, *, flags: int = 3,
             transparent: int = 0) -> bytes:  # fmt: skip
    """A whole file of these chunks, frame by frame."""
    body = b""
    for chunks in frames:
        data = b"".join(chunks)
        body += struct.pack("<IHHHxxI", len(data) + 16, 0xF1FA, len(chunks), 100, len(chunks)) + data
    fields = (len(body) + 128, 0xA5E0, len(frames), width, height, depth, flags, 100, 0, 0, transparent, 0, 1, 1)
    head = struct.pack("<IHHHHHIHIIB3xHBB", *fields)
    return head.ljust(128, b"\0") + body
