"""Which set of sprites is, as a whole, most like the training set? (Kernel herding: Chen, Welling & Smola 2010.)

A sprite is a point x of standardised features, scaled by 1/√d; two are alike by the kernel (x·y + 1)³. The distance of
two sets is that of their mean embeddings, the maximum mean discrepancy. Sprites are chosen one after another, each the
one that brings the set's mean nearest to the training set's; then one is exchanged for another while that helps.
A single sprite's realism, or a classifier's confidence, doesn't do it: it picks the same few kinds again and again.

More than ``BLOCK`` candidates are dealt out to several such searches, each with its share of every quota and the whole
training set for its aim: the time grows with the number of candidates, not with its square.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from asset_gen.proportions import types_in
from asset_gen.row_file import Rows, mean_of

BLOCK = 4096
PASSES = 4
"""Over a block's chosen sprites, to exchange them; the later ones hardly find anything."""
FEW = 6
"""Sprites of a type from which its spread can be told."""
FAR = 5.0
"""Standard deviations beyond which a feature is no farther: else a cube makes much of few."""
Points = NDArray[np.float32]


def alike(a: Points, b: Points) -> NDArray[np.float32]:
    """The kernel [n, m] between points [n, d] and [m, d]; float32 like these."""
    kernel = a @ b.T  # the largest array there is, so it is changed in its place
    kernel += 1
    return np.asarray(np.power(kernel, 3, out=kernel), np.float32)


@dataclass(frozen=True, slots=True)
class Aim:
    """The training set as points, and the types of its sprites."""

    points: Points
    """[m, d]"""
    kinds: NDArray[np.int64]
    """[m]"""
    mean: Points
    """[d], by which features become points: (feature − mean) / scale."""
    scale: Points
    """[d]"""

    @classmethod
    def of(cls, features: NDArray[np.float32], kinds: NDArray[np.int64]) -> Aim:
        """From the features [m, d] of training sprites; a feature that is the same for all of them counts nothing."""
        mean, spread = features.mean(axis=0), features.std(axis=0)
        scale = np.where(spread > 1e-6 * (spread.max() or 1), spread, np.inf) * np.sqrt(features.shape[1])
        scale = np.asarray(scale, np.float32)
        return cls(_points(features, mean, scale), kinds, np.asarray(mean, np.float32), scale)

    def points_of(self, features: NDArray[np.float32]) -> Points:
        """Candidates' features [n, d] as points."""
        return _points(features, self.mean, self.scale)

    def aligned(self, points: Rows, kinds: NDArray[np.integer[Any]]) -> Rows:
        """``points`` [n, d] of these types with each type's mean and spread made the training set's, as they are read.

        For features that tell real sprites from generated ones at a glance: all that is left to choose by is then how a
        type's sprites are spread, and none is taken for the one thing that no candidate can change. A type with fewer
        than ``FEW`` sprites on either side stays as it is.
        """
        moves: dict[int, tuple[Points, Points, Points]] = {}
        for kind in types_in(kinds).tolist():
            mine, real = np.flatnonzero(kinds == kind), self.points[self.kinds == kind]
            if min(len(mine), len(real)) < FEW:
                continue
            mean = mean_of(points, mine, np.asarray)
            spread = np.sqrt(mean_of(points, mine, partial(_squares, mean)))
            moves[kind] = mean, real.std(axis=0) / np.maximum(spread, 1e-6), real.mean(axis=0)
        return _Aligned(points, kinds, moves)

    def likeness(self, points: Rows, quotas: Mapping[int, int]) -> NDArray[np.float32]:
        """[n]: mean kernel between each point and the training set, whose types count as they do in ``quotas``.

        A type that no training sprite carries counts as the whole set.
        """
        total = sum(quotas.values())
        weights = np.zeros(len(self.points))
        for kind, quota in quotas.items():
            mine = self.kinds == kind if (self.kinds == kind).any() else np.ones(len(self.kinds), bool)
            weights[mine] += quota / total / mine.sum()
        weights = np.asarray(weights, np.float32)
        parts = [alike(points[n : n + BLOCK], self.points) @ weights for n in range(0, len(points), BLOCK)]
        return np.concatenate(parts)


def _squares(mean: Points, points: Points) -> Points:
    """Of the differences between points [n, d] and their mean [d]."""
    return np.asarray(np.square(points - mean), np.float32)


class _Aligned:
    """Points that are moved when they are read."""

    def __init__(
        self, points: Rows, kinds: NDArray[np.integer[Any]], moves: Mapping[int, tuple[Points, Points, Points]]
    ) -> None:
        """``moves``: type → (its points' mean, a factor, what is added)."""
        self._points, self._kinds, self._moves = points, kinds, moves

    def __len__(self) -> int:
        return len(self._points)

    def __getitem__(self, rows: slice | NDArray[np.int64]) -> Points:
        moved, kinds = np.array(self._points[rows]), self._kinds[rows]
        for kind, (mean, factor, added) in self._moves.items():
            mine = kinds == kind
            moved[mine] = (moved[mine] - mean) * factor + added
        return moved


def _points(features: NDArray[np.float32], mean: Points, scale: Points) -> Points:
    far = np.float32(FAR / np.sqrt(features.shape[1]))
    points = np.asarray(features - mean, np.float32)  # the largest array there is, so it is changed in its place
    points /= scale
    return np.clip(points, -far, far, out=points)


