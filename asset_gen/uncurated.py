"""What does a bundle draw when nobody chooses? The samples that judges are shown."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from asset_gen.bundle import Bundle
from asset_gen.generate import Drawn, Wanted, generate
from asset_gen.runtime import open_session
from asset_gen.score.types import type_probabilities


@dataclass(frozen=True, slots=True)
class Samples:
    """What a bundle drew."""

    sprites: NDArray[np.uint8]
    """[n, s, s, 4], straight alpha, s the bundle's size."""
    agreement: float | None
    """Share that the bundle's classifier takes for the type asked for; None where no type can be asked for."""


def draw_uncurated(bundle: Bundle, kinds: NDArray[np.int64], seed: int) -> Samples:
    """Sprites of the types ``kinds`` [n], sorted; a generator without types draws as many of its own."""
    classifier = open_session(bundle.classifier, "auto", bundle.memory)
    sprites, hits = [], 0
    for drawn in stream_uncurated(bundle, kinds, seed):
        sprites.append(drawn.sprites)
        if bundle.info.conditional:
            hits += int((type_probabilities(classifier, drawn.rgba).argmax(axis=1) == kinds[drawn.rows]).sum())
    return Samples(np.concatenate(sprites), hits / len(kinds) if bundle.info.conditional else None)


def stream_uncurated(bundle: Bundle, kinds: NDArray[np.int64], seed: int, device: str = "auto") -> Iterator[Drawn]:
    """The same sprites, a batch at a time."""
    if bundle.info.conditional:
        counts = np.bincount(kinds, minlength=len(bundle.info.types))
        indices = np.concatenate([np.arange(n) for n in counts])
    else:
        indices = np.arange(len(kinds))
    generator = open_session(bundle.generator, device, bundle.memory)
    return generate(generator, bundle.info, seed, Wanted(kinds, indices))
