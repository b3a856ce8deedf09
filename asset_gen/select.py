"""Which K of N candidates form the best set?

Under a quota for each type, and of what may be chosen at all (``asset_gen.fitness``), one of these filters:

    set     the set that is most like the training set as a whole (``asset_gen.herding``)
    critic  what the discriminator takes for real, by luck and odds (``asset_gen.rejection``)
    is      the set with the greatest Inception Score over the type posteriors
    top-p   the sprites whose own type is most probable
    none    the first ones drawn
    rated   the sprites that people like best (``asset_gen.poll``), those nobody compared in the middle
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from asset_gen.herding import herd
from asset_gen.metrics.inception_score import SPLITS, entropy, inception_score
from asset_gen.proportions import types_in
from asset_gen.rejection import accepted
from asset_gen.row_file import Reordered, Rows, blocks, in_blocks, mean_of, worked_out

FILTERS = ("set", "critic", "is", "top-p", "none")
USUAL = "set"
RATED = "rated"
"""Needs ratings, so it has no name on the command line but their file's."""
NEAR = 0.02
"""Two thumbnails closer than this (root mean square, 0–1) are one picture: so near are only the nearest hundredth of
the sprites that artists drew (dcss 0.021, veekun 0.016)."""
THUMB = 8  # side of a thumbnail in pixels
NARROW = 512  # thumbnails that are compared with earlier ones at once
SLACK = 4096  # more than float32 can be wrong in a squared distance of sums
EPSILON = 1e-12
SMALL = 500  # candidates up to which further searches are made
RESTARTS = 12
LARGE = 20_000
"""Candidates from which on the greatest Inception Score is sought by tangents alone, without exchanges."""
STEPS = 64
"""In which a set is brought to a least Inception Score."""

Pools = dict[int, NDArray[np.integer[Any]]]
"""Type → the rows that may be chosen."""


