"""Candidates that Ray's workers draw are those that this process draws, even if a worker is killed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import closing, suppress
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from asset_gen.bundle import load_bundle
from asset_gen.engines import crew, open_engine
from asset_gen.engines.ray import Ray
from asset_gen.engines.worker import Versions, Worker, refuse_others
from asset_gen.errors import DeviceError
from asset_gen.generate import Wanted
from asset_gen.judge import Task
from asset_gen.networks import Networks
from asset_gen.staged import Part
from tests.conftest import Cli, files_of

TASK = Task(seed=0, kinds=(0, 1, 2, 3), strategy="is")
CALL = "from asset_gen.cli import main; main()"
BLOCKS = [Wanted(np.arange(100) % 4, np.arange(start, start + 100)) for start in range(0, 800, 100)]


@pytest.fixture
def networks(bundle: Path) -> Networks:
    """Of the short training's bundle."""
    return Networks(load_bundle(bundle), "cpu")


@pytest.fixture
def temporary() -> Iterator[Path]:
    """A folder whose path is short enough for sockets."""
    with tempfile.TemporaryDirectory(prefix="t", dir="/tmp") as folder:
        yield Path(folder)


def of_ours() -> set[int]:
    """Processes below this one."""
    found = subprocess.run(["ps", "-eo", "pid=,ppid="], capture_output=True, text=True, check=True).stdout
    parents = {int(pid): int(parent) for pid, parent in (line.split() for line in found.splitlines())}
    ours, grown = {os.getpid()}, True
    while grown:
        more = {pid for pid, parent in parents.items() if parent in ours} - ours
        ours |= more
        grown = bool(more)
    return ours - {os.getpid()}


def with_variable(text: str) -> set[int]:
    """Processes that have it in their environment."""
    found = set()
    for path in Path("/proc").glob("[0-9]*/environ"):
        with suppress(OSError):
            if text.encode() in path.read_bytes().split(b"\0"):
                found.add(int(path.parent.name))
    return found


def same(found: list[Part], wanted: list[Part]) -> bool:
    one, other = Part.joined(found), Part.joined(wanted)
    return len(one.pngs) == len(other.pngs) and one.begins_with(other)


