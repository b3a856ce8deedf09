"""Which candidates does the discriminator let through? (Discriminator rejection sampling: Azadi et al. 2019,
arXiv:1810.06758.)

A discriminator's logit D is the logarithm of how much more often real sprites look like this than generated ones do.
Accepting a candidate with chance exp(D − M), M the greatest logit, would leave real sprites' proportions, and hardly a
candidate. So the paper accepts with chance σ(F), F = D − M − log(1 − exp(D − M − ε)) − γ: for γ = 0 that is the same,
and below it more are let through. Here γ is what lets through as many as are wanted. A candidate with the luck u, even
between 0 and 1, is accepted where u < σ(F), that is where γ < F + γ − log(u / (1 − u)), and the right side doesn't hold
γ: the quota's greatest of it are accepted, and γ lies between the last of them and the next.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from asset_gen.bundle import BundleInfo
from asset_gen.latents import chances
from asset_gen.proportions import types_in

EPSILON = 1e-6
"""As in the paper: the candidate of the greatest logit has a chance below 1, too."""


def luck_of(
    info: BundleInfo, seed: int, kinds: NDArray[np.integer[Any]], indices: NDArray[np.int64]
) -> NDArray[np.float64]:
    """[n], above 0 and below 1: each candidate's own luck, the same in any company.

    Args:
        kinds: [n], columns of the bundle's types; a generator without types has one stream of luck for all.
        indices: [n], counters within (seed, type), or within the seed.
    """
    luck = np.empty(len(kinds))
    for kind in types_in(kinds):
        mine = kinds == kind
        luck[mine] = chances(seed, info.types[kind] if info.conditional else "", indices[mine])
    return luck


def odds(logits: NDArray[np.floating]) -> NDArray[np.float64]:
    """[n]: F for γ = 0, the logarithm of the odds that a candidate is accepted; the greatest is −log ε."""
    below = np.asarray(logits, np.float64)
    below = below - below.max(initial=-np.inf)
    return np.asarray(below - np.log(-np.expm1(below - EPSILON)))


def accepted(logits: NDArray[np.floating], luck: NDArray[np.float64], count: int) -> NDArray[np.int64]:
    """Rows of the ``count`` candidates that are accepted, in the order in which a growing γ would let go of them.

    Args:
        logits: [n], by the critic.
        luck: [n], of ``luck_of``.
        count: at most n.
    """
    margin = odds(logits) - np.log(luck) + np.log1p(-luck)
    return np.argsort(-margin, kind="stable")[:count]
