"""Words of a stranger's bundle reach a project quoted, in whatever language its files are written, or not at all."""

from __future__ import annotations

import json
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

import pytest

from tests.attacks.hostile import assert_refused, edit_json, published
from tests.conftest import Cli
from tests.fakes import write_bundle

EVIL = '</script><script>alert(1)</script>\'"]]..os.execute("x")--${x}<!--&\\'
"""Ends a string, a comment or an element in HTML, XML, JavaScript, Lua, GML, YAML and what engines write."""


@pytest.fixture
def stranger(tmp_path: Path) -> Path:
    """A bundle of somebody who wishes us ill."""
    bundle = write_bundle(tmp_path / "stranger")

    def change(info: dict[str, Any]) -> None:
        info.update(name=EVIL, licence=EVIL, preset=EVIL, outside_networks=[EVIL], training={EVIL: EVIL})
        info["labels"] = dict.fromkeys(info["labels"], EVIL)
        info["data"].update(name=EVIL, licence=EVIL)

    edit_json(bundle, change)
    return bundle


@pytest.mark.parametrize("target", sorted(entry.name for entry in entry_points(group="assetgen.targets")))
def test_they_end_no_string_early(cli: Cli, game: Path, stranger: Path, target: str) -> None:
    done = cli("batch", "--project", game, "--model", stranger, "--count", 3, "--oversample", 1, "--target", target)
    assert done.code == 0, done.err
    files = {path: data for path, data in published(game).items() if not path.endswith(".png")}
    assert any(b"os.execute" in data for data in files.values())
    for path, data in files.items():
        assert b'os.execute("' not in data, path
        if path.endswith(".html"):
            assert b"<script>alert" not in data, path
        if path.endswith("json"):
            json.loads(data)


@pytest.mark.parametrize("field", ["name", "licence", "preset"])
def test_they_can_be_printed(cli: Cli, game: Path, stranger: Path, field: str) -> None:
    edit_json(stranger, lambda info: info.update({field: "\x1b]0;owned\a"}))
    done = cli("batch", "--project", game, "--model", stranger, "--count", 3)
    assert_refused(done, 5, stranger, "can't be printed")
    assert "\x1b" not in done.err


def test_labels_can_be_printed(cli: Cli, game: Path, stranger: Path) -> None:
    edit_json(stranger, lambda info: info["labels"].update(flask="\x1b[2J"))
    done = cli("batch", "--project", game, "--model", stranger, "--count", 3)
    assert_refused(done, 5, stranger, "can't be printed")
    assert "\x1b" not in done.err
