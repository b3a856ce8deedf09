"""Where is kept what is known of each of a million candidates? In files without a name, of which parts are read.

Mapping such a file instead would count as memory, page by page.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from itertools import pairwise
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import DTypeLike, NDArray

BLOCK = 4096
"""Rows that are worked on at once."""
GAP = 4096
"""Bytes between two rows up to which they are read in one go."""


class Rows(Protocol):
    """An array [n, …], wherever it is kept."""

    def __len__(self) -> int: ...

    def __getitem__(self, rows: Any, /) -> NDArray[Any]:
        """[m, …]: those of a slice, or of an array of row numbers."""
        ...


def blocks(count: int) -> Iterator[slice]:
    """All rows of so many, a block at a time."""
    for start in range(0, count, BLOCK):
        yield slice(start, min(start + BLOCK, count))


def in_blocks(rows: Rows, look: Callable[[NDArray[Any]], NDArray[Any]]) -> NDArray[Any]:
    """What ``look`` says of rows [n, …], asked block by block: [n, …]; it must say the same of each in any company."""
    found: NDArray[Any] | None = None
    for block in blocks(len(rows)):
        part = look(rows[block])
        if found is None:
            found = np.empty((len(rows), *part.shape[1:]), part.dtype)
        found[block] = part
    return look(rows[:0]) if found is None else found


@contextmanager
def worked_out(rows: Rows, look: Callable[[NDArray[Any]], NDArray[Any]]) -> Iterator[Rows]:
    """As ``in_blocks``, but on the disk, for as long as it is needed, where ``rows`` lie there."""
    folder = getattr(rows, "folder", None)
    if folder is None:
        yield in_blocks(rows, look)
        return
    with closing(RowFile(folder)) as file:
        for block in blocks(len(rows)):
            file.append(look(rows[block]))
        yield file


def mean_of(
    rows: Rows,
    wanted: NDArray[np.integer[Any]] | None = None,
    look: Callable[[NDArray[Any]], NDArray[Any]] = lambda block: np.asarray(block, np.float64),
) -> NDArray[Any]:
    """Mean of the rows ``wanted`` (None: of all), to the last bit that of an array of all of them.

    ``look``: what of each block of rows the mean is taken of, and of which kind it is.
    """
    count = len(rows) if wanted is None else len(wanted)
    total: NDArray[Any] | None = None
    for block in blocks(count):
        some = look(rows[block if wanted is None else wanted[block]])
        total = np.add.reduce(some if total is None else np.concatenate([total[None], some]), axis=0)
    assert total is not None
    return np.asarray(total / count)


class Reordered:
    """Some of the rows of others, in another order."""

    def __init__(self, rows: Rows, order: NDArray[np.integer[Any]]) -> None:
        self._rows, self._order = rows, order
        self.folder: Path | None = getattr(rows, "folder", None)
        """On whose disk they lie; None: in memory."""

    def __len__(self) -> int:
        return len(self._order)

    def __getitem__(self, rows: Any) -> NDArray[Any]:
        return self._rows[self._order[rows]]


class RowFile:
    """Rows [n, …], all of one shape and kind. Its file is gone when it is closed, and after a kill."""

    def __init__(self, folder: Path, read_as: DTypeLike | None = None) -> None:
        """
        Args:
            folder: on whose disk it lies.
            read_as: the kind of array that is read; None: as written.
        """
        self.folder = folder
        self._file = tempfile.TemporaryFile(dir=folder)  # noqa: SIM115 # closed by close
        self._count, self._row = 0, np.zeros(0)
        self._read_as = read_as

    def __len__(self) -> int:
        return self._count

    @property
    def shape(self) -> tuple[int, ...]:
        """As of an array."""
        return (self._count, *self._row.shape)

    def append(self, rows: NDArray[Any]) -> None:
        """Put [m, …] behind all others.

        Raises:
            OSError: the disk is full.
        """
        self._row = np.zeros(rows.shape[1:], rows.dtype)
        self._file.seek(self._count * self._row.nbytes)  # what a full disk cut off is written over
        self._file.write(np.ascontiguousarray(rows).data)
        self._file.flush()
        self._count += len(rows)

    def __getitem__(self, rows: slice | NDArray[np.integer[Any] | np.bool_]) -> NDArray[Any]:
        """[m, …] of a slice, of row numbers in any order, none of them negative, or of the rows that are marked [n]."""
        if isinstance(rows, slice):
            start, stop, step = rows.indices(self._count)
            if step == 1:
                return self._span(start, max(start, stop))
            rows = np.arange(start, stop, step)
        elif rows.dtype == bool:
            rows = np.flatnonzero(rows)
        found = np.empty((len(rows), *self._row.shape), self._read_as or self._row.dtype)
        order = None if (rows[1:] >= rows[:-1]).all() else np.argsort(rows, kind="stable")
        for block in blocks(len(rows)):
            places = np.arange(block.start, block.stop) if order is None else order[block]
            mine = rows[places].astype(np.int64)  # smaller numbers may not hold a place in bytes
            breaks = np.flatnonzero(np.diff(mine) * self._row.nbytes > GAP) + 1
            for start, stop in pairwise([0, *breaks.tolist(), len(mine)]):
                first = int(mine[start])
                found[places[start:stop]] = self._span(first, int(mine[stop - 1]) + 1)[mine[start:stop] - first]
        return found

    def _span(self, start: int, stop: int) -> NDArray[Any]:
        size = self._row.nbytes
        self._file.seek(start * size)
        read = np.frombuffer(self._file.read((stop - start) * size), self._row.dtype)
        return np.asarray(read.reshape(stop - start, *self._row.shape), self._read_as)

    def close(self) -> None:
        """Let go of the file."""
        self._file.close()
