"""How is a candidate set kept, so that memory stays flat and a person can look through it?

    candidates~/<run>/<type>/<type>_c<index>.png    up to 10,000 candidates
    candidates~/<run>/shard_<n>.tar + shards.csv    more: uncompressed tar files, with offsets to read one sprite alone
    candidates~/<run>/scores.csv                    name, type, p(type), entropy, kept, seed, index, reason, …
    candidates~/<run>/index.html + candidates.js    a contact sheet that opens from disk
    candidates~/<run>/run.json                      what the set was drawn with
    candidates~/<run>/origins.json                  origins of explored sprites, which seed and index don't tell

The set is built under another name and renamed when it is whole. ``candidates~`` is left alone by Godot and Unity.
"""

from __future__ import annotations

import base64
import csv
import io
import json
import re
import shutil
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from math import isnan, nan
from pathlib import Path
from typing import Any, Protocol

import msgspec
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from asset_gen.contact_sheet import write_contact_sheet
from asset_gen.errors import SpriteError
from asset_gen.images import read_rgba
from asset_gen.manifest import Origin
from asset_gen.shards import INDEX, ShardIndex, ShardWriter

FOLDER = "candidates~"
SHARD_FROM = 10_000
ORIGINS = "origins.json"
SPARE = "not chosen by"
"""How the reason of a candidate begins that might have been chosen: it can take a rejected one's place."""
EXPLORED = "explored:"
"""How the reason of a candidate begins that somebody found in the model; it is published when somebody keeps it."""
COLUMNS = ("name", "type", "p_type", "entropy", "kept", "seed", "index", "reason")
NEAREST = re.compile("(nearest|distance)_[0-9]+")
"""Columns of the nearest training sprites: ``nearest_1``, ``distance_1``, ``nearest_2`` …"""


@dataclass(frozen=True, slots=True)
class Near:
    """A training sprite that is near to a candidate."""

    name: str
    distance: float
    """0–1, of the nearer of its two mirror images; below the copy limit the candidate is a copy of it."""


@dataclass(frozen=True, slots=True)
class Row:
    """What is known of one candidate."""

    name: str
    type: str
    p_type: float
    """p(type it stands for | sprite), 0–1."""
    entropy: float
    """Of the type posterior, in nats."""
    kept: bool
    seed: int
    index: int
    reason: str
    """Why it was kept or not."""
    scores: Mapping[str, float] = field(default_factory=dict, hash=False)
    """Further figures by name, the same names in every row; NaN where one isn't known."""
    nearest: tuple[Near, ...] = ()
    """Training sprites, nearest first; empty where the model doesn't tell."""
    explored: Origin | None = None
    """Of a sprite that wasn't drawn from seed, type and index alone."""


class RowsOfSet(Protocol):
    """All candidates of a set, as often as somebody goes through them; they needn't be in memory at once."""

    def __len__(self) -> int: ...

    def __iter__(self) -> Iterator[Row]: ...


def candidate_name(kind: str, index: int) -> str:
    """``dragon_c000017``."""
    return f"{kind}_c{index:06d}"


def encode_png(sprite: NDArray[np.uint8]) -> bytes:
    """RGBA uint8 [h, w, 4] as PNG; run lengths take half the time of level 1, and fewer bytes (docs/benchmarks.md)."""
    buffer = io.BytesIO()
    Image.fromarray(sprite, "RGBA").save(buffer, "PNG", compress_level=6, compress_type=zlib.Z_RLE)
    return buffer.getvalue()


