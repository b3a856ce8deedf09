"""A herded set lies nearer to the training set than random ones, and keeps every promise of a choice."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from asset_gen import herding
from asset_gen.herding import Aim, alike, discrepancy, herd

NOBODY = np.zeros(0, np.int64)


def cloud(count: int, seed: int, spread: float = 1.0, shift: float = 0.0, d: int = 6) -> NDArray[np.float32]:
    """Features [count, d]."""
    return np.asarray(np.random.default_rng(seed).standard_normal((count, d)) * spread + shift, np.float32)


def pools_of(kinds: NDArray[np.int64]) -> dict[int, NDArray[np.int64]]:
    return {int(kind): np.flatnonzero(kinds == kind) for kind in np.unique(kinds)}


def test_a_herded_set_is_nearer_to_the_training_set_than_any_random_one() -> None:
    real, drawn, kinds = cloud(300, 0), cloud(800, 1, spread=1.4, shift=0.5), np.arange(800) % 4
    quotas = dict.fromkeys(range(4), 25)
    aim = Aim.of(real, np.arange(300) % 4)
    points = aim.points_of(drawn)
    likeness = aim.likeness(points, quotas)
    chosen = np.concatenate(herd(points, likeness, pools_of(kinds), quotas, NOBODY))
    found = discrepancy(points, likeness, chosen)
    chance = np.random.default_rng(0)
    for _ in range(20):
        rows = [chance.choice(pool, 25, replace=False) for pool in pools_of(kinds).values()]
        assert found < discrepancy(points, likeness, np.concatenate(rows))


@pytest.mark.parametrize("seed", range(5))
def test_a_small_set_is_nearly_the_nearest_of_all(seed: int) -> None:
    aim = Aim.of(cloud(40, seed), np.zeros(40, np.int64))
    points = aim.points_of(cloud(14, seed + 100))
    likeness = aim.likeness(points, {0: 4})
    every = [discrepancy(points, likeness, np.array(rows)) for rows in combinations(range(14), 4)]
    (chosen,) = herd(points, likeness, {0: np.arange(14)}, {0: 4}, NOBODY)
    assert discrepancy(points, likeness, chosen) <= np.quantile(every, 0.01)


def test_no_exchange_of_two_sprites_of_a_type_would_bring_it_nearer() -> None:
    aim = Aim.of(cloud(50, 3), np.zeros(50, np.int64))
    points, kinds = aim.points_of(cloud(60, 4)), np.arange(60) % 2
    quotas = {0: 6, 1: 5}
    likeness = aim.likeness(points, quotas)
    chosen = np.concatenate(herd(points, likeness, pools_of(kinds), quotas, NOBODY))
    best = discrepancy(points, likeness, chosen)
    for place, row in enumerate(chosen):
        for other in np.setdiff1d(np.flatnonzero(kinds == kinds[row]), chosen):
            swapped = chosen.copy()
            swapped[place] = other
            assert discrepancy(points, likeness, swapped) >= best - 1e-5


@given(
    seed=st.integers(0, 1000),
    each=st.integers(2, 30),
    share=st.floats(0, 1),
    held=st.sets(st.integers(0, 89), max_size=8),
    block=st.sampled_from([7, 20, 4096]),
)
def test_quotas_are_met_to_the_sprite_in_one_block_and_in_many(
    seed: int, each: int, share: float, held: set[int], block: int
) -> None:
    fixed = np.array(sorted(row for row in held if row < 3 * each), np.int64)
    kinds = np.arange(3 * each) % 3
    pools = {kind: np.setdiff1d(pool, fixed) for kind, pool in pools_of(kinds).items()}
    slots = {kind: round(share * len(pool)) for kind, pool in pools.items()}
    aim = Aim.of(cloud(20, seed), np.zeros(20, np.int64))
    points = aim.points_of(cloud(3 * each, seed + 1))
    likeness = aim.likeness(points, {0: 1, 1: 1, 2: 1})
    before, herding.BLOCK = herding.BLOCK, block
    try:
        chosen = herd(points, likeness, pools, slots, fixed)
        again = herd(points, likeness, pools, slots, fixed)
    finally:
        herding.BLOCK = before
    assert [len(rows) for rows in chosen] == list(slots.values())
    for kind, rows in zip(pools, chosen, strict=True):
        assert len(set(rows.tolist())) == len(rows)
        assert set(rows.tolist()) <= set(pools[kind].tolist())
    assert all(np.array_equal(a, b) for a, b in zip(chosen, again, strict=True))


def test_what_is_published_already_is_not_chosen_a_second_time_in_other_pictures() -> None:
    """Two clusters, of which one is published: the other one is filled."""
    aim = Aim.of(np.concatenate([cloud(30, 0, 0.1, 1), cloud(30, 1, 0.1, -1)]), np.zeros(60, np.int64))
    points = aim.points_of(np.concatenate([cloud(20, 2, 0.1, 1), cloud(20, 3, 0.1, -1)]))
    likeness = aim.likeness(points, {0: 20})
    (chosen,) = herd(points, likeness, {0: np.arange(5, 40)}, {0: 5}, np.arange(5))
    assert (chosen >= 20).all()
    (chosen,) = herd(points, likeness, {0: np.arange(40)}, {0: 10}, NOBODY)
    assert (chosen >= 20).sum() == 5


def test_types_of_the_training_set_count_as_they_are_asked_for() -> None:
    real = np.concatenate([cloud(90, 0, 0.1, 1), cloud(10, 1, 0.1, -1)])
    aim = Aim.of(real, np.repeat([0, 1], [90, 10]))
    points = aim.points.copy()
    even, most = aim.likeness(points, {0: 1, 1: 1}), aim.likeness(points, {0: 9, 1: 1})
    assert np.allclose(most, alike(points, points).mean(axis=1), atol=1e-4)
    assert even[-1] > most[-1]
    unknown = aim.likeness(points, {0: 9, 1: 1, 7: 10})  # a type that nothing real carries counts as all of it
    assert np.allclose(unknown, most, atol=1e-4)


def test_a_feature_that_never_changes_counts_nothing() -> None:
    real = cloud(50, 0)
    real[:, 2] = 4
    drawn = cloud(10, 1)
    points = Aim.of(real, np.zeros(50, np.int64)).points_of(drawn)
    assert not points[:, 2].any()
    assert np.isfinite(points).all()


def test_aligned_types_have_the_training_sets_means_and_spreads_and_few_sprites_stay() -> None:
    real, kinds = cloud(60, 0), np.repeat([0, 1, 2], 20)
    aim = Aim.of(real, kinds)
    drawn = np.repeat([0, 1, 2], [30, 30, 5])
    points = aim.points_of(cloud(65, 1, spread=0.5, shift=1))
    moved = aim.aligned(points, drawn)
    for kind in (0, 1):
        assert np.allclose(moved[drawn == kind].mean(axis=0), aim.points[kinds == kind].mean(axis=0), atol=1e-5)
        assert np.allclose(moved[drawn == kind].std(axis=0), aim.points[kinds == kind].std(axis=0), atol=1e-5)
    assert np.array_equal(moved[drawn == 2], points[drawn == 2])
