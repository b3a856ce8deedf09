"""How are very many pictures kept in few files? In uncompressed tar files, of which one sprite can be read alone.

    shard_<n>.tar    5,000 pictures each
    shards.csv       path, shard, offset and size of each picture

A folder that holds shards already is gone on with: what is added lies where it lay before, and what is there to the
last byte isn't written again, which takes no room on any disk.
"""

from __future__ import annotations

import csv
import re
from array import array
from collections.abc import Iterable, Iterator
from pathlib import Path
from tarfile import BLOCKSIZE, RECORDSIZE, USTAR_FORMAT, TarInfo
from typing import BinaryIO

import numpy as np

from asset_gen.files import naming, remove_any, remove_file

SHARD_SIZE = 5_000
INDEX = "shards.csv"
COLUMNS = ("path", "shard", "offset", "size")
PLACE_BITS = 40
"""Of a place in an index, which is shorter than a terabyte."""
SHARD = re.compile(r"shard_([0-9]{4}|[1-9][0-9]{4,})\.tar")

Spot = tuple[int, int]
"""(pictures before it, offset in its shard): where a picture's entry begins."""


class ShardWriter:
    """Writes pictures one behind the other."""

    def __init__(self, folder: Path) -> None:
        """``folder``: whose shards are gone on with; what else lies there is removed, for a stranger may have put it
        there."""
        self.folder = folder
        self.spot: Spot = (0, 0)
        """Where the next picture comes."""
        self._file: BinaryIO | None = None
        self._held = 0
        """Bytes that the shard had when it was opened."""
        for path in folder.iterdir():
            if not (SHARD.fullmatch(path.name) and _own_file(path)):
                remove_any(path)
        self._index = (folder / INDEX).open("x", newline="", encoding="utf-8")
        self._lines = csv.writer(self._index, lineterminator="\n")
        self._lines.writerow(COLUMNS)

    def add(self, path: str, data: bytes) -> None:
        """Keep a picture under a path.

        Raises:
            OSError: names the shard; what was flushed before stays.
        """
        number, offset = self.spot
        if number % SHARD_SIZE == 0:
            self._end_shard()
            self._open_shard(number)
            offset = 0
        entry = TarInfo(path)
        entry.size = len(data)
        record = entry.tobuf(USTAR_FORMAT, "utf-8") + data + bytes(-len(data) % BLOCKSIZE)
        self._put(offset, record)
        with naming(self.folder / INDEX):
            self._lines.writerow([path, _name(number), offset + BLOCKSIZE, len(data)])
        self.spot = number + 1, offset + len(record)

    def flush(self) -> None:
        """Hand everything to the system, so that a kill takes nothing of it."""
        if self._file is not None:
            with naming(Path(self._file.name)):
                self._file.flush()

    def read(self, spot: Spot, sizes: Iterable[int]) -> Iterator[bytes]:
        """What lies where pictures of such sizes would lie one behind the other; less where the shard ends before.

        Raises:
            OSError, ValueError: there is no such shard or place.
        """
        number, offset = spot
        for size in sizes:
            if number % SHARD_SIZE == 0:
                offset = 0
            with (self.folder / _name(number)).open("rb") as file:
                file.seek(offset + BLOCKSIZE)
                yield file.read(size)
            number, offset = number + 1, offset + BLOCKSIZE + size + -size % BLOCKSIZE

    def finish(self) -> None:
        """End the last shard and the index; nothing is added any more."""
        self._end_shard()
        with naming(self.folder / INDEX):
            self._index.close()
        last = -(-self.spot[0] // SHARD_SIZE)
        for path in self.folder.iterdir():
            found = SHARD.fullmatch(path.name)
            if found and int(found[1]) >= last:
                remove_file(path)

    def close(self) -> None:
        """Let go of the files that are being written, as Windows wants before they can be removed."""
        try:
            if self._file is not None:
                with naming(Path(self._file.name)):
                    self._file.close()
        finally:
            self._file = None
            self._index.close()

    def _open_shard(self, number: int) -> None:
        path = self.folder / _name(number)
        self._file = path.open("r+b" if path.exists() else "x+b")
        self._held = path.stat().st_size

    def _end_shard(self) -> None:
        """End a shard as tar ends files."""
        if self._file is None:
            return
        end = self.spot[1]
        padding = bytes(2 * BLOCKSIZE + -(end + 2 * BLOCKSIZE) % RECORDSIZE)
        self._put(end, padding)
        with naming(Path(self._file.name)):
            self._file.truncate(end + len(padding))
            self._file.close()
        self._file = None

    def _put(self, offset: int, data: bytes) -> None:
        """Write at the file's place, which is this offset, what doesn't lie there already."""
        assert self._file is not None
        with naming(Path(self._file.name)):
            if offset < self._held:
                if self._file.read(len(data)) == data:
                    return
                self._file.seek(offset)
            self._file.write(data)


class ShardIndex:
    """Finds pictures of a folder; eight bytes of each stay in memory."""

    def __init__(self, folder: Path) -> None:
        """
        Raises:
            ValueError: the index is none.
            OSError: there is none.
        """
        self._path = folder / INDEX
        lines = array("Q")
        with self._path.open("rb") as file:
            first = file.readline()
            if first.rstrip(b"\r\n").decode("ascii", "replace") != ",".join(COLUMNS):
                raise ValueError("another table")
            place = len(first)
            for line in file:
                lines.append(_key(line.partition(b",")[0]) << PLACE_BITS | place)
                place += len(line)
        if place >> PLACE_BITS:
            raise ValueError("too long")
        self._lines = np.frombuffer(lines, np.uint64)
        """Of each line a few bits of its path's hash, then its place in the index; ascending."""
        self._lines.sort()

    def find(self, path: str) -> tuple[str, int, int] | None:
        """(shard, offset, size) of a picture, or None where it isn't in the index, or its line is damaged."""
        key = _key(path.encode())
        first, last = key << PLACE_BITS, (key + 1 << PLACE_BITS) - 1
        start, stop = np.searchsorted(self._lines, np.array([first, last], np.uint64))  # no place is the last
        with self._path.open("rb") as file:
            for line in reversed(self._lines[start:stop].tolist()):  # the last counts
                file.seek(line - first)
                cells = file.readline().decode("utf-8", "replace").strip().split(",")
                if cells[0] == path and len(cells) == len(COLUMNS):
                    try:
                        return cells[1], int(cells[2]), int(cells[3])
                    except ValueError:
                        return None
        return None


def _key(path: bytes) -> int:
    """Many paths have another, and few the same."""
    return hash(path) & (1 << 64 - PLACE_BITS) - 1


def _name(number: int) -> str:
    """The shard in which a picture lies that has so many before it."""
    return f"shard_{number // SHARD_SIZE:04d}.tar"


def _own_file(path: Path) -> bool:
    """Whether what is written there is written nowhere else."""
    return path.is_file() and not path.is_symlink() and path.stat().st_nlink == 1
