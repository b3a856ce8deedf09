"""The discriminator lets candidates through in the proportions of real sprites, as many as are wanted."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from asset_gen.latents import chances, latents
from asset_gen.rejection import EPSILON, accepted, odds


@pytest.mark.parametrize("below", [0.01, 0.5, 1.0, 3.0, 10.0])
def test_without_gamma_the_chance_of_acceptance_is_the_ratio_of_the_densities_over_the_greatest(below: float) -> None:
    chance = 1 / (1 + np.exp(-odds(np.array([2.0, 2.0 - below]))))
    assert chance[1] == pytest.approx(np.exp(-below), rel=1e-4)
    assert chance[0] == pytest.approx(1 - EPSILON, abs=1e-7)


def test_odds_depend_on_differences_alone_and_are_finite_for_any_logits() -> None:
    logits = np.array([-1e4, -30.0, 0.0, 1e-9, 5.0, 5.0])
    assert np.allclose(odds(logits), odds(logits + 100))
    assert np.isfinite(odds(logits)).all()
    assert (np.diff(odds(logits)) >= 0).all()
    assert odds(np.zeros(0)).shape == (0,)


def test_what_is_accepted_has_the_proportions_of_real_sprites() -> None:
    """Of real sprites 60 % are of kind 0; of generated ones 20 %: D is log 3 and log ½, and a third of the generated
    ones (0.2 · 1 + 0.8 · ⅙) go through."""
    count = 60_000
    kind = (np.arange(count) % 5 > 0).astype(int)
    rows = accepted(np.log([3.0, 0.5])[kind], chances(1, "owl", np.arange(count)), count // 3)
    assert (kind[rows] == 0).mean() == pytest.approx(0.6, abs=0.01)
    more = accepted(np.log([3.0, 0.5])[kind], chances(1, "owl", np.arange(count)), count // 2)
    assert set(rows.tolist()) < set(more.tolist())  # a smaller γ lets more through, and the same ones again
    assert 0.2 < (kind[more] == 0).mean() < 0.6


def test_equal_logits_leave_it_to_luck_and_all_are_accepted_where_all_are_wanted() -> None:
    luck = np.array([0.9, 0.1, 0.5, 0.3])
    assert accepted(np.full(4, 7.0), luck, 3).tolist() == [1, 3, 2]
    assert sorted(accepted(np.array([1.0, 2.0, 3.0, 4.0]), luck, 4).tolist()) == [0, 1, 2, 3]
    assert accepted(np.zeros(0), np.zeros(0), 0).tolist() == []


@given(seed=st.integers(0, 1000), count=st.integers(0, 50))
def test_exactly_as_many_as_are_wanted_are_accepted(seed: int, count: int) -> None:
    chance = np.random.default_rng(seed)
    rows = accepted(chance.normal(0, 5, 50), chances(seed, "", np.arange(50)), count)
    assert len(set(rows.tolist())) == len(rows) == count


def test_luck_is_a_candidates_own_even_and_independent_of_its_latent() -> None:
    luck = chances(7, "dragon", np.arange(4000))
    assert np.array_equal(chances(7, "dragon", np.array([5, 3999, 0])), luck[[5, 3999, 0]])
    assert luck[:2] == pytest.approx([0.9965693872063027, 0.5865552316433958], abs=1e-12)
    assert 0 < luck.min() < luck.max() < 1
    assert np.abs(np.histogram(luck, 10, (0, 1))[0] - 400).max() < 100  # 5 σ
    for other in (chances(8, "dragon", np.arange(4000)), chances(7, "potion", np.arange(4000))):
        assert abs(np.corrcoef(luck, other)[0, 1]) < 0.08
    assert np.abs(np.corrcoef(np.column_stack([luck, latents(7, "dragon", np.arange(4000), 8)]).T)[0, 1:]).max() < 0.08
