"""Losses have their closed forms, and penalties of a linear critic are known by hand."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from trainer.draws import Draws
from trainer.losses import LOSSES, Critic, interpolated_slope, perturbed_slope, r1_and_r2, squared_slope
from trainer.presets import PRESETS

REAL, FAKE = torch.tensor([2.0, 0.0]), torch.tensor([-1.0, 3.0])
PICTURES, OTHERS = torch.rand(5, 4, 3, 3), torch.rand(5, 4, 3, 3)


def softplus(x: float) -> float:
    return math.log1p(math.exp(x))


def draws(seed: int = 0) -> Draws:
    return Draws(torch.Generator().manual_seed(seed), len(PICTURES))


def linear(slope: float) -> Critic:
    """A critic whose gradient has this length everywhere."""
    weight = torch.ones(4, 3, 3) * slope / 6
    return lambda pictures: (pictures * weight).sum(dim=(1, 2, 3)) + 7


CLOSED_FORMS = {  # discriminator and generator on REAL and FAKE
    "minimax": ((softplus(-2) + softplus(0) + softplus(-1) + softplus(3)) / 2, -(softplus(-1) + softplus(3)) / 2),
    "non-saturating": (
        (softplus(-2) + softplus(0) + softplus(-1) + softplus(3)) / 2,
        (softplus(1) + softplus(-3)) / 2,
    ),
    "hinge": ((0 + 1 + 0 + 4) / 2, -1.0),
    "wgan-gp": (1.0 - 1.0, -1.0),
    "relativistic": ((softplus(-3) + softplus(3)) / 2, (softplus(3) + softplus(-3)) / 2),
    "dragan": ((softplus(-2) + softplus(0) + softplus(-1) + softplus(3)) / 2, (softplus(1) + softplus(-3)) / 2),
}


@pytest.mark.parametrize("name", LOSSES)
def test_every_loss_has_its_closed_form(name: str) -> None:
    discriminator, generator = CLOSED_FORMS[name]
    assert LOSSES[name].discriminator(REAL, FAKE).item() == pytest.approx(discriminator)
    assert LOSSES[name].generator(REAL, FAKE).item() == pytest.approx(generator)


@pytest.mark.parametrize("name", LOSSES)
def test_a_loss_that_is_not_paired_needs_no_real_logits_for_the_generator(name: str) -> None:
    loss = LOSSES[name]
    assert torch.equal(loss.generator(REAL, FAKE), loss.generator(REAL + 1, FAKE)) != loss.paired


def test_non_saturating_is_the_papers_binary_cross_entropy_of_real_plus_fake() -> None:
    loss, bce = LOSSES["non-saturating"], F.binary_cross_entropy
    expected = bce(REAL.sigmoid(), torch.ones(2)) + bce(FAKE.sigmoid(), torch.zeros(2))
    assert loss.discriminator(REAL, FAKE).item() == pytest.approx(expected.item())
    assert loss.generator(REAL, FAKE).item() == pytest.approx(bce(FAKE.sigmoid(), torch.ones(2)).item())


def test_minimax_is_one_game_of_two_sides() -> None:
    loss, bce = LOSSES["minimax"], F.binary_cross_entropy
    value = -bce(REAL.sigmoid(), torch.ones(2)) - bce(FAKE.sigmoid(), torch.zeros(2))
    assert loss.discriminator(REAL, FAKE).item() == pytest.approx(-value.item())
    assert loss.generator(REAL, FAKE).item() == pytest.approx(-bce(FAKE.sigmoid(), torch.zeros(2)).item())


def test_relativistic_compares_pair_by_pair() -> None:
    loss = LOSSES["relativistic"]
    assert loss.discriminator(REAL + 5, FAKE + 5).item() == pytest.approx(loss.discriminator(REAL, FAKE).item())
    assert loss.discriminator(REAL, FAKE).item() != pytest.approx(loss.discriminator(REAL, FAKE.flip(0)).item())


def test_a_critic_that_judges_places_is_averaged_over_them() -> None:
    places_real, places_fake = REAL.repeat(3, 1), FAKE.repeat(3, 1)
    for loss in LOSSES.values():
        assert loss.discriminator(places_real, places_fake).item() == pytest.approx(
            loss.discriminator(REAL, FAKE).item()
        )


@pytest.mark.parametrize("name", LOSSES)
def test_the_two_sides_pull_in_opposite_directions_and_stay_finite(name: str) -> None:
    fake = torch.tensor([-0.5, 0.5], requires_grad=True)
    (for_d,) = torch.autograd.grad(LOSSES[name].discriminator(REAL, fake), fake)
    (for_g,) = torch.autograd.grad(LOSSES[name].generator(REAL, fake), fake)
    assert (for_d > 0).all()
    assert (for_g < 0).all()
    assert torch.isfinite(LOSSES[name].discriminator(torch.tensor([-1e4]), torch.tensor([1e4])))
    assert torch.isfinite(LOSSES[name].generator(torch.tensor([1e4]), torch.tensor([-1e4])))


def test_the_squared_slope_of_a_linear_critic_is_that_of_its_weights_for_every_picture() -> None:
    inputs = PICTURES.clone().requires_grad_()
    assert squared_slope(linear(3)(inputs), inputs).tolist() == pytest.approx([9.0] * 5)


@pytest.mark.parametrize("slope", [0.5, 1.0, 3.0])
def test_r1_and_r2_of_a_linear_critic_are_half_its_squared_slope_each(slope: float) -> None:
    penalty = r1_and_r2(linear(slope), PICTURES, OTHERS, draws())
    assert penalty.item() == pytest.approx(slope**2, rel=1e-5)  # ½ · slope² around real, ½ · slope² around fake


def test_r1_looks_around_real_pictures_and_r2_around_fake_ones() -> None:
    def steep_at_bright(pictures: Tensor) -> Tensor:  # gradient: the picture itself
        return pictures.square().sum(dim=(1, 2, 3)) / 2

    around_real = r1_and_r2(steep_at_bright, PICTURES, torch.zeros_like(OTHERS), draws())
    around_fake = r1_and_r2(steep_at_bright, torch.zeros_like(PICTURES), OTHERS, draws())
    assert around_real.item() == pytest.approx(PICTURES.square().sum(dim=(1, 2, 3)).mean().item() / 2, rel=1e-5)
    assert around_fake.item() == pytest.approx(OTHERS.square().sum(dim=(1, 2, 3)).mean().item() / 2, rel=1e-5)


@pytest.mark.parametrize("penalty", [interpolated_slope, perturbed_slope])
@pytest.mark.parametrize("slope", [0.25, 1.0, 3.0])
def test_wgan_gp_and_dragan_want_a_slope_of_one(penalty: object, slope: float) -> None:
    assert callable(penalty)
    assert penalty(linear(slope), PICTURES, OTHERS, draws()).item() == pytest.approx((slope - 1) ** 2, abs=1e-5)


def test_a_flat_critic_is_penalised_without_a_gradient_that_is_no_number() -> None:
    weight = torch.zeros(4, 3, 3, requires_grad=True)
    for penalty in (interpolated_slope, perturbed_slope, r1_and_r2):
        value = penalty(lambda pictures: (pictures * weight).sum(dim=(1, 2, 3)), PICTURES, OTHERS, draws())
        (gradient,) = torch.autograd.grad(value, weight)
        assert torch.isfinite(gradient).all()


def test_wgan_gp_looks_on_the_line_between_a_real_and_a_fake_picture() -> None:
    seen: list[Tensor] = []

    def critic(pictures: Tensor) -> Tensor:
        seen.append(pictures.detach())
        return linear(1)(pictures)

    interpolated_slope(critic, torch.zeros(5, 4, 3, 3), torch.ones(5, 4, 3, 3), draws())
    (pictures,) = seen
    assert (pictures.amax(dim=(1, 2, 3)) == pictures.amin(dim=(1, 2, 3))).all()  # one share a picture
    assert len(set(pictures[:, 0, 0, 0].tolist())) == 5
    assert 0 <= pictures.min() <= pictures.max() < 1


def test_dragan_looks_around_real_pictures_within_half_their_deviation() -> None:
    seen: list[Tensor] = []

    def critic(pictures: Tensor) -> Tensor:
        seen.append(pictures.detach())
        return linear(1)(pictures)

    perturbed_slope(critic, PICTURES, OTHERS, draws())
    away = seen[0] - PICTURES
    assert 0 <= away.min() <= away.max() <= PICTURES.std() / 2 + 1e-6
    assert away.mean().item() == pytest.approx(PICTURES.std().item() / 4, rel=0.15)


@pytest.mark.parametrize("name", [name for name, loss in LOSSES.items() if loss.penalty])
def test_a_penalty_can_be_minimised(name: str) -> None:
    weight = torch.full((4, 3, 3), 0.5, requires_grad=True)  # slope 3
    penalty = LOSSES[name].penalty
    assert penalty is not None
    penalty(lambda pictures: (pictures * weight).sum(dim=(1, 2, 3)), PICTURES, OTHERS, draws()).backward()  # type: ignore[no-untyped-call]
    assert weight.grad is not None
    assert (weight.grad > 0).all()


def test_every_preset_names_losses_of_the_table() -> None:
    assert {name for preset in PRESETS.values() for name in preset.losses} == set(LOSSES)