def herd(
    points: Rows,
    likeness: Rows,
    pools: Mapping[int, NDArray[np.integer[Any]]],
    open_slots: Mapping[int, int],
    fixed: NDArray[np.int64],
) -> list[NDArray[np.int64]]:
    """Rows to choose from each pool, in the order of ``pools``.

    Args:
        points: [n, d], of all candidates.
        likeness: [n], each one's mean kernel with the training set.
        pools: type → rows that may be chosen.
        open_slots: type → how many to choose.
        fixed: rows that are in the set already.
    """
    chosen: dict[int, list[NDArray[np.integer[Any]]]] = {kind: [] for kind in pools}
    for part, slots, mine in _deal(pools, open_slots, fixed):
        rows = np.concatenate([mine, *part.values()])
        found = _Search(points[rows], likeness[rows], part, slots, len(mine)).run()  # no two of them in memory
        for kind, places in found.items():
            chosen[kind].append(rows[places])
    return [np.concatenate([*chosen[kind], np.zeros(0, np.int64)]) for kind in pools]


def discrepancy(points: Points, likeness: NDArray[np.float32], rows: NDArray[np.int64]) -> float:
    """Squared distance of the chosen rows' mean embedding to the training set's, less the training set's own term."""
    chosen = points[rows]
    within = sum(float(alike(chosen[n : n + BLOCK], chosen).sum(dtype=np.float64)) for n in range(0, len(rows), BLOCK))
    return within / len(rows) ** 2 - 2 * float(likeness[rows].mean(dtype=np.float64))


Pools = dict[int, NDArray[np.integer[Any]]]


def _deal(
    pools: Mapping[int, NDArray[np.integer[Any]]], open_slots: Mapping[int, int], fixed: NDArray[np.int64]
) -> Iterator[tuple[Pools, dict[int, int], NDArray[np.int64]]]:
    """Equal shares of pools, slots and fixed rows: every n-th sprite of a pool, and of its quota a share that fits."""
    count = -(-(sum(map(len, pools.values())) + len(fixed)) // BLOCK) or 1
    for number in range(count):
        part = {kind: pool[number::count] for kind, pool in pools.items()}
        before = {kind: sum(len(pool[n::count]) for n in range(number)) for kind, pool in pools.items()}
        slots = {
            kind: _share(open_slots[kind], before[kind] + len(part[kind]), len(pool))
            - _share(open_slots[kind], before[kind], len(pool))
            for kind, pool in pools.items()
        }
        yield part, slots, fixed[number::count]


def _share(slots: int, candidates: int, of: int) -> int:
    """How many slots go to the first ``candidates`` of a pool; never more than there are."""
    return slots * candidates // of if of else 0


class _Search:
    """One block: fixed points first, then the pools one behind the other."""

    def __init__(
        self, points: Points, likeness: NDArray[np.float32], pools: Pools, slots: dict[int, int], fixed: int
    ) -> None:
        self.kernel = alike(points, points)
        self.likeness = likeness
        self.slots = slots
        ends = np.cumsum([fixed, *map(len, pools.values())])
        self.spans = {kind: slice(ends[place], ends[place + 1]) for place, kind in enumerate(pools)}
        self.inside = np.arange(len(points)) < fixed
        self.sums = self.kernel[:fixed].sum(axis=0, dtype=np.float64)
        """Of each point's kernel with all that are inside."""

    def run(self) -> dict[int, NDArray[np.int64]]:
        """Type → places of what is chosen for it."""
        for kind in self._turns():
            self._add(self.spans[kind])
        for _ in range(PASSES):
            if not self._exchange():
                break
        return {kind: np.flatnonzero(self.inside[span]) + span.start for kind, span in self.spans.items()}

    def _turns(self) -> list[int]:
        """The type of each choice, so that all types fill evenly."""
        turns = [((n + 0.5) / slots, kind) for kind, slots in self.slots.items() for n in range(slots)]
        return [kind for _, kind in sorted(turns)]

    def _add(self, span: slice) -> None:
        """Choose the sprite of a pool that brings the mean nearest: greedily on the set as it then is."""
        count = int(self.inside.sum()) + 1
        own = self.kernel.diagonal()[span]
        cost = (2 * self.sums[span] + own) / count - 2 * self.likeness[span]
        cost[self.inside[span]] = np.inf
        self._move(int(cost.argmin()) + span.start, 1)

    def _move(self, place: int, sign: int) -> None:
        self.inside[place] = sign > 0
        self.sums += sign * self.kernel[place].astype(np.float64)

    def _exchange(self) -> bool:
        """Exchange each chosen sprite for the best other one of its type where that helps; whether any was."""
        count, changed = int(self.inside.sum()), False
        own = self.kernel.diagonal()
        for span in self.spans.values():
            for place in np.flatnonzero(self.inside[span]) + span.start:
                without = self.sums - self.kernel[place]
                cost = (2 * without[span] + own[span]) / count - 2 * self.likeness[span]
                now = cost[place - span.start]
                cost[self.inside[span]] = np.inf
                best = int(cost.argmin())
                if cost[best] < now - 1e-7 * abs(now):
                    self._move(place, -1)
                    self._move(best + span.start, 1)
                    changed = True
        return changed
