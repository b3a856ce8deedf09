"""What a person looks at while a run goes on."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.creatures import KINDS, creature
from trainer.curves import (
    CHECKER,
    DARK,
    LIGHT,
    MARGIN,
    chart_svgs,
    charts_of,
    moving_mean,
    sample_sheet,
    training_curves,
    types_chart,
)

SPRITES = np.stack([creature(kind, seed) for kind in KINDS[:2] for seed in range(3)])


def stats(lines: int) -> list[dict[str, float]]:
    chance = np.random.default_rng(0)
    return [
        {"step": 20 * n, "kimg": 1.28 * n, "seconds": 9.0 * n}
        | {key: float(chance.uniform(0.2, 0.8)) for key in ("loss_g", "loss_d", "d_real", "d_fake")}
        for n in range(1, lines + 1)
    ]


def evaluations(*kids: float) -> list[dict[str, float]]:
    return [{"step": 100 * n, "kimg": 6.4 * n, "kid": kid} for n, kid in enumerate(kids, 1)]


def test_a_sample_sheet_shows_sprites_row_by_row_on_a_checkerboard() -> None:
    sheet = np.array(sample_sheet(SPRITES, columns=3, zoom=1))
    assert sheet.shape == (2 * 34, 3 * 34, 3)
    for number, sprite in enumerate(SPRITES):
        row, column = divmod(number, 3)
        cell = sheet[row * 34 + 1 : row * 34 + 33, column * 34 + 1 : column * 34 + 33]
        visible = sprite[..., 3] > 0
        assert np.array_equal(cell[visible], sprite[visible][:, :3])
        assert set(np.unique(cell[~visible])) == set(CHECKER)


def test_a_sheet_is_enlarged_by_whole_pixels_and_the_last_row_may_be_short() -> None:
    sprites = np.stack([creature("flask", seed) for seed in range(5)])
    sheet = np.array(sample_sheet(sprites, columns=4))
    assert sheet.shape == (2 * 34 * 2, 4 * 34 * 2, 3)
    assert np.array_equal(sheet[::2, ::2], sheet[1::2, 1::2])


def test_names_stand_in_a_margin_beside_their_rows_and_move_no_pixel_of_a_sprite() -> None:
    bare = np.array(sample_sheet(SPRITES, columns=3))
    named = np.array(sample_sheet(SPRITES, columns=3, names=["", "crystal"]))
    margin = named.shape[1] - bare.shape[1]
    assert np.array_equal(named[:, margin:], bare)
    written = (named[:, :margin] < 100).all(axis=2)
    assert not written[: bare.shape[0] // 2].any()
    assert written[bare.shape[0] // 2 :].any()


def test_a_name_that_is_too_long_for_the_margin_is_cut() -> None:
    bare = sample_sheet(SPRITES, columns=3)
    named = sample_sheet(SPRITES, columns=3, names=["bat", "w" * 500])
    assert named.width <= bare.width + MARGIN
    left = np.array(named)[:, : named.width - bare.width]
    assert not (left[:, :2] < 100).any()  # nothing runs over the edge


def test_the_moving_mean_is_centred_and_smaller_near_the_ends() -> None:
    values = np.array([1.0, 5, 3, 7, 9])
    assert moving_mean(values, 1) == pytest.approx([1, 3, 5, 19 / 3, 9])
    assert moving_mean(values, 100) == pytest.approx([1, 3, 5, 19 / 3, 9])  # as far as both sides reach
    assert moving_mean(values, 0) == pytest.approx(values)
    assert moving_mean(np.full(9, 2.5), 3) == pytest.approx(np.full(9, 2.5))


@pytest.mark.parametrize("kids", [(), (30.0,), (200.0, 60.0, 20.0, 21.0), (5.0, -0.1)])
def test_curves_have_a_panel_more_where_checkpoints_were_judged(kids: tuple[float, ...], tmp_path: Path) -> None:
    training_curves(stats(30), tmp_path / "curves.png", evaluations(*kids))
    with Image.open(tmp_path / "curves.png") as chart:
        assert chart.height == pytest.approx(348 * (3 if kids else 2), abs=2)
    assert len(charts_of(stats(30), evaluations(*kids))) == (3 if kids else 2)


def test_charts_are_pictures_even_of_a_single_point(tmp_path: Path) -> None:
    types_chart({"bat": 3}, tmp_path / "types.png")
    training_curves(stats(1), tmp_path / "curves.png")
    for name in ("types.png", "curves.png"):
        with Image.open(tmp_path / name) as chart:
            assert min(chart.size) > 100
            assert len(np.unique(np.array(chart.convert("RGB")).reshape(-1, 3), axis=0)) > 10


def test_a_chart_grows_with_the_types_and_not_with_their_names(tmp_path: Path) -> None:
    sizes = []
    for number, names in enumerate((["a", "b"], ["a" * 64, "$\\frac{" + "b" * 57], [f"t{n:02d}" for n in range(60)])):
        types_chart(dict.fromkeys(names, 7), tmp_path / f"{number}.png")
        with Image.open(tmp_path / f"{number}.png") as chart:
            sizes.append(chart.size)
    assert sizes[0] == sizes[1]
    assert sizes[2][0] == sizes[0][0]
    assert sizes[2][1] > 5 * sizes[0][1]


def test_nothing_to_show_is_no_picture(tmp_path: Path) -> None:
    training_curves([], tmp_path / "curves.png")
    assert not (tmp_path / "curves.png").exists()


def test_charts_for_pages_are_the_same_bytes_again_and_have_colours_for_a_dark_page() -> None:
    light = chart_svgs(stats(30), evaluations(30, 20), LIGHT)
    assert light == chart_svgs(stats(30), evaluations(30, 20), LIGHT)
    dark = chart_svgs(stats(30), evaluations(30, 20), DARK)
    for title, svg in light.items():
        assert LIGHT["first"].encode() in svg
        assert DARK["first"].encode() in dark[title]
        assert LIGHT["ink"].encode() not in dark[title]
