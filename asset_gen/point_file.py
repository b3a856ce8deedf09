"""Where are candidates' points kept, of which there are gigabytes? In a file without a name, read block by block."""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np
from numpy.typing import NDArray


class PointFile:
    """Points [n, d], written in float16 and read in float32. Its file is gone when it is closed, and after a kill."""

    def __init__(self, folder: Path) -> None:
        """``folder``: on whose disk it lies."""
        self._file = tempfile.TemporaryFile(dir=folder)  # noqa: SIM115 # closed by close
        self._count = self._width = 0

    def __len__(self) -> int:
        return self._count

    def append(self, points: NDArray[np.float16]) -> None:
        """Put [m, d] behind all others.

        Raises:
            OSError: the disk is full.
        """
        self._file.seek(0, 2)
        self._file.write(np.ascontiguousarray(points, np.float16).data)
        self._file.flush()
        self._count, self._width = self._count + len(points), points.shape[1]

    def __getitem__(self, rows: slice | NDArray[np.int64]) -> NDArray[np.float32]:
        """[m, d] of these rows; mapping the file instead would count as memory, page by page."""
        wanted = np.arange(self._count)[rows]
        found = np.empty((len(wanted), self._width), np.float32)
        breaks = np.flatnonzero(np.diff(wanted) != 1) + 1
        starts = [0, *breaks.tolist()]
        for start, stop in zip(starts, [*starts[1:], len(wanted)], strict=True):
            if stop > start:
                self._file.seek(int(wanted[start]) * self._width * 2)
                data = self._file.read((stop - start) * self._width * 2)
                found[start:stop] = np.frombuffer(data, np.float16).reshape(-1, self._width)
        return found

    def close(self) -> None:
        """Let go of the file."""
        self._file.close()
