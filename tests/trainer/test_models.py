"""The architectures are what they say."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from trainer.models import dcgan, fastgan, relativistic
from trainer.models.classifier import Classifier


@pytest.mark.parametrize("size", [32, 48, 64, 96, 128])
def test_relativistic_networks_fit_every_size(size: int) -> None:
    generator = relativistic.generator(5, size, width=0.25)
    discriminator = relativistic.Discriminator(5, size, width=0.25)
    label = torch.eye(5)[:4]
    rgba = generator(torch.randn(4, 128), label)
    assert rgba.shape == (4, 4, size, size)
    assert rgba.abs().max() <= 1
    assert discriminator(rgba, label).shape == (4,)
    assert Classifier(5, size).eval()(rgba).shape == (4, 5)


def test_the_networks_have_the_number_of_parameters_they_had_when_they_were_measured() -> None:
    def count(network: nn.Module) -> int:
        return sum(parameter.numel() for parameter in network.parameters())

    assert count(relativistic.generator(17, 32, 1)) == 1_387_268
    assert count(relativistic.Discriminator(17, 32)) == 1_325_761
    assert count(dcgan.Generator()) == 3_806_080
    assert count(dcgan.Discriminator()) == 2_765_696


def test_the_coarsest_map_is_four_to_seven_pixels() -> None:
    assert {size: fastgan.levels_of(size) for size in (32, 48, 64, 96, 128)} == {
        32: (4, 3), 48: (6, 3), 64: (4, 4), 96: (6, 4), 128: (4, 5)
    }  # fmt: skip


def test_larger_sprites_begin_with_more_of_the_widest_maps_and_a_width_multiplies_them_all() -> None:
    def channels(size: int, width: float) -> list[int]:
        generator = relativistic.generator(3, size, width)
        return [generator.first, *(level.conv2.out_channels // 2 for level in generator.levels)]  # type: ignore[operator]

    assert channels(32, 1) == [128, 96, 64, 32]
    assert channels(128, 1) == [128, 128, 128, 96, 64, 32]
    assert channels(32, 0.25) == [32, 24, 16, 8]
    assert channels(32, 0.01) == [8, 8, 8, 8]
    assert fastgan.scaled([100, 60], 0.5) == [48, 24]  # multiples of eight


def test_a_sprite_does_not_depend_on_the_length_of_its_latent() -> None:
    torch.manual_seed(0)
    generator = relativistic.generator(3, 32, width=0.25).eval()
    z, label = torch.randn(2, 128), torch.eye(3)[:2]
    assert torch.allclose(generator(z, label), generator(7 * z, label), atol=1e-5)


def test_a_skip_layer_gates_and_neither_adds_nor_turns_round() -> None:
    torch.manual_seed(0)
    excitation = fastgan.Excitation(8, 4)
    fine = torch.rand(2, 4, 32, 32)
    gate = excitation(torch.randn(2, 8, 4, 4), fine) / fine
    assert 0 < gate.min() <= gate.max() < 2
    assert torch.allclose(gate, gate.mean(dim=(2, 3), keepdim=True).expand_as(gate), atol=1e-5)


def test_a_batch_of_equal_pictures_has_no_deviation_and_a_varied_one_has() -> None:
    same = relativistic.minibatch_deviation(torch.ones(4, 3, 4, 4))
    assert same.shape == (4, 4, 4, 4)
    assert same[:, 3].max() <= 1e-4
    varied = torch.arange(4.0)[:, None, None, None].expand(4, 3, 4, 4)
    assert relativistic.minibatch_deviation(varied)[:, 3].mean().item() == pytest.approx(1.25**0.5)
    assert relativistic.minibatch_deviation(torch.randn(6, 3, 4, 4)).shape == (6, 4, 4, 4)  # no multiple of the group
    eight = torch.arange(8.0)[:, None, None, None].expand(8, 3, 4, 4).clone()
    eight[:4] = 1  # one of two groups of four neighbours is all the same
    deviations = relativistic.minibatch_deviation(eight)[:, 3, 0, 0]
    assert deviations[:4].max() <= 1e-4
    assert deviations[4:].tolist() == pytest.approx([1.25**0.5] * 4)
    alone = relativistic.minibatch_deviation(eight[4:])[:, 3, 0, 0]  # a process that holds four of the eight
    assert torch.allclose(deviations[4:], alone)


def test_the_type_changes_the_sprite_only_once_the_ramp_is_up() -> None:
    generator = relativistic.generator(3, 32, width=0.25).eval()
    z = torch.randn(1, 128)
    generator.ramp.fill_(0)
    assert torch.equal(generator(z, torch.eye(3)[:1]), generator(z, torch.eye(3)[1:2]))
    generator.ramp.fill_(1)
    assert not torch.allclose(generator(z, torch.eye(3)[:1]), generator(z, torch.eye(3)[1:2]))


def described(network: nn.Module) -> list[str]:
    """Every layer as it would be printed in a paper."""
    lines = []
    for layer in network.modules():
        if isinstance(layer, nn.Conv2d | nn.ConvTranspose2d):
            kernel, stride, padding = layer.kernel_size[0], layer.stride[0], layer.padding[0]
            bias = "" if layer.bias is None else " bias"
            lines.append(f"{layer.in_channels}→{layer.out_channels} k{kernel} s{stride} p{padding}{bias}")
        elif isinstance(layer, nn.LeakyReLU):
            lines.append(f"LeakyReLU {layer.negative_slope}")
        elif isinstance(layer, nn.BatchNorm2d):
            lines.append(f"BatchNorm {layer.num_features}")
        elif not list(layer.children()):
            lines.append(type(layer).__name__)
    return lines


def test_the_papers_generator_is_exactly_as_printed() -> None:
    layers = described(dcgan.Generator())
    assert layers == [
        "128→512 k4 s1 p0", "BatchNorm 512", "ReLU",
        "512→256 k4 s2 p1", "BatchNorm 256", "ReLU",
        "256→128 k4 s2 p1", "BatchNorm 128", "ReLU",
        "128→64 k4 s2 p1", "BatchNorm 64", "ReLU",
        "64→3 k4 s2 p1", "Tanh",
    ]  # fmt: skip


def test_the_papers_discriminator_is_exactly_as_printed_its_sigmoid_being_in_the_loss() -> None:
    layers = described(dcgan.Discriminator())
    assert layers == [
        "3→64 k4 s2 p1", "BatchNorm 64", "LeakyReLU 0.2",
        "64→128 k4 s2 p1", "BatchNorm 128", "LeakyReLU 0.2",
        "128→256 k4 s2 p1", "BatchNorm 256", "LeakyReLU 0.2",
        "256→512 k4 s2 p1", "BatchNorm 512", "LeakyReLU 0.2",
        "512→1 k4 s1 p0",
    ]  # fmt: skip


def test_the_smaller_size_keeps_five_layers_and_their_channels() -> None:
    def channels(size: int) -> list[str]:
        both = described(dcgan.Generator(size)) + described(dcgan.Discriminator(size))
        return [line.split(" k")[0] for line in both]

    assert channels(28) == channels(64)


def test_the_papers_pictures_begin_with_contrast() -> None:
    torch.manual_seed(0)
    with torch.no_grad():
        pictures = dcgan.Generator()(torch.randn(16, 128))
    assert pictures.std() > 0.3  # with the weights of Radford et al. 0.1: its discriminator can't see that


@pytest.mark.parametrize("size", dcgan.SIZES)
def test_the_papers_networks_make_and_read_both_sizes(size: int) -> None:
    rgb = dcgan.Generator(size)(torch.randn(2, 128))
    assert rgb.shape == (2, 3, size, size)
    assert rgb.abs().max() <= 1
    assert dcgan.Discriminator(size)(rgb).shape == (2,)
    rgba = dcgan.with_alpha(rgb)
    assert torch.equal(rgba[:, :3], rgb)
    assert (rgba[:, 3] == 1).all()


def test_the_classifier_divides_by_its_temperature() -> None:
    torch.manual_seed(0)
    network = Classifier(5, 32).eval()
    pictures = torch.rand(3, 4, 32, 32) * 2 - 1
    plain = network(pictures)
    network.temperature.fill_(4)
    assert torch.allclose(network(pictures), plain / 4)
    assert "temperature" in network.state_dict()
