"""Inception Score (Salimans et al. 2016, arXiv:1606.03498): how sure a classifier is of each, and how varied all are.

IS = exp(E_x KL(p(y|x) ‖ p(y))) = exp(H(mean p) − mean H(p)). It is a figure of a set: it grows with the set's size,
and depends on the network; both belong beside it.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

SPLITS = 10


def entropy(p: NDArray[np.floating]) -> NDArray[np.float64]:
    """Shannon entropy in nats along the last axis; 0 · log 0 is 0."""
    p = np.asarray(p, np.float64)
    return np.asarray(-np.sum(p * np.log(np.where(p > 0, p, 1)), axis=-1))


def score_of(p: NDArray[np.floating]) -> float:
    """exp(H(mean p) − mean H(p)) of p [n, classes], without splits: 1 to the number of classes."""
    p = np.asarray(p, np.float64)
    return float(np.exp(entropy(p.mean(axis=0)) - entropy(p).mean()))


def inception_score(p: NDArray[np.floating], splits: int = SPLITS, seed: int = 0) -> tuple[float, float]:
    """Mean and standard deviation of the score over ``splits`` equal parts of p [n, classes].

    Rows are shuffled by ``seed`` first, since sprites sorted by type would give each part a type of its own.

    Raises:
        ValueError: fewer rows than splits.
    """
    if len(p) < splits:
        raise ValueError(f"{len(p)} sprites are fewer than {splits} splits")
    order = np.random.default_rng(seed).permutation(len(p))
    scores = [score_of(part) for part in np.array_split(p[order], splits)]
    return float(np.mean(scores)), float(np.std(scores))
