"""Which candidates must not be chosen, and why?

Whatever the filter, but ``none``: near-duplicates of a better one, and copies of training sprites. For ``set`` and
``critic`` also what is odd beside the training sprites (``asset_gen.sanity``), and what the classifier takes for its
type less readily than by chance. A limit that more than a tenth of the candidates break, where a fiftieth of the real
sprites do, says something of the model and nothing of a sprite (no network hits a colour twice): it isn't held to.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from asset_gen.row_file import Rows, blocks, in_blocks
from asset_gen.sanity import MEASURES
from asset_gen.training_set import TrainingSet

HELD = ("set", "critic")
"""Filters that hold candidates to the limits of the training set."""
PASSES = 0.9
"""Share of the candidates that must keep a limit for it to be held to."""
REJECTED, SCORE, COPY, TWIN, UNLIKELY = "rejected", "score", "copy", "twin", "unlikely"
CAUSES = ("", REJECTED, SCORE, COPY, *MEASURES, UNLIKELY, TWIN)
"""Why a candidate is left out, the first that holds; "": it isn't."""
NAMES = {
    REJECTED: "rejected",
    SCORE: "below the least score",
    COPY: "copies of training sprites",
    "coverage": "odd in how much they cover",
    "border": "odd at the border",
    "specks": "with loose specks",
    "colours": "odd in their number of colours",
    UNLIKELY: "hardly of their type",
    TWIN: "nearly equal to others",
}
"""What a summary calls them."""


@dataclass(frozen=True, slots=True)
class Figures:
    """What is known of n candidates beside the training set."""

    measures: Mapping[str, Rows]
    """Each of ``MEASURES`` [n] float32."""
    nearest: Rows
    """[n, 3] int64: rows of the nearest training sprites; fewer columns where there are fewer."""
    distances: Rows
    """[n, 3] float32"""


@dataclass(frozen=True, slots=True)
class Fitness:
    """The limits that are held to."""

    training: TrainingSet | None
    held: tuple[str, ...]
    """Those of ``MEASURES`` and ``UNLIKELY``."""

    @classmethod
    def of(cls, training: TrainingSet | None, strategy: str, figures: Figures | None, own: Rows, types: int) -> Fitness:
        """Those of a filter, for a model that draws such candidates.

        Args:
            own: p(type it stands for | sprite) [n].
            types: how many the classifier knows.
        """
        if training is None or figures is None or strategy not in HELD:
            return cls(training, ())
        broken = {
            name: in_blocks(figures.measures[name], partial(_beyond, training.limits[name])).mean() for name in MEASURES
        }
        broken[UNLIKELY] = in_blocks(own, lambda some: _unlikely(some, types)).mean()
        return cls(training, tuple(name for name, share in broken.items() if 1 - share >= PASSES))

    def causes(
        self,
        figures: Figures | None,
        own: Rows,
        types: int,
        twins: NDArray[np.integer[Any]],
        rejected: NDArray[np.int64],
        fixed: NDArray[np.int64],
        least: float,
    ) -> NDArray[np.int8]:
        """[n]: place in ``CAUSES``. What is published (``fixed``) stays, whatever it looks like, unless rejected.

        Args:
            twins: [n], the better candidate that each nearly equals, or −1.
            least: p(type) that somebody asked for.
        """
        found = np.zeros(len(own), np.int8)
        for block in blocks(len(own)):
            sure = own[block]
            which: dict[str, NDArray[np.bool_]] = {TWIN: twins[block] >= 0, SCORE: sure < least}
            if self.training is not None and figures is not None:
                limited = [name for name in self.held if name != UNLIKELY]
                which |= {name: _beyond(self.training.limits[name], figures.measures[name][block]) for name in limited}
                which[COPY] = figures.distances[block][:, 0] < self.training.copy_limit
            if UNLIKELY in self.held:
                which[UNLIKELY] = _unlikely(sure, types)
            for place, name in reversed(list(enumerate(CAUSES))):
                if name in which:
                    found[block][which[name]] = place
        found[fixed] = 0
        found[rejected] = CAUSES.index(REJECTED)
        return found


def _beyond(limits: tuple[float, float], measured: NDArray[np.floating]) -> NDArray[np.bool_]:
    low, high = limits
    return np.asarray((measured < low) | (measured > high))


def _unlikely(own: NDArray[np.floating], types: int) -> NDArray[np.bool_]:
    return np.asarray(own * types < 1 - 1e-3)


def counted(causes: NDArray[np.int8]) -> dict[str, int]:
    """How many candidates were left out for each cause, in the order of ``CAUSES``."""
    tally = np.bincount(causes, minlength=len(CAUSES))
    return {name: int(n) for name, n in zip(CAUSES[1:], tally[1:], strict=True) if n}


def listed(counts: Mapping[str, int]) -> str:
    """For people: ``12 copies of training sprites, 3 with loose specks``."""
    return ", ".join(f"{number} {NAMES[name]}" for name, number in counts.items())
