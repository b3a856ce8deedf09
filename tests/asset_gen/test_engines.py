"""An engine draws block after block, in order, and hands on what is drawn already."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing

import numpy as np
import pytest

from asset_gen.engines import open_engine
from asset_gen.generate import Wanted
from asset_gen.judge import Task
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
        (held,) = engine.draw([block(200, 40)])
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
