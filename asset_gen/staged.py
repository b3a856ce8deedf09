"""What has a run drawn already? A batch that is killed in the middle of drawing goes on from there.

    .assetgen/drawn/<output folder's hash>-<run>/<inputs' hash>     a block of candidates: figures and pictures
    .assetgen/drawn/<output folder's hash>-<run>/set                a set in shards, as far as it is written

A block holds a fixed number of candidates, in the order in which they are drawn, and is named after all that decides
what they are. It is put in place by one rename, and read only if it keeps its sum, so that a torn one is drawn again.
Before the first one is used, its first batch is drawn once more and must be the same to the last bit: blocks from
another machine, or another ONNX Runtime, are forgotten. Blocks take about as much disk as the candidate set itself,
until that is whole; where the disk is short of room they are given up. A run smaller than a block keeps none.

Of a set in shards no picture is kept twice: a block holds figures, and says where in the shards its pictures lie, which
are a part of its sum. Such blocks and shards stay where the disk is full: the next run goes on with them.
"""

from __future__ import annotations

import math
import shutil
import stat
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping
from contextlib import closing, suppress
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from asset_gen.files import move_file, remove_any
from asset_gen.generate import BATCH, Wanted
from asset_gen.publish import Place
from asset_gen.shards import ShardWriter, Spot

FOLDER = "drawn"
SET = "set"
BATCHES = 32
"""Batches in a block: seconds of work."""
LARGE = 64
"""Pixels a side from which on blocks have fewer batches, so that memory stays flat."""
MAX_BYTES = 1 << 28
"""A longer file is no block."""
ROOM = 2
"""Times the candidate set that must be free on the disk for a block to be kept."""
SUM = 32  # bytes of a sha256
HEAD = 3  # whole numbers behind it
DISK_BLOCK = 4096  # bytes that the smallest file takes
FORM = "2"
"""Of a block; one of another form has another name."""


@dataclass(frozen=True, slots=True)
class Part:
    """Candidates in a row."""

    arrays: Mapping[str, NDArray[Any]]
    """What is known of them by name, each [n, …]."""
    pngs: list[bytes]
    """[n]: their pictures."""
    drawn: int
    """How many were drawn for these n, of types that nobody asked for, too."""

    @classmethod
    def joined(cls, parts: list[Part]) -> Part:
        """Several, one behind the other; at least one."""
        arrays = {name: np.concatenate([part.arrays[name] for part in parts]) for name in parts[0].arrays}
        return cls(arrays, [png for part in parts for png in part.pngs], sum(part.drawn for part in parts))

    def begins_with(self, other: Part) -> bool:
        """Whether the first candidates are these, to the last bit."""
        count = len(other.pngs)
        return self.pngs[:count] == other.pngs and all(
            self.arrays[name][:count].tobytes() == array.tobytes() for name, array in other.arrays.items()
        )


Draw = Callable[[Iterable[Wanted | Part]], Generator[Part]]
"""``asset_gen.engines.Engine.draw``"""


