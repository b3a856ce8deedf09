"""Latents → RGBA sprites, in fixed-size batches."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from asset_gen import pixels
from asset_gen.bundle import BundleInfo
from asset_gen.held import Numbers
from asset_gen.latents import latents
from asset_gen.proportions import types_in
from asset_gen.runtime import Session

BATCH = 16
"""Sprites of one call on a processor, which gains nothing from more: each of its cores has a call of its own."""
CARD_BATCH = 64
"""On a graphics card."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which sprites to draw: row by row a type and an index."""

    kinds: NDArray[np.int64]
    """[n]: columns of the bundle's types; ignored by a generator without types."""
    indices: NDArray[np.int64]
    """[n]: counters within (seed, type), or within the seed for a generator without types."""

    def __len__(self) -> int:
        return len(self.indices)

    def part(self, rows: slice) -> Wanted:
        """Some of them."""
        return Wanted(self.kinds[rows], self.indices[rows])


@dataclass(frozen=True, slots=True)
class Drawn:
    """A batch as it came from the network."""

    rows: slice
    """Its place among what was wanted."""
    rgba: NDArray[np.float32]
    """[n, 4, h, w] in [-1, 1], premultiplied alpha: what the classifier sees."""
    sprites: NDArray[np.uint8]
    """[n, h, w, 4], straight alpha: the same pictures."""
    shown: Numbers
    """``rgba`` where networks look at it: on a graphics card with the padded rows, which come last."""


def batch_for(session: Session) -> int:
    """Sprites of one call: always as many, so that a sprite is the same alone and among others."""
    return CARD_BATCH if session.device else BATCH


def generate(
    session: Session, info: BundleInfo, seed: int, wanted: Wanted, batch: int | None = None
) -> Iterator[Drawn]:
    """Draw what is wanted, ``batch`` sprites a call (None: ``batch_for`` the session); the last call is padded."""
    batch = batch or batch_for(session)
    for start in range(0, len(wanted), batch):
        rows = slice(start, min(start + batch, len(wanted)))
        count = rows.stop - rows.start
        z = np.ones((batch, info.latent), np.float32)  # a padded row must have a length to be normalised by
        z[:count] = _latents(info, seed, wanted, rows)
        inputs = {"z": z}
        if info.conditional:
            label = np.zeros((batch, len(info.types)), np.float32)
            label[np.arange(count), wanted.kinds[rows]] = 1
            inputs["label"] = label
        held = None
        if session.device:
            held, rgba = session.hold(**inputs)
        else:
            rgba = session.run(**inputs)
        rgba = rgba[:count]
        sprites = pixels.from_network(rgba)
        if info.alpha == "none":
            sprites = pixels.key_out(sprites)
            rgba = pixels.to_network(sprites)
            held = held and session.lift(np.pad(rgba, [(0, batch - count), (0, 0), (0, 0), (0, 0)]))
        yield Drawn(rows, rgba, sprites, rgba if held is None else held)


def _latents(info: BundleInfo, seed: int, wanted: Wanted, rows: slice) -> NDArray[np.float32]:
    indices = wanted.indices[rows]
    if not info.conditional:
        return latents(seed, "", indices, info.latent)
    kinds = wanted.kinds[rows]
    z = np.empty((len(indices), info.latent), np.float32)
    for kind in types_in(kinds):
        mine = kinds == kind
        z[mine] = latents(seed, info.types[kind], indices[mine], info.latent)
    return z
