"""Which loss do generator and discriminator minimise? One row a loss, with its equation and source.

Losses take logits, ``real`` and ``fake`` [n] or [n, places], before any sigmoid; σ(logit) is the paper's D(x).
Penalties take the discriminator (pictures → logits), the views it has just judged, and uniform draws.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from trainer.draws import Draws

Critic = Callable[[Tensor], Tensor]
Penalty = Callable[[Critic, Tensor, Tensor, Draws], Tensor]


@dataclass(frozen=True, slots=True)
class Loss:
    """A pair of losses over logits, and the penalty that belongs to them."""

    discriminator: Callable[[Tensor, Tensor], Tensor]
    generator: Callable[[Tensor, Tensor], Tensor]
    penalty: Penalty | None = None
    weight: float = 0.0
    """Factor of the penalty."""
    every: int = 1
    """The penalty is added every so many steps, that much stronger (lazily: Karras et al. 2020, arXiv:1912.04958)."""
    paired: bool = False
    """Whether the generator's loss looks at the logits of real pictures, too; otherwise they needn't be computed."""


def cross_entropy_discriminator(real: Tensor, fake: Tensor) -> Tensor:
    """−log D(x) − log(1 − D(G(z))): Goodfellow et al. 2014 (arXiv:1406.2661), equation 1, to be minimised."""
    return F.softplus(-real).mean() + F.softplus(fake).mean()


def minimax_generator(real: Tensor, fake: Tensor) -> Tensor:
    """log(1 − D(G(z))): the same equation, seen from the generator; saturates when D is sure."""
    return -F.softplus(fake).mean()


def non_saturating_generator(real: Tensor, fake: Tensor) -> Tensor:
    """−log D(G(z)): the generator trained towards label 1, Goodfellow et al. 2014, section 3."""
    return F.softplus(-fake).mean()


def hinge_discriminator(real: Tensor, fake: Tensor) -> Tensor:
    """max(0, 1 − D(x)) + max(0, 1 + D(G(z))): Lim & Ye 2017 (arXiv:1705.02894)."""
    return F.relu(1 - real).mean() + F.relu(1 + fake).mean()


def wasserstein_discriminator(real: Tensor, fake: Tensor) -> Tensor:
    """D(G(z)) − D(x): Arjovsky et al. 2017 (arXiv:1701.07875), equation 2."""
    return fake.mean() - real.mean()


def linear_generator(real: Tensor, fake: Tensor) -> Tensor:
    """−D(G(z)): the generator of the hinge and Wasserstein losses."""
    return -fake.mean()


def relativistic_discriminator(real: Tensor, fake: Tensor) -> Tensor:
    """softplus(D(fake) − D(real)) over pairs: Huang et al. 2024 (R3GAN, arXiv:2501.05441), equation 2."""
    return F.softplus(fake - real).mean()


def relativistic_generator(real: Tensor, fake: Tensor) -> Tensor:
    """softplus(D(real) − D(fake)) over pairs: the same equation, seen from the other side."""
    return F.softplus(real - fake).mean()


def squared_slope(logits: Tensor, inputs: Tensor) -> Tensor:
    """‖∂D/∂x‖² of every picture, [n]; differentiable."""
    (gradient,) = torch.autograd.grad(logits.sum(), inputs, create_graph=True)
    return gradient.float().square().sum(dim=(1, 2, 3))


def r1_and_r2(critic: Critic, real: Tensor, fake: Tensor, draws: Draws) -> Tensor:
    """½ (E‖∂D(x)‖² + E‖∂D(G(z))‖²): Mescheder et al. 2018 (arXiv:1801.04406), equations 9 and 10."""
    both = torch.cat([real, fake]).detach().requires_grad_()
    slopes = squared_slope(critic(both), both)
    return (slopes[: len(real)].mean() + slopes[len(real) :].mean()) / 2


def interpolated_slope(critic: Critic, real: Tensor, fake: Tensor, draws: Draws) -> Tensor:
    """E(‖∂D(x̂)‖ − 1)², x̂ between real and fake: WGAN-GP, Gulrajani et al. 2017 (arXiv:1704.00028), equation 3."""
    share = draws.uniform(1, 1, 1)
    between = (share * real + (1 - share) * fake).detach().requires_grad_()
    return ((squared_slope(critic(between), between) + 1e-12).sqrt() - 1).square().mean()


def perturbed_slope(critic: Critic, real: Tensor, fake: Tensor, draws: Draws) -> Tensor:
    """E(‖∂D(x + δ)‖ − 1)² around real pictures: DRAGAN, Kodali et al. 2017 (arXiv:1705.07215).

    δ is uniform noise of half the batch's standard deviation, as in the authors' experiments.
    """
    noise = draws.uniform(*real.shape[1:])
    moments = torch.stack([real.mean(), real.square().mean()])
    draws.group.average([moments])
    deviation = (moments[1] - moments[0].square()).clamp_min(0).sqrt()
    near = (real + 0.5 * deviation * noise).detach().requires_grad_()
    return ((squared_slope(critic(near), near) + 1e-12).sqrt() - 1).square().mean()


LOSSES: dict[str, Loss] = {
    "minimax": Loss(cross_entropy_discriminator, minimax_generator),
    "non-saturating": Loss(cross_entropy_discriminator, non_saturating_generator),
    "hinge": Loss(hinge_discriminator, linear_generator),
    "wgan-gp": Loss(wasserstein_discriminator, linear_generator, interpolated_slope, weight=10.0),
    "relativistic": Loss(
        relativistic_discriminator, relativistic_generator, r1_and_r2, weight=1.0, every=8, paired=True
    ),
    "dragan": Loss(cross_entropy_discriminator, non_saturating_generator, perturbed_slope, weight=10.0),
}
