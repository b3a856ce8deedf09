"""The target ``pixi`` writes spritesheets; tests/clients/test_pixi.py loads them in PixiJS 8."""

from __future__ import annotations

import json
import posixpath
from pathlib import Path
from typing import Any

import pytest

from asset_gen.sheet import Delivery
from integrations.pixi.writer import TARGET, write
from tests.integrations.deliveries import assert_golden, grid


def documents() -> dict[str, Any]:
    return {path: json.loads(data) for path, data in write(grid()).items()}


def test_files_are_golden() -> None:
    assert_golden("pixi", write(grid()))


def test_every_path_leads_from_its_file_to_one_that_is_there() -> None:
    files = documents()
    images = {sheet.image for sheet in grid().sheets}
    for path, document in files.items():
        folder = posixpath.dirname(path)
        assert posixpath.normpath(posixpath.join(folder, document["meta"]["image"])) in images
        packs = [posixpath.normpath(posixpath.join(folder, pack)) for pack in document["meta"]["related_multi_packs"]]
        assert set(packs) <= set(files) - {path}


def test_one_file_brings_all_others_along() -> None:
    files = documents()
    assert sorted(files["sprites.pixi.json"]["meta"]["related_multi_packs"] + ["sprites.pixi.json"]) == sorted(files)


def test_animations_hold_every_frame_of_their_file_under_its_type() -> None:
    """PixiJS looks them up among the frames of the same file, and makes ``undefined`` of those it doesn't find."""
    for document in documents().values():
        listed = {name: kind for kind, names in document["animations"].items() for name in names}
        assert listed == {name: frame["type"] for name, frame in document["frames"].items()}


def test_nothing_shifts_a_sprite() -> None:
    assert "anchor" not in b"".join(write(grid()).values()).decode()


def test_without_sheets_there_is_nothing_to_load() -> None:
    assert write(Delivery(())) == {}


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ('{"dependencies": {"pixi.js": "^8.22.0"}}', True),
        ('{"devDependencies": {"@pixi/react": "^8.0.0"}}', True),
        ('{"dependencies": {"pixi": "1.0.0", "pixi.js-legacy-fork": "1", "@pixiv/three-vrm": "3"}}', False),
        ('{"dependencies": ["pixi.js"]}', False),
        ("{", False),
    ],
)
def test_a_game_depends_on_pixijs(tmp_path: Path, text: str, found: bool) -> None:
    (tmp_path / "package.json").write_text(text)
    assert TARGET.detect(tmp_path) is found
