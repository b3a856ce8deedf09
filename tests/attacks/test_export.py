"""Runs that can't be exported, and places where a bundle can't go."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.attacks.hostile import assert_refused
from tests.conftest import Cli, files_of


@pytest.fixture
def own_run(finished_run: Path, tmp_path: Path) -> Path:
    """A copy of ``finished_run`` to damage."""
    return Path(shutil.copytree(finished_run, tmp_path / "run"))


def damage(path: Path) -> None:
    """One byte in the middle."""
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 0xFF
    path.write_bytes(bytes(data))


def other_width(run: Path) -> None:
    """A configuration that the checkpoint doesn't fit."""
    config = json.loads((run / "config.json").read_text())
    config["settings"]["width"] = 0.5
    (run / "config.json").write_text(json.dumps(config))


UNFINISHED: dict[str, tuple[Callable[[Path], object], tuple[str, ...]]] = {
    "nothing there": (shutil.rmtree, ("is no run folder", "Give the folder of --run")),
    "no configuration": (lambda run: (run / "config.json").unlink(), ("is no run folder", "Give the folder of --run")),
    "no checkpoint": (
        lambda run: [shutil.rmtree(run / folder) for folder in ("checkpoints", "best")],
        ("has no checkpoint yet", "--resume"),
    ),
    "damaged checkpoints": (
        lambda run: [damage(path) for path in run.glob("*/*/tensors.safetensors")],
        ("no checkpoint is whole", "Start again"),
    ),
    "another width": (other_width, ("doesn't fit its config.json", "Restore what was changed")),
    "no classifier": (lambda run: shutil.rmtree(run / "classifier"), ("no type classifier", "--resume")),
    "damaged classifier": (
        lambda run: damage(run / "classifier" / "weights.safetensors"),
        ("weights.safetensors: was changed", "--resume"),
    ),
    "damaged figures": (lambda run: (run / "classifier" / "figures.json").write_text("3"), ("no type classifier",)),
    "no report": (lambda run: (run / "data.json").unlink(), ("data.json: can't be read", "Restore it")),
    "damaged report": (lambda run: (run / "data.json").write_text("[]"), ("data.json: can't be read", "Restore it")),
}


@pytest.mark.parametrize("state", list(UNFINISHED))
def test_a_run_that_is_not_finished_or_whole(cli: Cli, own_run: Path, tmp_path: Path, state: str) -> None:
    change, words = UNFINISHED[state]
    change(own_run)
    before = files_of(tmp_path)
    done = cli("export", own_run, "--out", tmp_path / "model")
    assert_refused(done, 5, own_run, *words)
    assert files_of(tmp_path) == before
    assert not (tmp_path / ".model.tmp").exists()


def test_a_damaged_checkpoint_that_is_passed_over_is_named(cli: Cli, own_run: Path, tmp_path: Path) -> None:
    newer = Path(shutil.copytree(own_run / "checkpoints" / "000000006", own_run / "checkpoints" / "000000007"))
    done = cli("export", own_run, "--out", tmp_path / "model", "--last")
    assert done.code == 0
    assert f"{newer} is damaged" in done.err
    assert json.loads((tmp_path / "model" / "bundle.json").read_text())["training"]["steps"] == 6


@pytest.mark.parametrize("force", [(), ("--force",)])
@pytest.mark.parametrize("what", ["a file", "a folder", "a link", "the folder we are in"])
def test_a_place_that_is_taken(
    cli: Cli, own_run: Path, tmp_path: Path, what: str, force: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "precious.txt").write_text("precious")
    out = tmp_path / "model"
    if what == "a file":
        out.write_text("precious")
    elif what == "a folder":
        out.mkdir()
    elif what == "a link":
        out.symlink_to(tmp_path / "elsewhere")
    else:
        monkeypatch.chdir(tmp_path / "elsewhere")
        out = Path()
    before = files_of(tmp_path)
    assert_refused(cli("export", own_run, "--out", out, *force), 2, f"{out}: exists already", "Give another folder")
    assert files_of(tmp_path) == before


def test_a_bundle_is_replaced_only_by_force(cli: Cli, own_run: Path, own_bundle: Path) -> None:
    before = files_of(own_bundle)
    assert_refused(cli("export", own_run, "--out", own_bundle), 2, f"{own_bundle}: exists already", "Pass --force")
    assert files_of(own_bundle) == before
    assert cli("export", own_run, "--out", own_bundle, "--force", "--name", "second").code == 0
    assert json.loads((own_bundle / "bundle.json").read_text())["name"] == "second"


def test_a_place_below_a_file(cli: Cli, own_run: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("mine")
    done = cli("export", own_run, "--out", tmp_path / "file" / "model")
    assert_refused(done, 1, tmp_path / "file", "Check its permissions")
    assert (tmp_path / "file").read_text() == "mine"
