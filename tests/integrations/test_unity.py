"""The target ``unity`` writes import settings whose ids agree and stay. tests/clients/test_unity.py reads them with a
parser of Unity's YAML, and runs the editor scripts.
"""

from __future__ import annotations

import dataclasses
import json
import re
from pathlib import Path

import pytest
import yaml

from asset_gen.sheet import Delivery, Sheet
from integrations.unity.writer import TARGET, write
from tests.integrations.deliveries import CELL, assert_golden, grid, region

PROJECT = "0123456789abcdef0123456789abcdef"
BASE = "Assets/Generated"


def delivery() -> Delivery:
    return grid(BASE, PROJECT)


def test_files_are_golden() -> None:
    assert_golden("unity", write(delivery()))


def ids(files: dict[str, bytes]) -> set[str]:
    """All ids in all files but the sheets' internalID, which is 0."""
    text = b"".join(data for path, data in files.items() if path.endswith(".meta")).decode()
    return set(re.findall(r"(?:guid|spriteID|internalID): (\S+)", text)) - {"0"}


def test_ids_are_unique_the_same_in_every_run_and_other_ones_in_another_project() -> None:
    mine = ids(dict(write(delivery())))
    assert len(mine) == 4 + 4 + 2 * 8, "guids, ids of sheets, two of each sprite"
    assert mine == ids(dict(write(delivery())))
    assert not mine & ids(dict(write(grid(BASE, "f" * 32))))
    assert not mine & ids(dict(write(grid("Assets/Other", PROJECT))))


def test_the_tables_agree_and_rectangles_count_from_the_bottom() -> None:
    whole = delivery()
    for sheet in whole.sheets:
        importer = yaml.safe_load(write(whole)[f"{sheet.image}.meta"])["TextureImporter"]
        sprites = importer["spriteSheet"]["sprites"]
        numbers = {sprite["name"]: sprite["internalID"] for sprite in sprites}
        assert importer["spriteSheet"]["nameFileIdTable"] == numbers
        assert {row["second"]: row["first"][213] for row in importer["internalIDToNameTable"]} == numbers
        for sprite, meant in zip(sprites, sheet.regions, strict=True):
            rect = sprite["rect"]
            assert sprite["name"] == meant.name
            assert sheet.height - rect["y"] - rect["height"] == meant.y
            assert (rect["x"], rect["width"], rect["height"]) == (meant.x, meant.width, meant.height)


def test_a_trimmed_sprite_turns_about_its_untrimmed_middle() -> None:
    sprite = yaml.safe_load(write(delivery())["orb/orb.png.meta"])["TextureImporter"]["spriteSheet"]["sprites"][0]
    assert sprite["alignment"] == 9
    left, top = 1, 2  # pixels trimmed off
    assert sprite["pivot"]["x"] * 5 + left == pytest.approx(CELL / 2)
    assert (1 - sprite["pivot"]["y"]) * 6 + top == pytest.approx(CELL / 2, abs=1e-5)


def test_no_sheet_is_shrunk() -> None:
    """Unity's ``maxTextureSize`` is a power of two, and 2048 unless said otherwise."""
    for side, wanted in ((22, 2048), (2048, 2048), (2049, 4096), (4096, 4096)):
        sheet = Sheet("imp", "imp", "imp/imp.png", 22, side, (CELL, CELL), 2, (region("imp", 0, 2, 2),))
        text = write(Delivery((sheet,)))["imp/imp.png.meta"].decode()
        assert re.findall(r"maxTextureSize: (\d+)", text) == [str(wanted)] * 2


def test_a_name_that_yaml_could_take_for_a_number_is_quoted() -> None:
    sheet = Sheet("1", "1", "1/1.png", 22, 22, (CELL, CELL), 2, (region("1", 0, 2, 2),))
    importer = yaml.safe_load(write(Delivery((sheet,)))["1/1.png.meta"])["TextureImporter"]
    assert importer["spriteSheet"]["sprites"][0]["name"] == "1_000000"
    assert list(importer["spriteSheet"]["nameFileIdTable"]) == ["1_000000"]
    assert importer["internalIDToNameTable"][0]["second"] == "1_000000"


def test_the_list_says_of_every_sprite_what_its_meta_says() -> None:
    files = write(delivery())
    document = json.loads(files["sprites.unity.json"])
    for sheet in document["sheets"]:
        importer = yaml.safe_load(files[f"{sheet['image']}.meta"])["TextureImporter"]
        for entry, sprite in zip(sheet["sprites"], importer["spriteSheet"]["sprites"], strict=True):
            assert (entry["name"], entry["spriteID"]) == (sprite["name"], sprite["spriteID"])
            assert {key: entry[key] for key in ("x", "y", "width", "height")} == {
                key: sprite["rect"][key] for key in ("x", "y", "width", "height")
            }
            assert (entry["pivotX"], entry["pivotY"]) == pytest.approx(tuple(sprite["pivot"].values()), abs=1e-5)


def test_more_sprites_change_nothing_of_those_that_were_there() -> None:
    sheet = delivery().sheets[0]
    fewer = dataclasses.replace(sheet, regions=sheet.regions[:2])
    before = write(Delivery((fewer,), BASE, PROJECT))["imp/imp.png.meta"].decode().splitlines()
    after = write(delivery())["imp/imp.png.meta"].decode().splitlines()
    rest = iter(after)
    assert all(line in rest for line in before), "what was there is there, in the same order"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "ProjectSettings").mkdir()
    return tmp_path


@pytest.mark.parametrize(
    ("version", "told"),
    [
        ("6000.0.23f1", None),
        ("2022.3.40f1c1", None),
        ("2019.4.40f1", None),
        ("2019.3.0f6", "Unity 2019.3.0f6"),
        ("2018.4.36f1", "Open the project in Unity 2019.4 or newer"),
        ("5.6.7f1", "Unity 5.6.7f1"),
        ("soon", None),
    ],
)
def test_a_unity_that_is_too_old_is_named(project: Path, version: str, told: str | None) -> None:
    text = f"m_EditorVersion: {version}\nm_EditorVersionWithRevision: {version} (0123456789ab)\n"
    (project / "ProjectSettings" / "ProjectVersion.txt").write_text(text)
    assert TARGET.detect(project)
    complaint = TARGET.complaint(project)
    assert complaint is None if told is None else told in (complaint or "")


def test_a_folder_that_is_no_unity_project_yet_may_get_files(tmp_path: Path) -> None:
    assert not TARGET.detect(tmp_path)
    assert TARGET.complaint(tmp_path) is None
    assert TARGET.identity(tmp_path) == ""


@pytest.mark.parametrize(
    ("settings", "found"),
    [
        (f"%YAML 1.1\n--- !u!129 &1\nPlayerSettings:\n  productGUID: {PROJECT}\n  companyName: X\n".encode(), PROJECT),
        (f"PlayerSettings:\r\n  productGUID: {PROJECT}\r\n".encode(), PROJECT),
        (b"PlayerSettings:\n  productName: productGUID: no\n", ""),
        (b"\x00\x00\x00\x16\xff\xfe binary", ""),
    ],
)
def test_a_project_is_told_from_others_by_its_product_guid(project: Path, settings: bytes, found: str) -> None:
    (project / "ProjectSettings" / "ProjectSettings.asset").write_bytes(settings)
    assert TARGET.identity(project) == found
