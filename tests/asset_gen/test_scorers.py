"""Networks say of sprites what PyTorch's say, and scores are those of the field's own packages."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch.nn import functional as F

from asset_gen import pixels
from asset_gen.bundle import BUILT_IN, load_bundle
from asset_gen.errors import DeviceError, ModelError, UsageError
from asset_gen.metrics.fid import frechet_distance
from asset_gen.metrics.inception_score import inception_score, score_of
from asset_gen.metrics.kid import kernel_distance
from asset_gen.runtime import open_session
from asset_gen.score import cache
from asset_gen.score.pictures import network_pictures, resizing
from asset_gen.score.report import Floors, Request, score
from asset_gen.score.scorer import OUTSIDE, Judgement, Opening, Scorer, open_scorer
from asset_gen.score.types import type_probabilities
from exporter.scorers import CONVERTERS
from tests.creatures import KINDS, creature
from tests.networks import Pictures, as_torch_fidelity_shows, outside_with, random_inception
from trainer.judge import EfficientNetFeatures
from trainer.official import official_inception_score
from trainer.pretrained import load_efficientnet

SPLITS = 3
SIDE = 299  # what Inception sees; sprites of this side are resized by nobody
SPRITES = np.stack([creature(KINDS[seed % 4], seed, SIDE) for seed in range(13)])
OTHERS = np.stack([creature(KINDS[seed % 2], 100 + seed, SIDE) for seed in range(11)])
ORDER = np.random.default_rng(0).permutation(len(SPRITES))  # in which inception_score looks at rows, by its seed 0


@pytest.fixture(scope="module")
def inception(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Scorer, Path]]:
    """The scorer ``inception`` with random weights, and their file."""
    folder = tmp_path_factory.mktemp("inception")
    weights = folder / "hub" / "checkpoints" / OUTSIDE["inception"].weights.file
    weights.parent.mkdir(parents=True)
    torch.save(random_inception(SPRITES), weights)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TORCH_HOME", str(folder))
        patch.setenv("ASSETGEN_CACHE", str(folder / "cache"))
        yield open_scorer("inception", Opening(device="cpu", convert=CONVERTERS), outside_with(weights)), weights


@pytest.fixture(scope="module")
def ours(inception: tuple[Scorer, Path]) -> Judgement:
    return inception[0].judge(SPRITES)


@pytest.fixture(scope="module")
def fidelity(inception: tuple[Scorer, Path]) -> dict[str, float]:
    """Figures of torch-fidelity with the same weights."""
    import torch_fidelity

    _, path = inception
    torch.save(as_torch_fidelity_shows(torch.load(path, weights_only=True)), path.with_name("moved.pth"))
    figures: dict[str, float] = torch_fidelity.calculate_metrics(
        input1=Pictures(pixels.on_white(SPRITES[ORDER])),
        input2=Pictures(pixels.on_white(OTHERS)),
        isc=True,
        fid=True,
        kid=True,
        isc_splits=SPLITS,
        kid_subsets=1,
        kid_subset_size=len(OTHERS),
        samples_shuffle=False,
        feature_extractor_weights_path=str(path.with_name("moved.pth")),
        batch_size=8,
        cuda=False,
        cache=False,
        save_cpu_ram=True,  # no worker processes
        verbose=False,
    )
    return figures


def test_inception_says_what_the_network_of_pytorch_gan_metrics_says(
    inception: tuple[Scorer, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Small sprites, so that its own resizing takes part. Both sum in 32 bits, in an order that depends on the
    processor: 1.3e-5 apart at most was seen."""
    from pytorch_gan_metrics.inception import InceptionV3

    sprites = np.stack([pixels.shrink_area(sprite, 40, 40) for sprite in SPRITES[:3]])
    scorer, path = inception
    monkeypatch.setenv("TORCH_HOME", str(path.parents[2]))
    white = torch.from_numpy(pixels.on_white(sprites)).permute(0, 3, 1, 2).float() / 255
    with torch.inference_mode():
        features, p = InceptionV3([3, 4]).eval()(white)
    found = scorer.judge(sprites)
    assert found.p == pytest.approx(p.numpy(), abs=5e-5)
    assert found.features == pytest.approx(features[:, :, 0, 0].numpy(), abs=1e-4)
    assert found.p.shape == (3, 1008)
    assert found.features.shape == (3, 2048)


