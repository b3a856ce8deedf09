"""Names count where the set's own types show that they tell something, and nowhere else."""

from __future__ import annotations

import numpy as np
import pytest

from trainer.name_order import neighbours_say, places_of
from trainer.tagging import Model, name_weight, out_of_fold, ranked, targets_of, weighed, with_names

KINDS = 4
LABELS = np.repeat(np.arange(KINDS), 15)
TARGETS = targets_of(LABELS, KINDS)
BY_FAMILY = [f"creature_{number}" for number in range(60)]
PER_TYPE = [f"{number:04d}" for _ in range(KINDS) for number in range(15)]


def unsure(right: float) -> Model:
    """What pictures say: the right type with this chance, or nothing at all."""

    def judged(learnt: np.ndarray, asked: np.ndarray) -> np.ndarray:  # type: ignore[type-arg]
        chance = np.random.default_rng(1)
        p = np.full((len(asked), KINDS), 0.2)
        kinds = np.where(chance.random(len(asked)) < right, LABELS[asked], chance.integers(0, KINDS, len(asked)))
        p[np.arange(len(asked)), kinds] = 0.4
        return p / p.sum(axis=1, keepdims=True)

    return judged


def test_names_are_neighbours_where_their_last_number_alone_differs() -> None:
    names = ["imp9", "IMP010", "imp_10", "bat9", "imp9b", "imp", "imp", "7", "12_08", "12_09"]
    places = places_of(names)
    series = [int(place) for place, _ in places]
    assert series[0] == series[1] and series[8] == series[9]
    assert len(set(series)) == 8, "all others stand alone, also where two are called alike without a number"
    assert places[[0, 1, 8, 9], 1].tolist() == [9, 10, 8, 9]


def test_neighbours_say_their_type_and_strangers_the_usual_shares() -> None:
    places, everybody = places_of([*BY_FAMILY, "odd"]), np.arange(60)
    targets = np.vstack([TARGETS, TARGETS[:1]])
    said = neighbours_say(places, targets, np.delete(everybody, 7), np.array([7, 60]))
    assert said[0].argmax() == 0 and said[0, 0] > 0.7
    assert np.allclose(said[1], TARGETS[np.delete(everybody, 7)].mean(axis=0))


@pytest.mark.parametrize(("names", "weight"), [(BY_FAMILY, 1.0), (PER_TYPE, 0.0)])
def test_types_that_are_given_decide_how_much_names_count(names: list[str], weight: float) -> None:
    places = places_of(names)
    said = out_of_fold(lambda learnt, asked: neighbours_say(places, TARGETS, learnt, asked), LABELS, KINDS)
    assert name_weight(out_of_fold(unsure(0.9), LABELS, KINDS), said, LABELS) == weight


def test_names_that_tell_nothing_change_nothing() -> None:
    rows = np.arange(60)
    model = unsure(0.9)
    assert with_names(model, PER_TYPE, TARGETS, LABELS) is model
    assert np.array_equal(weighed(model(rows, rows), np.full((60, KINDS), 0.25), 0.0), model(rows, rows))


def test_a_misfiled_sprite_stands_out_between_its_family() -> None:
    wrong = LABELS.copy()
    wrong[[4, 33]] = [2, 0]
    model = with_names(unsure(0.3), BY_FAMILY, targets_of(wrong, KINDS), wrong)
    assert set(ranked(out_of_fold(model, wrong, KINDS), wrong)[:2].tolist()) == {4, 33}
