"""What a person looks at while a run goes on."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

from tests.creatures import KINDS, creature
from trainer.curves import CHECKER, sample_sheet, training_curves, types_chart


def test_a_sample_sheet_shows_sprites_row_by_row_on_a_checkerboard() -> None:
    sprites = np.stack([creature(kind, seed) for kind in KINDS[:2] for seed in range(3)])
    sheet = np.array(sample_sheet(sprites, columns=3, zoom=1))
    assert sheet.shape == (2 * 34, 3 * 34, 3)
    for number, sprite in enumerate(sprites):
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


def test_charts_are_pictures_even_of_a_single_point(tmp_path: Path) -> None:
    types_chart({"bat": 3}, tmp_path / "types.png")
    training_curves([{"step": 20, "loss_g": 1, "loss_d": 1, "d_real": 0.5, "d_fake": 0.5}], tmp_path / "curves.png")
    for name in ("types.png", "curves.png"):
        with Image.open(tmp_path / name) as chart:
            assert min(chart.size) > 200
            assert len(np.unique(np.array(chart.convert("RGB")).reshape(-1, 3), axis=0)) > 10
