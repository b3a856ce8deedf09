"""Interrupts, kills, full disks and crowds: every published file is old or new, and the next run finishes the work."""

from __future__ import annotations

import errno
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from asset_gen.generate import Drawn
from tests.attacks.hostile import assert_refused, fail_call, published
from tests.conftest import Cli, files_of
from tests.fakes import write_bundle

FIRST = ("--types", "beetle=3,flask=2", "--oversample", 2)
THEN = ("--types", "beetle=2,mushroom=2", "--oversample", 2, "--scale", 2, "--yes")
"""Changes files, adds some, and removes a folder."""


WRITERS = ("asset_gen.publish", "asset_gen.files", "asset_gen.history")
"""The modules that change a project."""


def words(arguments: tuple[object, ...]) -> list[str]:
    """As a shell would pass them."""
    return [str(argument) for argument in arguments]


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A bundle that draws in no time, since what is tried here is the way of files. Read only."""
    return write_bundle(tmp_path_factory.mktemp("models") / "quick")


@pytest.fixture
def before_and_after(cli: Cli, bundle: Path, tmp_path: Path) -> tuple[Path, dict[str, bytes]]:
    """A project after ``FIRST``, to be copied, and its files after an undisturbed ``THEN``."""
    old, new = tmp_path / "old", tmp_path / "new"
    old.mkdir()
    assert cli("batch", "--project", old, "--model", bundle, *FIRST).code == 0
    shutil.copytree(old, new)
    assert cli("batch", "--project", new, "--model", bundle, *THEN).code == 0
    return old, files_of(new)


def assert_old_or_new(project: Path, old: Mapping[str, bytes], new: Mapping[str, bytes]) -> None:
    """No published file is torn, and none is missing that both states have."""
    found = published(project)
    for path, data in found.items():
        assert data in (old.get(path), new.get(path)), path
    for path in old.keys() & new.keys():
        if not path.startswith(".assetgen/"):
            assert path in found, path


# Ctrl-C --------------------------------------------------------------------------------------------------------------


def test_ctrl_c_while_drawing(
    cli: Cli, bundle: Path, game: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from asset_gen.engines import local

    arguments = ("batch", "--model", bundle, "--count", 24, "--project")
    real = local.generate

    def interrupted(*some: Any) -> Iterator[Drawn]:
        yield next(real(*some))
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(local, "generate", interrupted)
        assert_refused(cli(*arguments, game), 130, "interrupted", "the same command goes on")
    assert published(game) == {}
    assert not (game / ".assetgen" / "candidates").exists()
    assert cli(*arguments, game).code == 0
    (tmp_path / "other").mkdir()
    assert cli(*arguments, tmp_path / "other").code == 0
    assert files_of(game) == files_of(tmp_path / "other")


def test_ctrl_c_while_publishing(
    cli: Cli, bundle: Path, before_and_after: tuple[Path, dict[str, bytes]], monkeypatch: pytest.MonkeyPatch
) -> None:
    game, new = before_and_after
    old = files_of(game)
    real, left = Path.replace, [4]

    def interrupted(self: Path, target: Path) -> Path:
        left[0] -= 1
        if left[0] == 0:
            raise KeyboardInterrupt
        return real(self, target)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "replace", interrupted)
        assert_refused(cli("batch", "--project", game, "--model", bundle, *THEN), 130, "interrupted")
    assert_old_or_new(game, old, new)
    assert cli("batch", "--project", game, "--model", bundle, *THEN).code == 0
    assert files_of(game) == new


def start(arguments: list[str], prepare: str = "") -> subprocess.Popen[bytes]:
    """``assetgen`` in a process of its own, which says "ready" when its modules are loaded."""
    code = f"import asset_gen.cli.batch, onnxruntime, onnx\n{prepare}\nprint('ready', flush=True)\n"
    code += "from asset_gen.cli import main; main()"
    process = subprocess.Popen([sys.executable, "-c", code, *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert process.stdout is not None
    assert process.stdout.readline() == b"ready\n", process.communicate()
    return process


def test_a_signal_from_the_terminal_ends_a_real_process_cleanly(
    cli: Cli, bundle: Path, game: Path, tmp_path: Path
) -> None:
    arguments = ["batch", "--model", str(bundle), "--types", "beetle=8", "--oversample", "16", "--project"]
    slowly = (
        "import time; from asset_gen.candidates import CandidateWriter; real = CandidateWriter.add_png\n"
        "CandidateWriter.add_png = lambda *some: (time.sleep(0.01), real(*some))"
    )
    process = start([*arguments, str(game)], slowly)
    limit = time.monotonic() + 60
    while not (game / ".assetgen" / "candidates" / "beetle").exists() and time.monotonic() < limit:
        time.sleep(0.002)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 130, err
    assert b"interrupted" in err
    assert b"Traceback" not in err
    assert published(game) == {}
    assert not (game / ".assetgen" / "candidates").exists()
    assert cli(*arguments, game).code == 0
    (tmp_path / "other").mkdir()
    assert cli(*arguments, tmp_path / "other").code == 0
    assert files_of(game) == files_of(tmp_path / "other")


# Disks ---------------------------------------------------------------------------------------------------------------


def test_whichever_system_call_fails_the_rerun_succeeds(
    cli: Cli,
    bundle: Path,
    game: Path,
    before_and_after: tuple[Path, dict[str, bytes]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    before, new = before_and_after
    old = files_of(before)
    arguments = ("batch", "--project", game, "--model", bundle, *THEN)
    number = 0
    while True:
        number += 1
        shutil.rmtree(game)
        shutil.copytree(before, game)
        with monkeypatch.context() as patch:
            reached = fail_call(patch, number, *WRITERS)
            done = cli(*arguments)
        if not reached():
            break
        assert_refused(done, 1, game, "run the same command again" if "No file was" in done.err else "Check its")
        assert_old_or_new(game, old, new)
        again = cli(*arguments)
        assert again.code == 0, (number, again.err)
        assert files_of(game) == new, number
    assert done.code == 0
    assert files_of(game) == new
    assert number > 40  # else nothing was attacked


@pytest.mark.parametrize("after", [0, 5])
def test_a_disk_that_is_full_while_candidates_are_drawn(
    cli: Cli, bundle: Path, game: Path, after: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, left = Path.write_bytes, [after]

    def full(self: Path, data: bytes) -> int:
        left[0] -= 1
        if left[0] < 0:
            raise OSError(errno.ENOSPC, "No space left on device")
        return real(self, data)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "write_bytes", full)
        done = cli("batch", "--project", game, "--model", bundle, *FIRST)
    assert_refused(done, 1, game, "No space left on device", "make room", "run the same command again")
    assert published(game) == {}
    assert not (game / ".assetgen" / "candidates").exists()
    assert cli("batch", "--project", game, "--model", bundle, *FIRST).code == 0


# Kills and crowds ----------------------------------------------------------------------------------------------------


def test_a_kill_at_any_moment_is_made_good_by_the_next_run(
    cli: Cli, bundle: Path, game: Path, before_and_after: tuple[Path, dict[str, bytes]]
) -> None:
    before, new = before_and_after
    old = files_of(before)
    arguments = words(("batch", "--project", game, "--model", bundle, *THEN))
    chance = np.random.default_rng(0)
    slowly = (  # so that a kill falls between any two of its steps
        "import os, time; real = os.fsync\nos.fsync = lambda handle: (time.sleep(0.01), real(handle))"
    )
    shutil.rmtree(game)
    shutil.copytree(before, game)
    process, begun = start(arguments, slowly), time.monotonic()
    process.communicate(timeout=120)
    assert process.returncode == 0
    whole = time.monotonic() - begun
    killed = 0
    for _ in range(10):
        shutil.rmtree(game)
        shutil.copytree(before, game)
        process = start(arguments, slowly)
        time.sleep(chance.uniform(0, whole))
        process.kill()
        process.communicate(timeout=60)
        killed += process.returncode != 0
        assert_old_or_new(game, old, new)
        assert cli(*arguments).code == 0
        assert files_of(game) == new
    assert killed


def test_eight_batches_at_once_wait_for_each_other(cli: Cli, bundle: Path, game: Path, tmp_path: Path) -> None:
    arguments = ["batch", "--model", str(bundle), "--count", "12", "--project"]
    processes = [start([*arguments, str(game)]) for _ in range(8)]
    for process in processes:
        _, err = process.communicate(timeout=120)
        assert process.returncode == 0, err
    (tmp_path / "other").mkdir()
    assert cli(*arguments, tmp_path / "other").code == 0
    assert files_of(game) == files_of(tmp_path / "other")


def test_a_batch_does_not_wait_for_ever(cli: Cli, bundle: Path, game: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from filelock import FileLock

    monkeypatch.setattr("asset_gen.publish.LOCK_SECONDS", 0.1)
    (game / ".assetgen").mkdir()
    with FileLock(game / ".assetgen" / "lock"):
        done = cli("batch", "--project", game, "--model", bundle, "--count", 4)
    assert_refused(done, 1, f"{game}: another assetgen is writing to it", "Try again when it is done")
    assert published(game) == {}
