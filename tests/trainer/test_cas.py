"""What generated sprites teach is measured on real ones that nobody learnt from."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from asset_gen import pixels
from tests.creatures import KINDS, creature
from trainer import cas, classifier
from trainer.cas import AccuracyScore, AccuracyTest
from trainer.classifier import hold_out
from trainer.dataset import Dataset

FIRST_TYPES = np.repeat(np.arange(4), 20)
LABELS = np.eye(4, dtype=np.float32)[FIRST_TYPES]
REAL = Dataset(
    sprites=np.stack([creature(kind, seed) for kind in KINDS for seed in range(20)]),
    labels=LABELS,
    first_types=FIRST_TYPES,
    types={kind: kind for kind in KINDS},
    files=[f"{kind}{seed}.png" for kind in KINDS for seed in range(20)],
)
GENERATED = np.stack([creature(kind, seed) for kind in KINDS for seed in range(100, 120)])


@pytest.fixture(autouse=True)
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(classifier, "STEPS", (40, 40))


def test_good_sprites_teach_as_much_as_real_ones_and_shuffled_types_teach_nothing() -> None:
    test = AccuracyTest(REAL)
    good = test.score(GENERATED, LABELS)
    assert good.real >= 0.75
    assert good.ratio >= 0.8
    assert (good.sprites, good.held_out) == (80, 16)
    wrong = test.score(GENERATED, np.roll(LABELS, 1, axis=1))  # each type called by its neighbour's name
    assert wrong.generated <= 0.25
    assert wrong.real == good.real


def test_the_split_is_the_classifiers_and_held_out_sprites_teach_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    learnt: list[torch.Tensor] = []

    def spy(pictures: torch.Tensor, labels: torch.Tensor, seed: int) -> torch.nn.Module:
        learnt.append(pictures)
        assert seed == 7
        return torch.nn.Sequential(torch.nn.Flatten(), torch.nn.LazyLinear(4))

    monkeypatch.setattr(cas, "fit", spy)
    test = AccuracyTest(REAL, seed=7)
    held = hold_out(FIRST_TYPES, 7)
    for _ in range(2):
        test.score(GENERATED, LABELS)
    expected = [pixels.as_drawn(sprites, alpha=True) for sprites in (GENERATED, REAL.sprites[~held], GENERATED)]
    assert [len(pictures) for pictures in learnt] == [80, 64, 80]  # the real part once
    for pictures, drawn in zip(learnt, expected, strict=True):
        assert np.array_equal(pictures.numpy(), drawn)


def test_the_same_seed_gives_the_same_score(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(classifier, "STEPS", (4, 4))
    assert AccuracyTest(REAL).score(GENERATED, LABELS) == AccuracyTest(REAL).score(GENERATED, LABELS)


def test_the_ratio_is_a_share_of_what_real_sprites_teach() -> None:
    score = AccuracyScore(generated=0.3, real=0.6, sprites=80, held_out=16)
    assert score.ratio == pytest.approx(0.5)
    assert score.as_dict() == {"generated": 0.3, "real": 0.6, "sprites": 80, "held_out": 16, "ratio": score.ratio}
    assert AccuracyScore(generated=0.3, real=0, sprites=80, held_out=16).ratio == 0


def test_what_cannot_be_compared_is_refused() -> None:
    test = AccuracyTest(REAL)
    with pytest.raises(ValueError, match="63 sprites are fewer than the 64 real ones"):
        test.score(GENERATED[:63], LABELS[:63])
    with pytest.raises(ValueError, match="of 64 px can't teach about sprites of 32 px"):
        test.score(GENERATED.repeat(2, axis=1).repeat(2, axis=2), LABELS)
    lonely = Dataset(sprites=REAL.sprites[:4], labels=LABELS[:4], first_types=np.arange(4), types=REAL.types, files=[])
    with pytest.raises(ValueError, match="at least five"):
        AccuracyTest(lonely)
