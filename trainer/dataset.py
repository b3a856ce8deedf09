"""How does each sprite of a folder become a training picture?

Art stored enlarged is brought back to its own pixel grid; then all sprites are laid on one square canvas.
"""

from __future__ import annotations

import hashlib
import math
from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from asset_gen import pixels
from asset_gen.errors import SpriteError
from asset_gen.images import Rgba, read_rgba
from asset_gen.names import slugs_of
from asset_gen.sprite_folder import SpriteFile, list_sprites

SIZES = (32, 48, 64, 96, 128)
MIN_SPRITES = 8
EVIDENCE = 12  # places where a picture must change before its own pixel grid is believed: 1 in 4,096 by chance
MAX_GRID = 16


@dataclass(frozen=True, slots=True)
class Dataset:
    """Sprites of one size with their types."""

    sprites: NDArray[np.uint8]
    """[n, size, size, 4], straight alpha."""
    labels: NDArray[np.float32]
    """[n, types]: equal shares of a sprite's types, summing to 1."""
    first_types: NDArray[np.int64]
    """[n]: column of the type that a sprite carries first."""
    types: dict[str, str]
    """Slug → label as written, in slug order; the columns of ``labels``."""
    files: list[str]
    """Path of every sprite, relative to the folder."""
    refused: dict[str, str] = field(default_factory=dict)
    """File → why it wasn't read."""
    notices: list[str] = field(default_factory=list)
    """What a person should know about how the set was read."""

    def typed(self) -> list[tuple[str, list[str]]]:
        """Every file with its types as written, the first one first."""
        names = list(self.types.values())
        found = []
        for file, row, first in zip(self.files, self.labels, self.first_types, strict=True):
            others = [names[column] for column in np.flatnonzero(row) if column != first]
            found.append((file, [names[first], *others]))
        return found

    @property
    def size(self) -> int:
        """Side of the square canvas in pixels."""
        return int(self.sprites.shape[1])

    def counts(self) -> dict[str, int]:
        """Sprites per first type, by slug."""
        tally = np.bincount(self.first_types, minlength=len(self.types))
        return {slug: int(n) for slug, n in zip(self.types, tally, strict=True)}

    def digest(self) -> str:
        """sha256 over pixels and labels: equal for equal training data, wherever it lies."""
        state = hashlib.sha256(self.sprites.tobytes())
        state.update(self.labels.tobytes())
        state.update("\n".join(self.types).encode())
        return state.hexdigest()


def load_dataset(
    folder: Path,
    size: int | None = None,
    merge: Mapping[str, str] | None = None,
    background: bool = False,
    without: Collection[str] = (),
) -> Dataset:
    """Read a set of sprites.

    Args:
        folder: a folder per type, or a folder with ``labels.csv``.
        size: side of the canvas; None takes the smallest of 32, 48, 64, 96, 128 that holds 95 % of the set.
        merge: labels to join, from → to.
        background: make a uniform border colour transparent where a sprite has no alpha of its own.
        without: files to leave out, as paths from the folder or from here.

    Raises:
        SpriteError: no usable set; the message names the folder or file and the cure.
    """
    table = folder / "labels.csv"
    listed, notices = list_sprites(folder)
    listed = _left_out(folder, listed, without)
    known = {label for sprite in listed for label in sprite.types}
    for source in merge or {}:
        if source not in known:
            raise SpriteError(
                f"{folder}: --merge names the type {source!r}, which isn't there: {', '.join(sorted(known))}."
            )
    pictures: list[Rgba] = []
    read: list[SpriteFile] = []
    refused: dict[str, str] = {}
    for sprite in listed:
        try:
            picture = read_rgba(sprite.path)
            if background and (colour := pixels.border_colour(picture)) is not None:
                picture = pixels.key_out(picture[None], colour, tolerance=8)[0]
            if pixels.content_box(picture) is None:
                raise SpriteError(f"{sprite.path}: nothing to see: every pixel is transparent.")
        except SpriteError as error:
            refused[str(sprite.path.relative_to(folder))] = str(error)
            continue
        pictures.append(picture)
        merged = dict.fromkeys((merge or {}).get(label, label) for label in sprite.types)
        read.append(SpriteFile(sprite.path, tuple(merged)))
    if len(read) < MIN_SPRITES:
        reasons = "".join(f"\n  {reason}" for reason in list(refused.values())[:5])
        raise SpriteError(
            f"{folder}: {len(read)} readable sprites, and training needs at least {MIN_SPRITES}. "
            f"Put PNG files into one folder per type.{reasons}"
        )
    grid, pictures = to_native_grid(pictures)
    if grid:
        notices.append(grid)
    if not background and (opaque := sum(bool((picture[..., 3] == 255).all()) for picture in pictures)):
        notices.append(f"{opaque} sprites have no transparency; --background auto removes a uniform border colour.")
    size = size or auto_size(pictures)
    placed, placement = place_all(pictures, size)
    notices += placement
    slugs = slugs_of(
        sorted({label for sprite in read for label in sprite.types}), str(table if table.is_file() else folder)
    )
    types = {slugs[label]: label for label in sorted(slugs, key=lambda label: slugs[label])}
    column = {label: number for number, label in enumerate(types.values())}
    labels = np.zeros((len(read), len(types)), np.float32)
    for row, sprite in enumerate(read):
        labels[row, [column[label] for label in sprite.types]] = 1 / len(sprite.types)
    first_types = np.array([column[sprite.types[0]] for sprite in read], np.int64)
    lonely = [slug for slug, n in Counter(s.types[0] for s in read).items() if n == 1]
    if lonely:
        notices.append(f"one sprite only: {', '.join(sorted(lonely))}; such a type will look like copies of it.")
    files = [sprite.path.relative_to(folder).as_posix() for sprite in read]
    return Dataset(placed, labels, first_types, types, files, refused, notices)


