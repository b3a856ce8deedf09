"""An engine draws block after block, in order, and hands on what is drawn already."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import numpy as np
import pytest

from asset_gen import judge
from asset_gen.engines import local, open_engine
from asset_gen.generate import BATCH, Wanted
from asset_gen.judge import Task
from asset_gen.runtime import cores
from asset_gen.staged import Part
from tests.asset_gen.test_draw import networks_of
from tests.fakes import Painter

TASK = Task(seed=0, kinds=(0, 1, 2), strategy="is")


def block(start: int, count: int) -> Wanted:
    """Bats."""
    return Wanted(np.zeros(count, np.int64), np.arange(start, start + count))


def indices(parts: list[Part]) -> list[int]:
    """Of all candidates, in the order in which they came."""
    return [index for part in parts for index in part.arrays["indices"].tolist()]


@pytest.mark.parametrize("name", ["local"])
def test_candidates_come_in_the_order_of_their_blocks(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with closing(open_engine(name, networks_of(Painter(), monkeypatch), TASK)) as engine:
        held = Part.joined(list(engine.draw([block(200, 40)])))
        found = list(engine.draw([block(0, 150), held, block(500, 10)]))
    assert indices(found) == [*range(150), *range(200, 240), *range(500, 510)]
    assert any(part is held for part in found)


def test_blocks_are_taken_as_they_are_needed(monkeypatch: pytest.MonkeyPatch) -> None:
    taken: list[int] = []

    def blocks() -> Iterator[Wanted]:
        for number in range(100):
            taken.append(number)
            yield block(64 * number, 64)

    with closing(open_engine("local", networks_of(Painter(), monkeypatch), TASK)) as engine:
        drawn = engine.draw(blocks())
        next(drawn)
        drawn.close()
    assert len(taken) <= 4


def test_networks_look_at_a_batch_while_the_one_before_it_is_described(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(local, "cores", lambda: 2)
    described, looked = judge.described, threading.Event()
    looks: list[int] = []

    class Watched(Painter):
        def run(self, **inputs: Any) -> Any:
            looks.append(1)
            if len(looks) == 2:
                looked.set()
            return super().run(**inputs)

    def waiting(*some: Any) -> Part:
        assert looked.wait(60)  # for the second batch: it comes only if nobody waits for the first one's description
        return described(*some)

    monkeypatch.setattr(judge, "described", waiting)
    with closing(open_engine("local", networks_of(Watched(), monkeypatch), TASK)) as engine:
        assert indices(list(engine.draw([block(0, 128)]))) == [*range(128)]


def test_what_fails_in_the_thread_reaches_the_caller_behind_all_before_it(monkeypatch: pytest.MonkeyPatch) -> None:
    described = judge.described

    def failing(training: Any, seen: judge.Seen) -> Part:
        if 4 * BATCH in seen.indices:
            raise OSError("no memory for a picture")
        return described(training, seen)

    monkeypatch.setattr(judge, "described", failing)
    found: list[Part] = []
    with closing(open_engine("local", networks_of(Painter(), monkeypatch), TASK)) as engine:
        with pytest.raises(OSError, match="no memory for a picture"):
            found.extend(engine.draw([block(0, 256)]))
        assert indices(found) == [*range(4 * BATCH)]
        assert indices(list(engine.draw([block(300, 10)]))) == [*range(300, 310)]


@pytest.mark.parametrize("failure", [KeyboardInterrupt(), RuntimeError("no device")])
def test_what_is_finished_when_a_network_fails_is_not_lost(
    failure: BaseException, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Failing(Painter):
        def run(self, **inputs: Any) -> Any:
            if len(self.calls) == 2:
                raise failure
            return super().run(**inputs)

    monkeypatch.setattr(local, "cores", lambda: 1)
    found: list[Part] = []
    with closing(open_engine("local", networks_of(Failing(), monkeypatch), TASK)) as engine:
        drawn = engine.draw([block(0, 256)])
        with pytest.raises(type(failure)):
            for part in drawn:
                found.append(part)
    assert indices(found) == [*range(2 * BATCH)]


def test_a_closed_engine_leaves_no_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    before = threading.active_count()
    with closing(open_engine("local", networks_of(Painter(), monkeypatch), TASK)) as engine:
        drawn = engine.draw([block(0, 256)])
        next(drawn)
        assert before < threading.active_count() <= before + cores()
    assert threading.active_count() == before
