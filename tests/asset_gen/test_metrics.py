"""Figures agree with their closed forms."""

from __future__ import annotations

import numpy as np
import pytest

from asset_gen.metrics.copies import copy_limit, share_of_copies
from asset_gen.metrics.fid import frechet_distance
from asset_gen.metrics.kid import kernel_distance
from asset_gen.metrics.prdc import precision_recall
from tests.creatures import KINDS, creature

CHANCE = np.random.default_rng(0)


def test_fid_of_two_gaussians_is_the_closed_form() -> None:
    a = CHANCE.standard_normal((200_000, 2)) * [1, 3] + [0, 5]
    b = CHANCE.standard_normal((200_000, 2)) * [2, 3] + [4, 5]
    assert frechet_distance(a, b) == pytest.approx(4**2 + (1 - 2) ** 2, rel=0.02)
    assert frechet_distance(a, a) == pytest.approx(0, abs=1e-6)


def test_kid_is_the_unbiased_estimate_of_equation_4() -> None:
    a, b = CHANCE.standard_normal((7, 3)), CHANCE.standard_normal((5, 3)) + 1

    def kernel(x: np.ndarray, y: np.ndarray) -> float:
        return float((x @ y / 3 + 1) ** 3)

    def mean(pairs: list[float]) -> float:
        return sum(pairs) / len(pairs)

    expected = (
        mean([kernel(x, y) for i, x in enumerate(a) for j, y in enumerate(a) if i != j])
        + mean([kernel(x, y) for i, x in enumerate(b) for j, y in enumerate(b) if i != j])
        - 2 * mean([kernel(x, y) for x in a for y in b])
    )
    assert kernel_distance(a, b) == pytest.approx(expected)


def test_kid_of_equal_distributions_is_about_0() -> None:
    a, b = CHANCE.standard_normal((2, 3000, 8))
    assert abs(kernel_distance(a, b)) < 0.02
    assert kernel_distance(a, b + 0.5) > 0.2


def test_precision_and_recall_see_what_is_missing() -> None:
    left, right = CHANCE.standard_normal((2, 300, 2)) + [[[0, 0]], [[50, 0]]]
    both = np.concatenate([left, right])
    half = precision_recall(both, CHANCE.standard_normal((300, 2)))
    assert half.precision > 0.9  # all that is generated looks real
    assert half.recall == pytest.approx(0.5, abs=0.1)  # but half of what is real is never generated
    assert half.coverage == pytest.approx(0.5, abs=0.1)
    assert precision_recall(left, both).precision == pytest.approx(0.5, abs=0.1)


def test_too_few_sprites_are_refused() -> None:
    for metric in (kernel_distance, frechet_distance):
        with pytest.raises(ValueError, match="at least two"):
            metric(np.ones((1, 3)), np.ones((5, 3)))
    with pytest.raises(ValueError, match="more than 5"):
        precision_recall(np.ones((5, 3)), np.ones((9, 3)))


def test_planted_copies_are_found_mirrored_too() -> None:
    training = np.stack([creature(kind, seed) for kind in KINDS for seed in range(20)])
    fresh = np.stack([creature(kind, seed) for kind in KINDS for seed in range(100, 105)])
    fresh[:, 14:18, 14:18, :3] ^= 0x55  # so that no simple shape is a copy by chance
    assert copy_limit(training) > 0
    assert share_of_copies(fresh, training) == 0
    planted = np.concatenate([fresh[:10], training[:5], training[40:45, :, ::-1]])
    assert share_of_copies(planted, training) == pytest.approx(0.5)