def _left_out(folder: Path, listed: list[SpriteFile], without: Collection[str]) -> list[SpriteFile]:
    """The sprites without those that a person names."""
    barred = {_resolved(folder / name) for name in without} | {_resolved(Path(name)) for name in without}
    kept = [sprite for sprite in listed if _resolved(sprite.path) not in barred]
    present = {_resolved(sprite.path) for sprite in listed}
    for name in without:
        if not {_resolved(folder / name), _resolved(Path(name))} & present:
            raise SpriteError(f"--without {name}: {folder} has no such sprite. Give its path from there.")
    return kept


def _resolved(path: Path) -> Path:
    """Its folder's real place, and its own name: a link among the sprites is named, not what it leads to."""
    return path.parent.resolve() / path.name


def to_native_grid(pictures: list[Rgba]) -> tuple[str, list[Rgba]]:
    """Reduce art stored at 2×, 3×, 4× … to the pixels it was drawn with.

    A sprite that changes at fewer than ``EVIDENCE`` places follows the set's most common grid instead of its own.
    """
    grids = [pixels.pixel_grid(picture) for picture in pictures]
    trusted = Counter(size for size, evidence in grids if evidence >= EVIDENCE and size <= MAX_GRID)
    common = trusted.most_common(1)[0][0] if trusted else 1
    reduced: list[Rgba] = []
    tally: Counter[int] = Counter()
    for picture, (size, evidence) in zip(pictures, grids, strict=True):
        if evidence < EVIDENCE or size > MAX_GRID:
            size = common if size % common == 0 else 1
        tally[size] += 1
        reduced.append(pixels.shrink_grid(picture, size))
    enlarged = {size: n for size, n in sorted(tally.items()) if size > 1}
    notice = ", ".join(f"{n} sprites stored at {size}×" for size, n in enlarged.items())
    return (f"{notice}: reduced to their own pixels." if notice else ""), reduced


def auto_size(pictures: list[Rgba]) -> int:
    """The smallest of ``SIZES`` that holds the content of 95 % of the sprites at native resolution."""
    sides = []
    for picture in pictures:
        left, top, right, bottom = pixels.content_box(picture) or (0, 0, 1, 1)
        sides.append(max(right - left, bottom - top))
    need = sorted(sides)[math.ceil(0.95 * len(sides)) - 1]
    return next((size for size in SIZES if size >= need), SIZES[-1])


def place_all(pictures: list[Rgba], size: int) -> tuple[NDArray[np.uint8], list[str]]:
    """Lay every picture on a canvas of ``size``: [n, size, size, 4].

    A set that shares one canvas of that size (or of a whole fraction of it, which is enlarged) keeps its placement;
    otherwise sprites are cropped, centred and set on a common baseline, and larger ones reduced.
    """
    canvases = {picture.shape[:2] for picture in pictures}
    if len(canvases) == 1:
        height, width = next(iter(canvases))
        if height == width and size % height == 0:
            return pixels.enlarge(np.stack(pictures), size // height), []
    placed = np.zeros((len(pictures), size, size, 4), np.uint8)
    shrunk = 0
    for row, picture in enumerate(pictures):
        left, top, right, bottom = pixels.content_box(picture) or (0, 0, 1, 1)
        figure = picture[top:bottom, left:right]
        height, width = figure.shape[:2]
        if max(height, width) > size:
            scale = size / max(height, width)
            width, height = max(1, round(width * scale)), max(1, round(height * scale))
            figure = pixels.shrink_area(figure, width, height)
            shrunk += 1
        start = (size - width) // 2
        placed[row, size - height :, start : start + width] = figure
    return placed, [f"{shrunk} sprites were larger than {size} px and were reduced."] if shrunk else []
