"""Which training sprites is a sprite nearest to? By what a bundle remembers of them, or by the sprites themselves."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from asset_gen.bundle import load_bundle
from asset_gen.candidates import Near
from asset_gen.errors import ModelError
from asset_gen.metrics.copies import SIDE, Neighbours, copy_limit, nearest_neighbours
from asset_gen.pixels import shrink_area
from asset_gen.training_set import TrainingSet

COUNT = 3


class Training(Protocol):
    """What sprites are compared with."""

    @property
    def copy_limit(self) -> float:
        """A sprite that is nearer to a training sprite is a copy of it."""

    def near(self, sprites: NDArray[np.uint8]) -> list[tuple[Near, ...]]:
        """The three nearest training sprites of each of ``sprites`` [n, s, s, 4]."""


@dataclass(frozen=True, slots=True)
class Known:
    """Training sprites by the model that learnt from them."""

    by_model: dict[str, Training] = field(default_factory=dict)
    for_all: Training | None = None
    """Wins over the others."""
    missing: str = ""
    """Why other models' sprites can't be compared."""

    def of(self, model: str) -> Training | None:
        """What to compare the sprites of a model with."""
        return self.for_all or self.by_model.get(model)


def recall(bundles: Iterable[Path], needed: bool = False) -> Known:
    """What bundles remember of their training sprites.

    Args:
        bundles: model folders.
        needed: whether somebody asked for just these.

    Raises:
        ModelError: one that is needed can't be loaded.
    """
    by_model: dict[str, Training] = {}
    missing = ""
    for path in sorted(set(bundles)):
        try:
            bundle = load_bundle(path)
            found = TrainingSet.load(bundle)
        except ModelError as error:
            if needed:
                raise
            missing = str(error)
            continue
        if found is None:
            missing = f"{path} knows none"
        else:
            by_model[bundle.sha256] = Remembered(found)
            missing = missing or f"{path} is another model"
    return Known(by_model, missing=missing or "no bundle is at hand")


def named(names: Sequence[str], found: Neighbours) -> list[tuple[Near, ...]]:
    """For every sprite its neighbours by name, nearest first."""
    return [
        tuple(Near(names[row], float(distance)) for row, distance in zip(rows, distances, strict=True))
        for rows, distances in zip(found.rows, found.distances, strict=True)
    ]


@dataclass(frozen=True, slots=True)
class Remembered:
    """What a bundle remembers of its training sprites."""

    training: TrainingSet

    @property
    def copy_limit(self) -> float:
        """Distance below which a sprite is a copy."""
        return self.training.copy_limit

    def near(self, sprites: NDArray[np.uint8]) -> list[tuple[Near, ...]]:
        """The three nearest of each of ``sprites`` [n, s, s, 4]."""
        return named(self.training.names, self.training.nearest(sprites, COUNT))


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
