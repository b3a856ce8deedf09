"""The chosen set meets its quotas and is the best there is."""

from __future__ import annotations

from itertools import combinations, product
from math import comb
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from asset_gen.herding import Points
from asset_gen.latents import chances
from asset_gen.metrics.inception_score import entropy, inception_score, score_of
from asset_gen.select import (
    FILTERS,
    NEAR,
    _Search,
    near_duplicates,
    raised,
    score_by_splits,
    select,
    thumbnails,
)
from tests.creatures import KINDS, creature


def posteriors(count: int, types: int, seed: int, sharpness: float = 2.0) -> NDArray[np.float64]:
    """Random p(type | sprite) [count, types]."""
    powers = np.exp(sharpness * np.random.default_rng(seed).standard_normal((count, types)))
    return np.asarray(powers / powers.sum(axis=1, keepdims=True))


def look(count: int, seed: int) -> tuple[Points, NDArray[np.float32]]:
    """Points [count, 4] and their likeness to a training set."""
    chance = np.random.default_rng(seed)
    return chance.standard_normal((count, 4)).astype(np.float32), chance.random(count).astype(np.float32)


def judged(count: int, seed: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Logits [count], and luck."""
    return np.random.default_rng(seed).normal(0, 3, count), chances(seed, "", np.arange(count))


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
    known: dict[str, Any] = {"look": look(len(p), seed), "judged": judged(len(p), seed)}
    chosen = select(p, kinds, quotas, strategy, **known)
    assert [int((kinds[chosen] == kind).sum()) for kind in range(types)] == list(quotas.values())
    assert len(set(chosen.tolist())) == len(chosen)
    assert np.array_equal(chosen, select(p, kinds, quotas, strategy, **known))


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


@given(seed=st.integers(0, 1000), types=st.integers(2, 4))
def test_no_exchange_of_two_sprites_of_a_type_would_raise_the_score(seed: int, types: int) -> None:
    p, kinds = posteriors(12 * types, types, seed), np.arange(12 * types) % types
    chosen = select(p, kinds, dict.fromkeys(range(types), 4), "is")
    best = score_of(p[chosen])
    outside = np.setdiff1d(np.arange(len(p)), chosen)
    for place, row in enumerate(chosen):
        for other in outside[kinds[outside] == kinds[row]]:
            swapped = chosen.copy()
            swapped[place] = other
            assert score_of(p[swapped]) <= best * (1 + 1e-9)


@given(seed=st.integers(0, 1000), start=st.integers(0, 1000))
def test_swapping_never_lowers_the_score_and_keeps_the_quotas(seed: int, start: int) -> None:
    p, pools = posteriors(40, 2, seed), {0: np.arange(0, 40, 2), 1: np.arange(1, 40, 2)}
    search = _Search(p, entropy(p), pools, {0: 5, 1: 3}, np.zeros(0, np.int64))
    begun = search.random(start)
    before = search.score(begun)
    after = search.improved(begun)
    assert search.score(after) >= before
    assert {kind: int(inside.sum()) for kind, inside in after.items()} == {0: 5, 1: 3}


@given(
    seed=st.integers(0, 1000),
    strategy=st.sampled_from(FILTERS),
    fixed=st.sets(st.integers(0, 59), max_size=6),
    forbidden=st.sets(st.integers(0, 59), max_size=20),
)
def test_published_sprites_stay_and_duplicates_are_never_chosen(
    seed: int, strategy: str, fixed: set[int], forbidden: set[int]
) -> None:
    p, kinds = posteriors(60, 2, seed), np.arange(60) % 2
    allowed = np.ones(60, bool)
    allowed[list(forbidden)] = False
    published = np.array(sorted(fixed), np.int64)
    known: dict[str, Any] = {"look": look(60, seed), "judged": judged(60, seed)}
    chosen = set(select(p, kinds, {0: 8, 1: 7}, strategy, published, allowed, **known).tolist())
    assert fixed <= chosen
    assert not (chosen - fixed) & forbidden
    assert sum(row % 2 for row in chosen) == 7
    assert len(chosen) == 15


def test_without_a_filter_the_first_ones_are_taken() -> None:
    assert select(posteriors(9, 3, 0), np.arange(9) % 3, {0: 1, 1: 2, 2: 3}, "none").tolist() == [0, 1, 2, 4, 5, 8]


def test_a_large_set_is_chosen_by_tangents_and_scores_as_high_as_by_exchanges(monkeypatch: pytest.MonkeyPatch) -> None:
    p, kinds = posteriors(480, 6, 1), np.arange(480) % 6
    quotas = dict.fromkeys(range(6), 20)
    exact = score_of(p[select(p, kinds, quotas, "is")])
    monkeypatch.setattr("asset_gen.select.LARGE", 100)
    chosen = select(p, kinds, quotas, "is")
    assert np.bincount(kinds[chosen]).tolist() == [20] * 6
    assert score_of(p[chosen]) > 0.99 * exact


@settings(max_examples=20)
@given(seed=st.integers(0, 1000), share=st.floats(0, 1))
def test_a_least_score_is_reached_with_the_same_quotas(seed: int, share: float) -> None:
    p, kinds = posteriors(80, 4, seed), np.arange(80) % 4
    quotas = dict.fromkeys(range(4), 10)
    first, best = (select(p, kinds, quotas, name) for name in ("none", "is"))
    low, high = score_by_splits(p, kinds, first), score_by_splits(p, kinds, best)
    least = low + share * (high - low)
    chosen = raised(p, kinds, first, best, least)
    assert score_by_splits(p, kinds, chosen) >= least
    assert np.bincount(kinds[chosen]).tolist() == [10] * 4
    assert inception_score(p[chosen[np.argsort(kinds[chosen], kind="stable")]])[0] >= least
    assert set(chosen.tolist()) <= set(first.tolist()) | set(best.tolist())


def test_a_set_that_scores_enough_stays_and_more_than_the_greatest_score_is_refused() -> None:
    p, kinds = posteriors(200, 4, 0), np.arange(200) % 4
    first, best = (select(p, kinds, dict.fromkeys(range(4), 10), name) for name in ("none", "is"))
    assert raised(p, kinds, first, best, 1.0) is first
    with pytest.raises(ValueError, match=r"the greatest Inception Score is [0-9.]+$"):
        raised(p, kinds, first, best, 4.1)


def test_top_p_takes_the_surest_of_each_type() -> None:
    p, kinds = posteriors(30, 3, 2), np.arange(30) % 3
    chosen = select(p, kinds, dict.fromkeys(range(3), 2), "top-p")
    for kind in range(3):
        mine = np.flatnonzero(kinds == kind)
        assert set(chosen[kinds[chosen] == kind]) == set(mine[np.argsort(-p[mine, kind])[:2]])


def test_the_critic_lets_through_what_it_takes_for_real_and_judges_each_type_alone() -> None:
    p, kinds = posteriors(400, 2, 0), np.arange(400) % 2
    logits, luck = judged(400, 0)
    logits[kinds == 1] -= 100  # it likes none of a whole type, which gets its quota all the same
    chosen = select(p, kinds, {0: 40, 1: 60}, "critic", judged=(logits, luck))
    assert np.bincount(kinds[chosen]).tolist() == [40, 60]
    for kind in (0, 1):
        mine, kept = logits[kinds == kind], logits[chosen[kinds[chosen] == kind]]
        assert kept.mean() > mine.mean() + mine.std() / 2
        assert kept.min() < np.sort(mine)[-len(kept)]  # by luck, too, not the greatest alone


def test_too_few_candidates_are_refused() -> None:
    with pytest.raises(ValueError, match="type 0 has 2 candidates for 3 slots"):
        select(posteriors(4, 2, 0), np.array([0, 0, 1, 1]), {0: 3, 1: 1})


def test_more_published_sprites_than_slots_and_unknown_filters_are_refused() -> None:
    with pytest.raises(ValueError, match="type 0 has 1 candidates for -1 slots"):
        select(posteriors(3, 2, 0), np.zeros(3, np.int64), {0: 1}, fixed=np.array([0, 1]))
    with pytest.raises(ValueError, match="unknown filter 'best'; known: set, critic, is, top-p, none"):
        select(posteriors(3, 2, 0), np.zeros(3, np.int64), {0: 1}, "best")


def test_near_duplicates_are_found_mirrored_too_and_different_sprites_are_not() -> None:
    sprites = np.stack([creature(kind, 0) for kind in KINDS] + [creature("flask", 0)[:, ::-1], creature("beetle", 0)])
    sprites[5, 16, 16, 0] ^= 8  # a hardly visible difference
    first = near_duplicates(thumbnails(sprites))
    assert first.tolist() == [-1, -1, -1, -1, KINDS.index("flask"), KINDS.index("beetle")]


@given(seed=st.integers(0, 1000), spread=st.integers(1, 40))
def test_originals_are_apart_and_every_duplicate_is_near_the_one_it_names(seed: int, spread: int) -> None:
    noise = np.random.default_rng(seed).integers(0, spread, (40, 256))
    thumbs = np.asarray(100 + noise, np.uint8)
    first = near_duplicates(thumbs)
    mirrored = thumbs.reshape(40, 8, 8, 4)[:, :, ::-1].reshape(40, 256)

    def distance(a: np.intp, b: np.intp) -> float:
        views = ((thumbs[a] / 255 - view[b] / 255) for view in (thumbs, mirrored))
        return min(float(np.sqrt((view**2).mean())) for view in views)

    originals = np.flatnonzero(first < 0)
    assert originals[0] == 0
    for number, row in enumerate(originals):
        assert all(distance(row, other) > NEAR - 1e-4 for other in originals[:number])
    for row in np.flatnonzero(first >= 0):
        assert first[row] in originals
        assert first[row] < row
        assert distance(row, first[row]) <= NEAR + 1e-4


def test_a_thumbnail_is_the_premultiplied_mean_of_its_block() -> None:
    sprite = np.zeros((1, 32, 32, 4), np.uint8)
    sprite[0, :4, :2] = (200, 100, 50, 255)  # half of the first of 8 × 8 blocks
    sprite[0, :4, 2:4] = (255, 255, 255, 0)  # colour that doesn't show
    assert thumbnails(sprite).reshape(8, 8, 4)[0, 0].tolist() == [100, 50, 25, 128]
    assert not thumbnails(sprite)[0, 4:].any()
    assert thumbnails(np.full((1, 20, 20, 4), 255, np.uint8)).tolist() == [[255] * 256]  # not a multiple of 8
