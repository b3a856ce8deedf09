"""No sprite ever moves, and every sprite cut from its sheet equals itself."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from asset_gen.sheet import MAX_SIDE, PADDING, columns_for, cut, lay_out, paint


def slots(count: int) -> list[tuple[int, float]]:
    return [(slot, 0.5) for slot in range(count)]


@given(count=st.integers(1, 300), cell=st.integers(1, 64), columns=st.integers(8, 40))
def test_sprites_lie_apart_inside_the_sheet_and_come_back_unchanged(count: int, cell: int, columns: int) -> None:
    chance = np.random.default_rng(count)
    (sheet,) = lay_out("imp", "Imp", slots(count), cell, columns)
    sprites = [chance.integers(0, 256, (cell, cell, 4), np.uint8) for _ in range(count)]
    picture = paint(sheet, sprites)
    owners = np.zeros(picture.shape[:2], int)
    for region, sprite in zip(sheet.regions, sprites, strict=True):
        assert np.array_equal(cut(picture, region.x, region.y, region.width, region.height), sprite)
        owners[region.y - PADDING : region.y + cell, region.x - PADDING : region.x + cell] += 1
        assert PADDING <= region.x <= sheet.width - PADDING - cell
        assert PADDING <= region.y <= sheet.height - PADDING - cell
    assert owners.max() == 1  # padding included
    assert np.count_nonzero(picture[owners == 0]) == 0


@given(count=st.integers(1, 400), more=st.integers(1, 400))
def test_places_stay_when_the_count_grows(count: int, more: int) -> None:
    columns = columns_for(count, 32)
    before = [region for sheet in lay_out("imp", "Imp", slots(count), 32, columns) for region in sheet.regions]
    after = [region for sheet in lay_out("imp", "Imp", slots(count + more), 32, columns) for region in sheet.regions]
    assert after[:count] == before


@given(count=st.integers(1, 10_000), cell=st.integers(1, MAX_SIDE - 2 * PADDING))
def test_no_sheet_is_larger_than_a_texture(count: int, cell: int) -> None:
    columns = columns_for(count, cell)
    pitch = cell + PADDING
    last = min(count, columns * ((MAX_SIDE - PADDING) // pitch)) - 1  # as many as fit on one sheet
    (sheet,) = lay_out("imp", "Imp", [(0, 0.5), (last, 0.5)] if last else [(0, 0.5)], cell, columns)
    assert sheet.columns == columns >= 1
    assert max(sheet.width, sheet.height) <= MAX_SIDE


def test_a_new_sheet_is_about_square() -> None:
    assert [columns_for(count, 32) for count in (1, 2, 4, 5, 500, 1_000_000)] == [1, 2, 2, 3, 23, 120]


def test_a_larger_scale_may_need_fewer_columns_than_were_published() -> None:
    sheets = lay_out("imp", "Imp", slots(100), 1024, 10)
    assert {sheet.columns for sheet in sheets} == {3}
    assert [len(sheet.regions) for sheet in sheets] == [9] * 11 + [1]


def test_a_region_carries_name_slot_and_score() -> None:
    (sheet,) = lay_out("imp", "Imp ✦", [(0, 0.25), (7, 0.75)], 8, 4)
    assert (sheet.type, sheet.label, sheet.image, sheet.cell) == ("imp", "Imp ✦", "imp/imp.png", (8, 8))
    assert [(r.name, r.slot, r.x, r.y, r.score) for r in sheet.regions] == [
        ("imp_000000", 0, 2, 2, 0.25),
        ("imp_000007", 7, 32, 12, 0.75),
    ]


def test_what_does_not_fit_goes_on_to_the_next_sheet() -> None:
    sheets = lay_out("imp", "Imp", slots(5000), 64, columns_for(5000, 64))
    assert [sheet.image for sheet in sheets] == ["imp/imp.png", "imp/imp_2.png"]
    assert all(max(sheet.width, sheet.height) <= MAX_SIDE for sheet in sheets)
    assert [region.slot for sheet in sheets for region in sheet.regions] == list(range(5000))


def test_a_uniform_grid_fills_nine_tenths_of_the_sheet() -> None:
    (sheet,) = lay_out("imp", "Imp", slots(500), 64, columns_for(500, 64))
    assert 500 * 64 * 64 / (sheet.width * sheet.height) >= 0.92
