"""Alpha and pixel grids: from network output to pixel art and back."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from numpy.typing import NDArray

from asset_gen import pixels
from tests.creatures import KINDS, creature

STACK = np.stack([creature(kind, seed) for kind in KINDS for seed in range(3)])
PICTURES = arrays.arrays(np.uint8, st.tuples(st.integers(1, 3), st.integers(1, 6), st.integers(1, 6), st.just(4)))


def test_network_input_and_back_is_the_same_sprite() -> None:
    assert np.array_equal(pixels.from_network(pixels.to_network(STACK)), STACK)
    assert pixels.to_network(np.zeros((1, 8, 8, 4), np.uint8)).max() == -1  # a transparent pixel is −1 everywhere


@given(PICTURES)
def test_networks_see_premultiplied_colour_between_minus_one_and_one(sprites: NDArray[np.uint8]) -> None:
    seen = pixels.to_network(sprites)
    assert seen.dtype == np.float32
    assert seen.shape == (len(sprites), 4, *sprites.shape[1:3])
    assert -1 <= seen.min() <= seen.max() <= 1
    assert (seen[:, :3] <= seen[:, 3:] + 1e-6).all()  # colour never exceeds alpha


@given(PICTURES)
def test_the_way_through_the_network_loses_no_alpha_and_no_opaque_colour(sprites: NDArray[np.uint8]) -> None:
    back = pixels.from_network(pixels.to_network(sprites))
    assert np.array_equal(back[..., 3], sprites[..., 3])
    visible = sprites[..., 3] > 0
    assert np.array_equal(back[visible], sprites[visible])
    assert not back[~visible].any()


@given(PICTURES)
def test_hard_alpha_is_0_or_255_and_nothing_is_left_under_0(sprites: NDArray[np.uint8]) -> None:
    hard = pixels.harden(sprites)
    opaque = sprites[..., 3] >= pixels.OPAQUE
    assert (hard[opaque][:, 3] == 255).all()
    assert np.array_equal(hard[opaque][:, :3], sprites[opaque][:, :3])
    assert not hard[~opaque].any()
    assert np.array_equal(pixels.harden(hard), hard)


def test_alpha_is_opaque_from_128_on() -> None:
    soft = np.array([[[[9, 9, 9, 127], [9, 9, 9, 128]]]], np.uint8)
    assert pixels.harden(soft)[0, 0].tolist() == [[0, 0, 0, 0], [9, 9, 9, 255]]


def test_sprites_are_laid_on_white_as_the_paper_did() -> None:
    pair = np.array([[[[0, 0, 0, 128], [7, 8, 9, 0], [7, 8, 9, 255]]]], np.uint8)
    assert pixels.on_white(pair)[0, 0].tolist() == [[127, 127, 127], [255, 255, 255], [7, 8, 9]]


def test_bleeding_colours_the_rim_and_changes_nothing_that_shows() -> None:
    bled = pixels.bleed(STACK)
    visible = STACK[..., 3] > 0
    assert np.array_equal(bled[visible], STACK[visible])
    assert np.array_equal(bled[..., 3], STACK[..., 3])
    assert bled[~visible][:, :3].any()


def test_colour_bleeds_by_one_pixel_and_not_around_the_edge() -> None:
    for y, x in ((0, 0), (0, 4), (4, 0), (4, 4), (2, 2)):
        lone = np.zeros((1, 5, 5, 4), np.uint8)
        lone[0, y, x] = (7, 8, 9, 255)
        coloured = set(map(tuple, np.argwhere(pixels.bleed(lone)[0, ..., 0]).tolist()))
        cross = {(y, x), (y - 1, x), (y + 1, x), (y, x - 1), (y, x + 1)}
        assert coloured == {(row, column) for row, column in cross if 0 <= row < 5 and 0 <= column < 5}


def test_white_inside_a_figure_is_kept_when_the_paper_is_keyed_out() -> None:
    ring = np.full((1, 9, 9, 4), 255, np.uint8)
    ring[0, 2:7, 2:7, :3] = 0
    ring[0, 3:6, 3:6, :3] = 255
    keyed = pixels.key_out(ring)
    assert np.array_equal(keyed[0, ..., 3] > 0, np.pad(np.ones((5, 5), bool), 2))
    assert keyed[0, 4, 4].tolist() == [255, 255, 255, 255]


def test_paper_reaches_into_a_winding_bay_but_not_through_a_diagonal_gap() -> None:
    plan = ["#####", "#...#", "#.###", "#...#", "###.#", "....#"]
    maze = np.array([[[255] * 4 if c == "." else [0, 0, 0, 255] for c in line] for line in plan], np.uint8)
    keyed = pixels.key_out(maze[None])[0]
    assert [["." if a == 0 else "#" for a in line] for line in keyed[..., 3]] == [list(line) for line in plan]
    maze[5, 3] = (0, 0, 0, 255)  # the bay is closed; beyond the corner it touches the paper diagonally only
    assert pixels.key_out(maze[None])[0, :5, :, 3].all()


def test_paper_comes_in_from_every_side() -> None:
    for side in range(4):
        box = np.zeros((5, 5, 4), np.uint8)
        box[..., 3] = 255
        box[2, 3:] = 255  # a white gap in the right edge
        keyed = pixels.key_out(np.rot90(box, side)[None])[0]
        assert np.count_nonzero(keyed[..., 3] == 0) == 2


def test_nearly_white_counts_as_paper_within_the_tolerance() -> None:
    grey = np.full((1, 3, 3, 4), 255, np.uint8)
    grey[0, 0, :, :3] = pixels.WHITE
    grey[0, 1, :, :3] = pixels.WHITE - 1
    assert pixels.key_out(grey)[0, ..., 3].tolist() == [[0] * 3, [255] * 3, [0] * 3]


def test_a_border_is_a_background_only_if_it_is_uniform_and_opaque() -> None:
    plain = np.full((8, 8, 4), (10, 20, 30, 255), np.uint8)
    assert pixels.border_colour(plain) == (10, 20, 30)
    plain[0, 0, :3] = 200  # 1 of 28 border pixels
    assert pixels.border_colour(plain) == (10, 20, 30)
    plain[0, 1:3, :3] = 200  # 3 of 28
    assert pixels.border_colour(plain) is None
    assert pixels.border_colour(creature("flask", 0)) is None


@pytest.mark.parametrize("factor", [1, 2, 3, 4, 5])
@pytest.mark.parametrize("offset", [0, 1, 2])
def test_the_grid_of_enlarged_art_is_found_wherever_it_starts(factor: int, offset: int) -> None:
    art = creature("beetle", 1)
    large = np.pad(pixels.enlarge(art[None], factor)[0], ((offset, 0), (offset, 0), (0, 0)))
    size, evidence = pixels.pixel_grid(large)
    assert size == factor
    assert evidence >= 12
    small = pixels.shrink_grid(large, factor)
    left, top, right, bottom = pixels.content_box(small) or (0, 0, 0, 0)
    x, y, x_end, y_end = pixels.content_box(art) or (0, 0, 0, 0)
    assert np.array_equal(small[top:bottom, left:right], art[y:y_end, x:x_end])


@pytest.mark.parametrize("factor", [2, 3, 4])
def test_of_art_that_fills_its_canvas_no_row_is_lost(factor: int) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (1, 20, 30, 4), np.uint8)
    noise[..., 3] = 255
    large = pixels.enlarge(noise, factor)[0]
    assert pixels.pixel_grid(large)[0] == factor
    assert np.array_equal(pixels.shrink_grid(large, factor), noise[0])


def test_a_picture_that_never_changes_is_no_evidence_for_a_grid() -> None:
    assert pixels.pixel_grid(np.full((16, 16, 4), 255, np.uint8)) == (1, 0)


def test_a_strip_one_pixel_high_is_never_reduced_to_nothing() -> None:
    strip = pixels.enlarge(np.random.default_rng(0).integers(0, 256, (1, 1, 30, 4), np.uint8), 2)[0, :1]
    strip[..., 3] = 255
    assert pixels.pixel_grid(strip)[0] == 2
    assert pixels.shrink_grid(strip, 2).shape == (1, 30, 4)


def test_colour_under_transparency_is_no_part_of_the_grid() -> None:
    large = pixels.enlarge(creature("beetle", 1)[None], 2)[0]
    hidden = large.copy()
    noise = np.random.default_rng(0).integers(0, 256, large.shape, np.uint8)
    hidden[large[..., 3] == 0, :3] = noise[large[..., 3] == 0, :3]
    assert pixels.pixel_grid(hidden) == pixels.pixel_grid(large)


def test_reducing_a_sprite_does_not_darken_its_edge() -> None:
    white = np.zeros((64, 64, 4), np.uint8)
    white[16:47, 16:47] = 255
    small = pixels.shrink_area(white, 32, 32)
    edge = (small[..., 3] > 0) & (small[..., 3] < 255)
    assert edge.any()
    assert (small[small[..., 3] > 0][:, :3] >= 250).all()


def test_the_content_box_holds_all_that_shows_and_no_more() -> None:
    sprite = np.zeros((9, 7, 4), np.uint8)
    assert pixels.content_box(sprite) is None
    sprite[2, 3, 3] = sprite[5, 1, 3] = 1
    assert pixels.content_box(sprite) == (1, 2, 4, 6)
