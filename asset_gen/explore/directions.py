"""Which way in the latent space makes a sprite larger, lighter or redder? Found once, measured, and kept by name.

The generator's own weights say in which directions of z its levels change most (closed-form factorisation, Shen & Zhou
2021, arXiv:2007.06600). Each of them changes several things. So what each changes is measured on drawn sprites, and
those are joined that together change one thing and as little else as they can; what that does is measured again, on
other sprites, and a direction is named only after what it did there.
"""

from __future__ import annotations

import io
import zipfile
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from asset_gen import pixels
from asset_gen.bundle import DIRECTIONS, Bundle
from asset_gen.errors import ModelError, UsageError
from asset_gen.explore.origins import made
from asset_gen.explore.packed import pack
from asset_gen.explore.space import Codes, Space
from asset_gen.latents import latents
from asset_gen.manifest import Origin, Parameters
from asset_gen.names import nearest
from asset_gen.palette import oklab
from asset_gen.training_set import arrays_of

FACTORS = 12
"""Directions of the generator's weights that are joined."""
SPRITES = 34
"""On which they are measured, of all types in turn."""
STEP = 0.5
"""How far, each way."""
RIDGE = 0.3
"""How much weight a small change of something else has against a large one of what is wanted."""
AGREEMENT = 0.7
"""Share of sprites on which a direction must do what it is named after."""
MAX_DIRECTIONS = 64
MEASURES = ("size", "lightness", "colourfulness", "green_red", "blue_yellow", "left_right", "up_down")
"""What directions are named after; 'a_b' leads from a to b."""


@dataclass(frozen=True, slots=True)
class Direction:
    """A way in the latent space."""

    name: str
    vector: NDArray[np.float32]
    """[latent], with a root mean square of 1, as latents have."""
    effects: NDArray[np.float32]
    """What an amount of 1 was measured to change, for each of ``MEASURES``, in standard deviations between sprites."""
    agreement: float
    """Share of sprites on which it did what it is named after, 0–1."""


def find_directions(space: Space) -> list[Direction]:
    """Directions of a generator, one for each of ``MEASURES`` that there is one for; draws some 2,000 sprites."""
    factors = _factors(space)
    spread = measured(space.draw(_sample(space, 0))).std(axis=0) + 1e-6
    effects = np.stack([_effect(space, factor, _sample(space, 0)).mean(axis=0) for factor in factors]) / spread
    # the joint direction for each measure: ridge regression of the wanted change on what each factor changes
    size = float(np.square(effects).sum() / len(MEASURES))
    joined = np.linalg.solve(effects.T @ effects + RIDGE * size * np.eye(len(MEASURES)), effects.T).T
    found = []
    for place, name in enumerate(MEASURES):
        vector = joined[:, place] @ factors
        vector = np.asarray(vector / max(float(np.sqrt((vector**2).mean())), 1e-9), np.float32)
        changes = _effect(space, vector, _sample(space, 1)) / spread
        agreement = float((changes[:, place] > 0).mean())
        if agreement >= AGREEMENT:
            found.append(Direction(name, vector, np.asarray(changes.mean(axis=0), np.float32), agreement))
    return found


def measured(sprites: NDArray[np.uint8]) -> NDArray[np.float64]:
    """[n, measures] of sprites [n, s, s, 4], straight alpha."""
    side = sprites.shape[1]
    seen = sprites[..., 3] >= pixels.OPAQUE
    count = np.maximum(seen.sum(axis=(1, 2)), 1)
    lab = oklab(sprites[..., :3]) * seen[..., None]
    light, green_red, blue_yellow = (lab.sum(axis=(1, 2)) / count[:, None]).T
    colourful = np.sqrt((lab[..., 1:] ** 2).sum(axis=3)).sum(axis=(1, 2)) / count
    places = np.arange(side) / side
    right = (seen.sum(axis=1) * places).sum(axis=1) / count
    down = (seen.sum(axis=2) * places).sum(axis=1) / count
    return np.stack([count / side**2, light, colourful, green_red, blue_yellow, right, down], axis=1)


def moved(parent: Origin, direction: Direction, amount: float) -> Origin:
    """The sprite farther along a direction: at 1, as far as its latent is long."""
    told = Parameters(amount=amount, direction=direction.name, vector=pack(direction.vector))
    return made(parent.type, "direction", told, parent)


