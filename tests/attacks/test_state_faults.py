"""Whichever system call fails or kill comes while state is kept: old or new, never mixed, told with its file."""

from __future__ import annotations

import os
import shutil
import signal
import sqlite3
import warnings
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from asset_gen.catalogue import Catalogue, open_catalogue
from asset_gen.decisions import NAME, decide, read_decisions, record
from asset_gen.errors import ProjectError
from asset_gen.manifest import Origin
from tests.attacks.hostile import fail_call
from tests.conftest import Cli
from tests.fakes import write_bundle
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


@pytest.fixture
def catalogued(cli: Cli, game: Path, tmp_path: Path) -> tuple[Path, Catalogue]:
    """A project with candidates and a rejection, and what is known of them."""
    options = ("--types", "beetle=2,flask=1", "--oversample", 2)
    assert cli("batch", "--project", game, "--model", write_bundle(tmp_path / "model"), *options).code == 0
    assert cli("catalogue", "reject", "beetle:0", "--project", game).code == 0
    known = open_catalogue(game)
    assert len(known.entries) == 6
    return game, known


def fail_statement(patch: pytest.MonkeyPatch, number: int, fail: Callable[[], None]) -> Callable[[], bool]:
    """Let something happen at the ``number``-th statement to a database; returns whether that was reached."""
    left = [number]

    class Fragile(sqlite3.Connection):
        def _spend(self) -> None:
            left[0] -= 1
            if left[0] == 0:
                fail()

        def execute(self, *args: object) -> sqlite3.Cursor:
            self._spend()
            return super().execute(*args)  # type: ignore[arg-type]

        def executemany(self, *args: object) -> sqlite3.Cursor:
            self._spend()
            return super().executemany(*args)  # type: ignore[arg-type]

        def executescript(self, *args: object) -> sqlite3.Cursor:
            self._spend()
            return super().executescript(*args)  # type: ignore[arg-type]

    real = sqlite3.connect
    patch.setattr(sqlite3, "connect", lambda *args, **kwargs: real(*args, **kwargs, factory=Fragile))
    return lambda: left[0] <= 0


def damage(game: Path, number: int) -> None:
    """By turns the cache is lost, or older than what it is made from."""
    if number % 2:
        shutil.rmtree(game / ".assetgen")
    else:
        next(game.rglob("scores.csv")).touch()


@pytest.mark.parametrize("told", ["disk I/O error", "database or disk is full"])
def test_a_statement_that_fails_leaves_a_catalogue_that_is_built_anew(
    catalogued: tuple[Path, Catalogue], monkeypatch: pytest.MonkeyPatch, told: str
) -> None:
    def fail() -> None:
        raise sqlite3.OperationalError(told)

    game, known = catalogued
    finished = 0
    number = 0
    while finished < 2:  # both kinds of damage have been mended without being disturbed
        number += 1
        damage(game, number)
        with monkeypatch.context() as patch:
            reached = fail_statement(patch, number, fail)
            try:
                open_catalogue(game)
                failure = None
            except ProjectError as error:
                failure = error
        finished = 0 if reached() else finished + 1
        if reached():
            assert f"{game / '.assetgen' / 'catalogue.sqlite'}: {told}" in str(failure), number
        again = open_catalogue(game)
        assert (again.entries, again.problems) == (known.entries, []), number
    assert number > 12  # else nothing was attacked


@pytest.mark.skipif(not hasattr(os, "fork"), reason="Windows has no SIGKILL")
def test_a_kill_at_any_statement_leaves_a_catalogue_that_is_whole(
    catalogued: tuple[Path, Catalogue], monkeypatch: pytest.MonkeyPatch
) -> None:
    game, known = catalogued
    finished = 0
    number = 0
    while finished < 2:
        number += 1
        damage(game, number)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # the child does nothing but this
            child = os.fork()
        if child == 0:
            fail_statement(monkeypatch, number, lambda: os.kill(os.getpid(), signal.SIGKILL))
            open_catalogue(game)
            os._exit(0)
        _, status = os.waitpid(child, 0)
        finished = finished + 1 if os.waitstatus_to_exitcode(status) == 0 else 0
        again = open_catalogue(game)
        assert (again.entries, again.problems) == (known.entries, []), number
    assert number > 12
