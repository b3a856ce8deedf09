"""Who waits for a folder is told for whom: which command, which process, on which machine, since when."""

from __future__ import annotations

import os
import platform
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from filelock import FileLock, Timeout

from asset_gen.lock import NOBODY_KNOWN, holder_of, holding
from tests.conftest import Cli
from tests.fakes import use_stand_ins

HOLD = """
import sys
from pathlib import Path
import click
from asset_gen.lock import holding

@click.command()
def batch() -> None:
    with holding(Path(sys.argv[1]), 0):
        print("held", flush=True)
        sys.stdin.readline()

batch.main([], prog_name="assetgen batch")
"""


@contextmanager
def another(path: Path) -> Iterator[subprocess.Popen[str]]:
    """A process that holds a lock until its input ends."""
    command = [sys.executable, "-c", HOLD, str(path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        yield process


def test_who_waits_is_told_for_whom(tmp_path: Path) -> None:
    lock = tmp_path / "lock"
    with another(lock) as process:
        with pytest.raises(Timeout), holding(lock, 0.1):
            pass
        pattern = r"assetgen batch \(process (\d+) on (.+), since \d{4}-\d\d-\d\d \d\d:\d\d:\d\d\)"
        found = re.fullmatch(pattern, holder_of(lock))
        assert found is not None, holder_of(lock)
        assert found.groups() == (str(process.pid), platform.node())
    with holding(lock, 0):
        assert f"process {os.getpid()} " in holder_of(lock)
    assert holder_of(lock) == NOBODY_KNOWN
    assert {path.name for path in tmp_path.iterdir()} <= {"lock"}


def test_what_a_killed_process_left_names_nobody(tmp_path: Path) -> None:
    lock = tmp_path / "lock"
    with another(lock) as process:
        process.send_signal(signal.SIGKILL)
        process.wait()
    assert f'"process":{process.pid}' in (tmp_path / "lock.json").read_text()
    with FileLock(lock):  # by somebody who hasn't said yet, or can't
        assert holder_of(lock) == NOBODY_KNOWN
    with another(lock) as second:
        assert f"process {second.pid} " in holder_of(lock)


def test_a_link_or_folder_in_the_records_place_costs_the_name_and_not_the_lock(tmp_path: Path) -> None:
    lock, mine = tmp_path / "lock", tmp_path / "mine"
    mine.write_text("mine")
    (tmp_path / "lock.json").symlink_to(mine)
    with holding(lock, 0):
        assert f"process {os.getpid()} " in holder_of(lock)
    (tmp_path / "lock.json").mkdir()
    with holding(lock, 0):
        assert holder_of(lock) == NOBODY_KNOWN
        with pytest.raises(Timeout), holding(lock, 0):
            pass
    assert mine.read_text() == "mine"


def test_a_batch_says_for_whom_it_waited(cli: Cli, game: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    use_stand_ins(monkeypatch)
    monkeypatch.setattr("asset_gen.publish.LOCK_SECONDS", 0.1)
    (game / ".assetgen").mkdir()
    with another(game / ".assetgen" / "lock") as process:
        done = cli("batch", "--project", game, "--types", "bat=2")
    assert done.code == 1
    assert f"assetgen: {game}: assetgen batch (process {process.pid} on " in done.err
    assert ") is writing to it. Try again when it is done." in done.err
    assert cli("batch", "--project", game, "--types", "bat=2").code == 0
