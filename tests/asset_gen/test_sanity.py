"""What is odd about a sprite is measured against the sprites of its own set."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from asset_gen.sanity import MEASURES, SPECK, limits_of, measure, oddity
from tests.creatures import KINDS, creature


def drawn(*rows: str) -> NDArray[np.uint8]:
    """One sprite: ``#`` and other letters are opaque pixels, each letter a colour of its own, ``.`` is none."""
    sprite = np.zeros((1, len(rows), len(rows[0]), 4), np.uint8)
    for y, row in enumerate(rows):
        for x, letter in enumerate(row):
            if letter != ".":
                sprite[0, y, x] = (ord(letter) % 8 * 32, 0, 0, 255)
    return sprite


def test_figures_of_a_sprite_that_can_be_counted_by_hand() -> None:
    sprite = drawn("aa....a.", "aab.....", ".aa..b..", "......b.", "........", "b.......", ".....aa.", "....aaa.")
    figures = measure(sprite)
    assert figures["coverage"] == np.float32(16 / 64)
    assert figures["border"] == np.float32(8 / 28)
    assert figures["specks"] == 3  # the single pixels at the top and on the left, and two that touch at a corner
    assert figures["colours"] == 2


def test_a_faint_pixel_counts_as_unseen() -> None:
    sprite = np.zeros((1, 8, 8, 4), np.uint8)
    sprite[0, 3, 3] = (255, 255, 255, 127)
    assert {name: float(values[0]) for name, values in measure(sprite).items()} == dict.fromkeys(MEASURES, 0)


def counted(seen: NDArray[np.bool_]) -> int:
    """Specks, by walking from pixel to pixel."""
    left = {(int(y), int(x)) for y, x in zip(*np.nonzero(seen), strict=True)}
    specks = 0
    while left:
        piece, border = set(), [left.pop()]
        while border:
            y, x = border.pop()
            piece.add((y, x))
            beside = {(y + dy, x + dx) for dy in (-1, 0, 1) for dx in (-1, 0, 1)} & left
            left -= beside
            border += beside
        specks += len(piece) < SPECK
    return specks


@given(seed=st.integers(0, 10_000), share=st.floats(0.02, 0.6), side=st.integers(4, 20))
def test_specks_are_the_pieces_of_fewer_than_four_pixels(seed: int, share: float, side: int) -> None:
    seen = np.random.default_rng(seed).random((3, side, side)) < share
    sprites = np.zeros((3, side, side, 4), np.uint8)
    sprites[seen] = 255
    assert measure(sprites)["specks"].tolist() == [counted(sprite) for sprite in seen]


def test_the_set_itself_is_rarely_odd_and_noise_or_nothing_always() -> None:
    sprites = np.stack([creature(kind, seed) for kind in KINDS for seed in range(50)])
    limits = limits_of(sprites)
    assert (oddity(measure(sprites), limits) >= 0).mean() <= 0.08  # at most a fiftieth for each measure
    noise = np.random.default_rng(0).integers(0, 256, (5, 32, 32, 4), dtype=np.uint8)
    assert (oddity(measure(np.concatenate([noise, np.zeros_like(noise)])), limits) >= 0).all()


def test_the_first_figure_out_of_range_is_named() -> None:
    figures = {name: np.array([0, 0, 5], np.float32) for name in MEASURES}
    figures["specks"][1] = 9
    limits = dict.fromkeys(MEASURES, (0.0, 1.0))
    assert oddity(figures, limits).tolist() == [-1, MEASURES.index("specks"), 0]
