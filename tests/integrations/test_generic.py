"""The target ``generic`` writes what most engines and loaders read."""

from __future__ import annotations

import json

import pytest

from asset_gen.layout import lay_out
from asset_gen.sheet import Delivery, Sheet
from integrations.generic.writer import TARGET, write

GOLDEN = """\
{
 "frames": {
  "imp_000000": {
   "frame": {
    "x": 2,
    "y": 2,
    "w": 8,
    "h": 8
   },
   "rotated": false,
   "trimmed": false,
   "spriteSourceSize": {
    "x": 0,
    "y": 0,
    "w": 8,
    "h": 8
   },
   "sourceSize": {
    "w": 8,
    "h": 8
   },
   "type": "imp"
  },
  "imp_000001": {
   "frame": {
    "x": 12,
    "y": 2,
    "w": 8,
    "h": 8
   },
   "rotated": false,
   "trimmed": false,
   "spriteSourceSize": {
    "x": 0,
    "y": 0,
    "w": 8,
    "h": 8
   },
   "sourceSize": {
    "w": 8,
    "h": 8
   },
   "type": "imp"
  }
 },
 "meta": {
  "app": "assetgen",
  "version": "1.0",
  "image": "imp.png",
  "format": "RGBA8888",
  "size": {
   "w": 22,
   "h": 12
  },
  "scale": "1",
  "frameTags": [
   {
    "name": "imp",
    "from": 0,
    "to": 1,
    "direction": "forward"
   }
  ]
 }
}
"""


@pytest.fixture
def sheets() -> list[Sheet]:
    """Two imps on one sheet, and an owl with a label that isn't ASCII."""
    imps, owl = [(0, 0.5), (1, 0.9)], [(0, 0.7)]
    return [*lay_out("imp", "Imp", imps, 8, 2), *lay_out("owl", "Owl ✦ \N{LINE SEPARATOR}</script>", owl, 8, 1)]


def test_a_sheets_json_is_byte_for_byte_this(sheets: list[Sheet]) -> None:
    assert write(Delivery(tuple(sheets)))["imp/imp.json"].decode() == GOLDEN


def test_every_sheet_has_its_json_beside_it_and_one_script_holds_all(sheets: list[Sheet]) -> None:
    assert set(write(Delivery(tuple(sheets)))) == {"imp/imp.json", "owl/owl.json", "sheets.js"}
    assert write(Delivery(())) == {"sheets.js": b"globalThis.assetgenSheets = [\n\n];\n"}


def test_the_json_of_a_second_sheet_names_the_second_picture() -> None:
    first, second = lay_out("imp", "Imp", [(slot, 0.5) for slot in range(40)], 1000, 4)[:2]
    document = json.loads(write(Delivery((first, second)))["imp/imp_2.json"])
    assert document["meta"]["image"] == "imp_2.png"
    assert next(iter(document["frames"])) == second.regions[0].name
    assert document["meta"]["frameTags"][0]["to"] == len(second.regions) - 1


def test_the_script_parses_and_says_the_same_as_the_json(sheets: list[Sheet]) -> None:
    files = write(Delivery(tuple(sheets)))
    script = files["sheets.js"].decode()
    entries = json.loads(script.removeprefix("globalThis.assetgenSheets = ").removesuffix(";\n"))
    assert [(entry["type"], entry["label"], entry["image"]) for entry in entries] == [
        ("imp", "Imp", "imp/imp.png"),
        ("owl", sheets[1].label, "owl/owl.png"),
    ]
    for entry in entries:
        assert entry["data"] == json.loads(files[f"{entry['type']}/{entry['type']}.json"])


def test_the_same_sheets_give_the_same_bytes(sheets: list[Sheet]) -> None:
    assert TARGET.name == "generic"
    assert TARGET.write(Delivery(tuple(sheets))) == TARGET.write(Delivery(tuple(sheets)))