def thumbnails(sprites: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Premultiplied uint8 [n, 8 · 8 · 4] of straight sprites [n, s, s, 4], averaged over blocks."""
    n, size = sprites.shape[:2]
    pixels = sprites.astype(np.float32)
    pixels[..., :3] *= pixels[..., 3:] / 255
    edges = np.linspace(0, size, THUMB + 1).astype(int)[:-1]
    sums = np.add.reduceat(np.add.reduceat(pixels, edges, axis=1), edges, axis=2)
    spans = np.diff([*edges, size]).astype(np.float32)
    means = sums / (spans[:, None] * spans[None, :])[None, :, :, None]
    return np.asarray(np.rint(means), np.uint8).reshape(n, -1)


def near_duplicates(thumbs: Rows, near: float = NEAR) -> NDArray[np.int64]:
    """For every sprite the first earlier one it nearly equals, mirrored or not; −1 where there is none.

    ``thumbs`` [n, 256] of one type, in the order in which sprites are preferred. A sprite that is itself a duplicate
    makes no others. All is whole numbers that float32 holds, so that no machine decides otherwise than another.
    """
    with worked_out(thumbs, _row_sums) as sums:
        return _near_duplicates(thumbs, sums, near**2 * 255**2 * THUMB * THUMB * 4)


def _near_duplicates(thumbs: Rows, sums: Rows, limit: float) -> NDArray[np.int64]:
    first = np.full(len(thumbs), -1, np.int64)
    originals = np.zeros(0, np.int64)
    for start in range(0, len(thumbs), NARROW):
        rows = np.arange(start, min(start + NARROW, len(thumbs)))
        for block in blocks(len(originals)):
            left = rows[first[rows] < 0]
            found, earlier = _near(thumbs, sums, left, originals[block], limit)
            found, places = np.unique(found, return_index=True)
            first[found] = earlier[places]
        left = rows[first[rows] < 0]
        for row, other in zip(*(side.tolist() for side in _near(thumbs, sums, left, left, limit)), strict=True):
            if other < row and first[row] < 0 and first[other] < 0:
                first[row] = other
        originals = np.concatenate([originals, rows[first[rows] < 0]])
    return first


def _near(
    thumbs: Rows, sums: Rows, rows: NDArray[np.int64], others: NDArray[np.int64], limit: float
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """(row, other) of all pairs within a squared distance, by rows and then by others.

    Sums over a row of eight pixels differ by at most √8 times as much as its pixels do, and few pairs that are farther
    apart come near that: only the pixels of those that may be near are looked at.
    """
    middle = sums[others[:1]].astype(np.float32)  # small numbers are those that float32 is good at
    ours, theirs = sums[rows] - middle, sums[others] - middle
    squared = ours @ np.ascontiguousarray(-2 * theirs.T)
    squared += (theirs**2).sum(axis=1)
    perhaps = squared <= (THUMB * limit + SLACK - (ours**2).sum(axis=1))[:, None]
    if not perhaps.any():  # as nearly always, and quick to see
        return rows[:0], others[:0]
    row, other = np.nonzero(perhaps)
    (near_rows, row_of), (near_others, other_of) = (np.unique(one, return_inverse=True) for one in (row, other))
    ours, theirs = (np.asarray(thumbs[one], np.float32) for one in (rows[near_rows], others[near_others]))
    mirrored = theirs.reshape(-1, THUMB, THUMB, 4)[:, :, ::-1].reshape(theirs.shape)
    product = np.maximum(ours @ theirs.T, ours @ mirrored.T)
    lengths = [(one**2).sum(axis=1).astype(np.float64) for one in (ours, theirs)]
    close = lengths[0][row_of] + lengths[1][other_of] - 2 * product[row_of, other_of].astype(np.float64) <= limit
    return rows[row[close]], others[other[close]]


def _row_sums(thumbs: NDArray[np.uint8]) -> NDArray[np.uint16]:
    """[n, 32]: sums over each row of a thumbnail by channel, which mirroring leaves as they are."""
    sums = thumbs.reshape(-1, THUMB, THUMB, 4).sum(axis=2, dtype=np.uint16)
    return np.asarray(sums, np.uint16).reshape(len(thumbs), -1)


def select(
    p: Rows,
    kinds: NDArray[np.integer[Any]],
    quotas: Mapping[int, int],
    strategy: str = "is",
    fixed: NDArray[np.int64] | None = None,
    allowed: NDArray[np.bool_] | None = None,
    worth: NDArray[np.floating] | None = None,
    look: tuple[Rows, Rows] | None = None,
    judged: tuple[Rows, Rows] | None = None,
) -> NDArray[np.int64]:
    """Rows of the chosen set, ascending.

    Args:
        p: p(type | sprite) [n, types].
        kinds: [n], the type each candidate stands for.
        quotas: type → how many to choose, ``fixed`` ones included.
        strategy: one of ``FILTERS``, or ``RATED``.
        fixed: rows that are in the set already and stay.
        allowed: [n], False for rows that must not be chosen.
        look: points [n, d] and their likeness to the training set [n]; needed by ``set``.
        judged: the critic's logits [n] and each candidate's luck [n]; needed by ``critic``.
        worth: [n], ratings; needed by ``RATED``. Equal ones are chosen in the order they were drawn in.

    Raises:
        ValueError: a type has fewer allowed candidates than its quota, or more fixed ones.
    """
    fixed = np.zeros(0, np.int64) if fixed is None else fixed
    free = np.ones(len(p), bool) if allowed is None else allowed.copy()
    free[fixed] = False
    pools: Pools = {}
    for kind in sorted(quotas):
        pools[kind] = np.flatnonzero(free & (kinds == kind)).astype(np.int32)  # of a million candidates half the bytes
    open_slots = {kind: quotas[kind] - int((kinds[fixed] == kind).sum()) for kind in pools}
    for kind, pool in pools.items():
        if not 0 <= open_slots[kind] <= len(pool):
            raise ValueError(f"type {kind} has {len(pool)} candidates for {open_slots[kind]} slots")
    chosen: Sequence[NDArray[np.integer[Any]]]
    if strategy == "none":
        chosen = [pool[: open_slots[kind]] for kind, pool in pools.items()]
    elif strategy == "top-p":
        chosen = [
            pool[np.argsort(-_column(p, pool, kind), kind="stable")[: open_slots[kind]]] for kind, pool in pools.items()
        ]
    elif strategy == RATED and worth is not None:
        chosen = [pool[np.argsort(-worth[pool], kind="stable")[: open_slots[kind]]] for kind, pool in pools.items()]
    elif strategy == "set" and look is not None:
        chosen = herd(*look, pools, open_slots, fixed)
    elif strategy == "critic" and judged is not None:
        logits, luck = judged
        chosen = [pool[accepted(logits[pool], luck[pool], open_slots[kind])] for kind, pool in pools.items()]
    elif strategy == "is":
        chosen = _greatest_score(p, pools, open_slots, fixed)
    else:
        raise ValueError(f"unknown filter {strategy!r}; known: {', '.join(FILTERS)}")
    return np.sort(np.concatenate([fixed, *chosen])).astype(np.int64)


def raised(
    p: Rows,
    kinds: NDArray[np.integer[Any]],
    chosen: NDArray[np.int64],
    best: NDArray[np.int64],
    least: float,
) -> NDArray[np.int64]:
    """``chosen`` with as few rows as need be exchanged for ones of ``best``, so that the Inception Score is ``least``.

    Args:
        p: p(type | sprite) [n, types].
        kinds: [n], the type each candidate stands for.
        chosen: rows, as many of each type as in ``best``.
        best: the rows of the greatest score.

    Raises:
        ValueError: not even ``best`` has that score.
    """
    if score_by_splits(p, kinds, chosen) >= least:
        return chosen
    if score_by_splits(p, kinds, best) < least:
        raise ValueError(f"the greatest Inception Score is {score_by_splits(p, kinds, best):.2f}")
    leave, come = np.setdiff1d(chosen, best), np.setdiff1d(best, chosen)
    mean = mean_of(p, best, np.asarray)
    pairs = []
    with worked_out(p, lambda some: _surprise(mean, some) - entropy(some)) as worth:
        for kind in types_in(kinds[leave]):
            worst, first = leave[kinds[leave] == kind], come[kinds[come] == kind]
            pairs.append(np.stack([worst[np.argsort(worth[worst])], first[np.argsort(-worth[first])]], axis=1))
        swaps = np.concatenate(pairs)
        swaps = swaps[np.argsort(worth[swaps[:, 0]] - worth[swaps[:, 1]], kind="stable")]
    for step in range(1, STEPS + 1):
        done = swaps[: -(-len(swaps) * step // STEPS)]
        rows = np.union1d(np.setdiff1d(chosen, done[:, 0]), done[:, 1])
        if score_by_splits(p, kinds, rows) >= least:
            return rows
    return np.sort(best)


def score_by_splits(p: Rows, kinds: NDArray[np.integer[Any]], rows: NDArray[np.int64]) -> float:
    """The Inception Score of rows that may come in any order, as it is reported; 0 for fewer rows than splits."""
    if len(rows) < SPLITS:
        return 0.0
    rows = np.sort(rows)
    return inception_score(Reordered(p, rows[np.argsort(kinds[rows], kind="stable")]))[0]


def _column(p: Rows, pool: NDArray[np.integer[Any]], kind: int) -> NDArray[np.floating]:
    """p(type) of the rows of a pool."""
    return in_blocks(Reordered(p, pool), lambda block: np.ascontiguousarray(block[:, kind]))


def _surprise(mean: NDArray[np.floating], p: NDArray[np.floating]) -> NDArray[np.float64]:
    """[n]: cross entropy of each posterior with their mean."""
    return np.asarray(np.asarray(p, np.float64) @ -np.log(np.maximum(mean, 1e-300)))


def _greatest_score(
    p: Rows, pools: Pools, open_slots: dict[int, int], fixed: NDArray[np.int64]
) -> list[NDArray[np.integer[Any]]]:
    """Maximise H(mean p) − mean H(p): greedily, then by swaps until none helps.

    Small sets can end in a local maximum, so there further searches start from random sets, and the best counts.
    """
    if sum(map(len, pools.values())) > LARGE:
        with worked_out(p, entropy) as uncertainty:
            best = _Search(p, uncertainty, pools, open_slots, fixed).by_tangents()
        return [pool[best[kind]] for kind, pool in pools.items()]
    values = np.asarray(p[:], np.float64)
    search = _Search(values, entropy(values), pools, open_slots, fixed)
    best = search.improved(search.greedy())
    if sum(map(len, pools.values())) <= SMALL:
        for seed in range(RESTARTS):
            other = search.improved(search.random(seed))
            if search.score(other) > search.score(best) + EPSILON:
                best = other
    return [pool[best[kind]] for kind, pool in pools.items()]


Chosen = dict[int, NDArray[np.bool_]]
"""Type → which of its pool are chosen."""


class _Search:
    """The sets that meet the quotas, and ways to a better one."""

    def __init__(
        self,
        p: Rows,
        uncertainty: Rows,
        pools: Pools,
        open_slots: dict[int, int],
        fixed: NDArray[np.int64],
    ) -> None:
        """``uncertainty``: entropy of each of ``p``."""
        self.p, self.uncertainty, self.pools, self.open_slots, self.fixed = p, uncertainty, pools, open_slots, fixed

    def rows(self, chosen: Chosen) -> NDArray[np.integer[Any]]:
        """The set, fixed rows included."""
        return np.concatenate([self.fixed, *(pool[chosen[kind]] for kind, pool in self.pools.items())])

    def score(self, chosen: Chosen) -> float:
        """Logarithm of the Inception Score of the set."""
        rows = self.rows(chosen)
        return float(entropy(mean_of(self.p, rows)) - self.uncertainty[rows].mean()) if len(rows) else 0.0

    def random(self, seed: int) -> Chosen:
        """Any set."""
        chance = np.random.default_rng(seed)
        chosen: Chosen = {kind: np.zeros(len(pool), bool) for kind, pool in self.pools.items()}
        for kind, pool in self.pools.items():
            chosen[kind][chance.choice(len(pool), self.open_slots[kind], replace=False)] = True
        return chosen

    def by_tangents(self) -> Chosen:
        """The surest of each type, then again and again those that the score's tangent there likes best.

        The score is concave in how much of each sprite is taken, so this ends beside the greatest (Frank & Wolfe 1956).
        """
        mean = mean_of(self.p, np.concatenate([*self.pools.values()]))
        best, reached = self.random(0), -np.inf
        for _ in range(50):
            chosen: Chosen = {kind: np.zeros(len(pool), bool) for kind, pool in self.pools.items()}
            with worked_out(self.p, partial(_surprise, mean)) as surprise:
                for kind, pool in self.pools.items():
                    worst = self.uncertainty[pool]
                    worst -= surprise[pool]
                    chosen[kind][np.argsort(worst, kind="stable")[: self.open_slots[kind]]] = True
            if (score := self.score(chosen)) <= reached + EPSILON:
                break
            best, reached = chosen, score
            mean = (mean + mean_of(self.p, self.rows(chosen))) / 2
        return best

    def greedy(self) -> Chosen:
        """One sprite after another, type by type in turn, each the one that raises the score most."""
        p, uncertainty = self.p, self.uncertainty
        chosen: Chosen = {kind: np.zeros(len(pool), bool) for kind, pool in self.pools.items()}
        total, doubt, count = p[self.fixed].sum(axis=0), float(uncertainty[self.fixed].sum()), len(self.fixed)
        left = dict(self.open_slots)
        while any(left.values()):
            for kind in [kind for kind in left if left[kind]]:
                places = np.flatnonzero(~chosen[kind])
                outside = self.pools[kind][places]
                gain = entropy((total + p[outside]) / (count + 1)) - (doubt + uncertainty[outside]) / (count + 1)
                best = int(gain.argmax())
                chosen[kind][places[best]] = True
                total = total + p[outside[best]]
                doubt += float(uncertainty[outside[best]])
                count += 1
                left[kind] -= 1
        return chosen

    def improved(self, chosen: Chosen) -> Chosen:
        """Exchange a chosen for an unchosen sprite of its type for as long as that raises the score.

        Entropy is concave, so its tangent bounds what a swap can gain: only pairs whose tangent gain is positive are
        evaluated, which loses none.
        """
        p, uncertainty = self.p, self.uncertainty
        rows = self.rows(chosen)
        total, count = p[rows].sum(axis=0), len(rows)
        changed = True
        while changed:
            changed = False
            for kind, pool in self.pools.items():
                inside = chosen[kind]
                for place in np.flatnonzero(inside):
                    worth = p[pool] @ -np.log(np.maximum(total / count, 1e-300)) - uncertainty[pool]
                    better = np.flatnonzero(~inside & (worth > worth[place] + EPSILON))
                    if not len(better):
                        continue
                    totals = total - p[pool[place]] + p[pool[better]]
                    calmer = (uncertainty[pool[place]] - uncertainty[pool[better]]) / count
                    gain = entropy(totals / count) - entropy(total / count) + calmer
                    best = int(gain.argmax())
                    if gain[best] > EPSILON:
                        inside[place], inside[better[best]] = False, True
                        total = totals[best]
                        changed = True
        return chosen
