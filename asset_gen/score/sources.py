"""Which sprites are to be scored? A folder, a published output, a candidate set, or what a model draws.

They are read as they are needed, in one order, so that a hundred thousand need no more memory than a hundred.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from asset_gen import pixels, sheet
from asset_gen.bundle import Bundle, load_bundle
from asset_gen.candidates import CandidateReader, read_rows
from asset_gen.errors import SpriteError, UsageError
from asset_gen.images import Rgba, read_rgba
from asset_gen.manifest import NAME, Manifest, read_manifest
from asset_gen.names import slugs_of
from asset_gen.pictures import untrimmed
from asset_gen.proportions import rows_in_proportion
from asset_gen.sprite_folder import list_sprites
from asset_gen.uncurated import stream_uncurated

Sprites = NDArray[np.uint8]  # [n, s, s, 4], straight alpha

BATCH = 256
DRAWN = 1000
"""Sprites drawn from a model where nobody says how many."""


@dataclass(frozen=True, slots=True)
class Source:
    """Sprites of one size, in an order that stays."""

    what: str
    """``bundle``, ``published``, ``candidates`` or ``folder``."""
    name: str
    """For people."""
    size: int
    """Side in pixels."""
    types: list[str]
    """Slugs."""
    kinds: NDArray[np.int64]
    """[n]: column of ``types``; −1 where a sprite has none."""
    read: Callable[[], Iterator[Sprites]]
    """All sprites in that order, some hundred at a time."""
    kept: NDArray[np.bool_] | None = None
    """[n]: which candidates were kept; None for other sources."""
    model: str = ""
    """sha256 of the model that drew them, where it is known."""

    def __len__(self) -> int:
        return len(self.kinds)


@dataclass(frozen=True, slots=True)
class Asked:
    """Which of a source's sprites are wanted."""

    count: int | None = None
    """How many; None: all, or ``DRAWN`` of a model."""
    seed: int = 0
    """Of latents, and of which sprites are taken where ``count`` is less than all."""
    like: Source | None = None
    """A model draws types in the proportions of this one, where it knows them; otherwise equally many of each."""
    device: str = "auto"


def open_source(path: Path, asked: Asked) -> Source:
    """Find out what ``path`` is.

    Raises:
        UsageError: there is no such thing, or nothing in it.
        SpriteError, ModelError, ProjectError: it is damaged; the message names the file.
    """
    if (path / "bundle.json").is_file():
        return _bundle(load_bundle(path), asked)
    if (path / NAME).is_file():
        manifest = read_manifest(path)
        assert manifest is not None
        return _published(path, manifest, asked)
    if (path / "run.json").is_file():
        return _candidates(path, asked)
    if not path.is_dir():
        raise UsageError(
            f"{path}: there is no such folder. Give a folder of sprites, a published output (with {NAME}), "
            f"a candidate set (with run.json) or a bundle (with bundle.json)."
        )
    return _folder(path, asked)


def _bundle(bundle: Bundle, asked: Asked) -> Source:
    info, count = bundle.info, asked.count or DRAWN
    kinds = np.full(count, -1, np.int64)
    if info.conditional:
        counts = np.ones(len(info.types), np.int64)
        if asked.like is not None:
            seen = [asked.like.types[kind] for kind in asked.like.kinds if kind >= 0]
            known = np.array([seen.count(kind) for kind in info.types], np.int64)
            counts = known if known.any() else counts
        rows = np.repeat(np.arange(len(info.types)), counts)
        kinds = rows[rows_in_proportion(rows, count)]

    def read() -> Iterator[Sprites]:
        for drawn in stream_uncurated(bundle, np.maximum(kinds, 0), asked.seed, asked.device):
            yield drawn.sprites

    name = f"{count:,} drawn by {info.name}"
    return Source("bundle", name, info.size, info.types, kinds, read, model=bundle.sha256)


