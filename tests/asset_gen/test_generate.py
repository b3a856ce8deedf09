"""A sprite depends on the model, its seed, type and index, and on nothing else."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from asset_gen.bundle import load_bundle
from asset_gen.generate import Wanted, generate
from asset_gen.latents import latents
from asset_gen.runtime import Session, open_session
from tests.fakes import Painter, bundle_info


def drawn(session: Session, wanted: Wanted, batch: int = 64, seed: int = 0, **changes: object) -> NDArray[np.uint8]:
    """All sprites of several batches."""
    return np.concatenate([b.sprites for b in generate(session, bundle_info(**changes), seed, wanted, batch)])


@given(st.lists(st.tuples(st.integers(0, 2), st.integers(0, 50)), min_size=1, max_size=20), st.integers(1, 9))
def test_a_sprite_is_the_same_alone_and_among_others(asked: list[tuple[int, int]], batch: int) -> None:
    wanted = Wanted(np.array([kind for kind, _ in asked]), np.array([index for _, index in asked]))
    together = drawn(Painter(), wanted, batch)
    for row in range(len(wanted)):
        alone = Wanted(wanted.kinds[row : row + 1], wanted.indices[row : row + 1])
        assert np.array_equal(drawn(Painter(), alone, batch)[0], together[row])


def test_every_call_of_the_network_has_the_same_shape() -> None:
    painter = Painter()
    wanted = Wanted(np.zeros(10, np.int64), np.arange(10))
    batches = list(generate(painter, bundle_info(), 0, wanted, batch=4))
    assert painter.calls == [{"z": (4, 12), "label": (4, 3)}] * 3
    assert [(b.rows, len(b.sprites)) for b in batches] == [(slice(0, 4), 4), (slice(4, 8), 4), (slice(8, 10), 2)]


class Listener(Painter):
    """Remembers what it was last asked for."""

    def run(self, **inputs: NDArray[np.float32]) -> NDArray[np.float32]:
        self.heard = inputs
        return super().run(**inputs)


def test_padded_rows_can_be_normalised_like_others() -> None:
    listener = Listener()
    drawn(listener, Wanted(np.array([0]), np.array([0])))  # a generator divides latents by their length
    assert np.square(listener.heard["z"]).sum(axis=1).min() > 0


def test_the_network_is_asked_for_the_types_latent_and_one_hot_label() -> None:
    listener = Listener()
    drawn(listener, Wanted(np.array([2, 0]), np.array([5, 5])), batch=2, seed=3)
    assert np.array_equal(listener.heard["z"][0], latents(3, "owl", np.array([5]), 12)[0])
    assert np.array_equal(listener.heard["z"][1], latents(3, "bat", np.array([5]), 12)[0])
    assert listener.heard["label"].tolist() == [[0, 0, 1], [1, 0, 0]]


def test_a_generator_without_types_is_given_the_latents_of_the_seed_alone() -> None:
    painter = Painter()
    first = drawn(painter, Wanted(np.array([0, 0]), np.array([4, 5])), conditional=False)
    assert painter.calls == [{"z": (64, 12)}]
    other = drawn(painter, Wanted(np.array([2, 1]), np.array([4, 5])), conditional=False)
    assert np.array_equal(first, other)


def test_white_is_keyed_out_of_a_generator_without_alpha_and_the_classifier_sees_that() -> None:
    class OnWhite(Painter):
        def run(self, **inputs: NDArray[np.float32]) -> NDArray[np.float32]:
            pictures = super().run(**inputs)
            outside = np.broadcast_to(pictures[:, 3:] < 0, pictures.shape)
            pictures[outside] = 1
            return pictures

    wanted = Wanted(np.array([0]), np.array([0]))
    (keyed,) = generate(OnWhite(), bundle_info(alpha="none"), 0, wanted)
    (plain,) = generate(Painter(), bundle_info(), 0, wanted)
    assert np.array_equal(keyed.sprites, plain.sprites)
    assert keyed.rgba == pytest.approx(plain.rgba, abs=1 / 100)


def test_nothing_wanted_is_nothing_drawn() -> None:
    assert list(generate(Painter(), bundle_info(), 0, Wanted(np.zeros(0, np.int64), np.zeros(0, np.int64)))) == []


def test_a_real_networks_sprite_is_the_same_in_the_first_and_in_a_padded_batch(bundle: Path) -> None:
    loaded = load_bundle(bundle)
    session = open_session(loaded.generator, "cpu")
    kinds, indices = np.arange(70) % 4, np.arange(70) // 4
    together = np.concatenate([b.sprites for b in generate(session, loaded.info, 0, Wanted(kinds, indices))])
    for row in (0, 65):
        (alone,) = generate(session, loaded.info, 0, Wanted(kinds[row : row + 1], indices[row : row + 1]))
        assert np.array_equal(alone.sprites[0], together[row])
