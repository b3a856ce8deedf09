"""A latent belongs to (seed, type, index), whatever else is drawn, on any machine."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from asset_gen.latents import latents

ALL = latents(7, "dragon", np.arange(200), 100)


@given(st.lists(st.integers(0, 199), max_size=40))
def test_a_row_is_the_same_in_any_company_and_order(indices: list[int]) -> None:
    assert np.array_equal(latents(7, "dragon", np.array(indices, np.int64), 100), ALL[indices])


def test_latents_differ_by_seed_and_type() -> None:
    rows = [latents(seed, kind, np.arange(5), 16) for seed in (0, 1) for kind in ("", "dragon", "potion")]
    assert len({row.tobytes() for row in rows}) == len(rows)


@pytest.mark.parametrize(
    ("seed", "kind", "index", "first"),
    [
        (0, "dragon", 0, [-0.2598554, -1.3163277, 2.4445908, -0.6183286]),
        (0, "dragon", 1_000_000, [-0.6259169, 0.2104141, 0.1436737, -1.716468]),
        (42, "", 3, [0.7771598, 0.985827, 0.2838781, -2.5859931]),
    ],
)
def test_latents_are_the_published_ones(seed: int, kind: str, index: int, first: list[float]) -> None:
    found = latents(seed, kind, np.array([index]), 128)[0, :4]
    assert found == pytest.approx(first, abs=1e-6)


def test_latents_are_standard_normal_and_uncorrelated() -> None:
    z = latents(0, "dragon", np.arange(4000), 64)
    assert z.dtype == np.float32
    assert abs(z.mean()) < 0.01
    assert abs(z.std() - 1) < 0.01
    assert abs((z**4).mean() - 3) < 0.1
    assert np.abs(np.corrcoef(z, rowvar=False) - np.eye(64)).max() < 0.08  # 5 σ of 4,000 rows
    assert abs(np.corrcoef(z[:-1, 0], z[1:, 0])[0, 1]) < 0.08
    other = latents(0, "potion", np.arange(4000), 64)
    assert abs(np.corrcoef(z[:, 0], other[:, 0])[0, 1]) < 0.08


@pytest.mark.parametrize("size", [1, 3, 64, 100])
def test_any_latent_size_is_served(size: int) -> None:
    assert latents(0, "", np.arange(3), size).shape == (3, size)
    assert latents(0, "", np.arange(0), size).shape == (0, size)
