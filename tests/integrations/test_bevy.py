"""The target ``bevy`` writes RON; tests/clients/test_bevy.py reads it with the crate that Bevy uses."""

from __future__ import annotations

from pathlib import Path

import pytest

from integrations.bevy.writer import TARGET, asset_path, write
from tests.integrations.deliveries import assert_golden, grid


def test_files_are_golden() -> None:
    assert_golden("bevy", write(grid()))


@pytest.mark.parametrize(
    ("base", "path"),
    [
        ("assets/generated", "generated/imp/imp.png"),
        ("assets", "imp/imp.png"),
        ("", "imp/imp.png"),
        (".", "imp/imp.png"),
        ("data/assets", "data/assets/imp/imp.png"),
    ],
)
def test_paths_are_those_of_the_asset_server(base: str, path: str) -> None:
    assert asset_path(base, "imp/imp.png") == path


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ('[dependencies]\nbevy = "0.16"\n', True),
        ('[dependencies.bevy]\nversion = "0.16"\n', True),
        ("[dependencies]\nbevy = { workspace = true }\n", True),
        ('[workspace]\nmembers = ["game"]\n[workspace.dependencies]\nbevy = "0.16"\n', True),
        ('[dev-dependencies]\nbevy = "0.16"\n', True),
        ('[package]\nname = "bevy"\n', False),
        ('[dependencies]\nbevy_ecs = "0.16"\n', False),
        ("dependencies = 1\nworkspace = 2\n", False),
        ("[dependencies\n", False),
    ],
)
def test_the_manifest_of_a_crate_asks_for_bevy(tmp_path: Path, text: str, found: bool) -> None:
    (tmp_path / "Cargo.toml").write_text(text)
    assert TARGET.detect(tmp_path) is found


def test_a_folder_without_a_manifest_is_no_project(tmp_path: Path) -> None:
    assert not TARGET.detect(tmp_path)
