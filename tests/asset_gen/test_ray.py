"""Candidates that Ray's workers draw are those that this process draws, even if a worker is killed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from asset_gen.bundle import load_bundle
from asset_gen.engines import open_engine
from asset_gen.engines.ray import Ray, Versions, refuse_others
from asset_gen.errors import DeviceError
from asset_gen.generate import Wanted
from asset_gen.judge import Task
from asset_gen.networks import Networks
from asset_gen.staged import Part
from tests.conftest import Cli, files_of

TASK = Task(seed=0, kinds=(0, 1, 2, 3), strategy="is")
BLOCKS = [Wanted(np.arange(100) % 4, np.arange(start, start + 100)) for start in range(0, 800, 100)]


@pytest.fixture
def networks(bundle: Path) -> Networks:
    """Of the short training's bundle."""
    return Networks(load_bundle(bundle), "cpu")


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


def same(found: list[Part], wanted: list[Part]) -> bool:
    one, other = Part.joined(found), Part.joined(wanted)
    return len(one.pngs) == len(other.pngs) and one.begins_with(other)


def test_a_killed_worker_is_replaced_and_every_candidate_is_the_same_to_the_last_bit(networks: Networks) -> None:
    with closing(open_engine("local", networks, TASK)) as engine:
        wanted = list(engine.draw(BLOCKS))
        (held,) = engine.draw([BLOCKS[2].part(slice(64))])
    homes = Path(os.environ.get("TMPDIR", "/tmp"))
    before = set(homes.glob("assetgen-*"))
    taken: list[int] = []

    def blocks() -> Iterator[Wanted | Part]:
        for number, block in enumerate(BLOCKS):
            taken.append(number)
            yield block

    with closing(Ray(networks, TASK, workers=2)) as ray:
        assert [node["NodeManagerAddress"] for node in ray._ray.nodes()] == ["127.0.0.1"]
        (same_held,) = ray.draw([held])
        assert same_held is held
        drawing = ray.draw(blocks())
        found = [next(drawing)]
        assert len(taken) <= 4
        killed = ray._ray.get(ray._actors[0].__ray_call__.remote(lambda worker: os.getpid()))
        os.kill(killed, signal.SIGKILL)
        dead = ray._actors[0]
        found.extend(drawing)
        assert ray._actors[0] is not dead
        started = of_ours()
        assert started
    assert same(found, wanted)
    assert not started & of_ours()
    assert set(homes.glob("assetgen-*")) <= before


def test_a_whole_batch_is_the_same_file_by_file(cli: Cli, bundle: Path, tmp_path: Path) -> None:
    for engine in ("local", "ray"):
        game = tmp_path / engine
        game.mkdir()
        done = cli("batch", "--count", 60, "--model", bundle, "--project", game, "--engine", engine, "-q")
        assert (done.code, done.out, done.err) == (0, "", "")
    local = files_of(tmp_path / "local")
    assert len(local) > 8
    assert files_of(tmp_path / "ray") == local


@pytest.mark.parametrize("what", ["assetgen", "onnxruntime", "provider"])
def test_a_worker_with_another_version_is_refused_by_host_and_both_versions(what: str) -> None:
    mine = Versions("desk", "1.0", "1.32.0", "CPUExecutionProvider")
    refuse_others(mine, replace(mine, host="rack"))
    with pytest.raises(DeviceError, match=f"rack has {what} another, and desk has {getattr(mine, what)}"):
        refuse_others(mine, replace(mine, host="rack", **{what: "another"}))


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
