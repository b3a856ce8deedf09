"""Engine files are written by whatever is installed under the entry point ``assetgen.targets``."""

from __future__ import annotations

import json
from collections.abc import Mapping
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest

from asset_gen import targets
from asset_gen.deliver import target_files
from asset_gen.errors import UsageError
from asset_gen.sheet import Target, lay_out
from asset_gen.targets import default_out, load_targets
from tests.conftest import Cli, files_of

SHEETS = lay_out("imp", "Imp", [(0, 0.5)], 8, 1)


def toy(name: str, files: Mapping[str, bytes]) -> Target:
    """A target that writes always the same files."""
    return Target(name, "toy", lambda sheets: files)


@pytest.fixture
def installed(monkeypatch: pytest.MonkeyPatch) -> None:
    """A third party's targets: one that works, and others that don't."""
    values = {
        "generic": "integrations.generic.writer:TARGET",
        "toy": "tests.toy_target:TARGET",
        "thief": "tests.toy_target:THIEF",
        "gone": "no_such_package.writer:TARGET",
        "empty": "tests.toy_target:NOTHING",
        "function": "tests.toy_target:write",
    }
    found = [EntryPoint(name, value, targets.GROUP) for name, value in values.items()]
    monkeypatch.setattr(targets, "entry_points", lambda group: found if group == targets.GROUP else [])


@pytest.mark.usefixtures("installed")
def test_targets_come_in_the_order_asked_for_and_each_once() -> None:
    assert [target.name for target in load_targets(["toy", "generic", "toy"])] == ["toy", "generic"]
    assert [target.name for target in load_targets([])] == ["generic"]


@pytest.mark.usefixtures("installed")
@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("genric", "installed are empty, function, generic, gone, thief, toy. Did you mean 'generic'"),
        ("gone", r"no_such_package\.writer:TARGET can't be loaded .*Install its package again"),
        ("empty", r"tests\.toy_target:NOTHING can't be loaded"),
        ("function", r"tests\.toy_target:write is not an asset_gen\.sheet\.Target"),
    ],
)
def test_a_target_that_cannot_be_had_is_refused(name: str, message: str) -> None:
    with pytest.raises(UsageError, match=f"--target {name}: .*{message}"):
        load_targets([name])


@pytest.mark.usefixtures("installed")
def test_a_third_partys_files_are_published_and_listed_like_ours(cli: Cli, bundle: Path, game: Path) -> None:
    common = ("batch", "--count", 8, "--model", bundle, "--project", game)
    assert cli(*common, "--target", "toy", "--target", "generic").code == 0
    out = game / "assets" / "generated"
    assert (out / "toy.txt").read_text() == "beetle crystal flask mushroom"
    manifest = json.loads((out / "manifest.json").read_text())
    assert manifest["targets"] == ["toy", "generic"]
    assert {"toy.txt", "sheets.js", "beetle/beetle.json"} <= {entry["path"] for entry in manifest["files"]}
    before = files_of(game)
    clash = cli(*common, "--target", "generic", "--target", "thief")
    assert (clash.code, "sheets.js" in clash.err) == (2, True)
    assert files_of(game) == before
    assert cli(*common).code == 0  # without it, its file goes
    assert not (out / "toy.txt").exists()


def test_what_is_really_installed_can_be_loaded() -> None:
    assert [target.name for target in load_targets([])] == ["generic"]


def test_files_of_several_targets_lie_side_by_side() -> None:
    files = target_files(SHEETS, [toy("a", {"imp/a.txt": b"a"}), toy("b", {"b.txt": b"b"})])
    assert files == {"imp/a.txt": b"a", "b.txt": b"b"}


@pytest.mark.parametrize(
    ("path", "owner"), [("x.json", "a"), ("imp/imp.png", "the sheets"), ("manifest.json", "assetgen")]
)
def test_two_owners_of_one_path_are_refused(path: str, owner: str) -> None:
    with pytest.raises(UsageError, match=f"--target b: writes {path}, and so does {owner}"):
        target_files(SHEETS, [toy("a", {"x.json": b""}), toy("b", {path: b""})])


@pytest.mark.parametrize("path", ["../x", "/etc/x", "imp/../../x"])
def test_a_target_writes_below_the_output_folder_only(path: str) -> None:
    with pytest.raises(UsageError, match=r"--target a: writes .*, which is outside"):
        target_files(SHEETS, [toy("a", {path: b""})])


def test_generated_assets_go_where_the_projects_engine_keeps_them(tmp_path: Path) -> None:
    assert default_out(tmp_path) == "assets/generated"
    (tmp_path / "package.json").write_text(json.dumps({"dependencies": {"phaser": "4"}}))
    assert default_out(tmp_path) == "assets/generated"  # served as it is
    (tmp_path / "package.json").write_text(json.dumps({"devDependencies": {"vite": "8"}}))
    assert default_out(tmp_path) == "public/assets/generated"
    (tmp_path / "ProjectSettings").mkdir()
    (tmp_path / "ProjectSettings" / "ProjectVersion.txt").touch()
    assert default_out(tmp_path) == "Assets/Generated"


@pytest.mark.parametrize("text", ["", "{", "[]", '{"dependencies": 3}', '{"dependencies": null}', "\xff"])
def test_a_package_json_that_makes_no_sense_is_passed_over(text: str, tmp_path: Path) -> None:
    (tmp_path / "package.json").write_text(text, encoding="latin-1")
    assert default_out(tmp_path) == "assets/generated"
