"""A bundle that doesn't know its training sprites learns them, and stays the model it was."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import torch

from asset_gen.bundle import load_bundle
from asset_gen.pixels import as_drawn
from asset_gen.runtime import open_session
from exporter.feature_network import SIDE, Pretrained, write_features
from exporter.write_bundle import sprites_of
from tests.asset_gen.test_training_set import forget
from tests.conftest import Cli, files_of
from tests.creatures import KINDS, creature, write_set
from trainer.classifier import load_classifier
from trainer.config import load_config
from trainer.judge import EfficientNetFeatures

DRAWN = as_drawn(np.stack([creature(kind, seed) for kind in KINDS for seed in range(100, 103)]), alpha=True)


def test_a_calibrated_bundle_is_the_same_model_and_the_same_bytes_as_an_exported_one(
    cli: Cli, own_bundle: Path, sprites: Path
) -> None:
    whole, model = files_of(own_bundle), load_bundle(own_bundle).sha256
    forget(own_bundle)
    done = cli("calibrate", own_bundle, sprites)
    assert done.code == 0, done.err
    assert done.out == f"{own_bundle}: knows 40 training sprites by type classifier; model {model[:16]}, as before\n"
    assert load_bundle(own_bundle).sha256 == model
    assert files_of(own_bundle) == whole
    assert sorted(path.name for path in own_bundle.parent.iterdir()) == [own_bundle.name]


def test_other_sprites_than_those_of_the_training_are_refused(cli: Cli, own_bundle: Path, tmp_path: Path) -> None:
    before = files_of(own_bundle)
    done = cli("calibrate", own_bundle, write_set(tmp_path / "others", each=9))
    assert done.code == 2
    assert "36 sprites aren't the 40 that" in done.err
    assert files_of(own_bundle) == before


def test_sprites_that_changed_or_have_gone_are_not_remembered(finished_run: Path, tmp_path: Path) -> None:
    config, said = load_config(finished_run), list[str]()
    other = replace(config, sprites=str(write_set(tmp_path / "others", each=9)))
    gone = replace(config, sprites=str(tmp_path / "gone"))
    assert sprites_of(other, said.append) is sprites_of(gone, said.append) is None
    assert "the sprites have changed since the training" in said[0]
    assert "can't be read" in said[1]
    assert all("assetgen calibrate adds it" in notice for notice in said)
    assert sprites_of(config, said.append) is not None


def test_own_features_are_the_classifiers_last_maps(bundle: Path, finished_run: Path) -> None:
    network, _ = load_classifier(finished_run, 4, 32)
    with torch.no_grad():
        expected = network.embedding(torch.from_numpy(DRAWN)).numpy()
    found = open_session(bundle / "features.onnx", "cpu").run(rgba=DRAWN)
    assert np.abs(found - expected).max() <= 1e-5 * np.abs(expected).max() + 1e-5


def test_pretrained_features_are_efficientnets_and_half_as_large(bundle: Path, tmp_path: Path) -> None:
    path = tmp_path / "features.onnx"
    record = write_features("lite0", bundle / "classifier.onnx", 32, path)
    assert record.outside
    assert record.network.startswith("EfficientNet-Lite0 (ImageNet")
    with torch.no_grad():
        expected = Pretrained().eval()(torch.from_numpy(DRAWN)).numpy()
    found = open_session(path, "cpu").run(rgba=DRAWN)
    assert found.shape == (12, record.dimensions) == (12, 1280)
    off = np.linalg.norm(found - expected) / np.linalg.norm(expected)
    assert off < 0.01  # 16 bits a weight
    judge = EfficientNetFeatures("lite0")
    judge.side = SIDE
    sprites = np.stack([creature(kind, seed) for kind in KINDS for seed in range(100, 103)])
    off = np.linalg.norm(expected - judge.features(sprites)) / np.linalg.norm(expected)
    assert off < 0.01  # the judge rounds the flattened picture to bytes
    assert path.stat().st_size < 7_200_000
    onnx.checker.check_model(str(path), full_check=True)
