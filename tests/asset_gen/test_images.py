"""Whatever a paint program saves as PNG, WebP, GIF or BMP becomes RGBA; anything else is refused by name."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from asset_gen.errors import SpriteError, TooLargeError
from asset_gen.images import MAX_PIXELS, MAX_SIDE, read_rgba, read_whole
from tests.creatures import creature

GREY, RGB, INDEXED, GREY_ALPHA, RGBA = 0, 2, 3, 4, 6  # PNG's colour types
PALETTE = bytes([1, 2, 3, 4, 5, 6])


def png(colour: int, depth: int, row: bytes, key: bytes = b"") -> bytes:
    """A PNG of two pixels, written by hand: Pillow can't write every colour type that it must read."""

    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    parts = [
        chunk(b"IHDR", struct.pack(">IIBBBBB", 2, 1, depth, colour, 0, 0, 0)),
        chunk(b"PLTE", PALETTE) if colour == INDEXED else b"",
        chunk(b"tRNS", key) if key else b"",
        chunk(b"IDAT", zlib.compress(b"\0" + row)),
        chunk(b"IEND", b""),
    ]
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


def bmp(sprite: NDArray[np.uint8]) -> bytes:
    """A BMP with an alpha channel, which needs the long header that Pillow reads but doesn't write."""
    height, width = sprite.shape[:2]
    bitfields, masks, header = 3, (0xFF0000, 0xFF00, 0xFF, 0xFF000000), 108
    pixels = sprite[::-1, :, [2, 1, 0, 3]].tobytes()
    size = struct.pack("<2sIHHI", b"BM", 14 + header + len(pixels), 0, 0, 14 + header)
    info = struct.pack("<IiiHHIIiiII4I", header, width, height, 1, 32, bitfields, len(pixels), 2835, 2835, 0, 0, *masks)
    return size + info.ljust(header, b"\0") + pixels


def wide(*values: int) -> bytes:
    """16-bit samples whose lower byte is noise."""
    return b"".join(bytes([value, 0xA7]) for value in values)


@pytest.mark.parametrize(
    ("colour", "depth", "row", "expected"),
    [
        (GREY, 1, b"\x40", [[0, 0, 0, 255], [255, 255, 255, 255]]),
        (GREY, 2, b"\x10", [[0, 0, 0, 255], [85, 85, 85, 255]]),
        (GREY, 4, b"\x05", [[0, 0, 0, 255], [85, 85, 85, 255]]),
        (GREY, 8, b"\x12\x80", [[18, 18, 18, 255], [128, 128, 128, 255]]),
        (GREY, 16, wide(18, 128), [[18, 18, 18, 255], [128, 128, 128, 255]]),  # scaled, not clipped
        (RGB, 8, bytes(range(1, 7)), [[1, 2, 3, 255], [4, 5, 6, 255]]),
        (RGB, 16, wide(*range(1, 7)), [[1, 2, 3, 255], [4, 5, 6, 255]]),
        (INDEXED, 1, b"\x40", [[1, 2, 3, 255], [4, 5, 6, 255]]),
        (INDEXED, 2, b"\x10", [[1, 2, 3, 255], [4, 5, 6, 255]]),
        (INDEXED, 4, b"\x01", [[1, 2, 3, 255], [4, 5, 6, 255]]),
        (INDEXED, 8, b"\x00\x01", [[1, 2, 3, 255], [4, 5, 6, 255]]),
        (GREY_ALPHA, 8, b"\x55\x80\x66\xff", [[85, 85, 85, 128], [102, 102, 102, 255]]),
        (GREY_ALPHA, 16, wide(85, 128, 102, 255), [[85, 85, 85, 128], [102, 102, 102, 255]]),
        (RGBA, 8, b"\1\2\3\x80\4\5\6\xff", [[1, 2, 3, 128], [4, 5, 6, 255]]),
        (RGBA, 16, wide(1, 2, 3, 128, 4, 5, 6, 255), [[1, 2, 3, 128], [4, 5, 6, 255]]),
    ],
)
def test_every_png_colour_type_and_depth_is_read(
    colour: int, depth: int, row: bytes, expected: list[list[int]], tmp_path: Path
) -> None:
    (tmp_path / "a.png").write_bytes(png(colour, depth, row))
    read = read_rgba(tmp_path / "a.png")
    assert read.dtype == np.uint8
    assert read[0].tolist() == expected


@pytest.mark.parametrize(
    ("colour", "depth", "row", "key", "alphas"),
    [
        (GREY, 1, b"\x40", b"\0\0", [0, 255]),
        (GREY, 8, b"\x12\x80", b"\0\x80", [255, 0]),
        (GREY, 16, wide(18, 128), wide(128), [255, 0]),
        (RGB, 8, bytes(range(1, 7)), b"\0\1\0\2\0\3", [0, 255]),
        (INDEXED, 8, b"\x00\x01", b"\x80", [128, 255]),
    ],
)
def test_a_transparent_colour_stays_transparent(
    colour: int, depth: int, row: bytes, key: bytes, alphas: list[int], tmp_path: Path
) -> None:
    (tmp_path / "a.png").write_bytes(png(colour, depth, row, key))
    assert read_rgba(tmp_path / "a.png")[0, :, 3].tolist() == alphas


