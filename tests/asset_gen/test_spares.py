"""The next best candidate is what people keep, then what they like, then what the filter goes by."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest

from asset_gen.candidates import CandidateWriter, Row, candidate_name
from asset_gen.manifest import Choice, Origin
from asset_gen.poll.ratings import Rating, Ratings
from asset_gen.spares import find_spares
from tests.fakes import MODEL

REASONS = ("chosen by it", "not chosen by it", "not chosen by it", "not chosen by it", "nearly equals bat_c000001")
SURE = (0.9, 0.2, 0.8, 0.5, 0.99)
LIKE = (0.9, 0.7, 0.1, 0.4, 0.99)
REAL = (2.0, -3.0, -4.0, 1.5, 5.0)


def origin(index: int) -> Origin:
    return Origin(model=MODEL, seed=0, type="bat", index=index)


def choice(strategy: str = "is") -> Choice:
    return Choice(model=MODEL, seed=0, oversample=4, scorer="types", filter=strategy)


def write_set(folder: Path, strategy: str, name: str = "aa", reasons: tuple[str, ...] = REASONS) -> None:
    """Five bats, of which the first was chosen and the last dropped."""
    writer = CandidateWriter(folder / name, sharded=False)
    rows = [
        Row(
            name=candidate_name("bat", index),
            type="bat",
            p_type=SURE[index],
            entropy=0.1,
            kept=reason.startswith("chosen"),
            seed=0,
            index=index,
            reason=reason,
            scores={"likeness": LIKE[index], "critic": REAL[index]},
        )
        for index, reason in enumerate(reasons)
    ]
    run = {"run": name, "model_name": "fake", "choice": msgspec.to_builtins(choice(strategy)), "quotas": {"bat": 1}}
    writer.finish(rows, run)


def indices(folder: Path, strategy: str, count: int = 3, **changes: Any) -> list[int]:
    arguments = {"taken": {origin(0)}, "preferred": set(), "ratings": None} | changes
    rows = find_spares(folder, choice(strategy), {"bat": count}, **arguments).rows
    return [row.index for row in rows.get("bat", [])]


@pytest.mark.parametrize(
    ("strategy", "order"),
    [
        ("is", [2, 3, 1]),
        ("top-p", [2, 3, 1]),
        ("none", [1, 2, 3]),
        ("set", [1, 3, 2]),
        ("set, IS from 4", [1, 3, 2]),
        ("critic", [3, 1, 2]),
    ],
)
def test_the_order_is_that_of_the_filter(tmp_path: Path, strategy: str, order: list[int]) -> None:
    write_set(tmp_path, strategy)
    assert indices(tmp_path, strategy) == order


def test_people_come_first(tmp_path: Path) -> None:
    write_set(tmp_path, "is")
    liked = Rating(name="bat_c000003", type="bat", index=3, rating=2, low=1, high=3, comparisons=4, wins=4)
    ratings = Ratings(model=MODEL, seed=0, voters=1, votes=4, ratings=[liked])
    assert indices(tmp_path, "is", ratings=ratings) == [3, 2, 1]
    assert indices(tmp_path, "is", ratings=ratings, preferred={origin(1)}) == [1, 3, 2]


def test_what_is_published_rejected_or_dropped_by_any_set_is_no_spare(tmp_path: Path) -> None:
    write_set(tmp_path, "is")
    assert indices(tmp_path, "is", count=4) == []  # there are three
    assert indices(tmp_path, "is", count=4, taken=set()) == [0, 2, 3, 1]  # chosen once, free now
    assert indices(tmp_path, "is", count=2, taken={origin(0), origin(2)}) == [3, 1]
    write_set(tmp_path, "is", "bb", (*REASONS[:2], "copy of bat003.png", *REASONS[3:]))
    assert indices(tmp_path, "is", count=2) == [3, 1]


def test_sets_of_another_choice_and_damaged_ones_offer_nothing(tmp_path: Path) -> None:
    write_set(tmp_path, "top-p")
    assert indices(tmp_path, "is", count=1) == []
    write_set(tmp_path, "is", "bb")
    (tmp_path / "bb" / "run.json").write_text("{")
    assert indices(tmp_path, "is", count=1) == []
