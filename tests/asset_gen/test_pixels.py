"""Alpha, pixel grids, palettes: from network output to pixel art and back."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from asset_gen import palette, pixels
from asset_gen.errors import SpriteError, UsageError
from asset_gen.images import read_rgba
from tests.creatures import KINDS, creature

STACK = np.stack([creature(kind, seed) for kind in KINDS for seed in range(3)])


def test_network_input_and_back_is_the_same_sprite() -> None:
    assert np.array_equal(pixels.from_network(pixels.to_network(STACK)), STACK)
    assert pixels.to_network(np.zeros((1, 8, 8, 4), np.uint8)).max() == -1  # a transparent pixel is −1 everywhere


def test_half_transparent_colour_survives_premultiplication() -> None:
    soft = np.full((1, 2, 2, 4), (200, 100, 50, 128), np.uint8)
    back = pixels.from_network(pixels.to_network(soft))
    assert np.abs(back.astype(int) - soft).max() <= 1


def test_hard_alpha_is_0_or_255_and_nothing_is_left_under_0() -> None:
    soft = np.zeros((1, 1, 3, 4), np.uint8)
    soft[0, 0] = [(9, 9, 9, 127), (9, 9, 9, 128), (9, 9, 9, 255)]
    assert pixels.harden(soft)[0, 0].tolist() == [[0, 0, 0, 0], [9, 9, 9, 255], [9, 9, 9, 255]]


def test_bleeding_colours_the_rim_and_changes_nothing_that_shows() -> None:
    bled = pixels.bleed(STACK)
    visible = STACK[..., 3] > 0
    assert np.array_equal(bled[visible], STACK[visible])
    assert np.array_equal(bled[..., 3], STACK[..., 3])
    assert bled[~visible][:, :3].any()
    lone = np.zeros((1, 3, 3, 4), np.uint8)
    lone[0, 0, 0] = (7, 8, 9, 255)
    assert pixels.bleed(lone)[0, 2, 2].tolist() == [0, 0, 0, 0]  # it doesn't wrap around


def test_white_inside_a_figure_is_kept_when_the_paper_is_keyed_out() -> None:
    ring = np.full((1, 9, 9, 4), 255, np.uint8)
    ring[0, 2:7, 2:7, :3] = 0
    ring[0, 3:6, 3:6, :3] = 255
    keyed = pixels.key_out(ring)
    assert keyed[0, 0, 0].tolist() == [0, 0, 0, 0]
    assert keyed[0, 4, 4].tolist() == [255, 255, 255, 255]


def test_a_border_is_a_background_only_if_it_is_uniform_and_opaque() -> None:
    plain = np.full((8, 8, 4), (10, 20, 30, 255), np.uint8)
    assert pixels.border_colour(plain) == (10, 20, 30)
    assert pixels.border_colour(creature("flask", 0)) is None
    noise = np.random.default_rng(0).integers(0, 256, (8, 8, 4), np.uint8)
    noise[..., 3] = 255
    assert pixels.border_colour(noise) is None


@pytest.mark.parametrize("factor", [1, 2, 3, 5])
@pytest.mark.parametrize("offset", [0, 1])
def test_the_grid_of_enlarged_art_is_found_wherever_it_starts(factor: int, offset: int) -> None:
    art = creature("beetle", 1)
    large = np.pad(pixels.enlarge(art[None], factor)[0], ((offset, 0), (offset, 0), (0, 0)))
    assert pixels.pixel_grid(large)[0] == factor
    small = pixels.shrink_grid(large, factor)
    box = pixels.content_box(small)
    left, top, right, bottom = pixels.content_box(art) or (0, 0, 0, 0)
    assert box is not None
    assert np.array_equal(small[box[1] : box[3], box[0] : box[2]], art[top:bottom, left:right])


def test_reducing_a_sprite_does_not_darken_its_edge() -> None:
    white = np.zeros((64, 64, 4), np.uint8)
    white[16:47, 16:47] = 255
    small = pixels.shrink_area(white, 32, 32)
    assert (small[small[..., 3] > 0][:, :3] >= 250).all()


def test_sprites_are_laid_on_white_as_the_paper_did() -> None:
    half = np.full((1, 1, 1, 4), (0, 0, 0, 128), np.uint8)
    assert pixels.on_white(half)[0, 0, 0].tolist() == [127, 127, 127]


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "PA", "RGB", "RGBA"])
def test_every_png_colour_type_is_read(mode: str, tmp_path: Path) -> None:
    sprite = Image.fromarray(creature("flask", 0), "RGBA")
    sprite.convert(mode).save(tmp_path / "a.png") if mode != "PA" else sprite.quantize(8).save(tmp_path / "a.png")
    assert read_rgba(tmp_path / "a.png").shape == (32, 32, 4)


def test_16_bit_grey_keeps_its_upper_byte(tmp_path: Path) -> None:
    Image.fromarray(np.full((4, 4), 0x80FF, np.uint16)).save(tmp_path / "a.png")
    assert read_rgba(tmp_path / "a.png")[0, 0].tolist() == [0x80, 0x80, 0x80, 255]


def test_of_an_animation_the_first_frame_is_read(tmp_path: Path) -> None:
    red, blue = (Image.new("RGB", (4, 4), colour) for colour in ("red", "blue"))
    for name in ("a.gif", "a.png", "a.webp"):
        red.save(tmp_path / name, save_all=True, append_images=[blue], **({"lossless": True} if "webp" in name else {}))
        assert read_rgba(tmp_path / name)[0, 0].tolist() == [255, 0, 0, 255]


def test_a_jpeg_is_not_a_sprite_whatever_its_name(tmp_path: Path) -> None:
    Image.new("RGB", (4, 4)).save(tmp_path / "a.jpg")
    (tmp_path / "a.jpg").rename(tmp_path / "a.png")
    with pytest.raises(SpriteError, match=r"a\.png: not a PNG"):
        read_rgba(tmp_path / "a.png")


def test_a_palette_is_read_from_gimp_and_hex_files(tmp_path: Path) -> None:
    (tmp_path / "p.gpl").write_text("GIMP Palette\nName: mine\n# note\n255 0 0 red\n  0 128 0\n")
    (tmp_path / "p.hex").write_text("ff0000\n#008000\n")
    for name in ("p.gpl", "p.hex"):
        assert palette.read_palette(tmp_path / name).tolist() == [[255, 0, 0], [0, 128, 0]]
    (tmp_path / "bad.hex").write_text("ff0000\nblue\n")
    with pytest.raises(UsageError, match=r"bad\.hex, line 2: 'blue'"):
        palette.read_palette(tmp_path / "bad.hex")


def test_no_visible_pixel_is_off_the_palette() -> None:
    colours = palette.learn_palette(STACK, 8)
    assert 2 <= len(colours) <= 8
    painted = palette.apply_palette(STACK, colours)
    seen = {tuple(colour) for colour in painted[painted[..., 3] > 0][:, :3].tolist()}
    assert seen <= {tuple(colour) for colour in colours.tolist()}
    assert palette.from_hex(palette.to_hex(colours)).tolist() == colours.tolist()


def test_oklab_has_its_published_values() -> None:
    assert palette.oklab(np.array([255, 255, 255], np.uint8)) == pytest.approx([1, 0, 0], abs=1e-4)
    assert palette.oklab(np.array([255, 0, 0], np.uint8)) == pytest.approx([0.62796, 0.22486, 0.12585], abs=1e-4)