def test_the_inception_score_is_that_of_pytorch_gan_metrics(
    inception: tuple[Scorer, Path], ours: Judgement, monkeypatch: pytest.MonkeyPatch
) -> None:
    from pytorch_gan_metrics import get_inception_score

    monkeypatch.setenv("TORCH_HOME", str(inception[1].parents[2]))
    white = torch.from_numpy(pixels.on_white(SPRITES[ORDER])).permute(0, 3, 1, 2).float() / 255
    expected = get_inception_score(white, splits=SPLITS, device=torch.device("cpu"), batch_size=8)
    assert expected[0] > 1.5  # the random network tells them apart, so there is something to compare
    assert inception_score(ours.p, SPLITS) == pytest.approx(expected, abs=1e-4)


def test_scores_and_distances_are_those_of_torch_fidelity(
    inception: tuple[Scorer, Path], ours: Judgement, fidelity: dict[str, float]
) -> None:
    """Its features are 32-bit sums in another order: relative differences of 1e-5, which FID and KID, as differences
    of large numbers, show at 1e-3."""
    score = inception_score(ours.p, SPLITS)
    assert score[0] == pytest.approx(fidelity["inception_score_mean"], abs=1e-4)
    assert score[1] == pytest.approx(fidelity["inception_score_std"], abs=1e-4)
    others = inception[0].judge(OTHERS).features
    fid = fidelity["frechet_inception_distance"]
    assert frechet_distance(ours.features, others) == pytest.approx(fid, rel=1e-3)
    kid = fidelity["kernel_inception_distance_mean"]
    assert np.isfinite(kid)
    some = ours.features[ORDER][np.random.RandomState(2020).choice(len(SPRITES), len(OTHERS), replace=False)]
    assert kernel_distance(some, others) == pytest.approx(kid, rel=1e-3)


