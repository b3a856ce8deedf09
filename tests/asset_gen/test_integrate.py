"""What lives inside an engine is installed whole, updated, and never taken from a person who changed it."""

from __future__ import annotations

import json
import os
from importlib.metadata import entry_points
from pathlib import Path

import pytest

from asset_gen import integrate
from asset_gen.integrate import RECORD, in_engine_files
from asset_gen.targets import GROUP
from tests.conftest import Cli, files_of

LOADER = "assetgen/init.lua"


def installed(game: Path) -> dict[str, bytes]:
    """Path → content of everything but assetgen's own."""
    found = files_of(game)
    return {path: data for path, data in found.items() if not path.startswith(".assetgen/") and path != RECORD}


@pytest.fixture
def newer(monkeypatch: pytest.MonkeyPatch) -> dict[str, bytes]:
    """What the next version will bring for LÖVE."""
    files = {LOADER: b"-- newer\n", "assetgen/more.lua": b"-- more\n"}
    monkeypatch.setattr(integrate, "in_engine_files", lambda name: files)
    return files


@pytest.mark.parametrize("name", sorted(entry.name for entry in entry_points(group=GROUP)))
def test_every_engines_files_are_installed_as_they_are(cli: Cli, game: Path, name: str) -> None:
    sources = in_engine_files(name)
    done = cli("integrate", name, "--project", game)
    if not sources:
        assert (done.code, installed(game)) == (2, {})
        assert "has nothing to install" in done.err
        return
    assert done.code == 0, done.err
    assert installed(game) == sources
    before = {path: path.stat().st_mtime_ns for path in game.rglob("*") if path.name in map(os.path.basename, sources)}
    again = cli("integrate", name, "--project", game)
    assert again.out == "Nothing to change.\n"
    assert before == {path: path.stat().st_mtime_ns for path in before}


def test_untouched_files_are_updated_and_those_that_went_are_removed(
    cli: Cli, game: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = {LOADER: b"-- old\n", "assetgen/gone.lua": b"-- gone\n"}
    with monkeypatch.context() as patch:
        patch.setattr(integrate, "in_engine_files", lambda name: old)
        assert cli("integrate", "love", "--project", game).code == 0
    assert installed(game) == old
    done = cli("integrate", "love", "--project", game)
    assert {f"written: {LOADER}", "removed: assetgen/gone.lua"} <= set(done.out.splitlines())
    assert installed(game) == in_engine_files("love")


def test_a_changed_file_is_left_and_the_new_one_lies_beside_it(cli: Cli, game: Path, newer: dict[str, bytes]) -> None:
    (game / "assetgen").mkdir()
    (game / LOADER).write_text("-- mine\n")
    done = cli("integrate", "love", "--project", game)
    assert done.code == 0
    assert f"{LOADER} was edited by hand and is left as it is" in done.err
    assert installed(game) == {
        LOADER: b"-- mine\n",
        f"{LOADER}.new": newer[LOADER],
        "assetgen/more.lua": newer["assetgen/more.lua"],
    }


def test_a_changed_file_that_a_newer_version_no_longer_has_stays(cli: Cli, game: Path, newer: dict[str, bytes]) -> None:
    assert cli("integrate", "love", "--project", game).code == 0
    (game / "assetgen/more.lua").write_text("-- mine\n")
    del newer["assetgen/more.lua"]
    done = cli("integrate", "love", "--project", game)
    assert "assetgen/more.lua was edited by hand" in done.err
    assert (game / "assetgen/more.lua").read_text() == "-- mine\n"


def test_engines_are_listed_side_by_side(cli: Cli, game: Path) -> None:
    assert cli("integrate", "pygame", "--project", game).code == 0
    assert cli("integrate", "love", "--project", game).code == 0
    record = json.loads((game / RECORD).read_text())
    assert list(record["engines"]) == ["love", "pygame"]
    assert set(record["engines"]["love"]["files"]) == {LOADER}


def test_two_targets_of_one_engine_share_their_files(cli: Cli, game: Path) -> None:
    assert cli("integrate", "godot", "--project", game).code == 0
    before = installed(game)
    assert cli("integrate", "godot-tileset", "--project", game).code == 0
    assert installed(game) == before


@pytest.mark.parametrize("text", ["", "{", '{"format": 2}', '{"engines": {"love": {}}}', "[" * 100_000])
def test_a_damaged_list_of_what_was_installed(cli: Cli, game: Path, text: str) -> None:
    (game / RECORD).write_text(text)
    done = cli("integrate", "love", "--project", game)
    assert done.code == 1
    assert f"{game.resolve() / RECORD}: can't be read" in done.err
    assert installed(game) == {}


def test_a_link_out_of_the_project_is_not_followed(cli: Cli, game: Path, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (game / "assetgen").symlink_to(tmp_path / "elsewhere")
    done = cli("integrate", "love", "--project", game)
    assert done.code == 1
    assert "a link leads out of" in done.err
    assert list((tmp_path / "elsewhere").iterdir()) == []


def test_an_unknown_engine_and_no_project(cli: Cli, game: Path) -> None:
    unknown = cli("integrate", "lov", "--project", game)
    assert unknown.code == 2 and "Did you mean 'love'?" in unknown.err
    nowhere = cli("integrate", "love", "--project", game / "x")
    assert nowhere.code == 2 and "there is no such folder" in nowhere.err
    assert list(game.iterdir()) == []
