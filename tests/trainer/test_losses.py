"""Losses have their closed forms."""

from __future__ import annotations

import math

import pytest
import torch
from torch.nn import functional as F

from trainer.losses import LOSSES, gradient_penalty
from trainer.presets import PRESETS

REAL, FAKE = torch.tensor([2.0, 0.0]), torch.tensor([-1.0, 3.0])


def softplus(x: float) -> float:
    return math.log1p(math.exp(x))


def test_non_saturating_is_the_papers_binary_cross_entropy_of_real_plus_fake() -> None:
    loss = LOSSES["non-saturating"]
    bce = F.binary_cross_entropy
    expected = bce(REAL.sigmoid(), torch.ones(2)) + bce(FAKE.sigmoid(), torch.zeros(2))
    assert loss.discriminator(REAL, FAKE).item() == pytest.approx(expected.item())
    by_hand = (softplus(-2) + softplus(0) + softplus(-1) + softplus(3)) / 2
    assert loss.discriminator(REAL, FAKE).item() == pytest.approx(by_hand)
    assert loss.generator(REAL, FAKE).item() == pytest.approx(bce(FAKE.sigmoid(), torch.ones(2)).item())


def test_relativistic_compares_pair_by_pair() -> None:
    loss = LOSSES["relativistic"]
    assert loss.discriminator(REAL, FAKE).item() == pytest.approx((softplus(-3) + softplus(3)) / 2)
    assert loss.generator(REAL, FAKE).item() == pytest.approx((softplus(3) + softplus(-3)) / 2)
    assert loss.discriminator(REAL + 5, FAKE + 5).item() == pytest.approx(loss.discriminator(REAL, FAKE).item())


@pytest.mark.parametrize("name", LOSSES)
def test_a_discriminator_that_cannot_tell_has_the_loss_of_a_coin(name: str) -> None:
    coin = torch.zeros(4)
    discriminators = {"non-saturating": 2 * math.log(2), "relativistic": math.log(2)}
    assert LOSSES[name].discriminator(coin, coin).item() == pytest.approx(discriminators[name])
    assert LOSSES[name].generator(coin, coin).item() == pytest.approx(math.log(2))


@pytest.mark.parametrize("name", LOSSES)
def test_the_two_sides_pull_in_opposite_directions_and_stay_finite(name: str) -> None:
    real, fake = REAL.clone(), FAKE.clone().requires_grad_()
    (for_d,) = torch.autograd.grad(LOSSES[name].discriminator(real, fake), fake)
    (for_g,) = torch.autograd.grad(LOSSES[name].generator(real, fake), fake)
    assert (for_d > 0).all()
    assert (for_g < 0).all()
    assert torch.isfinite(LOSSES[name].discriminator(torch.tensor([-1e4]), torch.tensor([1e4])))


def test_the_gradient_penalty_of_a_linear_critic_is_its_squared_norm() -> None:
    weight = torch.randn(3 * 4 * 4)
    inputs = torch.randn(5, 3, 4, 4, requires_grad=True)
    penalty = gradient_penalty(inputs.flatten(1) @ weight, inputs)
    assert penalty.item() == pytest.approx((weight**2).sum().item(), rel=1e-5)


def test_the_gradient_penalty_can_be_minimised() -> None:
    weight = torch.ones(4, requires_grad=True)
    inputs = torch.randn(3, 1, 2, 2, requires_grad=True)
    gradient_penalty(inputs.flatten(1) @ weight, inputs).backward()  # type: ignore[no-untyped-call]
    assert weight.grad is not None
    assert weight.grad.tolist() == [2, 2, 2, 2]  # of the sum of squares


def test_every_preset_names_a_loss() -> None:
    assert {preset.loss for preset in PRESETS.values()} <= set(LOSSES)
