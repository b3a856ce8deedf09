"""Which training sprites is a sprite nearest to? By what a bundle remembers of them, or by the sprites themselves."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from asset_gen.candidates import Near
from asset_gen.metrics.copies import SIDE, Neighbours, copy_limit, nearest_neighbours
from asset_gen.pixels import shrink_area

COUNT = 3


def named(names: Sequence[str], found: Neighbours) -> list[tuple[Near, ...]]:
    """For every sprite its neighbours by name, nearest first."""
    return [
        tuple(Near(names[row], float(distance)) for row, distance in zip(rows, distances, strict=True))
        for rows, distances in zip(found.rows, found.distances, strict=True)
    ]


@dataclass(frozen=True)
class Pictured:
    """Training sprites that are at hand."""

    names: Sequence[str]
    """Their files, relative to their folder."""
    sprites: NDArray[np.uint8]
    """[n, s, s, 4], straight alpha."""

    @cached_property
    def copy_limit(self) -> float:
        """Distance below which a sprite is a copy."""
        return copy_limit(self._small)

    def near(self, sprites: NDArray[np.uint8]) -> list[tuple[Near, ...]]:
        """The three nearest of each of ``sprites`` [n, s, s, 4]."""
        return named(self.names, nearest_neighbours(sprites, self._small, COUNT))

    @cached_property
    def _small(self) -> NDArray[np.uint8]:
        """At the size at which sprites are compared, so that they are brought to it once."""
        if self.sprites.shape[1] == SIDE:
            return self.sprites
        return np.stack([shrink_area(sprite, SIDE, SIDE) for sprite in self.sprites])