def test_a_killed_worker_is_replaced_and_every_candidate_is_the_same_to_the_last_bit(
    networks: Networks, temporary: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with closing(open_engine("local", networks, TASK)) as engine:
        wanted = list(engine.draw(BLOCKS))
        held = Part.joined(list(engine.draw([BLOCKS[2].part(slice(64))])))
    taken: list[int] = []

    def blocks() -> Iterator[Wanted | Part]:
        for number, block in enumerate(BLOCKS):
            taken.append(number)
            yield block

    monkeypatch.setattr(tempfile, "tempdir", str(temporary))
    with closing(Ray(networks, TASK, workers=2)) as ray:
        assert [node["NodeManagerAddress"] for node in ray._ray.nodes()] == ["127.0.0.1"]
        (same_held,) = ray.draw([held])
        assert same_held is held
        drawing = ray.draw(blocks())
        found = [next(drawing)]
        assert len(taken) <= 6
        killed = ray._ray.get(ray._crew._here[0].actor.__ray_call__.remote(lambda worker: os.getpid()))
        assert os.getpriority(os.PRIO_PROCESS, killed) == os.getpriority(os.PRIO_PROCESS, 0)
        os.kill(killed, signal.SIGKILL)
        dead = ray._crew._here[0].actor
        found.extend(drawing)
        assert all(member.actor is not dead for member in ray._crew._here)
        started = of_ours()
        assert started
    assert same(found, wanted)
    assert not started & of_ours()
    assert list(temporary.iterdir()) == []


def test_a_whole_batch_is_the_same_file_by_file(cli: Cli, bundle: Path, tmp_path: Path) -> None:
    for engine in ("local", "ray"):
        game = tmp_path / engine
        game.mkdir()
        done = cli("batch", "--count", 60, "--model", bundle, "--project", game, "--engine", engine, "-q")
        assert (done.code, done.out, done.err) == (0, "", "")
    local = files_of(tmp_path / "local")
    assert len(local) > 8
    assert files_of(tmp_path / "ray") == local


@pytest.mark.parametrize("what", ["assetgen", "onnxruntime", "pillow", "provider"])
def test_a_worker_with_another_version_is_refused_by_host_and_both_versions(what: str) -> None:
    mine = Versions("desk", "1.0", "1.32.0", "13.0.0", "CPUExecutionProvider")
    refuse_others(mine, replace(mine, host="rack"))
    with pytest.raises(DeviceError, match=f"rack has {what} another, and desk has {getattr(mine, what)}"):
        refuse_others(mine, replace(mine, host="rack", **{what: "another"}))


def test_workers_that_die_again_and_again_end_the_command_and_what_was_drawn_is_kept(
    cli: Cli, bundle: Path, game: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Dying(Worker):
        def draw(self, block: Wanted) -> Part:
            if 900 in block.indices:
                os._exit(1)
            return super().draw(block)

    monkeypatch.setattr(crew, "Worker", Dying)
    options = ("batch", "--types", "beetle=300", "--model", bundle, "--project", game, "--filter", "none")
    done = cli(*options, "--engine", "ray", "--ray-workers", 2)
    assert (done.code, done.out) == (1, "")
    assert "4 workers died one after another while they drew the same block" in done.err
    assert len(done.err.splitlines()) == 1
    assert "What was drawn is kept" in done.err
    assert [path for path in files_of(game) if path.startswith(".assetgen/drawn/")]
    monkeypatch.setenv("ASSETGEN_PROGRESS", "lines")
    done = cli(*options, "-q")
    assert done.code == 0
    assert done.err.startswith("progress: drawing candidates 512/1200\n")


def test_an_interrupt_leaves_no_process_and_no_file_and_the_same_command_goes_on(
    cli: Cli, bundle: Path, tmp_path: Path, temporary: Path
) -> None:
    whole, game = tmp_path / "whole", tmp_path / "game"
    for folder in (whole, game):
        folder.mkdir()
    options = ("batch", "--count", 600, "--model", bundle, "--filter", "none")
    own = {"TMPDIR": str(temporary), "ASSETGEN_PROGRESS": "lines", "PYTHONPATH": str(Path(__file__).parents[2])}
    with subprocess.Popen(
        [sys.executable, "-c", CALL, *map(str, options), "--project", str(game), "--engine", "ray"],
        env={name: value for name, value in os.environ.items() if not name.startswith("ASSETGEN_")} | own,
        start_new_session=True,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        assert process.stderr is not None
        for drawn in (512, 1024):  # the first block is kept when the second comes
            assert process.stderr.readline() == f"progress: drawing candidates {drawn}/2400\n"
        assert with_variable(f"TMPDIR={temporary}") - {process.pid}
        os.killpg(process.pid, signal.SIGINT)  # as a terminal does
        out, err = process.communicate(timeout=60)
    assert (process.returncode, out) == (130, ""), err
    assert "candidates are kept; " in err.splitlines()[-1]
    assert not with_variable(f"TMPDIR={temporary}")
    assert list(temporary.glob("assetgen-*")) == []
    for project in (game, whole):
        assert cli(*options, "--project", project, "-q").code == 0
    assert files_of(game) == files_of(whole)


def test_without_ray_the_command_says_what_to_install(
    cli: Cli, bundle: Path, game: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    done = cli("batch", "--count", 4, "--model", bundle, "--project", game, "--engine", "ray")
    assert done.code == 2
    assert "pip install 'assetgen[ray]'" in done.err
    assert not [path for path in files_of(game) if path.endswith(".png")]


def test_ray_is_loaded_only_where_it_is_asked_for() -> None:
    code = "import sys, asset_gen.cli.batch, asset_gen.draw, asset_gen.engines.local; assert 'ray' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)
