"""No sprite ever moves, and every sprite cut from its sheet equals itself."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from asset_gen.errors import UsageError
from asset_gen.layout import USUAL, Item, columns_for, enlarged, fit_layout, lay_out, pack, strips
from asset_gen.manifest import Layout, Origin, SheetRecord, SpriteRecord
from asset_gen.sheet import Region, Sheet, Target, cut, paint


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
        owners[region.y - USUAL.padding : region.y + cell, region.x - USUAL.padding : region.x + cell] += 1
        assert USUAL.padding <= region.x <= sheet.width - USUAL.padding - cell
        assert USUAL.padding <= region.y <= sheet.height - USUAL.padding - cell
    assert owners.max() == 1  # padding included
    assert np.count_nonzero(picture[owners == 0]) == 0


@given(count=st.integers(1, 400), more=st.integers(1, 400))
def test_places_stay_when_the_count_grows(count: int, more: int) -> None:
    columns = columns_for(count, 32)
    before = [region for sheet in lay_out("imp", "Imp", slots(count), 32, columns) for region in sheet.regions]
    after = [region for sheet in lay_out("imp", "Imp", slots(count + more), 32, columns) for region in sheet.regions]
    assert after[:count] == before


@given(count=st.integers(1, 10_000), cell=st.integers(1, USUAL.max_side - 2 * USUAL.padding))
def test_no_sheet_is_larger_than_a_texture(count: int, cell: int) -> None:
    columns = columns_for(count, cell)
    pitch = cell + USUAL.padding
    last = min(count, columns * ((USUAL.max_side - USUAL.padding) // pitch)) - 1  # as many as fit on one sheet
    (sheet,) = lay_out("imp", "Imp", [(0, 0.5), (last, 0.5)] if last else [(0, 0.5)], cell, columns)
    assert sheet.columns == columns >= 1
    assert max(sheet.width, sheet.height) <= USUAL.max_side


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
    assert all(max(sheet.width, sheet.height) <= USUAL.max_side for sheet in sheets)
    assert [region.slot for sheet in sheets for region in sheet.regions] == list(range(5000))


def test_a_uniform_grid_fills_nine_tenths_of_the_sheet() -> None:
    (sheet,) = lay_out("imp", "Imp", slots(500), 64, columns_for(500, 64))
    assert 500 * 64 * 64 / (sheet.width * sheet.height) >= 0.92


PACKED = Layout(trim=True)
sizes = st.lists(st.tuples(st.integers(1, 24), st.integers(1, 24)), min_size=1, max_size=60)
gaps = {"padding": st.integers(0, 4), "extrude": st.integers(0, 3), "power_of_two": st.booleans()}


def items_of(boxes: Sequence[tuple[int, int]], first: int = 0, kind: str = "imp") -> list[Item]:
    """A sprite of each size, each with pixels of its own."""
    return [
        Item(kind, slot, 0.5, (0, 0, width, height), f"{kind}{slot}".encode())
        for slot, (width, height) in enumerate(boxes, first)
    ]


def regions_of(sheets: Sequence[Sheet]) -> dict[str, tuple[str, Region]]:
    return {region.name: (sheet.image, region) for sheet in sheets for region in sheet.regions}


def record_of(sheet: Sheet) -> SheetRecord:
    """What the manifest would say of a sheet."""
    origin = Origin(model="0" * 64, seed=0, type="imp", index=0)
    return SheetRecord(
        type=sheet.type,
        image=sheet.image,
        size=(sheet.width, sheet.height),
        cell=sheet.cell,
        columns=sheet.columns,
        pixels_sha256="0" * 64,
        sprites=[
            SpriteRecord(
                name=region.name,
                type=region.type,
                slot=region.slot,
                rect=(region.x, region.y, region.width, region.height),
                origin=origin,
                score=region.score,
            )
            for region in sheet.regions
        ],
    )


def assert_apart(sheets: Sequence[Sheet], layout: Layout) -> None:
    """No two rectangles, each with its repeated border and the gap to the right and below, share a pixel."""
    around, gap = layout.extrude, layout.padding
    for sheet in sheets:
        owners = np.zeros((sheet.height, sheet.width), int)
        for x, y, width, height in {(r.x, r.y, r.width, r.height) for r in sheet.regions}:
            left, top = x - around, y - around
            assert left >= gap and top >= gap
            assert x + width + around + gap <= sheet.width and y + height + around + gap <= sheet.height
            owners[top : y + height + around + gap, left : x + width + around + gap] += 1
        assert owners.max() == 1
        assert max(sheet.width, sheet.height) <= layout.max_side
        if layout.power_of_two:
            assert sheet.width.bit_count() == sheet.height.bit_count() == 1


@given(boxes=sizes, more=sizes, max_side=st.integers(64, 160), gaps=st.fixed_dictionaries(gaps))
def test_packed_sprites_lie_apart_and_never_move(
    boxes: list[tuple[int, int]], more: list[tuple[int, int]], max_side: int, gaps: dict[str, Any]
) -> None:
    layout = fit_layout(Layout(trim=True, max_side=max_side, **gaps), [])
    before = pack("imp", "Imp", items_of(boxes), 24, layout)
    assert_apart(before, layout)
    assert pack("imp", "Imp", items_of(boxes), 24, layout, [record_of(sheet) for sheet in before]) == before
    after = pack("imp", "Imp", items_of([*boxes, *more]), 24, layout, [record_of(sheet) for sheet in before])
    assert_apart(after, layout)
    assert regions_of(before).items() <= regions_of(after).items()
    assert len(regions_of(after)) == len(boxes) + len(more)


@given(count=st.integers(1, 300), cell=st.integers(1, 40), gaps=st.fixed_dictionaries(gaps))
def test_a_grid_keeps_every_gap(count: int, cell: int, gaps: dict[str, Any]) -> None:
    layout = fit_layout(Layout(max_side=500, **gaps), [])
    sheets = lay_out("imp", "Imp", slots(count), cell, columns_for(count, cell, layout), layout)
    assert_apart(sheets, layout)
    assert [region.slot for sheet in sheets for region in sheet.regions] == list(range(count))
    for sheet in sheets:
        for region in sheet.regions:
            assert (region.x - sheet.margin) % (cell + sheet.spacing) == 0
            assert (region.y - sheet.margin) % (cell + sheet.spacing) == 0


@given(boxes=sizes, extrude=st.integers(0, 3))
def test_a_packed_sprite_is_cut_back_from_its_sheet_with_its_border_repeated(
    boxes: list[tuple[int, int]], extrude: int
) -> None:
    chance = np.random.default_rng(len(boxes))
    (sheet,) = pack("imp", "Imp", items_of(boxes), 24, Layout(trim=True, extrude=extrude))
    sprites = [chance.integers(1, 256, (region.height, region.width, 4), np.uint8) for region in sheet.regions]
    picture = paint(sheet, sprites, extrude)
    for region, sprite in zip(sheet.regions, sprites, strict=True):
        assert np.array_equal(cut(picture, region.x, region.y, region.width, region.height), sprite)
        for step in range(1, extrude + 1):
            assert np.array_equal(picture[region.y - step, region.x : region.x + region.width], sprite[0])
            assert np.array_equal(picture[region.y : region.y + region.height, region.x - step], sprite[:, 0])


def test_equal_pixels_lie_on_a_sheet_once() -> None:
    twins = [replace(item, digest=b"same") for item in items_of([(8, 8)] * 3)]
    (sheet,) = pack("imp", "Imp", [*twins, *items_of([(8, 8)], first=3)], 24, PACKED)
    places = [(region.x, region.y) for region in sheet.regions]
    assert len(set(places[:3])) == 1 and places[3] != places[0]


def test_a_sprite_that_shared_its_place_gets_its_own_when_its_pixels_change() -> None:
    twins = [replace(item, digest=b"same") for item in items_of([(8, 8)] * 2)]
    held = [record_of(sheet) for sheet in pack("imp", "Imp", twins, 24, PACKED)]
    (sheet,) = pack("imp", "Imp", [twins[0], replace(twins[1], digest=b"other")], 24, PACKED, held)
    first, second = sheet.regions
    assert (first.x, first.y) == tuple(held[0].sprites[0].rect[:2]) != (second.x, second.y)
    assert_apart([sheet], PACKED)


def test_a_sprite_that_grew_moves_alone() -> None:
    items = items_of([(8, 8)] * 4)
    held = [record_of(sheet) for sheet in pack("imp", "Imp", items, 24, PACKED)]
    grown = [*items[:1], replace(items[1], box=(0, 0, 12, 12)), *items[2:]]
    (sheet,) = pack("imp", "Imp", grown, 24, PACKED, held)
    moved = [r.slot for r, old in zip(sheet.regions, held[0].sprites, strict=True) if (r.x, r.y) != old.rect[:2]]
    assert moved == [1]
    assert_apart([sheet], PACKED)


def test_types_share_sheets_by_type_and_slot() -> None:
    layout = Layout(sheets="all", max_side=64)
    items = [*items_of([(24, 24)] * 3, kind="owl"), *items_of([(24, 24)] * 3, kind="bat")]
    sheets = pack("", "", items, 24, layout)
    assert [(sheet.type, sheet.image) for sheet in sheets] == [("", "all.png"), ("", "all_2.png")]
    for sheet in sheets:
        assert list(sheet.regions) == sorted(sheet.regions, key=lambda region: (region.type, region.slot))
        assert all(region.source is None for region in sheet.regions)


def test_a_sheet_that_has_emptied_leaves_the_others_their_names() -> None:
    layout = Layout(trim=True, max_side=40)
    sheets = pack("imp", "Imp", items_of([(24, 24)] * 3), 24, layout)
    assert [sheet.image for sheet in sheets] == ["imp/imp.png", "imp/imp_2.png", "imp/imp_3.png"]
    held = [record_of(sheets[0]), record_of(sheets[2])]
    last = next(region.slot for region in sheets[2].regions)
    kept = pack("imp", "Imp", [items_of([(24, 24)] * 3)[last]], 24, layout, held)
    assert [sheet.image for sheet in kept] == ["imp/imp_3.png"]


def test_strips_are_rows_without_gaps_that_say_how_many() -> None:
    layout = fit_layout(Layout(), [Target(name="rows", summary="", write=lambda _: {}, max_side=64, strip=True)])
    first, second = strips("imp", "Imp", slots(5), 24, msgspec.structs.replace(layout, max_side=80))
    assert [first.image, second.image] == ["imp/spr_imp_strip3.png", "imp/spr_imp_2_strip2.png"]
    assert [(region.x, region.y) for region in first.regions] == [(0, 0), (24, 0), (48, 0)]
    assert ((first.width, first.height), (second.width, second.height)) == ((72, 24), (48, 24))


@pytest.mark.parametrize("asked", [{"trim": True}, {"sheets": "all"}, {"extrude": 1}, {"power_of_two": True}])
def test_what_strips_cannot_have_is_refused(asked: dict[str, Any]) -> None:
    with pytest.raises(UsageError, match="equal parts"):
        fit_layout(Layout(**asked), [Target(name="rows", summary="", write=lambda _: {}, strip=True)])


def test_strips_and_sheets_are_not_written_together() -> None:
    rows = Target(name="rows", summary="", write=lambda _: {}, strip=True)
    with pytest.raises(UsageError, match="--target rows: wants every type in one row"):
        fit_layout(Layout(), [rows, Target(name="b", summary="", write=lambda _: {})])


def test_the_smallest_texture_limit_counts_and_variants_keep_to_it() -> None:
    small = Target(name="small", summary="", write=lambda _: {}, max_side=1000)
    assert fit_layout(Layout(), [small]).max_side == 1000
    assert fit_layout(Layout(variants=[2, 3]), [small]).max_side == 333
    assert fit_layout(Layout(power_of_two=True), [small]).max_side == 512


def test_a_variant_is_the_sheet_enlarged() -> None:
    (sheet,) = pack("imp", "Imp", items_of([(5, 7), (9, 3)]), 24, PACKED)
    twice = enlarged(sheet, 2)
    assert (twice.image, twice.scale) == ("imp/imp@2x.png", 2)
    assert (twice.width, twice.height, twice.cell) == (sheet.width * 2, sheet.height * 2, (48, 48))
    for region, large in zip(sheet.regions, twice.regions, strict=True):
        assert (large.x, large.width, large.source) == (region.x * 2, region.width * 2, (48, 48))


def test_mixed_sizes_fill_four_fifths_of_the_sheet() -> None:
    chance = np.random.default_rng(0)
    boxes = [(int(w), int(h)) for w, h in chance.integers(20, 65, (500, 2))]
    (sheet,) = pack("imp", "Imp", items_of(boxes), 64, PACKED)
    assert sum(w * h for w, h in boxes) / (sheet.width * sheet.height) >= 0.80
