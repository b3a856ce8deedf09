"""No sprite ever moves, and every sprite cut from its sheet equals itself."""

from __future__ import annotations

import json

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from asset_gen.sheet import MAX_SIDE, PADDING, columns_for, cut, lay_out, paint
from integrations.generic.writer import write


def slots(count: int) -> list[tuple[int, float]]:
    return [(slot, 0.5) for slot in range(count)]


@settings(deadline=None)
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
    assert owners.max() == 1  # padding included


@given(count=st.integers(1, 400), more=st.integers(1, 400))
def test_places_stay_when_the_count_grows(count: int, more: int) -> None:
    columns = columns_for(count, 32)
    before = [region for sheet in lay_out("imp", "Imp", slots(count), 32, columns) for region in sheet.regions]
    after = [region for sheet in lay_out("imp", "Imp", slots(count + more), 32, columns) for region in sheet.regions]
    assert after[:count] == before


def test_what_does_not_fit_goes_on_to_the_next_sheet() -> None:
    sheets = lay_out("imp", "Imp", slots(5000), 64, columns_for(5000, 64))
    assert [sheet.image for sheet in sheets] == ["imp/imp.png", "imp/imp_2.png"]
    assert all(max(sheet.width, sheet.height) <= MAX_SIDE for sheet in sheets)
    assert [region.slot for sheet in sheets for region in sheet.regions] == list(range(5000))


def test_a_uniform_grid_fills_nine_tenths_of_the_sheet() -> None:
    (sheet,) = lay_out("imp", "Imp", slots(500), 64, columns_for(500, 64))
    assert 500 * 64 * 64 / (sheet.width * sheet.height) >= 0.92


def test_the_generic_target_writes_texture_packer_json_and_a_script() -> None:
    sheets = [*lay_out("imp", "Imp", slots(2), 8, 2), *lay_out("owl", "Owl ✦", slots(1), 8, 1)]
    files = write(sheets)
    assert set(files) == {"imp/imp.json", "owl/owl.json", "sheets.js"}
    document = json.loads(files["imp/imp.json"])
    assert document["frames"]["imp_000001"] == {
        "frame": {"x": 12, "y": 2, "w": 8, "h": 8},
        "rotated": False,
        "trimmed": False,
        "spriteSourceSize": {"x": 0, "y": 0, "w": 8, "h": 8},
        "sourceSize": {"w": 8, "h": 8},
        "type": "imp",
    }
    assert document["meta"]["image"] == "imp.png"
    assert document["meta"]["size"] == {"w": 22, "h": 12}
    assert document["meta"]["frameTags"] == [{"name": "imp", "from": 0, "to": 1, "direction": "forward"}]
    script = files["sheets.js"].decode()
    entries = json.loads(script.removeprefix("globalThis.assetgenSheets = ").removesuffix(";\n"))
    assert [(entry["type"], entry["label"], entry["image"]) for entry in entries] == [
        ("imp", "Imp", "imp/imp.png"),
        ("owl", "Owl ✦", "owl/owl.png"),
    ]
    assert entries[0]["data"] == document
