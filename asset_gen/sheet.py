"""Where does each sprite lie on its sheet?

A type's sprites lie on uniform grids. A slot's place follows from the number of columns, which is fixed when the
type is first published, so no sprite ever moves; what doesn't fit on one sheet goes on to the next.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

PADDING = 2  # pixels between sprites and around them
MAX_SIDE = 4096  # pixels; every GPU since 2010 takes textures of this size


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
    """An image with many sprites of one type on it."""

    type: str
    """Slug."""
    label: str
    """The type as its artist wrote it."""
    image: str
    """Path of the PNG, relative to the output folder, with forward slashes."""
    width: int
    height: int
    cell: tuple[int, int]
    """Width and height of every sprite."""
    columns: int
    regions: tuple[Region, ...]


@dataclass(frozen=True, slots=True)
class Delivery:
    """All that a writer knows: the same delivery gives the same bytes."""

    sheets: tuple[Sheet, ...]
    base: str = ""
    """Where the output folder lies in the project, with forward slashes: ``assets/generated``."""
    identity: str = ""
    """What ``Target.identity`` found: makes ids differ between projects and stay the same within one."""


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


def columns_for(count: int, cell: int) -> int:
    """Columns of a new sheet: as square as ``count`` cells allow, within ``MAX_SIDE``."""
    return max(1, min(math.ceil(math.sqrt(count)), (MAX_SIDE - PADDING) // (cell + PADDING)))


def lay_out(kind: str, label: str, slots: Sequence[tuple[int, float]], cell: int, columns: int) -> list[Sheet]:
    """Sheets for a type's (slot, score) pairs, in slot order; ``cell`` is a sprite's side in pixels."""
    pitch = cell + PADDING
    columns = min(columns, (MAX_SIDE - PADDING) // pitch)  # a larger scale may need fewer columns than were published
    capacity = columns * ((MAX_SIDE - PADDING) // pitch)
    sheets: dict[int, list[Region]] = {}
    for slot, score in slots:
        number, place = divmod(slot, capacity)
        row, column = divmod(place, columns)
        x, y = PADDING + column * pitch, PADDING + row * pitch
        region = Region(f"{kind}_{slot:06d}", slot, x, y, cell, cell, score, kind)
        sheets.setdefault(number, []).append(region)
    return [
        Sheet(
            type=kind,
            label=label,
            image=f"{kind}/{kind}.png" if number == 0 else f"{kind}/{kind}_{number + 1}.png",
            width=PADDING + columns * pitch,
            height=max(region.y for region in regions) + pitch,
            cell=(cell, cell),
            columns=columns,
            regions=tuple(regions),
        )
        for number, regions in sheets.items()
    ]


def paint(sheet: Sheet, sprites: Sequence[NDArray[np.uint8]]) -> NDArray[np.uint8]:
    """The sheet's picture, uint8 [height, width, 4]: one sprite [h, w, 4] for each region."""
    picture = np.zeros((sheet.height, sheet.width, 4), np.uint8)
    for region, sprite in zip(sheet.regions, sprites, strict=True):
        picture[region.y : region.y + region.height, region.x : region.x + region.width] = sprite
    return picture


def cut(picture: NDArray[np.uint8], x: int, y: int, width: int, height: int) -> NDArray[np.uint8]:
    """The sprite in a rectangle of a sheet's picture."""
    return picture[y : y + height, x : x + width].copy()