@pytest.mark.parametrize("name", ["a.png", "a.webp", "a.bmp"])
def test_a_saved_sprite_comes_back_unchanged(name: str, tmp_path: Path) -> None:
    sprite = creature("flask", 0)
    lossless: dict[str, Any] = {"lossless": True, "exact": True} if name == "a.webp" else {}
    if name == "a.bmp":
        (tmp_path / name).write_bytes(bmp(sprite))
    else:
        Image.fromarray(sprite, "RGBA").save(tmp_path / name, **lossless)
    assert np.array_equal(read_rgba(tmp_path / name), sprite)


def test_a_gif_keeps_its_transparent_colour(tmp_path: Path) -> None:
    sprite = creature("crystal", 0)
    Image.fromarray(sprite, "RGBA").save(tmp_path / "a.gif")
    read = read_rgba(tmp_path / "a.gif")
    assert np.array_equal(read[..., 3], sprite[..., 3])
    assert np.array_equal(read[sprite[..., 3] > 0], sprite[sprite[..., 3] > 0])


@pytest.mark.parametrize("name", ["a.gif", "a.png", "a.webp"])
def test_of_an_animation_the_first_frame_is_read(name: str, tmp_path: Path) -> None:
    red, blue = (Image.new("RGB", (4, 4), colour) for colour in ("red", "blue"))
    lossless: dict[str, Any] = {"lossless": True} if name == "a.webp" else {}
    red.save(tmp_path / name, save_all=True, append_images=[blue], **lossless)
    with Image.open(tmp_path / name) as animation:
        assert getattr(animation, "n_frames", 1) == 2
    assert read_rgba(tmp_path / name)[0, 0].tolist() == [255, 0, 0, 255]


def test_a_jpeg_is_not_a_sprite_whatever_its_name(tmp_path: Path) -> None:
    Image.new("RGB", (4, 4)).save(tmp_path / "a.jpg")
    (tmp_path / "a.jpg").rename(tmp_path / "a.png")
    with pytest.raises(SpriteError, match=r"a\.png: not a PNG, WebP, GIF or BMP"):
        read_rgba(tmp_path / "a.png")


def test_a_missing_an_empty_and_a_torn_file_are_told_apart(tmp_path: Path) -> None:
    (tmp_path / "empty.png").touch()
    Image.fromarray(creature("flask", 0), "RGBA").save(tmp_path / "whole.png")
    data = (tmp_path / "whole.png").read_bytes()
    (tmp_path / "torn.png").write_bytes(data[: len(data) // 2])
    for name, reason in (("none.png", "no such file"), ("empty.png", "0 bytes"), ("torn.png", "damaged")):
        with pytest.raises(SpriteError, match=rf"{name.replace('.', '[.]')}: .*{reason}"):
            read_rgba(tmp_path / name)


def test_a_sheet_must_be_whole_to_its_last_byte(tmp_path: Path) -> None:
    path = tmp_path / "sheet.png"
    sheet = np.concatenate([creature("flask", number) for number in range(4)])
    Image.fromarray(sheet, "RGBA").save(path)
    data = path.read_bytes()
    for end in [*range(len(data) - 40, len(data)), *range(0, len(data) - 40, 97)]:
        path.write_bytes(data[:end])
        with pytest.raises(SpriteError, match=r"damaged|0 bytes|not a PNG"):
            read_whole(path)
    path.write_bytes(data[:-12])  # without its last chunk, which decoders don't need
    assert np.array_equal(read_rgba(path), sheet)
    path.write_bytes(data + b"what some program left behind it")
    assert np.array_equal(read_whole(path), sheet)
    path.write_bytes(data[:-1] + bytes([data[-1] ^ 1]))
    with pytest.raises(SpriteError, match=r"sheet\.png: damaged \(its chunk 'IEND' doesn't keep its sum\)"):
        read_whole(path)


def test_a_sheet_of_ours_may_be_larger_than_what_is_taken_from_strangers(tmp_path: Path) -> None:
    path = tmp_path / "sheet.png"
    Image.new("RGBA", (MAX_SIDE + 1, MAX_PIXELS // MAX_SIDE), (1, 2, 3, 255)).save(path, compress_level=1)
    with pytest.raises(TooLargeError):
        read_rgba(path)
    assert read_whole(path).shape == (MAX_PIXELS // MAX_SIDE, MAX_SIDE + 1, 4)
    data = path.read_bytes()
    head = b"IHDR" + struct.pack(">II", 16384, 16385) + data[24:29]
    path.write_bytes(data[:12] + head + struct.pack(">I", zlib.crc32(head)) + data[33:])
    with pytest.raises(TooLargeError, match=r"sheet\.png: 16384×16385 pixels are more than a sheet of ours can have"):
        read_whole(path)


def test_a_picture_larger_than_a_sprite_may_be_is_refused_before_it_is_decoded(tmp_path: Path) -> None:
    for width, height in ((MAX_SIDE + 1, 1), (8192, MAX_PIXELS // 8192 + 1)):
        Image.new("1", (width, height)).save(tmp_path / "a.png")
        with pytest.raises(SpriteError, match=f"{width}×{height} pixels are more than a sprite may have"):
            read_rgba(tmp_path / "a.png")
