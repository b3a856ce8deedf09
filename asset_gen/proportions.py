"""Which types does a sample hold, so that it can be compared with a set?"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray


def types_in(kinds: NDArray[np.integer[Any]]) -> NDArray[np.int64]:
    """The columns of types that there are among ``kinds`` [n], ascending; ``np.unique`` would load numpy.ma."""
    return np.flatnonzero(np.bincount(kinds))


def rows_in_proportion(first_types: NDArray[np.int64], samples: int, seed: int = 0) -> NDArray[np.int64]:
    """Which training rows lend their label to each of ``samples`` sprites: [samples], sorted by type.

    Systematic sampling (every m-th row of the set in type order): each type gets its share of ``samples``, give or
    take one, and each sprite of the set the same number of times, give or take one. ``seed`` orders rows of a type.
    """
    order = np.lexsort((np.random.default_rng(seed).permutation(len(first_types)), first_types))
    places = (2 * np.arange(samples) + 1) * len(order) // (2 * samples)
    return np.asarray(order[places], np.int64)