def _published(out: Path, manifest: Manifest, asked: Asked) -> Source:
    sprites = [(record, sprite) for record in manifest.sheets for sprite in record.sprites]
    rows = _some(len(sprites), asked, out)
    types = sorted({sprite.type for _, sprite in sprites})

    def cut() -> Iterator[Rgba]:
        image, picture = "", np.zeros((0, 0, 4), np.uint8)
        for row in rows:
            record, sprite = sprites[row]
            if record.image != image:
                image, picture = record.image, read_rgba(out / record.image)
                if (picture.shape[1], picture.shape[0]) != record.size:
                    raise SpriteError(f"{out / image}: isn't the sheet of the manifest. Run assetgen batch again.")
            piece = sheet.cut(picture, *sprite.rect)
            if sprite.source is not None:
                piece = untrimmed(piece, *sprite.offset, record.cell[0])
            yield piece[:: manifest.finish.scale, :: manifest.finish.scale]

    size = manifest.sheets[0].cell[0] // manifest.finish.scale
    kinds = np.array([types.index(sprites[row][1].type) for row in rows], np.int64)
    return Source("published", str(out), size, types, kinds, _batches(cut, size, str(out)), model=manifest.choice.model)


def _candidates(folder: Path, asked: Asked) -> Source:
    try:
        run: dict[str, Any] = json.loads((folder / "run.json").read_bytes())
        model = str(run["choice"]["model"])
        all_rows = list(read_rows(folder))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UsageError(f"{folder}: is no whole candidate set ({error}). Run assetgen batch again.") from None
    rows = [all_rows[row] for row in _some(len(all_rows), asked, folder)]
    types = sorted({row.type for row in rows})
    reader = CandidateReader(folder)

    def pictures() -> Iterator[Rgba]:
        for row in rows:
            try:
                yield reader.sprite(row.type, row.name)
            except OSError as error:
                raise SpriteError(f"{folder}: {row.name} can't be read ({error}). Run assetgen batch again.") from None

    size = len(next(pictures()))
    kinds = np.array([types.index(row.type) for row in rows], np.int64)
    kept = np.array([row.kept for row in rows], bool)
    return Source("candidates", str(folder), size, types, kinds, _batches(pictures, size, str(folder)), kept, model)


def _folder(folder: Path, asked: Asked) -> Source:
    listed, _ = list_sprites(folder)
    rows = _some(len(listed), asked, folder)
    slugs = slugs_of(sorted({sprite.types[0] for sprite in listed}), str(folder))
    types = sorted(slugs.values())

    def pictures() -> Iterator[Rgba]:
        for row in rows:
            picture, path = read_rgba(listed[row].path), listed[row].path
            if picture.shape != first.shape:
                raise SpriteError(
                    f"{path}: {picture.shape[1]}×{picture.shape[0]} pixels, and {listed[rows[0]].path.name} has "
                    f"{first.shape[1]}×{first.shape[0]}. Sprites that are scored together share one size: "
                    f"give all the same canvas, or score them apart."
                )
            yield picture

    first = read_rgba(listed[rows[0]].path)
    if first.shape[0] != first.shape[1]:
        raise SpriteError(
            f"{listed[rows[0]].path}: {first.shape[1]}×{first.shape[0]} pixels; networks look at squares. "
            f"Give every sprite a square canvas, e.g. with transparent borders."
        )
    kinds = np.array([types.index(slugs[listed[row].types[0]]) for row in rows], np.int64)
    return Source("folder", str(folder), len(first), types, kinds, _batches(pictures, len(first), str(folder)))


def _some(count: int, asked: Asked, where: Path) -> list[int]:
    """Rows that are taken, in order."""
    if not count:
        raise UsageError(f"{where}: holds no sprites.")
    if asked.count is None or asked.count >= count:
        return list(range(count))
    return sorted(int(row) for row in np.random.default_rng(asked.seed).permutation(count)[: asked.count])


def _batches(pictures: Callable[[], Iterable[Rgba]], size: int, where: str) -> Callable[[], Iterator[Sprites]]:
    def read() -> Iterator[Sprites]:
        held: list[Rgba] = []
        for picture in pictures():
            if picture.shape != (size, size, 4):
                raise SpriteError(
                    f"{where}: sprites of {picture.shape[1]}×{picture.shape[0]} and {size}×{size} pixels."
                )
            held.append(picture)
            if len(held) == BATCH:
                yield np.stack(held)
                held.clear()
        if held:
            yield np.stack(held)

    return read


def resized(source: Source, size: int) -> Source:
    """The same sprites at another side: enlarged by whole pixels, or reduced by averaging."""
    if source.size == size:
        return source

    def read() -> Iterator[Sprites]:
        for sprites in source.read():
            yield pixels.at_side(sprites, size)

    return Source(source.what, source.name, size, source.types, source.kinds, read, source.kept, source.model)