def encode_directions(directions: list[Direction]) -> bytes:
    """The content of ``directions.npz``, of one direction at least."""
    buffer = io.BytesIO()
    np.savez_compressed(
        buffer,
        names=np.frombuffer("\n".join(one.name for one in directions).encode(), np.uint8),
        vectors=np.array([one.vector for one in directions], np.float32),
        effects=np.array([one.effects for one in directions], np.float32),
        agreement=np.array([one.agreement for one in directions], np.float32),
    )
    return buffer.getvalue()


def load_directions(bundle: Bundle) -> list[Direction]:
    """The directions that a bundle has.

    Raises:
        UsageError: it has none; the message names the command that adds them.
        ModelError: its file isn't what ``encode_directions`` writes.
    """
    path = bundle.optional(DIRECTIONS)
    if path is None:
        raise UsageError(
            f"{bundle.path}: has no {DIRECTIONS}. 'assetgen calibrate {bundle.path} --directions' adds it."
        )
    try:
        arrays = arrays_of(path, 4)
        names = arrays["names"].tobytes().decode().split("\n")
        shapes: dict[str, tuple[int, ...]] = {
            "vectors": (len(names), bundle.info.latent),
            "effects": (len(names), len(MEASURES)),
            "agreement": (len(names),),
        }
        for name, shape in shapes.items():
            if arrays[name].shape != shape or arrays[name].dtype != np.float32 or not np.isfinite(arrays[name]).all():
                raise ValueError(f"{name} isn't {' × '.join(map(str, shape))} numbers")
        if len(names) > MAX_DIRECTIONS or not all(name.isidentifier() and len(name) <= 64 for name in names):
            raise ValueError("too many names, or one that is none")
    except (OSError, ValueError, KeyError, EOFError, NotImplementedError, RuntimeError, zipfile.BadZipFile) as error:
        raise ModelError(
            f"{path}: can't be read ({error}). Make it again with 'assetgen calibrate {bundle.path} --directions'."
        ) from None
    return [
        Direction(name, vector, effects, float(agreement))
        for name, vector, effects, agreement in zip(
            names, arrays["vectors"], arrays["effects"], arrays["agreement"], strict=True
        )
    ]


def direction_named(directions: list[Direction], name: str) -> Direction:
    """
    Raises:
        UsageError: there is none of this name.
    """
    names = [direction.name for direction in directions]
    if name not in names:
        raise UsageError(f"{name}: the model has the directions {', '.join(names)}.{nearest(name, names)}")
    return directions[names.index(name)]


def _factors(space: Space) -> NDArray[np.float32]:
    """[factors, latent] at right angles, each with a root mean square of 1: those that change the levels most."""
    latent = space.info.latent
    weights = [matrix[:latent] for level in space.levels.weights for matrix in level]
    count = min(FACTORS, latent)
    if weights:
        together = np.concatenate([matrix / np.linalg.norm(matrix) for matrix in weights], axis=1).astype(np.float64)
        axes = np.linalg.eigh(together @ together.T)[1][:, ::-1][:, :count].T
        axes *= np.where(axes[np.arange(count), np.abs(axes).argmax(axis=1)] < 0, -1, 1)[:, None]
    else:  # a generator that can't be taken apart: any directions at right angles
        axes = np.linalg.qr(latents(0, "factors", np.arange(count), latent).T.astype(np.float64))[0].T
    return np.asarray(axes * np.sqrt(latent), np.float32)


def _sample(space: Space, seed: int) -> Codes:
    """Codes of sprites to measure on, of all types in turn."""
    z = latents(seed, "measure", np.arange(SPRITES), space.info.latent)
    return space.codes(z, space.label(np.arange(SPRITES) % len(space.info.types)))


def _effect(space: Space, vector: NDArray[np.float32], codes: Codes) -> NDArray[np.float64]:
    """[n, measures]: what an amount of 1 changes, from as much the one way and the other."""
    latent = space.info.latent
    both = []
    for sign in (1, -1):
        there = codes.copy()
        z = there[..., :latent]
        lengths = np.linalg.norm(z, axis=2, keepdims=True)
        z = z + np.float32(sign * STEP) * vector
        there[..., :latent] = z * (lengths / np.linalg.norm(z, axis=2, keepdims=True))
        both.append(measured(space.draw(there)))
    return (both[0] - both[1]) / (2 * STEP)
