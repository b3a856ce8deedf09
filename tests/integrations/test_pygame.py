"""The target ``pygame`` writes one document; tests/clients/test_pygame.py loads it in pygame."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from asset_gen.sheet import Delivery
from integrations.pygame.writer import TARGET, write
from tests.integrations.deliveries import assert_golden, grid


def test_files_are_golden() -> None:
    assert_golden("pygame", write(grid()))


def test_a_delivery_of_nothing_is_a_document_without_sheets() -> None:
    assert json.loads(write(Delivery(()))["sprites.pygame.json"]) == {"format": 1, "sheets": []}


@pytest.mark.parametrize(
    ("name", "text", "found"),
    [
        ("requirements.txt", "# game\npygame==2.6.1\n", True),
        ("requirements-dev.txt", "  pygame-ce>=2.5\n", True),
        ("requirements.txt", "Pygame\n", True),
        ("requirements.txt", "pygame-menu\npygameextra\n", False),
        ("pyproject.toml", '[project]\ndependencies = ["pygame[x] >= 2"]\n', True),
        ("pyproject.toml", '[project.optional-dependencies]\nplay = ["pygame"]\n', True),
        ("pyproject.toml", '[dependency-groups]\ndev = [{include-group = "x"}, "pygame-ce"]\n', True),
        ("pyproject.toml", '[tool.poetry.dependencies]\npygame = "^2"\n', True),
        ("pyproject.toml", '[project]\nname = "pygame"\ndependencies = "pygame"\n', False),
        ("pyproject.toml", "project = 1\n[tool]\npoetry = []\n", False),
        ("pyproject.toml", "[project\n", False),
        ("main.py", "import pygame\n", False),
    ],
)
def test_requirements_name_pygame(tmp_path: Path, name: str, text: str, found: bool) -> None:
    (tmp_path / name).write_text(text)
    assert TARGET.detect(tmp_path) is found


def test_both_kinds_of_requirements_are_read(tmp_path: Path) -> None:
    (tmp_path / "requirements.txt").write_text("numpy\n")
    (tmp_path / "pyproject.toml").write_text('[project]\ndependencies = ["pygame"]\n')
    assert TARGET.detect(tmp_path)


def test_what_is_unreadable_is_no_project(tmp_path: Path) -> None:
    (tmp_path / "requirements.txt").mkdir()
    (tmp_path / "pyproject.toml").write_bytes(b"\xff\xfe")
    assert not TARGET.detect(tmp_path)
