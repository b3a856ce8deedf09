"""Inception Score (Salimans et al. 2016, arXiv:1606.03498): how sure a classifier is of each, and how varied all are.

IS = exp(E_x KL(p(y|x) ‖ p(y))) = exp(H(mean p) − mean H(p)). It is a figure of a set: it grows with the set's size,
and depends on the network; both belong beside it.
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from asset_gen.row_file import Reordered, Rows, in_blocks, mean_of

SPLITS = 10


def softmax(logits: NDArray[np.floating]) -> NDArray[np.float32]:
    """Probabilities [n, classes] of logits [n, classes]."""
    powers = np.exp(logits.astype(np.float64) - logits.max(axis=1, keepdims=True))
    return np.asarray(powers / powers.sum(axis=1, keepdims=True), np.float32)


def entropy(p: NDArray[np.floating]) -> NDArray[np.float64]:
    """Shannon entropy in nats along the last axis; 0 · log 0 is 0."""
    p = np.asarray(p, np.float64)
    return np.asarray(-np.sum(p * np.log(np.where(p > 0, p, 1)), axis=-1))


def score_of(p: Rows) -> float:
    """exp(H(mean p) − mean H(p)) of p [n, classes], without splits: 1 to the number of classes."""
    return float(np.exp(entropy(mean_of(p)) - in_blocks(p, entropy).mean()))


def inception_score(p: Rows, splits: int = SPLITS, seed: int = 0) -> tuple[float, float]:
    """Mean and standard deviation of the score over ``splits`` equal parts of p [n, classes].

    Rows are shuffled by ``seed`` first, since sprites sorted by type would give each part a type of its own. Parts
    begin at i · n / splits rounded down, as those of pytorch_gan_metrics do.

    Raises:
        ValueError: fewer rows than splits.
    """
    if len(p) < splits:
        raise ValueError(f"{len(p)} sprites are fewer than {splits} splits")
    part = parts_of(len(p), splits, seed)
    scores = [score_of(Reordered(p, np.flatnonzero(part == number))) for number in range(splits)]
    return float(np.mean(scores)), float(np.std(scores))


def parts_of(count: int, splits: int, seed: int = 0) -> NDArray[np.int32]:
    """[count]: in which of the parts each row is."""
    parts = np.empty(count, np.int32)
    order = np.random.default_rng(seed).permutation(count)
    for part, (start, stop) in enumerate(pairwise(np.arange(splits + 1) * count // splits)):
        parts[order[start:stop]] = part
    return parts


class SplitScores:
    """``inception_score`` of rows that come a batch at a time: sums a split are all that is kept."""

    def __init__(self, members: NDArray[np.bool_], classes: int, splits: int = SPLITS, seed: int = 0) -> None:
        """``members`` [n]: which of the rows to come belong to the set.

        Raises:
            ValueError: fewer members than splits.
        """
        self.count = int(members.sum())
        if self.count < splits:
            raise ValueError(f"{self.count} sprites are fewer than {splits} splits")
        self._part = np.full(len(members), -1, np.int32)
        self._part[members] = parts_of(self.count, splits, seed)
        self._sizes = np.bincount(self._part[members], minlength=splits)
        self._p = np.zeros((splits, classes))
        self._entropy = np.zeros(splits)

    def add(self, rows: slice, p: NDArray[np.floating]) -> None:
        """Take in p [rows, classes]."""
        parts = self._part[rows]
        mine = parts >= 0
        np.add.at(self._p, parts[mine], np.asarray(p[mine], np.float64))
        np.add.at(self._entropy, parts[mine], entropy(p[mine]))

    def figure(self) -> tuple[float, float]:
        """Mean and standard deviation over the splits, when all rows have come."""
        sizes = self._sizes
        scores = np.exp(entropy(self._p / sizes[:, None]) - self._entropy / sizes)
        return float(scores.mean()), float(scores.std())
