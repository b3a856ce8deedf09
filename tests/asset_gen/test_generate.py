"""A sprite depends on the model, its seed, type and index, and on nothing else."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from asset_gen.bundle import load_bundle
from asset_gen.generate import Wanted, generate
from asset_gen.latents import latents
from asset_gen.runtime import open_session


def test_a_latent_is_the_same_in_any_company() -> None:
    many = latents(7, "dragon", np.arange(100), 128)
    assert np.array_equal(latents(7, "dragon", np.array([42]), 128)[0], many[42])
    assert np.array_equal(latents(7, "dragon", np.array([99, 3, 4, 50]), 128), many[[99, 3, 4, 50]])


def test_latents_differ_by_seed_and_type() -> None:
    rows = [latents(seed, kind, np.arange(5), 16) for seed in (0, 1) for kind in ("", "dragon", "potion")]
    assert len({row.tobytes() for row in rows}) == len(rows)


GOLDEN = [-0.2598554, -1.3163277, 2.4445908, -0.6183286]


def test_latents_are_the_published_ones() -> None:
    found = latents(0, "dragon", np.array([0]), 128)[0, :4]
    assert found == pytest.approx(GOLDEN, abs=1e-6)


def test_latents_are_standard_normal() -> None:
    z = latents(0, "dragon", np.arange(4000), 64)
    assert abs(z.mean()) < 0.01
    assert abs(z.std() - 1) < 0.01
    assert abs((z**4).mean() - 3) < 0.1
    assert abs(np.corrcoef(z[:, 0], z[:, 1])[0, 1]) < 0.05


@pytest.mark.parametrize("size", [1, 3, 64, 100])
def test_any_latent_size_is_served(size: int) -> None:
    assert latents(0, "", np.arange(3), size).shape == (3, size)


def test_a_sprite_is_the_same_alone_and_among_others(bundle: Path) -> None:
    loaded = load_bundle(bundle)
    session = open_session(loaded.generator, "cpu")
    kinds, indices = np.arange(70) % 4, np.arange(70) // 4
    batches = list(generate(session, loaded.info, 0, Wanted(kinds, indices)))
    assert [drawn.rows for drawn in batches] == [slice(0, 64), slice(64, 70)]
    together = np.concatenate([drawn.sprites for drawn in batches])
    (alone,) = generate(session, loaded.info, 0, Wanted(kinds[65:66], indices[65:66]))
    assert np.array_equal(alone.sprites[0], together[65])
