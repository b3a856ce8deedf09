"""The targets for Godot write resources that look as its own editor would save them, and know whose project it is.

``golden/`` was read by eye once, and tests/clients opens the same delivery in the real engines.
"""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from asset_gen.sheet import Delivery, Region, Sheet, Target
from integrations.godot import tileset, writer
from integrations.godot3 import writer as writer3

GOLDEN = Path(__file__).parent / "golden"
TARGETS = {"godot": writer.TARGET, "godot-tileset": tileset.TARGET, "godot3": writer3.TARGET}
CELL = 8


def region(
    kind: str, slot: int, x: int, y: int, width: int = CELL, height: int = CELL, **trim: tuple[int, int]
) -> Region:
    return Region(f"{kind}_{slot:06d}", slot, x, y, width, height, 0.5 + slot / 16, kind, **trim)


def sheet(kind: str, image: str, size: tuple[int, int], *regions: Region, label: str = "", columns: int = 2) -> Sheet:
    return Sheet(kind, label or kind, image, *size, (CELL, CELL), columns, regions)


def delivery() -> Delivery:
    """A grid that goes on to a second sheet and has an alias; a trimmed type; two types on one sheet."""
    return Delivery(
        sheets=(
            sheet(
                "imp",
                "imp/imp.png",
                (22, 22),
                *(region("imp", slot, x, y) for slot, (x, y) in enumerate([(2, 2), (12, 2), (2, 12), (12, 2)])),
                label='Imp \\ "old" – Kobold',
            ),
            sheet("imp", "imp/imp_2.png", (22, 12), region("imp", 4, 2, 2)),
            sheet(
                "orb",
                "orb/orb.png",
                (20, 12),
                region("orb", 0, 2, 2, 5, 6, offset=(1, 2), source=(CELL, CELL)),
                region("orb", 1, 9, 2, 8, 8),
            ),
            sheet("", "all.png", (22, 12), region("bat", 0, 2, 2), region("cat", 0, 12, 2)),
        ),
        base="assets/generated",
    )


@pytest.mark.parametrize("name", TARGETS)
def test_files_are_golden(name: str) -> None:
    files = TARGETS[name].write(delivery())
    golden = {path.relative_to(GOLDEN / name).as_posix(): path for path in (GOLDEN / name).rglob("*") if path.is_file()}
    assert sorted(files) == sorted(golden)
    for path, data in files.items():
        assert data.decode() == golden[path].read_text(encoding="utf-8"), path


@pytest.mark.parametrize("target", TARGETS.values(), ids=TARGETS)
def test_a_larger_delivery_moves_nothing(target: Target) -> None:
    """Tiles are found on maps by source, column and row; other sprites' files must not even be touched."""
    whole = delivery()
    first = whole.sheets[0]
    fewer = Delivery(
        sheets=(sheet("imp", first.image, (22, 12), *first.regions[:2], label=first.label),), base=whole.base
    )
    before, after = target.write(fewer), target.write(whole)
    assert set(before) < set(after)
    for path, data in before.items():
        if "/regions/" in path or path.endswith(".import"):
            assert after[path] == data
        if path.endswith("_tileset.tres"):
            places = re.findall(r"^\d+:\d+/.*", data.decode(), re.MULTILINE)
            assert places and set(places) <= set(after[path].decode().splitlines())


def test_no_resource_refers_by_uid() -> None:
    for target in TARGETS.values():
        for path, data in target.write(delivery()).items():
            assert b"uid" not in data, path


def test_godot_4_gets_no_import_file() -> None:
    """It's Godot's own; an existing one must not be overwritten."""
    for name in ("godot", "godot-tileset"):
        assert not any(path.endswith(".import") for path in TARGETS[name].write(delivery()))


def test_an_import_file_that_godot_3_has_is_kept_byte_for_byte() -> None:
    target = TARGETS["godot3"]
    wanted = target.write(delivery())["imp/imp.png.import"]
    held = b'[remap]\r\n\r\nimporter="texture"\r\n[params]\r\nflags/filter=true\r\n'
    assert target.merge is not None and target.merged == (".import",)
    assert target.merge("imp/imp.png.import", held, wanted) == held


@pytest.mark.parametrize("base", ["", "."])
def test_the_output_folder_may_be_the_project_itself(base: str) -> None:
    files = writer.write(Delivery(sheets=delivery().sheets, base=base))
    assert b'path="res://imp/imp.png"' in files["imp/imp_frames.tres"]


def test_the_list_is_json_with_a_line_for_each_sprite() -> None:
    text = writer.write(delivery())["sprites.assetgen"].decode()
    types = {group["type"]: group["sprites"] for group in json.loads(text)["types"]}
    assert {kind: len(sprites) for kind, sprites in types.items()} == {"imp": 5, "orb": 2, "bat": 1, "cat": 1}
    assert sum('"name"' in line for line in text.splitlines()) == 9


def test_a_delivery_of_nothing_is_an_empty_list() -> None:
    files = writer.write(Delivery(sheets=()))
    assert list(files) == ["sprites.assetgen"]
    assert json.loads(files["sprites.assetgen"])["types"] == []


@pytest.fixture
def project(tmp_path: Path) -> Path:
    folder = tmp_path / "game"
    folder.mkdir()
    return folder


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("; comment\n\nconfig_version=5\n\n[application]\n", "godot"),
        ("config_version = 5\r\n", "godot"),
        ("config_version=4\n", "godot3"),
        ("config_version=3\n", None),
        ("config_version=6\n", None),
        ('name="config_version=5"\n', None),
        ("", None),
        (None, None),
    ],
)
def test_a_project_is_recognised_by_its_version(project: Path, text: str | None, found: str | None) -> None:
    if text is not None:
        (project / "project.godot").write_bytes(text.encode())
    assert [name for name, target in TARGETS.items() if target.detect(project)] == ([found] if found else [])


def test_what_is_no_file_is_no_project(project: Path) -> None:
    (project / "project.godot").mkdir()
    assert not any(target.detect(project) or target.complaint(project) for target in TARGETS.values())


@pytest.mark.parametrize(
    ("name", "version", "told"),
    [
        ("godot", 5, None),
        ("godot", 4, "--target godot3"),
        ("godot", 3, "Godot 3.0 or older (config_version 3)"),
        ("godot", 6, "newer than 4 (config_version 6)"),
        ("godot-tileset", 4, "Godot 3's"),
        ("godot3", 4, None),
        ("godot3", 5, "--target godot"),
        ("godot3", 3, "Open the project once in Godot 3.6"),
    ],
)
def test_a_project_of_another_engine_version_is_told(project: Path, name: str, version: int, told: str | None) -> None:
    (project / "project.godot").write_text(f"config_version={version}\n")
    complaint = TARGETS[name].complaint(project)
    assert complaint is None if told is None else told in (complaint or "")


def test_a_folder_that_is_no_godot_project_yet_may_get_files(project: Path) -> None:
    assert all(target.complaint(project) is None for target in TARGETS.values())
