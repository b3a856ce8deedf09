"""What else can the model draw of a sprite on the page? Keeps models loaded, and draws for one window at a time."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import Annotated, Literal

import msgspec
import numpy as np
from numpy.typing import NDArray

from asset_gen.errors import AssetgenError, UsageError
from asset_gen.explore import Origin, Project, Space, between, draw, drawn, mix, retyped, variations
from asset_gen.explore.keep import add_candidates
from asset_gen.loaded import Models

READ_ONLY = "This studio only shows: it was started with --read-only."
SHOWN = 8
"""Sprites that are made at once: what a generator is given in one call."""
MOST = 64
"""Sprites that are added at once."""


class Wish(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a page asks for."""

    of: str
    """Id of a sprite on the wall."""
    how: Literal["like", "new", "types", "between", "mix"]
    """One of ``WAYS``."""
    other: str = ""
    """Id of the second sprite, for ways that need one."""
    strength: Annotated[float, msgspec.Meta(ge=0, le=1)] = 0.2
    seed: Annotated[int, msgspec.Meta(ge=0, lt=2**32)] = 0


@dataclass(frozen=True, slots=True)
class Made:
    """What was drawn."""

    origins: list[Origin]
    sprites: NDArray[np.uint8]
    """[n, s, s, 4], straight alpha."""


Way = Callable[[Space, Origin, Origin, Wish], list[Origin]]
"""(space, the sprite, the other one, what is asked for) → what to draw."""


def _like(space: Space, sprite: Origin, other: Origin, wish: Wish) -> list[Origin]:
    """More like this."""
    return variations(sprite, wish.strength, SHOWN, wish.seed)


def _new(space: Space, sprite: Origin, other: Origin, wish: Wish) -> list[Origin]:
    """Others of its type, which have nothing to do with it."""
    return [drawn(space, sprite.type, index, wish.seed) for index in range(SHOWN)]


def _types(space: Space, sprite: Origin, other: Origin, wish: Wish) -> list[Origin]:
    """This one as each of the other types."""
    return [retyped(space, sprite, kind) for kind in space.info.types if kind != sprite.type]


def _between(space: Space, sprite: Origin, other: Origin, wish: Wish) -> list[Origin]:
    """What lies between the two."""
    return between(sprite, other, SHOWN + 2)[1:-1]


def _mixed(space: Space, sprite: Origin, other: Origin, wish: Wish) -> list[Origin]:
    """The shape of this one in the colours of the other, and the other way round."""
    return [mix(space, sprite, other).origin, mix(space, other, sprite).origin]


WAYS: Mapping[str, tuple[bool, Way]] = {
    "like": (False, _like),
    "new": (False, _new),
    "types": (False, _types),
    "between": (True, _between),
    "mix": (True, _mixed),
}
"""Way → whether it needs a second sprite, and what it asks the model for."""


def check_model(space: Space, sprite: Origin) -> None:
    """
    Raises:
        UsageError: another model than the recipe's drew it.
    """
    if sprite.model != space.bundle.sha256:
        raise UsageError(
            f"This sprite was drawn by another model ({sprite.model[:16]}) than the recipe's "
            f"({space.bundle.sha256[:16]}), and only that one can draw more like it."
        )


class Maker:
    """Draws for a project's pages; its models stay loaded."""

    def __init__(self, project: Path, models: Models, read_only: bool = False) -> None:
        """``models``: shared with whoever publishes."""
        self.project, self.models, self.read_only = project, models, read_only
        self._spaces: dict[str, Space] = {}
        self._lock = Lock()

    def space(self, part: str) -> Space:
        """Where sprites of one of the recipe's sets are drawn.

        Raises:
            AssetgenError: the model isn't there, is damaged, or there is nothing to run it with.
        """
        bundle = self.models.bundle(Project.of(self.project, part or None).model)
        with self._lock:
            space = self._spaces.get(bundle.sha256)
            if space is None or space.info != bundle.info:  # calibrated since, say
                space = Space(bundle)
                draw(space, [drawn(space, space.info.types[0], 0)])  # loads it
                self._spaces[bundle.sha256] = space
        return space

    def trouble(self, part: str) -> str:
        """Why nothing can be made of a set's sprites, after its model was loaded; empty: it can be."""
        if self.read_only:
            return READ_ONLY
        try:
            self.space(part)
        except AssetgenError as error:
            return str(error)
        return ""

    def make(self, part: str, sprite: Origin, other: Origin | None, wish: Wish) -> Made:
        """Draw what a page asks for.

        Raises:
            UsageError: a second sprite is missing, one is of another model, or the model can't do that.
            AssetgenError: as of ``space``.
        """
        second, way = WAYS[wish.how]
        if second and other is None:
            raise UsageError("Remember a second sprite first: go to it, and press M.")
        space = self.space(part)
        for one in (sprite, other or sprite):
            check_model(space, one)
        with self._lock:
            origins = way(space, sprite, other or sprite, wish)
            return Made(origins, draw(space, origins))

    def again(self, part: str, origins: Sequence[Origin]) -> Made:
        """Draw again what is known by its origin.

        Raises:
            AssetgenError: one is of another model, or no model makes such; as of ``space``.
        """
        space = self.space(part)
        with self._lock:
            return Made(list(origins), draw(space, origins))

    def add(self, part: str, origins: Sequence[Origin]) -> list[str]:
        """Make what was drawn candidates; their names.

        Raises:
            UsageError: none or too many, nothing is published there, or it comes from another model.
            AssetgenError: as of ``again``; the project can't be written.
        """
        if not 1 <= len(origins) <= MOST:
            raise UsageError(f"{len(origins)} sprites: choose from 1 to {MOST}.")
        made = self.again(part, origins)
        project = Project.of(self.project, part or None)
        return add_candidates(self.space(part), project, made.origins, made.sprites).names
