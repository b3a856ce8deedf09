"""Fréchet Inception Distance (Heusel et al. 2017, arXiv:1706.08500) between two sets of features."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

BLOCK = 4096  # rows at a time, so that memory stays flat


@dataclass(frozen=True, slots=True)
class Moments:
    """What FID knows of a set of features."""

    mean: NDArray[np.float64]
    """[d]"""
    covariance: NDArray[np.float64]
    """[d, d], with n − 1 in its denominator."""


def moments(features: NDArray[np.floating]) -> Moments:
    """Mean and covariance of features [n, d], which may lie in a file.

    Raises:
        ValueError: fewer than two rows.
    """
    count, width = features.shape
    if count < 2:
        raise ValueError("FID needs at least two sprites on each side")
    blocks = range(0, count, BLOCK)
    mean = sum((np.asarray(features[i : i + BLOCK], np.float64).sum(axis=0) for i in blocks), np.zeros(width)) / count
    outer = np.zeros((width, width))
    for start in blocks:
        centred = np.asarray(features[start : start + BLOCK], np.float64) - mean
        outer += centred.T @ centred
    return Moments(mean, outer / (count - 1))


def frechet_distance(a: NDArray[np.floating], b: NDArray[np.floating]) -> float:
    """FID between features [n, d] and [m, d].

    Raises:
        ValueError: a set has fewer than two rows.
    """
    return distance_of(moments(a), moments(b))


def distance_of(a: Moments, b: Moments) -> float:
    """‖μa − μb‖² + tr(Σa + Σb − 2 (Σa Σb)^½).

    The trace of the root is the sum of the roots of the eigenvalues of Σa^½ Σb Σa^½, which is symmetric.
    """
    shift = a.mean - b.mean
    values, vectors = np.linalg.eigh(a.covariance)
    root = (vectors * np.sqrt(np.clip(values, 0, None))) @ vectors.T
    cross = np.sqrt(np.clip(np.linalg.eigvalsh(root @ b.covariance @ root), 0, None)).sum()
    return float(shift @ shift + np.trace(a.covariance) + np.trace(b.covariance) - 2 * cross)
