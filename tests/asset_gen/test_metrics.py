"""Figures agree with their closed forms, and with slower ways to compute them."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from asset_gen.metrics import fid, kid, prdc
from asset_gen.metrics.copies import copy_limit, nearest_neighbours, share_of_copies
from asset_gen.metrics.fid import frechet_distance
from asset_gen.metrics.inception_score import SplitScores, entropy, inception_score, parts_of, score_of, softmax
from asset_gen.metrics.kid import kernel_distance, kernel_distance_in_blocks
from asset_gen.metrics.prdc import Prdc, distances, precision_recall
from tests.creatures import KINDS, creature


def gaussian(seed: int, *shape: int) -> NDArray[np.float64]:
    """Standard normal numbers."""
    return np.random.default_rng(seed).standard_normal(shape)


@pytest.mark.parametrize("classes", [2, 5, 18])
def test_the_inception_score_has_its_closed_forms(classes: int) -> None:
    assert score_of(np.full((10, classes), 1 / classes)) == pytest.approx(1)  # the classifier knows nothing
    assert score_of(np.eye(classes)[np.zeros(10, int)]) == pytest.approx(1)  # or all sprites are of one class
    assert score_of(np.eye(classes)) == pytest.approx(classes)  # sure of each, and all classes occur
    assert score_of(np.eye(classes)[:2]) == pytest.approx(2)


@given(st.integers(0, 1000), st.integers(1, 30), st.integers(2, 10), st.floats(0.1, 20))
def test_the_inception_score_is_the_exponential_of_the_mean_divergence(
    seed: int, count: int, classes: int, sharpness: float
) -> None:
    powers = np.exp(sharpness * gaussian(seed, count, classes))
    p = powers / powers.sum(axis=1, keepdims=True)
    divergence = (p * np.log(np.maximum(p, 1e-300) / p.mean(axis=0))).sum(axis=1)
    assert score_of(p) == pytest.approx(np.exp(divergence.mean()))
    assert 1 - 1e-9 <= score_of(p) <= classes + 1e-9


def test_exact_zeros_make_no_nan() -> None:
    assert entropy(np.array([[1.0, 0.0], [0.5, 0.5]])).tolist() == pytest.approx([0, np.log(2)])
    assert np.isfinite(inception_score(np.eye(3)[np.arange(30) % 3])).all()


def test_probabilities_of_huge_logits_are_finite() -> None:
    p = softmax(np.array([[1e4, -1e4, 0], [0, 0, 0]], np.float32))
    assert p.tolist() == [[1, 0, 0], pytest.approx([1 / 3] * 3)]
    assert np.isfinite(score_of(p))


def test_sorted_sprites_are_shuffled_before_they_are_split() -> None:
    p = np.repeat(np.eye(10), 50, axis=0)
    assert np.mean([score_of(part) for part in np.array_split(p, 10)]) == pytest.approx(1)  # split as they come
    mean, deviation = inception_score(p, splits=10)
    assert mean > 9
    assert deviation < 0.5
    assert inception_score(p, splits=10) == (mean, deviation)


def test_fewer_sprites_than_splits_are_refused() -> None:
    with pytest.raises(ValueError, match="9 sprites are fewer than 10 splits"):
        inception_score(np.eye(9))


def test_fid_of_two_gaussians_is_the_closed_form() -> None:
    a = gaussian(0, 200_000, 2) * [1, 3] + [0, 5]
    b = gaussian(1, 200_000, 2) * [2, 3] + [4, 5]
    assert frechet_distance(a, b) == pytest.approx(4**2 + (1 - 2) ** 2, rel=0.02)


def test_fid_of_a_shifted_copy_is_the_squared_shift() -> None:
    a = gaussian(0, 50, 6) @ gaussian(1, 6, 6)
    assert frechet_distance(a, a) == pytest.approx(0, abs=1e-6)
    assert frechet_distance(a, a + np.array([3, 0, 4, 0, 0, 0])) == pytest.approx(25, abs=1e-6)
    assert frechet_distance(a, 3 * a) == pytest.approx(
        4 * (np.square(a.mean(axis=0)).sum() + np.trace(np.cov(a, rowvar=False)))
    )


@given(st.integers(0, 1000), st.integers(1, 8))
def test_fid_agrees_with_the_eigenvalues_of_the_product_of_covariances(seed: int, width: int) -> None:
    a, b = gaussian(seed, 20, width) @ gaussian(seed + 1, width, width), gaussian(seed + 2, 30, width)
    cov_a, cov_b = (np.atleast_2d(np.cov(x, rowvar=False)) for x in (a, b))
    roots = np.sqrt(np.maximum(np.linalg.eigvals(cov_a @ cov_b).real, 0)).sum()  # not symmetric: another way
    shift = np.square(a.mean(axis=0) - b.mean(axis=0)).sum()
    expected = shift + np.trace(cov_a) + np.trace(cov_b) - 2 * roots
    assert frechet_distance(a, b) == pytest.approx(expected, rel=1e-5, abs=1e-5)


def test_fid_bears_fewer_sprites_than_features() -> None:
    a, b = gaussian(0, 5, 40), gaussian(1, 6, 40)
    assert np.isfinite(frechet_distance(a, b))
    assert frechet_distance(a, b) == pytest.approx(frechet_distance(b, a))


def test_kid_is_the_unbiased_estimate_of_equation_4() -> None:
    a, b = gaussian(0, 7, 3), gaussian(1, 5, 3) + 1

    def kernel(x: NDArray[np.float64], y: NDArray[np.float64]) -> float:
        return float((x @ y / 3 + 1) ** 3)

    def mean(pairs: list[float]) -> float:
        return sum(pairs) / len(pairs)

    expected = (
        mean([kernel(x, y) for i, x in enumerate(a) for j, y in enumerate(a) if i != j])
        + mean([kernel(x, y) for i, x in enumerate(b) for j, y in enumerate(b) if i != j])
        - 2 * mean([kernel(x, y) for x in a for y in b])
    )
    assert kernel_distance(a, b) == pytest.approx(expected)


def test_kid_of_equal_distributions_is_about_0_and_grows_with_a_shift() -> None:
    a, b = gaussian(2, 2, 3000, 8)
    assert abs(kernel_distance(a, b)) < 0.02
    assert kernel_distance(a, b + 0.5) > 0.2
    assert kernel_distance(a, b + 1) > kernel_distance(a, b + 0.5)


def test_kid_does_not_depend_on_the_block_it_is_summed_in(monkeypatch: pytest.MonkeyPatch) -> None:
    a, b = gaussian(0, 23, 4), gaussian(1, 31, 4)
    whole = kernel_distance(a, b)
    monkeypatch.setattr(kid, "BLOCK", 7)
    assert kernel_distance(a, b) == pytest.approx(whole)


@given(st.integers(1, 90), st.integers(0, 10))
def test_kid_in_blocks_uses_every_sprite_and_stays_near_that_of_the_whole(rows: int, seed: int) -> None:
    a, b = gaussian(0, 200, 8), gaussian(1, 90, 8) + 1
    found, blocks = kernel_distance_in_blocks(a, b, 10 + rows, seed)
    assert blocks == -(-200 // (10 + rows))
    assert found == pytest.approx(kernel_distance(a, b), rel=0.3)
    assert kernel_distance_in_blocks(a, b, 200, seed) == (pytest.approx(kernel_distance(a, b)), 1)


@pytest.mark.parametrize("rows", [1, 7, 1000])
def test_figures_of_neighbours_do_not_depend_on_the_block_they_are_sought_in(
    rows: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, fake = gaussian(0, 40, 3), gaussian(1, 30, 3) + 0.5
    whole = precision_recall(real, fake)
    monkeypatch.setattr(prdc, "BLOCK", rows)
    assert precision_recall(real, fake) == whole
    monkeypatch.setattr(fid, "BLOCK", rows)
    assert frechet_distance(real, fake) == pytest.approx(
        float(np.square(real.mean(axis=0) - fake.mean(axis=0)).sum())
        + frechet_distance(real - real.mean(axis=0), fake - fake.mean(axis=0))
    )


@given(st.integers(1, 12), st.integers(0, 60), st.integers(1, 9))
def test_a_score_of_batches_is_that_of_the_whole(splits: int, more: int, batch: int) -> None:
    count = splits + more
    powers = np.exp(3 * gaussian(more, count, 5))
    p = powers / powers.sum(axis=1, keepdims=True)
    members = np.zeros(count + 7, bool)
    members[np.random.default_rng(batch).permutation(count + 7)[:count]] = True
    everything = np.full((count + 7, 5), 0.2)
    everything[members] = p
    scores = SplitScores(members, 5, splits, seed=2)
    for start in range(0, count + 7, batch):
        rows = slice(start, start + batch)
        scores.add(rows, everything[rows])
    assert scores.figure() == pytest.approx(inception_score(p, splits, seed=2))


def test_splits_begin_where_those_of_pytorch_gan_metrics_begin() -> None:
    parts = parts_of(13, 3)
    assert np.bincount(parts).tolist() == [4, 4, 5]  # 0, 13 // 3, 26 // 3; equal parts would be 5, 4, 4
    assert np.array_equal(parts, parts_of(13, 3))
    assert not np.array_equal(parts, parts_of(13, 3, seed=1))


def scattered(start: int) -> NDArray[np.float64]:
    """[120, 16] numbers in [0, 1) that depend on no library's random generator (Knuth's multiplicative hash)."""
    numbers = np.arange(start, start + 120 * 16, dtype=np.uint64) * np.uint64(2654435761) % np.uint64(2**32)
    return (numbers / 2**32).reshape(120, 16)


def test_kid_and_fid_are_those_of_torch_fidelity_on_the_same_features() -> None:
    """torch-fidelity imports torchvision, whose published wheels don't load beside a CPU build of torch; so it isn't
    installed with assetgen's tests. Its figures come from an environment of its own, with torch-fidelity 0.4.0,
    torch 2.13.0 and torchvision 0.28.0, and ``a``, ``b`` as float64 tensors of what is below:

        kid_features_to_metric(a, b, kid_subsets=1, kid_subset_size=120, verbose=False)
        kid_features_to_metric(a, b, kid_subsets=1000, kid_subset_size=60, verbose=False)
        fid_statistics_to_metric(fid_features_to_statistics(a), fid_features_to_statistics(b), False)

    from ``torch_fidelity.metric_kid`` and ``torch_fidelity.metric_fid``, after (for a CPU build)
    ``sys.modules["torchvision._meta_registrations"] = types.ModuleType("none")``.
    """
    a, b = scattered(1) ** 2, scattered(9001) + 0.25 * scattered(9001)[:, ::-1]
    assert kernel_distance(a, b) == pytest.approx(0.5374129250574375, rel=1e-12)
    subsets = 0.537299435332267, 0.01587192804527758  # mean and deviation of subsets, as KID is often reported
    assert kernel_distance(a, b) == pytest.approx(subsets[0], abs=3 * subsets[1] / np.sqrt(1000))
    assert frechet_distance(a, b) == pytest.approx(1.5917931146289686, rel=1e-6)  # it iterates to the matrix's root


def test_precision_recall_density_and_coverage_of_five_points_on_a_line() -> None:
    real = np.array([[0.0], [1.0], [3.0], [7.0]])  # nearest neighbours at 1, 1, 2, 4
    fake = np.array([[0.5], [2.0], [20.0]])  # nearest neighbours at 1.5, 1.5, 18
    found = precision_recall(real, fake, neighbours=1)
    assert found.precision == pytest.approx(2 / 3)  # 20 lies in no ball
    assert found.density == pytest.approx((2 + 1 + 0) / 3)  # 0.5 in those of 0 and 1; 2 in that of 3 alone
    assert found.recall == pytest.approx(4 / 4)  # 0 and 1 lie in that of 0.5, 3 in that of 2, 7 in that of 20
    assert found.coverage == pytest.approx(3 / 4)  # nothing was generated within 4 of 7


def test_precision_and_recall_see_what_is_missing() -> None:
    left, right, fresh = gaussian(3, 3, 300, 2) + np.array([[[0, 0]], [[50, 0]], [[0, 0]]])
    both = np.concatenate([left, right])
    half = precision_recall(both, fresh)
    assert half.precision > 0.9  # all that is generated looks real
    assert half.recall == pytest.approx(0.5, abs=0.1)  # but half of what is real is never generated
    assert half.coverage == pytest.approx(0.5, abs=0.1)
    assert precision_recall(left, both).precision == pytest.approx(0.5, abs=0.1)


def test_equal_sets_are_perfect_and_far_ones_share_nothing() -> None:
    cloud = gaussian(0, 50, 3)
    same = precision_recall(cloud, cloud, neighbours=3)
    assert (same.precision, same.recall, same.coverage) == (1, 1, 1)
    assert precision_recall(cloud, cloud + 100) == Prdc(0, 0, 0, 0)


def test_density_counts_the_balls_that_a_sprite_lies_in() -> None:
    ring = np.exp(2j * np.pi * np.arange(6) / 6)  # the two neighbours of each corner of a hexagon are 1 away
    real = np.stack([ring.real, ring.imag], axis=1)
    fake = np.array([[0.5, 0], [0.9, 0], [9, 0]])
    found = precision_recall(real, fake, neighbours=2)
    assert found.precision == pytest.approx(2 / 3)
    assert found.density == pytest.approx((3 + 3 + 0) / 3 / 2)  # each of the first two lies in three balls
    assert found.coverage == pytest.approx(3 / 6)


@given(st.integers(0, 1000), st.floats(0, 30))
def test_distances_are_euclidean(seed: int, offset: float) -> None:
    a, b = gaussian(seed, 4, 5) + offset, gaussian(seed + 1, 6, 5) + offset
    expected = np.linalg.norm(a[:, None] - b[None], axis=2)
    assert distances(a, b) == pytest.approx(expected, abs=0.02)


def test_too_few_sprites_are_refused() -> None:
    for metric in (kernel_distance, frechet_distance):
        for a, b in ((1, 5), (5, 1)):
            with pytest.raises(ValueError, match="at least two"):
                metric(np.ones((a, 3)), np.ones((b, 3)))
    with pytest.raises(ValueError, match="more than 5"):
        precision_recall(np.ones((5, 3)), np.ones((9, 3)))


TRAINING = np.stack([creature(kind, seed) for kind in KINDS for seed in range(20)])


def test_planted_copies_are_found_mirrored_too() -> None:
    fresh = np.stack([creature(kind, seed) for kind in KINDS for seed in range(100, 105)])
    fresh[:, 14:18, 14:18, :3] ^= 0x55  # so that no simple shape is a copy by chance
    assert copy_limit(TRAINING) > 0
    assert share_of_copies(fresh, TRAINING) == 0
    planted = np.concatenate([fresh[:10], TRAINING[:5], TRAINING[40:45, :, ::-1]])
    assert share_of_copies(planted, TRAINING) == pytest.approx(0.5)


def test_copies_are_found_at_another_size_too() -> None:
    large = TRAINING.repeat(2, axis=1).repeat(2, axis=2)
    assert copy_limit(large) == pytest.approx(copy_limit(TRAINING), abs=1e-3)
    assert share_of_copies(large[::7], TRAINING) == 1


def test_the_copy_limit_is_the_first_percentile_of_nearest_neighbours_in_premultiplied_colour() -> None:
    def premultiplied(sprite: NDArray[np.uint8]) -> NDArray[np.float64]:
        shares = sprite / 255
        return shares * np.where(np.arange(4) < 3, shares[..., 3:], 1)

    def apart(one: NDArray[np.uint8], other: NDArray[np.uint8]) -> float:
        views = premultiplied(other), premultiplied(other[:, ::-1])
        return float(min(np.sqrt(np.square(premultiplied(one) - view).mean()) for view in views))

    few = TRAINING[::4]
    nearest = [min(apart(one, other) for j, other in enumerate(few) if j != i) for i, one in enumerate(few)]
    assert copy_limit(few) == pytest.approx(np.percentile(nearest, 1), abs=1e-4)
    assert share_of_copies(few, few, limit=0) == 0  # a limit that is given is the one that counts


def test_colour_under_full_transparency_makes_no_difference_to_copies() -> None:
    hidden = TRAINING[:8].copy()
    hidden[..., :3] = np.where(hidden[..., 3:] == 0, 200, hidden[..., :3])
    assert (hidden != TRAINING[:8]).any()
    assert share_of_copies(hidden, TRAINING) == 1


def test_copies_are_found_even_if_the_training_set_repeats_itself() -> None:
    twice = np.concatenate([TRAINING, TRAINING])
    assert share_of_copies(TRAINING[:8], twice) == 1


def test_neighbours_are_the_nearest_training_sprites_mirrored_ones_too() -> None:
    sprites = np.stack([TRAINING[7], TRAINING[40][:, ::-1]])
    found = nearest_neighbours(sprites, TRAINING, 3)
    assert found.rows.shape == found.distances.shape == found.mirrored.shape == (2, 3)
    assert list(found.rows[:, 0]) == [7, 40]
    assert list(found.mirrored[:, 0]) == [False, True]
    assert found.distances[:, 0] == pytest.approx(0, abs=1e-3)
    for row, sprite in enumerate(sprites):
        views = [TRAINING, TRAINING[:, :, ::-1]]
        each = [((rendered(sprite[None]) - rendered(view)) ** 2).mean(axis=(1, 2, 3)) ** 0.5 for view in views]
        assert found.distances[row] == pytest.approx(np.sort(np.minimum(*each))[:3], abs=1e-3)


def test_fewer_training_sprites_than_neighbours_are_all_shown() -> None:
    assert nearest_neighbours(TRAINING[:5], TRAINING[:2], 3).rows.shape == (5, 2)


def rendered(sprites: NDArray[np.uint8]) -> NDArray[np.float64]:
    """Premultiplied, 0–1."""
    scaled = sprites / 255.0
    return np.asarray(np.concatenate([scaled[..., :3] * scaled[..., 3:], scaled[..., 3:]], axis=3))
