"""The chosen set meets its quotas and is the best there is."""

from __future__ import annotations

from itertools import combinations, product
from math import comb

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from asset_gen.metrics.inception_score import inception_score, score_of
from asset_gen.select import FILTERS, near_duplicates, select, thumbnails
from tests.creatures import KINDS, creature


def posteriors(count: int, types: int, seed: int, sharpness: float = 2.0) -> np.ndarray:
    """Random p(type | sprite) [count, types]."""
    powers = np.exp(sharpness * np.random.default_rng(seed).standard_normal((count, types)))
    return powers / powers.sum(axis=1, keepdims=True)


@given(
    seed=st.integers(0, 1000),
    types=st.integers(1, 5),
    each=st.integers(1, 12),
    share=st.floats(0, 1),
    strategy=st.sampled_from(FILTERS),
)
def test_quotas_are_always_met_and_the_choice_is_repeatable(
    seed: int, types: int, each: int, share: float, strategy: str
) -> None:
    p = posteriors(types * each, types, seed)
    kinds = np.repeat(np.arange(types), each)
    quotas = dict.fromkeys(range(types), max(1, round(share * each)))
    chosen = select(p, kinds, quotas, strategy)
    assert [int((kinds[chosen] == kind).sum()) for kind in range(types)] == list(quotas.values())
    assert len(set(chosen.tolist())) == len(chosen)
    assert np.array_equal(chosen, select(p, kinds, quotas, strategy))


@pytest.mark.parametrize("seed", range(20))
def test_the_inception_score_filter_is_within_a_hundredth_of_the_best_set(seed: int) -> None:
    p = posteriors(16, 3, seed)
    kinds = np.arange(16) % 2
    quotas = {0: 3, 1: 2}
    assert comb(8, 3) * comb(8, 2) == 1568
    pools = [np.flatnonzero(kinds == kind) for kind in quotas]
    sets = product(combinations(pools[0], 3), combinations(pools[1], 2))
    best = max(score_of(p[[*first, *second]]) for first, second in sets)
    assert score_of(p[select(p, kinds, quotas, "is")]) >= 0.99 * best


def test_a_chosen_set_scores_higher_than_random_ones() -> None:
    p, kinds = posteriors(400, 6, 0), np.arange(400) % 6
    quotas = dict.fromkeys(range(6), 15)
    chosen = score_of(p[select(p, kinds, quotas, "is")])
    chance = np.random.default_rng(0)
    for _ in range(10):
        rows = np.concatenate([chance.choice(np.flatnonzero(kinds == kind), 15, replace=False) for kind in quotas])
        assert chosen > score_of(p[rows])


def test_fixed_rows_stay_and_forbidden_rows_are_never_chosen() -> None:
    p, kinds = posteriors(60, 3, 1), np.arange(60) % 3
    allowed = np.ones(60, bool)
    allowed[10:30] = False
    fixed = np.array([12, 40])  # published already, even if it wouldn't be allowed now
    chosen = select(p, kinds, dict.fromkeys(range(3), 6), "is", fixed, allowed)
    assert set(fixed) <= set(chosen)
    assert not set(range(10, 30)) - {12} & set(chosen.tolist())


def test_top_p_takes_the_surest_of_each_type() -> None:
    p, kinds = posteriors(30, 3, 2), np.arange(30) % 3
    chosen = select(p, kinds, dict.fromkeys(range(3), 2), "top-p")
    for kind in range(3):
        mine = np.flatnonzero(kinds == kind)
        assert set(chosen[kinds[chosen] == kind]) == set(mine[np.argsort(-p[mine, kind])[:2]])


def test_too_few_candidates_are_refused() -> None:
    with pytest.raises(ValueError, match="type 0 has 2 candidates for 3 slots"):
        select(posteriors(4, 2, 0), np.array([0, 0, 1, 1]), {0: 3, 1: 1})


def test_near_duplicates_are_found_mirrored_too_and_different_sprites_are_not() -> None:
    sprites = np.stack([creature(kind, 0) for kind in KINDS] + [creature("flask", 0)[:, ::-1], creature("beetle", 0)])
    sprites[5, 16, 16, 0] ^= 8  # a hardly visible difference
    first = near_duplicates(thumbnails(sprites))
    assert first.tolist() == [-1, -1, -1, -1, KINDS.index("flask"), KINDS.index("beetle")]


@pytest.mark.parametrize("classes", [2, 5, 18])
def test_the_inception_score_has_its_closed_forms(classes: int) -> None:
    assert score_of(np.full((10, classes), 1 / classes)) == pytest.approx(1)
    assert score_of(np.eye(classes)) == pytest.approx(classes)  # exact zeros make no nan


def test_sorted_sprites_are_shuffled_before_they_are_split() -> None:
    p = np.repeat(np.eye(10), 50, axis=0)
    mean, _ = inception_score(p, splits=10)
    assert mean > 9


def test_fewer_sprites_than_splits_are_refused() -> None:
    with pytest.raises(ValueError, match="9 sprites are fewer than 10 splits"):
        inception_score(np.eye(9))
