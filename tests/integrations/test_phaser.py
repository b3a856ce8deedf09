"""The target ``phaser`` writes a multiatlas; tests/clients/test_phaser.py loads it in Phaser 3 and 4."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from asset_gen.errors import UsageError
from asset_gen.sheet import Delivery
from asset_gen.targets import load_targets
from integrations.phaser.package import dependencies
from integrations.phaser.writer import TARGET, write
from tests.integrations.deliveries import assert_golden, grid


def package(project: Path, text: str) -> Path:
    (project / "package.json").write_text(text, encoding="utf-8")
    return project


def test_files_are_golden() -> None:
    assert_golden("phaser", write(grid()))


def test_tags_count_through_all_sheets() -> None:
    document = json.loads(write(grid())["sprites.phaser.json"])
    frames = [frame for texture in document["textures"] for frame in texture["frames"]]
    tagged = {
        tag["name"]: {frame["type"] for frame in frames[tag["from"] : tag["to"] + 1]}
        for tag in document["meta"]["frameTags"]
    }
    assert tagged == {kind: {kind} for kind in ("imp", "orb", "bat", "cat")}
    assert sum(tag["to"] - tag["from"] + 1 for tag in document["meta"]["frameTags"]) == len(frames)


def test_no_sheets_are_a_document_all_the_same() -> None:
    document = json.loads(write(Delivery(()))["sprites.phaser.json"])
    assert (document["textures"], document["meta"]["frameTags"]) == ([], [])


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ('{"dependencies": {"phaser": "^4.2.1"}}', True),
        ('\ufeff{"devDependencies": {"phaser": "^3.90.0"}}', True),
        ('{"dependencies": {"phaser-ce": "^2.20.0"}, "devDependencies": {}}', False),
        ('{"peerDependencies": {"phaser": "*"}}', False),
        ('{"name": "phaser"}', False),
        ('{"dependencies": ["phaser"]}', False),
        ('{"dependencies": "phaser", "devDependencies": null}', False),
        ('{"dependencies": {"phaser": 3}}', False),
        ('["phaser"]', False),
        ('"phaser"', False),
        ("null", False),
        ('{"dependencies": {"phaser": ', False),
        ("", False),
        ("[" * 100_000, False),
    ],
)
def test_a_game_depends_on_phaser(tmp_path: Path, text: str, found: bool) -> None:
    assert TARGET.detect(package(tmp_path, text)) is found


def test_what_is_no_file_of_text_asks_for_nothing(tmp_path: Path) -> None:
    assert dependencies(tmp_path) == {}
    assert dependencies(tmp_path / "a\0b") == {}
    (tmp_path / "package.json").mkdir()
    assert dependencies(tmp_path) == {}
    (tmp_path / "package.json").rmdir()
    (tmp_path / "package.json").write_bytes(b'{"dependencies": {"phaser": "\xff"}}')
    assert dependencies(tmp_path) == {}


def test_what_a_game_ships_counts_before_what_builds_it(tmp_path: Path) -> None:
    package(tmp_path, '{"dependencies": {"phaser": "3"}, "devDependencies": {"phaser": "4", "vite": "6"}}')
    assert dependencies(tmp_path) == {"phaser": "3", "vite": "6"}


@pytest.mark.parametrize("version", ["2.6.2", "^2.20.1", "~2", ">=2.1 <3", "v2.0.0", "= 2.1", "1.1.x", "0.9.0"])
def test_a_phaser_without_multiatlas_is_named_with_the_cure(tmp_path: Path, version: str) -> None:
    package(tmp_path, json.dumps({"dependencies": {"phaser": version}}))
    with pytest.raises(UsageError, match=r"asks for phaser .*--target generic"):
        load_targets(["phaser"], tmp_path)


@pytest.mark.parametrize(
    "version", ["^3.90.0", "4.2.1", "latest", "*", "", "^4", "~3.60", "2d-fork", "file:../phaser", "20.0.0"]
)
def test_another_phaser_is_not_complained_of(tmp_path: Path, version: str) -> None:
    package(tmp_path, json.dumps({"dependencies": {"phaser": version}}))
    assert [target.name for target in load_targets([], tmp_path)] == ["phaser"]
