"""What is a sheet, to whoever writes files for an engine? ``asset_gen.layout`` makes them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Region:
    """A sprite's rectangle on a sheet, in pixels from the upper left corner."""

    name: str
    """``dragon_000017``."""
    slot: int
    x: int
    y: int
    width: int
    height: int
    score: float
    """p(type | sprite), 0–1."""
    type: str
    """Slug."""
    offset: tuple[int, int] = (0, 0)
    """Where the rectangle lies inside the untrimmed sprite: x, y."""
    source: tuple[int, int] | None = None
    """Width and height of the untrimmed sprite; None: not trimmed."""


@dataclass(frozen=True, slots=True)
class Sheet:
    """An image with many sprites on it."""

    type: str
    """Slug; empty where several types share the sheet."""
    label: str
    """The type as its artist wrote it; empty as well."""
    image: str
    """Path of the PNG, relative to the output folder, with forward slashes."""
    width: int
    height: int
    cell: tuple[int, int]
    """Width and height of every sprite before anything is trimmed off."""
    columns: int
    """Of the grid on which the sprites lie; 0: they lie on none."""
    regions: tuple[Region, ...]
    """By type, then slot."""
    margin: int = 2
    """Pixels between the sheet's border and its grid."""
    spacing: int = 2
    """Pixels between neighbours on the grid."""
    scale: int = 1
    """How many times larger than the sheet it is a variant of; 1: it is none."""


@dataclass(frozen=True, slots=True)
class Delivery:
    """All that a writer knows: the same delivery gives the same bytes."""

    sheets: tuple[Sheet, ...]
    base: str = ""
    """Where the output folder lies in the project, with forward slashes: ``assets/generated``."""
    identity: str = ""
    """What ``Target.identity`` found: makes ids differ between projects and stay the same within one."""
    variants: tuple[Sheet, ...] = ()
    """The same sheets enlarged, ``dragon@2x.png``, for engines that choose by the screen."""


Writer = Callable[[Delivery], Mapping[str, bytes]]
"""A delivery → further files by path relative to the output folder: a pure function."""
Merger = Callable[[str, bytes, bytes], bytes]
"""(path, what the project holds, what the writer wants) → what shall stand there: only the writer's own fields change.

Raises ValueError, with the reason, where the held file can't be understood; it is then left as it is.
"""


@dataclass(frozen=True, kw_only=True, slots=True)
class Target:
    """An engine's file formats; offered to assetgen through the entry point ``assetgen.targets``."""

    name: str
    summary: str
    """One line for people."""
    write: Writer
    detect: Callable[[Path], bool] = lambda project: False
    """Whether a project folder is one of this engine's; reads, never writes, never raises."""
    out: str = "assets/generated"
    """Where generated assets belong in such a project."""
    identity: Callable[[Path], str] = lambda project: ""
    """What tells this project from another, as the engine keeps it (Unity: productGUID); empty where it keeps none."""
    complaint: Callable[[Path], str | None] = lambda project: None
    """Why this project can't use the target (its engine is too old …), with the cure; None: it can."""
    merge: Merger | None = None
    """For files that the engine edits too; None: an edited file is never touched."""
    merged: tuple[str, ...] = ()
    """Ends of the names of files that ``merge`` is for: ``.meta``."""
    max_side: int = 4096
    """Largest side of a texture in pixels that every device of the engine takes."""
    strip: bool = False
    """Whether the engine wants each type in a single row without gaps."""
    next_step: str = ""
    """What a person does after ``assetgen integrate`` has put the target's files into a project, in a sentence."""


def paint(sheet: Sheet, sprites: Sequence[NDArray[np.uint8]], extrude: int = 0) -> NDArray[np.uint8]:
    """The sheet's picture, uint8 [height, width, 4]: one sprite [h, w, 4] for each region.

    The border of every sprite is repeated ``extrude`` pixels outwards.
    """
    picture = np.zeros((sheet.height, sheet.width, 4), np.uint8)
    for region, sprite in zip(sheet.regions, sprites, strict=True):
        wide = np.pad(sprite, ((extrude, extrude), (extrude, extrude), (0, 0)), "edge") if extrude else sprite
        top, left = region.y - extrude, region.x - extrude
        picture[top : top + wide.shape[0], left : left + wide.shape[1]] = wide
    return picture


def cut(picture: NDArray[np.uint8], x: int, y: int, width: int, height: int) -> NDArray[np.uint8]:
    """The sprite in a rectangle of a sheet's picture."""
    return picture[y : y + height, x : x + width].copy()
