"""What is kept of a batch of candidates: pictures, figures, and what the filter goes by.

First the networks look (``look``), then follows what needs none of them (``described``), so that the one can be done
while a graphics card looks at the next batch.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from asset_gen.candidates import encode_png
from asset_gen.generate import Drawn, Wanted
from asset_gen.held import Numbers
from asset_gen.networks import Networks
from asset_gen.sanity import measure
from asset_gen.score.types import type_probabilities
from asset_gen.select import thumbnails
from asset_gen.staged import Part
from asset_gen.training_set import TrainingSet

GLANCE = 8
"""Sprites that the feature network sees at once on a processor: its maps are the largest of all, and nothing is gained
from more of them."""


@dataclass(frozen=True, slots=True)
class Task:
    """From what candidates are drawn, and for which filter they are judged. Plain data: another machine can have it."""

    seed: int
    kinds: tuple[int, ...]
    """Columns of the types that are asked for."""
    strategy: str
    """One of ``asset_gen.select.FILTERS``, or ``RATED``."""


@dataclass(frozen=True, slots=True)
class Seen:
    """What networks say of the n candidates of a batch that are of a type that is asked for."""

    p: NDArray[np.float32]
    """[n, types]"""
    kinds: NDArray[np.int64]
    """[n]"""
    indices: NDArray[np.int64]
    """[n]"""
    sprites: NDArray[np.uint8]
    """[n, h, w, 4], straight alpha."""
    further: dict[str, NDArray[Any]]
    """``logits`` [n] for the filter ``critic``, ``points`` [n, d] for ``set``."""
    drawn: int
    """Candidates of the batch, of types that nobody asked for, too."""


def look(networks: Networks, drawn: Drawn, wanted: Wanted, task: Task) -> Seen:
    """What the networks say of a batch that was drawn for ``wanted``."""
    info = networks.info
    shown, count = drawn.shown, len(drawn.sprites)  # on a graphics card, padded rows follow
    p = type_probabilities(networks.classifier, shown)[:count]
    kinds = wanted.kinds[drawn.rows] if info.conditional else p.argmax(axis=1)
    useful = np.isin(kinds, task.kinds)  # a generator without types also draws what nobody asked for
    further: dict[str, NDArray[Any]] = {}
    if task.strategy == "critic":
        label = {}
        if info.conditional:
            label["label"] = np.zeros((len(shown), len(info.types)), np.float32)
            label["label"][np.arange(count), kinds] = 1
        further["logits"] = networks.critic.run(rgba=shown, **label)[:count][useful]
    if task.strategy == "set":
        further["points"] = networks.aim.points_of(_features(networks, shown)[:count][useful]).astype(np.float16)
    indices = wanted.indices[drawn.rows]
    return Seen(p[useful], kinds[useful], indices[useful], drawn.sprites[useful], further, len(useful))


def _features(networks: Networks, rgba: Numbers) -> NDArray[np.float32]:
    """[n, d]"""
    size = len(rgba) if networks.features.device else GLANCE
    glances = range(0, len(rgba), size)
    return np.concatenate([networks.features.run(rgba=rgba[start : start + size]) for start in glances])


def described(training: TrainingSet | None, seen: Seen) -> Part:
    """A batch with its figures and its pictures as files."""
    sprites = seen.sprites
    arrays: dict[str, NDArray[Any]] = {
        "p": seen.p,
        "kinds": seen.kinds,
        "indices": seen.indices,
        "thumbs": thumbnails(sprites),
    }
    if training is not None:
        near = training.nearest(sprites)
        arrays |= measure(sprites) | {"nearest": near.rows, "distances": near.distances}
    return Part(arrays | seen.further, [encode_png(sprite) for sprite in sprites], seen.drawn)
