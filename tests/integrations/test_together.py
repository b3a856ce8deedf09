"""Several targets at once: no two may claim one path, in any delivery."""

from __future__ import annotations

import json
from importlib.metadata import entry_points
from itertools import combinations
from pathlib import Path

import pytest

from asset_gen.cli import run as run_command_line
from asset_gen.sheet import Target
from asset_gen.targets import GROUP
from tests.integrations.deliveries import grid

TARGETS: dict[str, Target] = {entry.name: entry.load() for entry in entry_points(group=GROUP)}
WEB = ("aseprite", "generic", "phaser", "pixi")
SHARED = {name: target for name, target in TARGETS.items() if not target.strip}
"""A target that wants strips has sheets of its own, and is used alone."""
ALIKE = {("godot", "godot3"), ("tiled", "tiled-collection")}
"""Targets of one engine, of which a project needs one; ``assetgen batch`` refuses the two together."""
PAIRS = sorted(set(combinations(sorted(SHARED), 2)) - ALIKE)
TAKEN = {"manifest.json", "provenance.json"}
"""What assetgen itself writes beside them."""


@pytest.mark.parametrize(("one", "other"), PAIRS)
def test_no_two_targets_claim_one_path(one: str, other: str) -> None:
    first, second = ({path.casefold() for path in TARGETS[name].write(grid())} for name in (one, other))
    assert not first & second  # in no spelling either: Windows and macOS don't tell them apart


@pytest.mark.parametrize("name", sorted(SHARED))
def test_no_target_claims_a_sheet_or_a_file_of_ours(name: str) -> None:
    images = {sheet.image for sheet in grid().sheets}
    assert not set(TARGETS[name].write(grid())) & (images | TAKEN)


def test_a_batch_for_all_web_engines_publishes_the_files_of_each(tmp_path: Path) -> None:
    chosen = [argument for name in WEB for argument in ("--target", name)]
    command = ["batch", "--count", "34", "--oversample", "1", "--project", str(tmp_path), *chosen, "-q"]
    assert run_command_line(command) == 0
    out = tmp_path / "assets" / "generated"
    (sheet, *_) = json.loads((out / "manifest.json").read_text())["sheets"]
    names = [sprite["name"] for sprite in sheet["sprites"]]
    kind = sheet["type"]
    generic = json.loads((out / kind / f"{kind}.json").read_text())
    pixi = json.loads((out / kind / f"{kind}.pixi.json").read_text())
    aseprite = json.loads((out / kind / f"{kind}.aseprite.json").read_text())
    phaser = json.loads((out / "sprites.phaser.json").read_text())
    (atlas,) = [texture for texture in phaser["textures"] if texture["image"] == sheet["image"]]
    assert list(generic["frames"]) == list(pixi["frames"]) == pixi["animations"][kind] == names
    assert [frame["filename"] for frame in atlas["frames"]] == [frame["name"] for frame in aseprite["frames"]] == names
    before = {path: (path.stat().st_mtime_ns, path.read_bytes()) for path in out.rglob("*") if path.is_file()}
    assert run_command_line(command) == 0
    assert {path: (path.stat().st_mtime_ns, path.read_bytes()) for path in before} == before
