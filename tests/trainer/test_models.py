"""The architectures are what they say."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from trainer.augment import Augment
from trainer.losses import LOSSES, gradient_penalty
from trainer.models import dcgan, relativistic
from trainer.models.classifier import Classifier


@pytest.mark.parametrize("size", [32, 48, 64, 96, 128])
def test_relativistic_networks_fit_every_size(size: int) -> None:
    generator = relativistic.Generator(5, size, width=0.25)
    discriminator = relativistic.Discriminator(5, size, width=0.25)
    label = torch.eye(5)[:4]
    rgba = generator(torch.randn(4, 128), label)
    assert rgba.shape == (4, 4, size, size)
    assert rgba.abs().max() <= 1
    assert discriminator(rgba, label).shape == (4,)
    assert Classifier(5, size).eval()(rgba).shape == (4, 5)


def test_relativistic_has_the_measured_number_of_parameters() -> None:
    def count(network: nn.Module) -> int:
        return sum(parameter.numel() for parameter in network.parameters())

    assert count(relativistic.Generator(17, 32)) == pytest.approx(1.33e6, rel=0.05)
    assert count(relativistic.Discriminator(17, 32)) == pytest.approx(1.33e6, rel=0.01)


def test_the_type_changes_the_sprite_only_once_the_ramp_is_up() -> None:
    generator = relativistic.Generator(3, 32, width=0.25).eval()
    z = torch.randn(1, 128)
    generator.ramp.fill_(0)
    assert torch.equal(generator(z, torch.eye(3)[:1]), generator(z, torch.eye(3)[1:2]))
    generator.ramp.fill_(1)
    assert not torch.allclose(generator(z, torch.eye(3)[:1]), generator(z, torch.eye(3)[1:2]))


def test_the_papers_networks_are_exactly_as_printed() -> None:
    transposed = [m for m in dcgan.Generator().modules() if isinstance(m, nn.ConvTranspose2d)]
    assert [(m.kernel_size[0], m.stride[0], m.padding[0]) for m in transposed] == [(4, 1, 0)] + [(4, 2, 1)] * 4
    plain = [m for m in dcgan.Discriminator().modules() if isinstance(m, nn.Conv2d)]
    assert [(m.kernel_size[0], m.stride[0]) for m in plain] == [(4, 2)] * 4 + [(4, 1)]
    assert all(m.bias is None for m in [*transposed, *plain])
    assert transposed[0].in_channels == 128
    slopes = [m.negative_slope for m in dcgan.Discriminator().modules() if isinstance(m, nn.LeakyReLU)]
    assert slopes == [0.2] * 4


@pytest.mark.parametrize("size", dcgan.SIZES)
def test_the_papers_networks_make_and_read_both_sizes(size: int) -> None:
    rgb = dcgan.Generator(size)(torch.randn(2, 128))
    assert rgb.shape == (2, 3, size, size)
    assert dcgan.Discriminator(size)(rgb).shape == (2,)


def test_losses_have_their_closed_forms() -> None:
    real, fake = torch.tensor([2.0, 0.0]), torch.tensor([-1.0, 3.0])
    soft = torch.nn.functional.softplus
    plain, paired = LOSSES["non-saturating"], LOSSES["relativistic"]
    assert plain.discriminator(real, fake) == soft(-real).mean() + soft(fake).mean()
    bce = nn.functional.binary_cross_entropy_with_logits
    expected = bce(real, torch.ones(2)) + bce(fake, torch.zeros(2))
    assert plain.discriminator(real, fake).item() == pytest.approx(expected.item())
    assert plain.generator(real, fake).item() == pytest.approx(bce(fake, torch.ones(2)).item())
    assert paired.discriminator(real, fake).item() == pytest.approx(
        ((soft(torch.tensor(-3.0)) + soft(torch.tensor(3.0))) / 2).item()
    )
    assert paired.generator(real, fake).item() == paired.discriminator(fake, real).item()


def test_the_gradient_penalty_of_a_linear_critic_is_its_squared_norm() -> None:
    weight = torch.randn(3 * 4 * 4)
    inputs = torch.randn(5, 3, 4, 4, requires_grad=True)
    assert gradient_penalty(inputs.flatten(1) @ weight, inputs).item() == pytest.approx(
        (weight**2).sum().item(), rel=1e-5
    )


def test_augmentation_keeps_the_empty_canvas_empty_and_colour_below_alpha() -> None:
    draws = torch.Generator().manual_seed(0)
    assert torch.equal(Augment()(-torch.ones(8, 4, 32, 32), draws), -torch.ones(8, 4, 32, 32))
    alpha = torch.rand(8, 1, 32, 32)
    sprites = torch.cat([torch.rand(8, 3, 32, 32) * alpha, alpha], dim=1) * 2 - 1
    views = Augment()(sprites, draws)
    assert (views[:, :3] <= views[:, 3:] + 1e-6).all()
    assert views.min() >= -1 - 1e-6


def test_augmentation_without_colour_only_moves_pixels() -> None:
    sprites = torch.rand(1, 4, 32, 32) * 2 - 1
    sprites[:, :, :8] = sprites[:, :, -8:] = sprites[:, :, :, :8] = sprites[:, :, :, -8:] = -1
    sprites[:, :3] = torch.minimum(sprites[:, :3], sprites[:, 3:])
    move = Augment(contrast=0, gain=0, hole_chance=0)
    view = move(sprites, torch.Generator().manual_seed(3))
    assert not torch.equal(view, sprites)
    assert torch.allclose(view.flatten(2).sort(dim=2).values, sprites.flatten(2).sort(dim=2).values, atol=1e-6)


def test_gradients_reach_the_generator_through_augmentation() -> None:
    sprites = torch.zeros(2, 4, 32, 32, requires_grad=True)
    Augment()(sprites, torch.Generator().manual_seed(0)).sum().backward()
    assert sprites.grad is not None
    assert sprites.grad.abs().sum() > 0
