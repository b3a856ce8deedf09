"""Which K of N candidates form the best set?

Under a quota for each type, near-duplicates at most once, one of these filters:

    is      the set with the greatest Inception Score over the type posteriors
    top-p   the sprites whose own type is most probable
    none    the first ones drawn
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from asset_gen.metrics.inception_score import entropy

FILTERS = ("is", "top-p", "none")
NEAR = 0.035
"""Two thumbnails closer than this (root mean square, 0–1) are one picture to the eye; see docs/selection.md."""
THUMB = 8  # side of a thumbnail in pixels
EPSILON = 1e-12


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
) -> NDArray[np.int64]:
    """Rows of the chosen set, ascending.

    Args:
        p: p(type | sprite) [n, types].
        kinds: [n], the type each candidate stands for.
        quotas: type → how many to choose, ``fixed`` ones included.
        strategy: one of ``FILTERS``.
        fixed: rows that are in the set already and stay.
        allowed: [n], False for rows that must not be chosen.

    Raises:
        ValueError: a type has fewer allowed candidates than its quota.
    """
    fixed = np.zeros(0, np.int64) if fixed is None else fixed
    free = np.ones(len(p), bool) if allowed is None else allowed.copy()
    free[fixed] = False
    pools = {kind: np.flatnonzero(free & (kinds == kind)) for kind in sorted(quotas)}
    open_slots = {kind: quotas[kind] - int((kinds[fixed] == kind).sum()) for kind in pools}
    for kind, pool in pools.items():
        if len(pool) < open_slots[kind]:
            raise ValueError(f"type {kind} has {len(pool)} candidates for {open_slots[kind]} slots")
    if strategy == "none":
        chosen = [pool[: open_slots[kind]] for kind, pool in pools.items()]
    elif strategy == "top-p":
        chosen = [pool[np.argsort(-p[pool, kind], kind="stable")[: open_slots[kind]]] for kind, pool in pools.items()]
    elif strategy == "is":
        chosen = _greatest_score(np.asarray(p, np.float64), pools, open_slots, fixed)
    else:
        raise ValueError(f"unknown filter {strategy!r}; known: {', '.join(FILTERS)}")
    return np.sort(np.concatenate([fixed, *chosen])).astype(np.int64)


def _greatest_score(
    p: NDArray[np.float64], pools: dict[int, NDArray[np.int64]], open_slots: dict[int, int], fixed: NDArray[np.int64]
) -> list[NDArray[np.int64]]:
    """Maximise H(mean p) − mean H(p): greedily, type by type in turn, then by swaps until none helps."""
    uncertainty = entropy(p)
    total = p[fixed].sum(axis=0)
    doubt = float(uncertainty[fixed].sum())
    count = len(fixed)
    inside = {kind: np.zeros(len(pool), bool) for kind, pool in pools.items()}
    left = dict(open_slots)
    while any(left.values()):
        for kind, pool in pools.items():
            if not left[kind]:
                continue
            outside = pool[~inside[kind]]
            gain = entropy((total + p[outside]) / (count + 1)) - (doubt + uncertainty[outside]) / (count + 1)
            best = outside[int(gain.argmax())]
            inside[kind][int(np.searchsorted(pool, best))] = True
            total = total + p[best]
            doubt += float(uncertainty[best])
            count += 1
            left[kind] -= 1
    if count:
        _swap(p, uncertainty, pools, inside, total, count)
    return [pool[inside[kind]] for kind, pool in pools.items()]


def _swap(
    p: NDArray[np.float64],
    uncertainty: NDArray[np.float64],
    pools: dict[int, NDArray[np.int64]],
    inside: dict[int, NDArray[np.bool_]],
    total: NDArray[np.float64],
    count: int,
) -> None:
    """Exchange a chosen for an unchosen sprite of its type while that raises the score; changes ``inside``.

    Entropy is concave, so its tangent bounds what a swap can gain: only pairs whose tangent gain is positive are
    evaluated, which loses none.
    """
    improved = True
    while improved:
        improved = False
        for kind, pool in pools.items():
            for place in np.flatnonzero(inside[kind]):
                old = pool[place]
                slope = -np.log(np.maximum(total / count, 1e-300))
                worth = p[pool] @ slope - uncertainty[pool]
                better = np.flatnonzero(~inside[kind] & (worth > worth[place] + EPSILON))
                if not len(better):
                    continue
                new_totals = total - p[old] + p[pool[better]]
                gain = (entropy(new_totals / count) - entropy(total / count)) - (
                    uncertainty[pool[better]] - uncertainty[old]
                ) / count
                best = int(gain.argmax())
                if gain[best] > EPSILON:
                    inside[kind][place], inside[kind][better[best]] = False, True
                    total = new_totals[best]
                    improved = True
