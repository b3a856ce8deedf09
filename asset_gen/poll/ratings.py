"""How much do people like a sprite? Bradley–Terry ratings of compared pairs, with intervals.

P(i is preferred to j) = 1 / (1 + exp(θj − θi)) (Bradley & Terry 1952, doi 10.2307/2334029); a tie is half a win for
each. θ is the mode under a normal prior of mean 0 and standard deviation ``PRIOR``, so that a sprite that won its only
comparison isn't rated infinitely high; its 95 % interval comes from the curvature at the mode (Laplace). Only sprites
of one type are compared, so ratings order sprites within a type, and 0 is the mean of each type.
"""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path
from typing import Annotated

import msgspec
import numpy as np
from numpy.typing import NDArray

from asset_gen.errors import UsageError

PRIOR = 1.5  # logits: two thirds of the sprites win between 18 and 82 % of their comparisons with the mean
Z95 = 1.959964
STEPS = 100


class Rating(msgspec.Struct, frozen=True, kw_only=True):
    """What people's votes say of one candidate."""

    name: str
    type: str
    index: Annotated[int, msgspec.Meta(ge=0)]
    """Counter within (seed, type)."""
    rating: float
    """θ in logits; 0 is the mean of its type."""
    low: float
    high: float
    """Ends of the 95 % interval."""
    comparisons: int
    wins: float
    """Half a win for each tie."""


class Ratings(msgspec.Struct, frozen=True, kw_only=True):
    """``ratings.json``: what ``assetgen batch --filter`` chooses by."""

    format: Annotated[int, msgspec.Meta(ge=1, le=1)] = 1
    model: str
    """sha256 of the bundle that drew the candidates."""
    seed: int
    voters: int
    votes: int
    ratings: list[Rating]

    def digest(self) -> str:
        """What the ratings say, in 16 characters."""
        return sha256(msgspec.json.encode(self)).hexdigest()[:16]

    def of(self, kind: str, indices: NDArray[np.int64]) -> NDArray[np.float64]:
        """θ of the type's candidates with these indices [n]; 0, the mean, for those nobody compared."""
        known = {rating.index: rating.rating for rating in self.ratings if rating.type == kind}
        return np.array([known.get(int(index), 0.0) for index in indices], np.float64)


def read_ratings(path: Path) -> Ratings:
    """A file that ``assetgen poll --import`` wrote.

    Raises:
        UsageError: it isn't one; the message names it.
    """
    try:
        return msgspec.json.decode(path.read_bytes(), type=Ratings)
    except OSError as error:
        raise UsageError(
            f"{path}: {error.strerror or error}. Give the file that assetgen poll --import wrote."
        ) from None
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise UsageError(f"{path}: is no file of ratings ({error}). Give what assetgen poll --import wrote.") from None


def fit(count: int, comparisons: Sequence[tuple[int, int, float]]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Ratings of ``count`` sprites from (i, j, share of i's win: 1, ½ or 0).

    Returns: θ [count], and half the width of its 95 % interval [count].
    """
    first, second = (np.array([pair[side] for pair in comparisons], np.int64) for side in (0, 1))
    won = np.array([share for _, _, share in comparisons], np.float64)
    theta = np.zeros(count)
    for _ in range(STEPS):  # Newton's method; the logarithm of the posterior is strictly concave
        expected = 1 / (1 + np.exp(theta[second] - theta[first]))
        slope = -theta / PRIOR**2
        np.add.at(slope, first, won - expected)
        np.add.at(slope, second, expected - won)
        change = np.linalg.solve(_curvature(count, first, second, expected), slope)
        theta += change / max(1.0, float(np.abs(change).max()))  # at most one logit at a time
        if np.abs(change).max() < 1e-10:
            break
    expected = 1 / (1 + np.exp(theta[second] - theta[first]))
    spread = np.sqrt(np.diag(np.linalg.inv(_curvature(count, first, second, expected))))
    return theta, Z95 * spread


def _curvature(
    count: int, first: NDArray[np.int64], second: NDArray[np.int64], expected: NDArray[np.float64]
) -> NDArray[np.float64]:
    """The negative second derivative of the log posterior: [count, count]."""
    matrix = np.eye(count) / PRIOR**2
    weight = expected * (1 - expected)
    for a, b, sign in ((first, first, 1), (second, second, 1), (first, second, -1), (second, first, -1)):
        np.add.at(matrix, (a, b), sign * weight)
    return matrix