def test_the_canonical_score_stands_beside_ours_and_equals_it(
    inception: tuple[Scorer, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TORCH_HOME", str(inception[1].parents[2]))
    monkeypatch.setenv("ASSETGEN_CACHE", str(inception[1].parents[2] / "cache"))
    for number, sprite in enumerate(SPRITES):
        Image.fromarray(pixels.shrink_area(sprite, 40, 40), "RGBA").save(tmp_path / f"{number:02d}.png")
    table = outside_with(inception[1])
    request = Request(tmp_path, scorers=("inception",), splits=SPLITS, device="cpu")
    canonical, ours = score(request, Floors(CONVERTERS, official_inception_score), outside=table).figures
    assert (canonical.value, canonical.deviation) == pytest.approx((ours.value, ours.deviation), abs=1e-4)
    assert canonical.name == ours.name == "Inception Score"
    assert canonical.network == f"{ours.network}, by pytorch_gan_metrics"
    assert torch.hub.get_dir() == str(inception[1].parents[1])  # as it was

    without = score(replace(request, count=9), Floors(CONVERTERS), outside=table)
    assert [figure.network for figure in without.figures] == [ours.network]


@pytest.mark.parametrize("size", [32, 299, 400])
def test_pictures_are_resized_as_pytorch_resizes_them(size: int) -> None:
    """PyTorch computes places in 32 bits, which are 5e-5 off where 400 rows become 299."""
    sprites = np.random.default_rng(size).integers(0, 256, (2, size, size, 4), np.uint8)
    white = torch.from_numpy(pixels.on_white(sprites)).permute(0, 3, 1, 2).float() / 127.5 - 1
    expected = F.interpolate(white, size=(SIDE, SIDE), mode="bilinear", align_corners=False)
    assert np.abs(network_pictures(sprites, SIDE) - expected.numpy()).max() < 1e-4
    assert resizing(size, SIDE).sum(axis=1) == pytest.approx(1)


@pytest.fixture(scope="module")
def imagenet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scorer]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ASSETGEN_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield open_scorer("imagenet", Opening(device="cpu", convert=CONVERTERS))


def test_imagenet_says_what_the_judges_network_says(imagenet: Scorer) -> None:
    sprites = np.stack([creature(kind, 1) for kind in KINDS])
    judge = EfficientNetFeatures("lite0")
    with torch.inference_mode():
        p = load_efficientnet("lite0")(judge.picture(sprites)).softmax(dim=1)
    found = imagenet.judge(sprites)
    assert found.p == pytest.approx(p.numpy(), abs=1e-4)
    assert found.features == pytest.approx(judge.features(sprites), abs=1e-3)


def test_types_are_those_of_the_bundles_classifier_and_features_lie_before_its_last_layer(bundle: Path) -> None:
    checked = load_bundle(bundle)
    scorer = open_scorer("types", Opening(bundle=checked, device="cpu"))
    sprites = np.stack([creature(kind, 1) for kind in KINDS])
    found = scorer.judge(sprites)
    expected = type_probabilities(open_session(checked.classifier, "cpu"), pixels.to_network(sprites))
    assert found.p == pytest.approx(expected, abs=1e-6)
    assert len(found.features) == 4
    assert np.ptp(found.features, axis=0).max() > 0
    twice = scorer.judge(pixels.enlarge(sprites, 2))  # averaged back to the model's own size
    assert twice.p == pytest.approx(expected, abs=1e-6)


def test_the_built_in_classifier_has_96_features_a_sprite() -> None:
    scorer = open_scorer("types", Opening(bundle=load_bundle(BUILT_IN), device="cpu"))
    assert scorer.judge(np.zeros((2, 32, 32, 4), np.uint8)).features.shape == (2, 96)


@pytest.mark.parametrize("batch", [1, 5])
def test_what_is_said_of_a_sprite_does_not_depend_on_the_batch(imagenet: Scorer, batch: int) -> None:
    sprites = np.stack([creature(KINDS[seed % 4], seed) for seed in range(6)])
    whole, parts = imagenet.judge(sprites), replace(imagenet, batch=batch).judge(sprites)
    assert parts.p == pytest.approx(whole.p, abs=1e-5)
    assert parts.features == pytest.approx(whole.features, abs=1e-4)
    assert score_of(parts.p) == pytest.approx(score_of(whole.p), abs=1e-4)


def test_types_need_a_model() -> None:
    with pytest.raises(UsageError, match="--model BUNDLE"):
        open_scorer("types", Opening())


def test_a_network_is_converted_once_and_again_where_its_file_has_changed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ASSETGEN_CACHE", str(tmp_path))
    asked: list[Path] = []

    def convert(weights: Path, out: Path) -> None:
        asked.append(weights)
        out.write_bytes(b"network")

    def made() -> bytes:
        return cache.converted("key", lambda: tmp_path / "weights", convert, "Coins").read_bytes()

    assert (made(), made(), len(asked)) == (b"network", b"network", 1)
    (tmp_path / "networks" / "key.onnx").write_bytes(b"another")
    assert (made(), len(asked)) == (b"network", 2)
    (tmp_path / "networks" / "key.onnx.sha256").unlink()
    assert (made(), len(asked)) == (b"network", 3)
    assert sorted(path.name for path in (tmp_path / "networks").glob("*.part")) == []


def test_a_conversion_that_fails_leaves_nothing_that_is_trusted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ASSETGEN_CACHE", str(tmp_path))

    def fail(weights: Path, out: Path) -> None:
        out.write_bytes(b"half a net")
        raise ModelError("no")

    for _ in range(2):
        with pytest.raises(ModelError, match="no"):
            cache.converted("key", lambda: tmp_path, fail, "Coins")
    with pytest.raises(DeviceError, match=r"Coins is converted once.*assetgen\[train,pretrained,cpu\]"):
        cache.converted("key", lambda: tmp_path, None, "Coins")


def test_weights_of_another_network_are_refused(tmp_path: Path) -> None:
    torch.save({"layer": torch.zeros(3)}, tmp_path / "weights.pth")
    with pytest.raises(ModelError, match="holds no weights of Inception v3"):
        CONVERTERS["inception"](tmp_path / "weights.pth", tmp_path / "out.onnx")
    (tmp_path / "weights.pth").write_bytes(b"no weights")
    with pytest.raises(ModelError, match="holds no weights"):
        CONVERTERS["inception"](tmp_path / "weights.pth", tmp_path / "out.onnx")
