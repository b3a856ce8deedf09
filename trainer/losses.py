"""Which loss do generator and discriminator minimise? One pair of functions a loss, with its equation and source.

Every function takes logits: ``real`` and ``fake`` [n], before any sigmoid.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F


@dataclass(frozen=True, slots=True)
class Loss:
    """A pair of losses over logits."""

    discriminator: Callable[[Tensor, Tensor], Tensor]
    generator: Callable[[Tensor, Tensor], Tensor]


def non_saturating_discriminator(real: Tensor, fake: Tensor) -> Tensor:
    """−log D(x) − log(1 − D(G(z))): Goodfellow et al. 2014, algorithm 1, as binary cross-entropy, real + fake."""
    return F.softplus(-real).mean() + F.softplus(fake).mean()


def non_saturating_generator(real: Tensor, fake: Tensor) -> Tensor:
    """−log D(G(z)): the generator trained towards label 1, Goodfellow et al. 2014, section 3."""
    return F.softplus(-fake).mean()


def relativistic_discriminator(real: Tensor, fake: Tensor) -> Tensor:
    """softplus(D(fake) − D(real)) over pairs: Huang et al. 2024 (R3GAN, arXiv:2501.05441), equation 2."""
    return F.softplus(fake - real).mean()


def relativistic_generator(real: Tensor, fake: Tensor) -> Tensor:
    """softplus(D(real) − D(fake)) over pairs: the same equation, seen from the other side."""
    return F.softplus(real - fake).mean()


LOSSES: dict[str, Loss] = {
    "non-saturating": Loss(non_saturating_discriminator, non_saturating_generator),
    "relativistic": Loss(relativistic_discriminator, relativistic_generator),
}


def gradient_penalty(logits: Tensor, inputs: Tensor) -> Tensor:
    """Mean over the batch of ‖∂D/∂x‖²: R1 on real, R2 on generated inputs (Mescheder et al. 2018, arXiv:1801.04406)."""
    (gradient,) = torch.autograd.grad(logits.sum(), inputs, create_graph=True)
    return gradient.float().square().sum(dim=(1, 2, 3)).mean()
