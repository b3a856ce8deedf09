"""What can be done to codes? One function an operation; each is told its parents' codes and its parameters alone.

Codes are float32 [levels, code]; the first ``latent`` numbers of each are z's, the others the type's.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import NDArray

from asset_gen.explore.packed import unpack
from asset_gen.explore.space import Space
from asset_gen.latents import latents
from asset_gen.manifest import Origin

Code = NDArray[np.float32]  # [levels, code]
Operation = Callable[[Space, Origin, list[Code]], Code]


def slerp(a: NDArray[np.float32], b: NDArray[np.float32], position: float) -> NDArray[np.float32]:
    """Between rows [..., d] of two arrays on the arc, and the lengths in proportion; straight where they point alike.

    Shoemake 1985: the latents of a normal distribution lie near a sphere, and the straight way leads off it.
    """
    lengths = [np.linalg.norm(x, axis=-1, keepdims=True) for x in (a, b)]
    one, other = (x / np.maximum(length, 1e-9) for x, length in zip((a, b), lengths, strict=True))
    angle = np.arccos(np.clip((one * other).sum(axis=-1, keepdims=True), -1, 1))
    sine = np.sin(angle)
    straight = sine < 1e-4
    safe = np.where(straight, 1, sine)
    left = np.where(straight, 1 - position, np.sin((1 - position) * angle) / safe)
    right = np.where(straight, position, np.sin(position * angle) / safe)
    length = (1 - position) * lengths[0] + position * lengths[1]
    return np.asarray((left * one + right * other) * length, np.float32)


def _drawn(space: Space, origin: Origin, parents: list[Code]) -> Code:
    """From seed, type and index, as a batch draws it."""
    info = space.info
    kind = origin.type if info.conditional else ""
    z = latents(origin.seed, kind, np.array([origin.index], np.int64), info.latent)
    return np.asarray(space.codes(z, space.label(np.array([info.types.index(origin.type)])))[0], np.float32)


def _variation(space: Space, origin: Origin, parents: list[Code]) -> Code:
    """Part of the way to a sprite that has nothing to do with it; the type stays."""
    told, code, latent = origin.parameters, parents[0].copy(), space.info.latent
    other = latents(told.seed, "variation", np.array([told.index], np.int64), latent)
    code[:, :latent] = slerp(code[:, :latent], np.broadcast_to(other, (len(code), latent)), told.strength)
    return code


def _interpolation(space: Space, origin: Origin, parents: list[Code]) -> Code:
    """Between two sprites: on the arc in z, straight from type to type."""
    (first, second), position, latent = parents, origin.parameters.position, space.info.latent
    code = (1 - position) * first + position * second
    code[:, :latent] = slerp(first[:, :latent], second[:, :latent], position)
    return np.asarray(code, np.float32)


def _mixture(space: Space, origin: Origin, parents: list[Code]) -> Code:
    """Coarse levels of the first, fine levels of the second, and a bit beyond it where ``amount`` is above 1."""
    (first, second), told = parents, origin.parameters
    code = first.copy()
    code[told.level :] += np.float32(told.amount) * (second - first)[told.level :]
    return code


def _moved(space: Space, origin: Origin, parents: list[Code]) -> Code:
    """Along a direction of z, then back to the length that it had."""
    told, code, latent = origin.parameters, parents[0].copy(), space.info.latent
    z = code[:, :latent]
    moved = z + np.float32(told.amount) * unpack(told.vector, latent)
    lengths = [np.linalg.norm(x, axis=1, keepdims=True) for x in (z, moved)]
    code[:, :latent] = moved * (lengths[0] / np.maximum(lengths[1], 1e-9))
    return code


def _truncated(space: Space, origin: Origin, parents: list[Code]) -> Code:
    """Nearer to the mean of the type. Behind the normalisation of z, which would undo it, that mean is z = 0."""
    code = parents[0].copy()
    code[:, : space.info.latent] *= np.float32(origin.parameters.truncation)
    return code


def _picture(space: Space, origin: Origin, parents: list[Code]) -> Code:
    """What was found for an artist's picture; it is written down, so the picture needn't be there."""
    code, latent = _of_type(space, origin.type), space.info.latent
    code[:, :latent] = unpack(origin.parameters.codes, len(code), latent)
    return code


def _retyped(space: Space, origin: Origin, parents: list[Code]) -> Code:
    """The same z with another type."""
    code, latent = _of_type(space, origin.type), space.info.latent
    code[:, :latent] = parents[0][:, :latent]
    return code


def _of_type(space: Space, kind: str) -> Code:
    """A code whose z is nobody's."""
    label = space.label(np.array([space.info.types.index(kind)]))
    return np.asarray(space.codes(np.ones((1, space.info.latent), np.float32), label)[0], np.float32)


OPERATIONS: Mapping[str, tuple[int, Operation]] = {
    "": (0, _drawn),
    "variation": (1, _variation),
    "interpolation": (2, _interpolation),
    "mixture": (2, _mixture),
    "direction": (1, _moved),
    "truncation": (1, _truncated),
    "picture": (0, _picture),
    "type": (1, _retyped),
}
"""Operation → how many parents it has, and what it does with their codes."""