class CandidateWriter:
    """Writes candidates as they come, into a staging folder that is renamed when the set is whole."""

    def __init__(self, stage: Path, sharded: bool, goes_on: bool = False) -> None:
        """``goes_on``: whether shards that a run before this one left in ``stage`` are used."""
        self.stage = stage
        if stage.is_symlink():
            stage.unlink()
        if not goes_on:
            shutil.rmtree(stage, ignore_errors=True)
        stage.mkdir(parents=True, exist_ok=goes_on)
        self.shards = ShardWriter(stage) if sharded else None
        self._folders: set[str] = set()
        self._side = 64

    def add(self, kind: str, name: str, sprite: NDArray[np.uint8]) -> None:
        """Keep one sprite, RGBA uint8 [h, w, 4], straight alpha."""
        self.add_png(kind, name, encode_png(sprite), sprite.shape[1])

    def add_png(self, kind: str, name: str, data: bytes, side: int) -> None:
        """Keep one sprite as ``encode_png`` gives it, ``side`` pixels wide."""
        self._side = side
        if self.shards is not None:
            self.shards.add(f"{kind}/{name}.png", data)
            return
        if kind not in self._folders:
            (self.stage / kind).mkdir(exist_ok=True)
            self._folders.add(kind)
        (self.stage / kind / f"{name}.png").write_bytes(data)

    def close(self) -> None:
        """Let go of the files that are being written, as Windows wants before they can be removed."""
        if self.shards is not None:
            self.shards.close()

    def finish(self, rows: RowsOfSet, run: Mapping[str, Any]) -> None:
        """Write scores, contact sheet and ``run.json``; the set is then whole.

        Raises:
            ValueError: rows have other scores than the first, or a score has the name of another column.
        """
        first = next(iter(rows), None)
        names = list(first.scores) if first else []
        neighbours, explored = 0, {}
        for row in rows:
            neighbours = max(neighbours, len(row.nearest))
            if row.explored:
                explored[row.name] = row.explored
        nearest = [f"{column}_{place}" for place in range(1, neighbours + 1) for column in ("nearest", "distance")]
        if clash := set(names) & {*COLUMNS, *nearest}:
            raise ValueError(f"scores have the names of other columns: {', '.join(sorted(clash))}")
        if self.shards is not None:
            self.shards.finish()
        with (self.stage / "scores.csv").open("w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow([*COLUMNS, *names, *nearest])
            for row in rows:
                if [*row.scores] != names and set(row.scores) != set(names):
                    raise ValueError(f"{row.name} has the scores {', '.join(row.scores)}, others {', '.join(names)}")
                numbers = (f"{row.p_type:.6f}", f"{row.entropy:.6f}", int(row.kept), row.seed, row.index)
                scores = ("" if isnan(score) else f"{score:.6g}" for score in map(row.scores.__getitem__, names))
                near = [cell for near in row.nearest for cell in (near.name, f"{near.distance:.6g}")]
                near += [""] * (len(nearest) - len(near))
                writer.writerow([row.name, row.type, *numbers, row.reason, *scores, *near])
        if explored:
            (self.stage / ORIGINS).write_bytes(msgspec.json.format(msgspec.json.encode(explored), indent=1) + b"\n")
        write_contact_sheet(self.stage, rows, run, self._image(), self._side)
        (self.stage / "run.json").write_text(json.dumps(run, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")

    def _image(self) -> Callable[[Row], str | None]:
        """Where the contact sheet finds pictures; of a sharded set it shows the kept ones, embedded."""
        if self.shards is None:
            return lambda row: f"{row.type}/{row.name}.png"
        reader = CandidateReader(self.stage)

        def embedded(row: Row) -> str | None:
            if not row.kept:
                return None
            return "data:image/png;base64," + base64.b64encode(reader.png(row.type, row.name)).decode()

        return embedded


class CandidateReader:
    """Reads single sprites of a candidate set, from files or shards."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._places: dict[str, Path] = {}
        """Shards that lie inside the folder."""
        self._index: ShardIndex | None = None
        if (folder / INDEX).is_file():
            with suppress(ValueError):  # damaged: the pictures can be made again from their origins
                self._index = ShardIndex(folder)

    def png(self, kind: str, name: str, largest: int | None = None) -> bytes:
        """The PNG file of a candidate; ``largest``: the most bytes that it may have.

        Raises:
            SpriteError: its name leads out of the set, which may be a stranger's, its place out of its shard, or it is
                larger.
            OSError: it isn't there.
        """
        path = f"{kind}/{name}.png"
        found = self._index.find(path) if self._index else None
        shard, offset, size = found or (path, 0, None)
        place = self._places.get(shard) or (self.folder / shard).resolve()
        if shard not in self._places and not place.is_relative_to(self.folder.resolve()):
            raise SpriteError(f"{self.folder}: names {shard!r}, which lies outside it. Remove the folder.")
        if found:
            self._places[shard] = place
        whole = place.stat().st_size
        if size is None:
            size = whole
        if not 0 <= offset <= offset + size <= whole:
            raise SpriteError(f"{self.folder / path}: does not lie in {shard}. Remove the folder.")
        if largest is not None and size > largest:
            raise SpriteError(f"{self.folder / path}: has {size:,} bytes, and at most {largest:,} are read.")
        with place.open("rb") as file:
            file.seek(offset)
            return file.read(size)

    def sprite(self, kind: str, name: str) -> NDArray[np.uint8]:
        """A candidate as RGBA uint8 [h, w, 4], straight alpha.

        Raises:
            SpriteError, OSError: it isn't there, or is damaged.
        """
        path = self.folder / kind / f"{name}.png"
        return read_rgba(path, io.BytesIO(self.png(kind, name)) if self._index else None)


def read_rows(folder: Path) -> Iterator[Row]:
    """The lines of a candidate set's ``scores.csv``, also of one from before there were further scores.

    Raises:
        OSError, LookupError, ValueError: it isn't there, or is damaged.
    """
    explored = read_origins(folder)
    with (folder / "scores.csv").open(newline="", encoding="utf-8") as file:
        reader = csv.DictReader(file, restkey="", restval="")
        names = [name for name in reader.fieldnames or () if name not in COLUMNS and not NEAREST.fullmatch(name)]
        for line in reader:
            if "" in line:
                raise ValueError(f"line {reader.line_num} has more cells than the table has columns")
            yield Row(
                name=line["name"],
                type=line["type"],
                p_type=float(line["p_type"]),
                entropy=float(line["entropy"]),
                kept=line["kept"] == "1",
                seed=int(line["seed"]),
                index=int(line["index"]),
                reason=line["reason"],
                scores={name: float(line[name] or nan) for name in names},
                nearest=tuple(_nearest(line)),
                explored=explored.get(line["name"]),
            )


def read_origins(folder: Path) -> dict[str, Origin]:
    """Name → origin of the explored sprites of a candidate set; nothing where it has none.

    Raises:
        OSError, ValueError: they can't be read.
    """
    path = folder / ORIGINS
    if not path.is_file():
        return {}
    try:
        return msgspec.json.decode(path.read_bytes(), type=dict[str, Origin])
    except RecursionError:
        raise ValueError(f"{path}: origins lie too deep in each other") from None


def _nearest(line: Mapping[str, str]) -> Iterator[Near]:
    """The training sprites named in a line of ``scores.csv``."""
    place = 1
    while name := line.get(f"nearest_{place}"):
        yield Near(name, float(line[f"distance_{place}"]))
        place += 1
