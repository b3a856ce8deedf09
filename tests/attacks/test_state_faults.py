"""Whichever system call fails while a checkpoint or decision is kept: old or new, never mixed, told with its file."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
import torch

from asset_gen.decisions import NAME, decide, read_decisions, record
from asset_gen.errors import ProjectError
from asset_gen.manifest import Origin
from tests.attacks.hostile import fail_call
from trainer.checkpoint import Checkpoint, load_checkpoint, save_checkpoint


def at(step: int) -> Checkpoint:
    """A checkpoint whose tensors tell its step."""
    return Checkpoint({"weight": torch.full((1000,), float(step))}, {"step": step, "seconds": 0.0})


def test_a_checkpoint(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    number = 0
    while True:
        number += 1
        shutil.rmtree(tmp_path / "run", ignore_errors=True)
        for step in (10, 20):
            save_checkpoint(tmp_path / "run", at(step))
        with monkeypatch.context() as patch:
            reached = fail_call(patch, number, "trainer.checkpoint", "asset_gen.files")
            failure = None
            try:
                save_checkpoint(tmp_path / "run", at(30))
            except OSError as error:
                failure = error
        saved, notices = load_checkpoint(tmp_path / "run")
        assert saved is not None
        assert notices == []
        assert saved.state["step"] in (20, 30), number
        assert set(saved.tensors["weight"].tolist()) == {saved.state["step"]}, number
        if not reached():
            break
        assert failure is not None, number
        assert str(tmp_path / "run") in str(failure.filename), number
        save_checkpoint(tmp_path / "run", at(30))
        assert sorted(path.name for path in (tmp_path / "run" / "checkpoints").iterdir()) == ["000000020", "000000030"]
        saved, _ = load_checkpoint(tmp_path / "run")
        assert saved is not None
        assert saved.state["step"] == 30
    assert failure is None
    assert number > 12  # else nothing was attacked


def test_a_decision(game: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = (
        decide(f"bat_{slot:06d}", "reject", Origin(model="m" * 64, seed=0, type="bat", index=slot), "Ada")
        for slot in (1, 2)
    )
    number = 0
    while True:
        number += 1
        shutil.rmtree(game)
        game.mkdir()
        (before,) = record(game, [first])
        with monkeypatch.context() as patch:
            reached = fail_call(patch, number, "asset_gen.decisions", "asset_gen.publish", "asset_gen.files")
            failure = None
            try:
                record(game, [second])
            except (ProjectError, OSError) as error:
                failure = error
        found = read_decisions(game).lines
        assert found[0] == before, number
        assert [line.subject for line in found[1:]] in ([], ["bat_000002"]), number
        if not reached():
            break
        assert failure is not None, number
        assert str(game) in str(failure), number
        record(game, [second])
        lines = read_decisions(game).lines
        assert {line.subject for line in lines} == {"bat_000001", "bat_000002"}
        assert sorted(path.name for path in game.iterdir()) == [".assetgen", NAME]
        assert not list((game / ".assetgen").glob("*.tmp"))
    assert failure is None
    assert number > 8  # else nothing was attacked
