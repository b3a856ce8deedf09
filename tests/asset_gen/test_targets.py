"""Engine files are written by whatever is installed under the entry point ``assetgen.targets``."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from importlib.metadata import EntryPoint, EntryPoints, entry_points
from pathlib import Path

import pytest

from asset_gen import targets
from asset_gen.deliver import target_files
from asset_gen.errors import UsageError
from asset_gen.layout import lay_out
from asset_gen.sheet import Target
from asset_gen.targets import default_out, load_targets
from tests import toy_target
from tests.conftest import Cli, files_of

SHEETS = lay_out("imp", "Imp", [(0, 0.5)], 8, 1)


def toy(name: str, files: Mapping[str, bytes]) -> Target:
    """A target that writes always the same files."""
    return Target(name=name, summary="toy", write=lambda delivery: files)


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
def test_targets_come_in_the_order_asked_for_and_each_once(tmp_path: Path) -> None:
    assert [target.name for target in load_targets(["toy", "generic", "toy"], tmp_path)] == ["toy", "generic"]
    assert [target.name for target in load_targets([], tmp_path)] == ["generic"]


def test_what_is_installed_is_looked_up_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    def counted(group: str) -> EntryPoints:
        asked.append(group)
        return entry_points(group=group)

    monkeypatch.setattr(targets, "entry_points", counted)
    assert [target.name for target in load_targets([], tmp_path)] == ["generic"]
    assert asked == [targets.GROUP]  # reads every installed package's files


@pytest.mark.usefixtures("installed")
@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("genric", "Did you mean 'generic'. Installed are empty, function, generic, gone, thief, toy."),
        ("gone", r"no_such_package\.writer:TARGET can't be loaded .*Install its package again"),
        ("empty", r"tests\.toy_target:NOTHING can't be loaded"),
        ("function", r"tests\.toy_target:write is not an asset_gen\.sheet\.Target"),
    ],
)
def test_a_target_that_cannot_be_had_is_refused(name: str, message: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=f"--target {name}: .*{message}"):
        load_targets([name], tmp_path)


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


def test_everything_that_is_really_installed_can_be_loaded(tmp_path: Path) -> None:
    assert [target.name for target in load_targets([], tmp_path)] == ["generic"]
    names = [entry.name for entry in entry_points(group=targets.GROUP)]
    assert {"generic", "godot", "godot3", "unity", "love", "pygame", "bevy", "unreal"} <= set(names)
    assert [target.name for target in load_targets(names, tmp_path)] == names


@pytest.mark.parametrize(
    ("file", "text", "names"),
    [
        ("project.godot", "config_version=5\n", ["godot"]),
        ("project.godot", "config_version=4\n", ["godot3"]),
        ("ProjectSettings/ProjectVersion.txt", "m_EditorVersion: 2022.3.10f1\n", ["unity"]),
        ("main.lua", "function love.draw() end", ["love"]),
        ("index.html", "", ["generic"]),
    ],
)
def test_the_projects_files_say_which_engines_it_is_for(file: str, text: str, names: list[str], tmp_path: Path) -> None:
    (tmp_path / file).parent.mkdir(exist_ok=True)
    (tmp_path / file).write_text(text)
    assert [target.name for target in load_targets([], tmp_path)] == names


@pytest.mark.usefixtures("installed")
def test_a_target_says_why_it_cannot_serve_a_project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    grumpy = replace(toy_target.TARGET, complaint=lambda project: "this engine is too old. Update it.")
    monkeypatch.setattr(toy_target, "TARGET", grumpy)
    with pytest.raises(UsageError, match="--target toy: this engine is too old"):
        load_targets(["toy"], tmp_path)


def test_a_file_that_the_engine_edits_too_keeps_what_the_engine_wrote(
    cli: Cli, bundle: Path, game: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def merge(path: str, held: bytes, wanted: bytes) -> bytes:
        if held == b"?":
            raise ValueError("no meta file")
        return wanted + held[held.index(b"\n") :]

    shared = replace(toy("toy", {"x.meta": b"ours 1\n", "x.txt": b"ours 1\n"}), merge=merge, merged=(".meta",))
    monkeypatch.setattr("asset_gen.batch.load_targets", lambda names, project: [shared])
    common = ("batch", "--count", 8, "--model", bundle, "--project", game)
    assert cli(*common).code == 0
    out = game / "assets" / "generated"
    for name in ("x.meta", "x.txt"):
        (out / name).write_bytes(b"theirs\nimporter: 7\n")
    assert cli(*common).code == 0
    assert (out / "x.meta").read_bytes() == b"ours 1\n\nimporter: 7\n"
    assert (out / "x.txt").read_bytes() == b"theirs\nimporter: 7\n"  # nobody can merge it: left alone
    (out / "x.meta").write_bytes(b"?")
    assert cli(*common).code == 0
    assert (out / "x.meta").read_bytes() == b"?"


def test_files_of_several_targets_lie_side_by_side(tmp_path: Path) -> None:
    a, b = toy("a", {"imp/a.txt": b"a"}), toy("b", {"b.txt": b"b"})
    files = target_files(SHEETS, [a, b], tmp_path, "assets/generated")
    assert files == {"imp/a.txt": (b"a", a), "b.txt": (b"b", b)}


@pytest.mark.parametrize(
    ("path", "owner"), [("x.json", "a"), ("imp/imp.png", "the sheets"), ("manifest.json", "assetgen")]
)
def test_two_owners_of_one_path_are_refused(path: str, owner: str) -> None:
    with pytest.raises(UsageError, match=f"--target b: writes {path}, and so does {owner}"):
        target_files(SHEETS, [toy("a", {"x.json": b""}), toy("b", {path: b""})], Path(), "out")


@pytest.mark.parametrize("path", ["../x", "/etc/x", "imp/../../x"])
def test_a_target_writes_below_the_output_folder_only(path: str) -> None:
    with pytest.raises(UsageError, match=r"--target a: writes .*, which is outside"):
        target_files(SHEETS, [toy("a", {path: b""})], Path(), "out")


def test_generated_assets_go_where_the_projects_engine_keeps_them(tmp_path: Path) -> None:
    assert default_out(tmp_path, load_targets([], tmp_path)) == "assets/generated"
    (tmp_path / "package.json").write_text(json.dumps({"dependencies": {"phaser": "4"}}))
    assert default_out(tmp_path, load_targets([], tmp_path)) == "assets/generated"  # served as it is
    (tmp_path / "package.json").write_text(json.dumps({"devDependencies": {"vite": "8"}}))
    assert default_out(tmp_path, load_targets([], tmp_path)) == "public/assets/generated"
    (tmp_path / "ProjectSettings").mkdir()
    (tmp_path / "ProjectSettings" / "ProjectVersion.txt").write_text("m_EditorVersion: 2022.3.10f1\n")
    assert default_out(tmp_path, load_targets([], tmp_path)) == "Assets/Generated"


@pytest.mark.parametrize("text", ["", "{", "[]", '{"dependencies": 3}', '{"dependencies": null}', "\xff"])
def test_a_package_json_that_makes_no_sense_is_passed_over(text: str, tmp_path: Path) -> None:
    (tmp_path / "package.json").write_text(text, encoding="latin-1")
    assert default_out(tmp_path, load_targets([], tmp_path)) == "assets/generated"