class Staging:
    """The blocks of one run."""

    def __init__(
        self,
        place: Place,
        run: str,
        identity: str,
        size: int,
        sound: Callable[[Part, Wanted], bool],
        sharded: bool = False,
    ) -> None:
        """
        Args:
            place: where the run's sprites go; blocks of other runs for it are removed.
            run: its name.
            identity: all that decides what a candidate is, but for its type and index.
            size: side of a sprite in pixels.
            sound: whether a block can be what was wanted; ``.assetgen`` may have come with a stranger's project.
            sharded: whether the set's pictures go to shards.
        """
        self.folder = place.state / FOLDER / f"{_prefix(place)}{run}"
        self.stage = self.folder / SET if sharded else place.candidates
        """Where the candidate set is to be built."""
        self.rows = BATCH * max(1, min(BATCHES, BATCHES * LARGE**2 // size**2))
        """Candidates in a block."""
        self.kept = 0
        """Candidates that are in blocks."""
        self._identity, self._sound = FORM + identity, sound
        self._shards: ShardWriter | None = None
        self._like: Part | None = None
        """A batch that was drawn, and found the same in a block."""
        self._given_up = False
        forget(place, self.folder)

    def drawn(self, wanted: Wanted, draw: Draw, shards: ShardWriter | None = None) -> Iterator[Part]:
        """All that is wanted, from blocks as far as there are any; keeps what had to be drawn.

        ``shards``: where the pictures of each part are put before the next one is asked for, if there.
        """
        self._shards = shards
        self._compare(wanted, draw)
        ahead: deque[tuple[Wanted, bool]] = deque()  # what was handed out and hasn't come back: is it held already?

        def handed_out() -> Iterator[Wanted | Part]:
            for some in self._blocks(wanted):
                held = self._held(some)
                ahead.append((some, held is not None))
                yield some if held is None else held

        parts: list[Part] = []
        spot: Spot | None = None
        with closing(draw(handed_out())) as found:
            for part in found:
                some, held = ahead[0]
                self.kept += len(some) if held and not self._given_up else 0
                if shards is not None and not parts:
                    spot = shards.spot
                yield part
                parts.append(part)
                if sum(part.drawn for part in parts) == len(some):
                    if not held and len(some) == self.rows:
                        self._keep(self._path(some), Part.joined(parts), len(wanted), spot)
                    ahead.popleft()
                    parts = []

    def end(self) -> None:
        """The run is finished, or can't be: forget its blocks."""
        shutil.rmtree(self.folder, ignore_errors=True)
        with suppress(OSError):  # another set's are there, or there were none
            self.folder.parent.rmdir()
        self._given_up = True
        self.kept = 0

    def _blocks(self, wanted: Wanted) -> Iterator[Wanted]:
        """What is wanted, block by block; the last may be smaller, and isn't kept then."""
        for start in range(0, len(wanted), self.rows):
            yield wanted.part(slice(start, start + self.rows))

    def _path(self, wanted: Wanted) -> Path:
        """A block's file."""
        inputs = self._identity.encode() + wanted.kinds.tobytes() + wanted.indices.tobytes()
        return self.folder / sha256(inputs).hexdigest()

    def _compare(self, wanted: Wanted, draw: Draw) -> None:
        """Draw the first batch of the first sound block, and forget all blocks where it isn't what that one holds."""
        for some in self._blocks(wanted):
            if self._like is not None or self._given_up or not self.folder.is_dir():
                return
            if len(some) < self.rows or not self._keeps_its_sum(self._path(some)):
                continue
            like = Part.joined(list(draw([some.part(slice(BATCH))])))
            if not like.pngs:  # none of a type that is asked for: the same on any machine
                continue
            if (held := self._read(some, like)) is None:
                continue
            if not held.begins_with(like):
                for path in self.folder.iterdir():
                    if path.name != SET:  # shards are written anew where they differ
                        remove_any(path)
                return
            self._like = like

    def _held(self, wanted: Wanted) -> Part | None:
        """What a block holds; None where there is none that can be used."""
        if self._like is None or self._given_up or len(wanted) < self.rows:
            return None
        return self._read(wanted, self._like)

    def _read(self, wanted: Wanted, like: Part) -> Part | None:
        """What a block holds; None where it isn't there, is torn, or is nothing that would be drawn here."""
        path = self._path(wanted)
        try:
            held = _decoded(self._content(path), path.name, like, len(wanted))
        except (OSError, ValueError):
            return None
        return held if self._sound(held, wanted) else None

    def _content(self, path: Path) -> bytes:
        """A block with its pictures.

        Raises:
            OSError, ValueError: it isn't there, is no file, or is too long for a block.
        """
        known = path.lstat()
        if not stat.S_ISREG(known.st_mode):  # a stranger's link may lead to a file without an end
            raise ValueError("no file")
        if known.st_size > MAX_BYTES:
            raise ValueError("too long")
        data = path.read_bytes()
        if self._shards is None:
            return data
        head = np.frombuffer(data, np.int64, HEAD, SUM)
        count = int(head[0])
        sizes = np.frombuffer(data, np.int64, max(count, 0), SUM + head.nbytes)
        if ((sizes < 0) | (sizes > MAX_BYTES)).any() or sizes.sum() > MAX_BYTES:
            raise ValueError("too long")
        return data + b"".join(self._shards.read((int(head[1]), int(head[2])), sizes.tolist()))

    def _keeps_its_sum(self, path: Path) -> bool:
        try:
            return _fits(self._content(path), path.name)
        except (OSError, ValueError):
            return False

    def _keep(self, path: Path, part: Part, total: int, spot: Spot | None) -> None:
        """Put a block in place; without room for it and ``total`` candidates, no more are kept.

        ``spot``: where in the shards its pictures begin.
        """
        if self._given_up or not part.pngs:
            return
        if self._shards is not None:
            self._shards.flush()
        data = _encoded(part, path.name, spot)
        each = 0 if spot else -(-max(map(len, part.pngs)) // DISK_BLOCK) * DISK_BLOCK
        staged = path.with_suffix(".tmp")
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            if shutil.disk_usage(self.folder).free < len(data) + ROOM * total * each:
                self._give_up()
                return
            staged.unlink(missing_ok=True)
            with staged.open("xb") as file:  # not synced: what a power cut tears doesn't keep its sum
                file.write(data)
            move_file(staged, path)
        except OSError:  # the batch can do without
            self._give_up()
            return
        self.kept += len(part.pngs)

    def _give_up(self) -> None:
        """Keep no more blocks. Shards stay, and blocks that go with them: so small are they that later ones may fit."""
        if self._shards is None:
            self.end()
        else:
            with suppress(OSError):
                for path in self.folder.glob("*.tmp"):
                    path.unlink()


def forget(place: Place, but: Path | None = None) -> None:
    """Remove the blocks of all runs for an output folder, ``but`` those of one."""
    folder = place.state / FOLDER
    if folder.is_symlink():  # what lies at its other end isn't ours
        folder.unlink()
    for path in folder.glob(f"{_prefix(place)}*"):
        if path.is_symlink():
            path.unlink()
        elif path != but:
            shutil.rmtree(path, ignore_errors=True)
    with suppress(OSError):  # it isn't empty, or isn't there
        folder.rmdir()


def _prefix(place: Place) -> str:
    """With which the names of an output folder's runs begin."""
    return sha256(place.out.relative_to(place.project).as_posix().encode()).hexdigest()[:8] + "-"


def held_bytes(place: Place) -> int:
    """How much of the disk the blocks and shards of all runs for an output folder take."""
    folders = [path for path in (place.state / FOLDER).glob(f"{_prefix(place)}*") if not path.is_symlink()]
    return sum(path.lstat().st_size for folder in folders for path in folder.rglob("*") if path.is_file())


def _encoded(part: Part, name: str, spot: Spot | None = None) -> bytes:
    """A block: its sum, the number of candidates, where in the shards they begin, sizes of the pictures, arrays,
    pictures. With a ``spot`` those lie in the shards; the sum is of them, too.
    """
    head = np.array([len(part.pngs), *(spot or (-1, -1)), *map(len, part.pngs)], np.int64)
    body = b"".join([head.tobytes(), *(array.tobytes() for array in part.arrays.values())])
    pictures = b"".join(part.pngs)
    return sha256(name.encode() + body + pictures).digest() + body + (b"" if spot else pictures)


def _fits(data: bytes, name: str) -> bool:
    """Whether a block of this name keeps its sum."""
    return sha256(name.encode() + data[SUM:]).digest() == data[:SUM]


def _decoded(data: bytes, name: str, like: Part, drawn: int) -> Part:
    """The block of this name, for which so many were drawn; its arrays are of the kinds of those of ``like``.

    Raises:
        ValueError: it doesn't keep its sum, or has another form.
    """
    if not _fits(data, name):
        raise ValueError("torn")
    place = SUM

    def array(shape: tuple[int, ...], kind: np.dtype[Any]) -> NDArray[Any]:
        nonlocal place
        size = math.prod(shape) * kind.itemsize
        if not 0 <= size <= len(data) - place:
            raise ValueError("another form")
        found = np.frombuffer(data, kind, math.prod(shape), place).reshape(shape)
        place += size
        return found

    whole = np.dtype(np.int64)
    count = int(array((HEAD,), whole)[0])
    sizes = array((count,), whole)
    arrays = {title: array((count, *known.shape[1:]), known.dtype) for title, known in like.arrays.items()}
    ends = place + np.cumsum(sizes)
    if count and (ends[-1] != len(data) or (sizes < 0).any()):
        raise ValueError("another form")
    starts = [place, *ends[:-1].tolist()] if count else []
    return Part(arrays, [data[start:end] for start, end in zip(starts, ends.tolist(), strict=True)], drawn)
