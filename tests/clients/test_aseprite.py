"""The script for Aseprite, run by Lua with stand-ins of Aseprite's objects: Aseprite itself is no package of Debian's.

What a frame would show is cut from the sheet as the script says, and compared with the manifest.
"""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from PIL import Image

from asset_gen.cli import run as run_command_line
from tests.clients import published

if TYPE_CHECKING:
    from tests.clients.conftest import Client

ROOT = Path(__file__).parents[2]
SCRIPT = ROOT / "integrations" / "aseprite" / "project" / "tools" / "aseprite" / "assetgen-open.lua"
STAND_IN = Path(__file__).parent / "aseprite" / "stand_in.lua"
OUT = "assets/generated"


def as_lua(value: Any) -> str:
    """A JSON value as Lua writes it."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"[{as_lua(key)}] = {as_lua(entry)}" for key, entry in value.items()) + "}"
    if isinstance(value, list):
        return "{" + ", ".join(map(as_lua, value)) + "}"
    if isinstance(value, str):
        return '"' + "".join(f"\\u{{{ord(letter):x}}}" for letter in value) + '"'
    return json.dumps(value)


def open_sheet(client: Client, sheet: Path, mode: str = "rgb") -> subprocess.CompletedProcess[str]:
    """The script's own run on a published ``<type>.aseprite.json``."""
    document = json.loads(sheet.read_text(encoding="utf-8"))
    Path(f"{sheet}.lua").write_text(f"return {as_lua(document)}\n")
    command = [str(client("lua5.4")), str(STAND_IN), str(SCRIPT), str(sheet), mode]
    return subprocess.run(command, capture_output=True, text=True, timeout=60)


@pytest.mark.parametrize("options", [(), ("--trim",), ("--combined", "--trim"), ("--max-side", "256")])
def test_every_sprite_becomes_a_frame_under_the_tag_of_its_type(
    client: Client, tmp_path: Path, options: tuple[str, ...]
) -> None:
    arguments = ["--count", "60", "--scale", "2", "--target", "aseprite", "--project", str(tmp_path), "-q", *options]
    assert run_command_line(["batch", *arguments]) == 0
    game = published.read(tmp_path, tmp_path / OUT)
    entries = {
        sprite["name"]: sprite
        for sheet in json.loads((game.out / "manifest.json").read_text())["sheets"]
        for sprite in sheet["sprites"]
    }
    seen = set()
    for sheet in sorted(game.out.rglob("*.aseprite.json")):
        done = open_sheet(client, sheet)
        assert done.returncode == 0, done.stderr
        lines = [line.split("\t") for line in done.stdout.splitlines()]
        tags = {
            name: range(int(first), int(last) + 1) for word, name, first, last in (x for x in lines if x[0] == "tag")
        }
        assert lines[0] == ["sprite", "64", "64", "0", "3", "false", "out.aseprite"]
        for number, (name, picture, *numbers) in enumerate((line[1:] for line in lines if line[0] == "cel"), 1):
            x, y, width, height, left, top = map(int, numbers[:6])
            sprite = game.sprites[name]
            assert Path(picture) == game.out / sprite.image
            assert number in tags[sprite.type]
            assert [left, top] == list(entries[name].get("offset", (0, 0)))
            whole = np.array(Image.open(picture).convert("RGBA"))
            np.testing.assert_array_equal(whole[y : y + height, x : x + width], sprite.pixels, name)
            seen.add(name)
    assert seen == set(game.sprites)


def test_a_sheet_of_indexed_colours_opens_with_its_palette(client: Client, tmp_path: Path) -> None:
    arguments = ["--count", "17", "--target", "aseprite", "--palette", "16", "--project", str(tmp_path), "-q"]
    assert run_command_line(["batch", *arguments]) == 0
    (sheet, *_) = sorted((tmp_path / OUT).rglob("*.aseprite.json"))
    picture = sheet.with_name(json.loads(sheet.read_text())["meta"]["image"])
    with Image.open(picture) as opened:
        assert opened.mode == "P"
    (first, *_) = open_sheet(client, sheet, "indexed").stdout.splitlines()
    assert first.split("\t")[3:6] == ["2", "3", str(picture)]


@pytest.mark.parametrize("damage", ["no sheet", "no picture", "no file"])
def test_what_can_not_be_opened_is_named(client: Client, tmp_path: Path, damage: str) -> None:
    sheet = tmp_path / "imp.aseprite.json"
    sheet.write_text("{}" if damage == "no sheet" else json.dumps({"meta": {"image": "imp.png"}, "frames": [1]}))
    Path(f"{sheet}.lua").write_text(f"return {as_lua(json.loads(sheet.read_text()))}\n")
    if damage == "no file":
        sheet.unlink()
    command = [str(client("lua5.4")), str(STAND_IN), str(SCRIPT), str(sheet), "rgb"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.returncode == 1
    assert f"assetgen: {tmp_path / 'imp.png' if damage == 'no picture' else sheet}: " in done.stderr
