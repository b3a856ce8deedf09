"""How is an explored sprite described, so that it can be made again alone? As an origin, and origins become pictures.

An origin of ``asset_gen.manifest`` names the model, the operation, the parents and the parameters. Everything here
makes origins; only ``draw`` makes pictures. So a page, a candidate set and a manifest hold the same few lines.
"""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256

import msgspec
import numpy as np
from numpy.typing import NDArray

from asset_gen.errors import ProjectError, UsageError
from asset_gen.explore.operations import OPERATIONS, Code
from asset_gen.explore.space import Codes, Space
from asset_gen.manifest import FIRST_EXPLORED, Origin, Parameters
from asset_gen.names import nearest

MOST_STEPS = 64
"""Operations one after another."""


def drawn(space: Space, kind: str, index: int, seed: int = 0) -> Origin:
    """A sprite as ``assetgen batch`` draws it.

    Raises:
        UsageError: the model has no such type.
    """
    check_type(space, kind)
    return Origin(model=space.bundle.sha256, seed=seed, type=kind, index=index)


def check_type(space: Space, kind: str) -> None:
    """
    Raises:
        UsageError: the model has no such type.
    """
    types = space.info.types
    if kind not in types:
        raise UsageError(f"{space.info.name} has no type {kind!r}.{nearest(kind, types)} It has {', '.join(types)}.")


def made(kind: str, operation: str, parameters: Parameters, *parents: Origin, model: str = "", seed: int = 0) -> Origin:
    """An explored sprite; ``model`` is its parents' where it has any. Its index is a hash of all that it depends on."""
    told = [kind, operation, msgspec.to_builtins(parents), msgspec.to_builtins(parameters)]
    digest = sha256(msgspec.json.encode(told)).digest()
    return Origin(
        model=model or parents[0].model,
        seed=seed,
        type=kind,
        index=FIRST_EXPLORED + int.from_bytes(digest[:5], "big"),
        operation=operation,
        parents=parents,
        parameters=parameters,
    )


def variations(parent: Origin, strength: float = 0.2, count: int = 16, seed: int = 0) -> list[Origin]:
    """Sprites like another one; ``strength`` 0–1: 0 is the sprite itself, 1 has nothing to do with it."""
    return [
        made(parent.type, "variation", Parameters(strength=strength, seed=seed, index=index), parent)
        for index in range(count)
    ]


def between(first: Origin, second: Origin, count: int = 9) -> list[Origin]:
    """Sprites on the way from one to another, both ends among them."""
    return [on_the_way(first, second, float(position)) for position in np.linspace(0, 1, count)]


def on_the_way(first: Origin, second: Origin, position: float) -> Origin:
    """Between two sprites, at 0–1 of the way; it is of the type of the nearer one."""
    kind = first.type if position <= 0.5 else second.type
    return made(kind, "interpolation", Parameters(position=position), first, second)


def truncated(parent: Origin, truncation: float) -> Origin:
    """The sprite nearer to the mean of its type: 1 is the sprite itself, 0 the mean, which all of a type share."""
    return made(parent.type, "truncation", Parameters(truncation=truncation), parent)


def retyped(space: Space, parent: Origin, kind: str) -> Origin:
    """The sprite as one of another type.

    Raises:
        UsageError: the model has no such type, or none can be asked for.
    """
    if not space.info.conditional:
        raise UsageError(f"{space.info.name} can't be asked for a type: it was trained without them.")
    check_type(space, kind)
    return made(kind, "type", Parameters(), parent)


def class_sheet(space: Space, kinds: Sequence[str], count: int, seed: int = 0, truncation: float = 1) -> list[Origin]:
    """``count`` sprites of every type, type by type.

    Raises:
        UsageError: the model has no such type.
    """
    plain = [drawn(space, kind, index, seed) for kind in kinds for index in range(count)]
    return plain if truncation == 1 else [truncated(origin, truncation) for origin in plain]


def codes_of(space: Space, origins: Sequence[Origin]) -> Codes:
    """Codes [n, levels, code] of origins; those that several share are worked out once.

    Raises:
        UsageError: one is of another model.
        ProjectError: one can't be, as assetgen would have written none such.
    """
    known: dict[Origin, Code] = {}
    return np.stack([_code(space, origin, known, MOST_STEPS) for origin in origins])


def _code(space: Space, origin: Origin, known: dict[Origin, Code], steps: int) -> Code:
    if origin in known:
        return known[origin]
    if origin.model != space.bundle.sha256:
        raise UsageError(
            f"a sprite of the model {origin.model[:16]} can't be explored with {space.bundle.path} "
            f"({space.bundle.sha256[:16]}). Give its own with --model."
        )
    parents, operation = OPERATIONS.get(origin.operation, (-1, None))
    if operation is None or parents != len(origin.parents) or origin.type not in space.info.types or not steps:
        raise ProjectError(
            f"an origin says {origin.operation[:40]!r} of {len(origin.parents)} sprites of the type "
            f"{origin.type[:64]!r}, which this assetgen can't make. Restore the file that says so from version "
            f"control, or use the assetgen that wrote it."
        )
    known[origin] = operation(space, origin, [_code(space, parent, known, steps - 1) for parent in origin.parents])
    return known[origin]


def draw(space: Space, origins: Sequence[Origin]) -> NDArray[np.uint8]:
    """Sprites [n, s, s, 4], straight alpha: the same pixels for an origin whatever is drawn beside it.

    Raises:
        UsageError, ProjectError: as ``codes_of``.
    """
    return space.draw(codes_of(space, origins))
