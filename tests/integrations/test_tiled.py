"""The targets ``tiled`` and ``tiled-collection`` write tilesets; tests/clients/test_tiled.py opens them in Tiled."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import pytest

from asset_gen.layout import columns_for, lay_out
from asset_gen.manifest import Layout
from asset_gen.sheet import Delivery
from integrations.tiled.writer import TARGET, write, write_collections
from tests.integrations.deliveries import assert_golden, grid


def test_files_are_golden() -> None:
    assert_golden("tiled", write(grid()))
    assert_golden("tiled-collection", write_collections(grid()))


def tiles(files: Mapping[str, bytes], path: str) -> dict[str, str]:
    """Name → id of a tileset's tiles."""
    root = ElementTree.fromstring(files[path])
    return {tile.find("properties/property[@name='name']").get("value"): tile.get("id") for tile in root.iter("tile")}  # type: ignore[union-attr,misc]


@pytest.mark.parametrize(
    "layout", [Layout(), Layout(padding=0), Layout(padding=3, extrude=2), Layout(power_of_two=True)]
)
@pytest.mark.parametrize("count", [1, 2, 5, 30])
def test_tiled_counts_the_columns_that_the_sheet_has(layout: Layout, count: int) -> None:
    """As Tiled does it: from the image's size alone, whatever the attribute says."""
    slots = [(slot, 0.5) for slot in range(count)]
    sheets = lay_out("imp", "Imp", slots, 24, columns_for(count, 24, layout), layout)
    for data in write(Delivery(tuple(sheets))).values():
        root = ElementTree.fromstring(data)
        if root.get("columns") == "0":
            continue  # a collection, which has none
        side, gap, margin = (int(root.attrib[name]) for name in ("tilewidth", "spacing", "margin"))
        width = int(root.find("image").attrib["width"])  # type: ignore[union-attr]
        assert int(root.attrib["columns"]) == (width - margin + gap) // (side + gap)
        for tile in root.iter("tile"):
            row, column = divmod(int(tile.attrib["id"]), int(root.attrib["columns"]))
            region = sheets[0].regions[int(tile.find("properties/property[@name='slot']").attrib["value"])]  # type: ignore[union-attr]
            assert (region.x, region.y) == (margin + column * (side + gap), margin + row * (side + gap))


def test_ids_stay_when_sprites_are_added() -> None:
    before, after = (
        write(Delivery(tuple(lay_out("imp", "Imp", [(slot, 0.5) for slot in range(count)], 24, 3))))
        for count in (5, 20)
    )
    assert tiles(before, "imp/imp.tsx").items() <= tiles(after, "imp/imp.tsx").items()


def test_a_label_that_is_no_xml_is_escaped() -> None:
    delivery = grid()
    sheets = tuple(replace(sheet, image=sheet.image.replace("imp.png", 'i&<">.png')) for sheet in delivery.sheets)
    for data in write(replace(delivery, sheets=sheets)).values():
        ElementTree.fromstring(data)


def test_a_tiled_project(tmp_path: Path) -> None:
    assert not TARGET.detect(tmp_path)
    (tmp_path / "dungeon.tiled-project").write_text("{}")
    assert TARGET.detect(tmp_path)
    assert not TARGET.detect(tmp_path / "nowhere")
