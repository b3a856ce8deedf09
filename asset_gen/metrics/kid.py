"""Kernel Inception Distance (Bińkowski et al. 2018, arXiv:1801.01401): unbiased MMD² with k(x, y) = (x·y/d + 1)³."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

BLOCK = 1 << 20  # kernels at a time, so that memory stays flat


def kernel_distance(a: NDArray[np.floating], b: NDArray[np.floating]) -> float:
    """KID between features [n, d] and [m, d], over whole sets; 0 in expectation for equal distributions.

    Raises:
        ValueError: a set has fewer than two rows.
    """
    if len(a) < 2 or len(b) < 2:
        raise ValueError("KID needs at least two sprites on each side")
    ours, theirs = np.asarray(a, np.float64), np.asarray(b, np.float64)
    return _within(ours) + _within(theirs) - 2 * _kernel_sum(ours, theirs) / (len(a) * len(b))


def kernel_distance_in_blocks(
    a: NDArray[np.floating], b: NDArray[np.floating], rows: int, seed: int = 0
) -> tuple[float, int]:
    """KID as the mean over blocks of at most ``rows`` sprites of a side, and how many blocks there were.

    Every sprite is in a block, drawn by ``seed``; each block's estimate is unbiased, so their mean is, too (Zaremba et
    al. 2013, arXiv:1307.1954). One block is the whole set. The time grows with n, not with n².

    Raises:
        ValueError: a set has fewer than two rows.
    """
    chance = np.random.default_rng(seed)
    ours, theirs = (np.array_split(chance.permutation(len(x)), max(1, -(-len(x) // rows))) for x in (a, b))
    blocks = max(len(ours), len(theirs))
    found = [
        kernel_distance(a[np.sort(ours[i % len(ours)])], b[np.sort(theirs[i % len(theirs)])]) for i in range(blocks)
    ]
    return float(np.mean(found)), blocks


def _within(a: NDArray[np.float64]) -> float:
    """Mean kernel of all pairs of different rows."""
    return (_kernel_sum(a, a) - _kernel_diagonal(a)) / (len(a) * (len(a) - 1))


def _kernel_sum(a: NDArray[np.float64], b: NDArray[np.float64]) -> float:
    rows, total = max(1, BLOCK // len(b)), 0.0
    for start in range(0, len(a), rows):
        base = a[start : start + rows] @ b.T
        base /= a.shape[1]
        base += 1
        cube = base * base
        cube *= base
        total += float(cube.sum())
    return total


def _kernel_diagonal(a: NDArray[np.float64]) -> float:
    return float((((a**2).sum(axis=1) / a.shape[1] + 1) ** 3).sum())
