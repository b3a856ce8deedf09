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

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from asset_gen.herding import Kept, herd
from asset_gen.metrics.inception_score import SPLITS, entropy, inception_score
from asset_gen.rejection import accepted

FILTERS = ("set", "critic", "is", "top-p", "none")
USUAL = "set"
RATED = "rated"
"""Needs ratings, so it has no name on the command line but their file's."""
NEAR = 0.02
"""Two thumbnails closer than this (root mean square, 0–1) are one picture: so near are only the nearest hundredth of
the sprites that artists drew (dcss 0.021, veekun 0.016)."""
THUMB = 8  # side of a thumbnail in pixels
EPSILON = 1e-12
SMALL = 500  # candidates up to which further searches are made
RESTARTS = 12
LARGE = 20_000
"""Candidates from which on the greatest Inception Score is sought by tangents alone, without exchanges."""
STEPS = 64
"""In which a set is brought to a least Inception Score."""


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


def near_duplicates(thumbs: NDArray[np.uint8], near: float = NEAR) -> NDArray[np.int64]:
    """For every sprite the first earlier one it nearly equals, mirrored or not; −1 where there is none.

    ``thumbs`` [n, 256] of one type, in the order in which sprites are preferred. A sprite that is itself a duplicate
    makes no others.
    """
    n = len(thumbs)
    plain = thumbs.astype(np.float32) / 255
    mirrored = plain.reshape(n, THUMB, THUMB, 4)[:, :, ::-1].reshape(n, -1)
    length = (plain**2).sum(axis=1)
    limit = near**2 * plain.shape[1]
    first = np.full(n, -1, np.int64)
    for start in range(0, n, 512):  # blocks, so that memory stays flat
        block = slice(start, min(start + 512, n))
        close = np.zeros((block.stop - start, block.stop), bool)
        for other in (plain, mirrored):
            squared = length[block, None] + length[None, : block.stop] - 2 * plain[block] @ other[: block.stop].T
            close |= squared <= limit
        for row in range(start, block.stop):
            earlier = np.flatnonzero(close[row - start, :row])
            originals = earlier[first[earlier] < 0]
            if len(originals):
                first[row] = originals[0]
    return first


def select(
    p: NDArray[np.floating],
    kinds: NDArray[np.int64],
    quotas: Mapping[int, int],
    strategy: str = "is",
    fixed: NDArray[np.int64] | None = None,
    allowed: NDArray[np.bool_] | None = None,
    worth: NDArray[np.floating] | None = None,
    look: tuple[Kept, NDArray[np.float32]] | None = None,
    judged: tuple[NDArray[np.floating], NDArray[np.float64]] | None = None,
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
    pools = {kind: np.flatnonzero(free & (kinds == kind)) for kind in sorted(quotas)}
    open_slots = {kind: quotas[kind] - int((kinds[fixed] == kind).sum()) for kind in pools}
    for kind, pool in pools.items():
        if not 0 <= open_slots[kind] <= len(pool):
            raise ValueError(f"type {kind} has {len(pool)} candidates for {open_slots[kind]} slots")
    if strategy == "none":
        chosen = [pool[: open_slots[kind]] for kind, pool in pools.items()]
    elif strategy == "top-p":
        chosen = [pool[np.argsort(-p[pool, kind], kind="stable")[: open_slots[kind]]] for kind, pool in pools.items()]
    elif strategy == RATED and worth is not None:
        chosen = [pool[np.argsort(-worth[pool], kind="stable")[: open_slots[kind]]] for kind, pool in pools.items()]
    elif strategy == "set" and look is not None:
        chosen = herd(*look, pools, open_slots, fixed)
    elif strategy == "critic" and judged is not None:
        logits, luck = judged
        chosen = [pool[accepted(logits[pool], luck[pool], open_slots[kind])] for kind, pool in pools.items()]
    elif strategy == "is":
        chosen = _greatest_score(np.asarray(p, np.float64), pools, open_slots, fixed)
    else:
        raise ValueError(f"unknown filter {strategy!r}; known: {', '.join(FILTERS)}")
    return np.sort(np.concatenate([fixed, *chosen])).astype(np.int64)


def raised(
    p: NDArray[np.floating],
    kinds: NDArray[np.int64],
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
    worth = np.asarray(p, np.float64) @ -np.log(np.maximum(p[best].mean(axis=0), 1e-300)) - entropy(p)
    leave, come = np.setdiff1d(chosen, best), np.setdiff1d(best, chosen)
    pairs = []
    for kind in np.unique(kinds[leave]):
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


def score_by_splits(p: NDArray[np.floating], kinds: NDArray[np.int64], rows: NDArray[np.int64]) -> float:
    """The Inception Score of rows that may come in any order, as it is reported; 0 for fewer rows than splits."""
    if len(rows) < SPLITS:
        return 0.0
    rows = np.sort(rows)
    return inception_score(p[rows[np.argsort(kinds[rows], kind="stable")]])[0]


def _greatest_score(
    p: NDArray[np.float64], pools: dict[int, NDArray[np.int64]], open_slots: dict[int, int], fixed: NDArray[np.int64]
) -> list[NDArray[np.int64]]:
    """Maximise H(mean p) − mean H(p): greedily, then by swaps until none helps.

    Small sets can end in a local maximum, so there further searches start from random sets, and the best counts.
    """
    search = _Search(p, pools, open_slots, fixed)
    if sum(map(len, pools.values())) > LARGE:
        best = search.by_tangents()
        return [pool[best[kind]] for kind, pool in pools.items()]
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
        p: NDArray[np.float64],
        pools: dict[int, NDArray[np.int64]],
        open_slots: dict[int, int],
        fixed: NDArray[np.int64],
    ) -> None:
        self.p, self.pools, self.open_slots, self.fixed = p, pools, open_slots, fixed
        self.uncertainty = entropy(p)

    def rows(self, chosen: Chosen) -> NDArray[np.int64]:
        """The set, fixed rows included."""
        return np.concatenate([self.fixed, *(pool[chosen[kind]] for kind, pool in self.pools.items())])

    def score(self, chosen: Chosen) -> float:
        """Logarithm of the Inception Score of the set."""
        rows = self.rows(chosen)
        return float(entropy(self.p[rows].mean(axis=0)) - self.uncertainty[rows].mean()) if len(rows) else 0.0

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
        mean = self.p[np.concatenate([*self.pools.values()])].mean(axis=0)
        best, reached = self.random(0), -np.inf
        for _ in range(50):
            worth = self.p @ -np.log(np.maximum(mean, 1e-300)) - self.uncertainty
            chosen: Chosen = {kind: np.zeros(len(pool), bool) for kind, pool in self.pools.items()}
            for kind, pool in self.pools.items():
                chosen[kind][np.argsort(-worth[pool], kind="stable")[: self.open_slots[kind]]] = True
            if (score := self.score(chosen)) <= reached + EPSILON:
                break
            best, reached = chosen, score
            mean = (mean + self.p[self.rows(chosen)].mean(axis=0)) / 2
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
