"""Rows on the disk are the rows that were put there."""

from __future__ import annotations

import errno
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from asset_gen.pool import Pool
from asset_gen.row_file import BLOCK, GAP, Reordered, RowFile, in_blocks, mean_of, worked_out


@pytest.mark.parametrize("shape", [(50, 7), (50,), (50, 0), (50, GAP), (3 * BLOCK, 2)])
def test_any_rows_can_be_read_between_writes(tmp_path: Path, shape: tuple[int, ...]) -> None:
    written = np.random.default_rng(0).normal(size=shape).astype(np.float16)
    file = RowFile(tmp_path, np.float32)
    file.append(written[:20])
    assert np.array_equal(file[:], written[:20].astype(np.float32))
    file.append(written[20:])
    assert len(file) == len(written) and file.shape == shape
    everything = np.random.default_rng(1).permutation(len(written))
    for rows in (np.array([3, 4, 5, 49, 0, 7, 7]), np.zeros(0, np.int64), np.arange(1, 50, 3), everything):
        assert np.array_equal(file[rows], written[rows].astype(np.float32))
        assert np.array_equal(Reordered(file, rows)[1:3], written[rows[1:3]].astype(np.float32))
    for some in (slice(40, 60), slice(9, 3), slice(None, None, 7)):
        assert np.array_equal(file[some], written[some].astype(np.float32))
    marked = everything % 3 == 0
    assert np.array_equal(file[marked], written[marked].astype(np.float32))
    assert file[:].dtype == file[everything].dtype == np.float32
    file.close()
    with pytest.raises(ValueError, match="closed file"):
        file[:]


def test_rows_are_read_as_they_were_written(tmp_path: Path) -> None:
    file = RowFile(tmp_path)
    file.append(np.arange(6, dtype=np.int64).reshape(3, 2))
    assert file[np.array([2, 0])].tolist() == [[4, 5], [0, 1]] and file[:].dtype == np.int64
    file.close()


def test_what_is_asked_block_by_block_is_what_the_whole_would_say() -> None:
    rows = np.random.default_rng(0).dirichlet([0.3] * 17, 2 * BLOCK + 77).astype(np.float32)
    some = np.random.default_rng(1).permutation(len(rows))[: BLOCK + 99]
    assert mean_of(rows, some).tolist() == rows[some].astype(np.float64).mean(axis=0).tolist()
    assert np.array_equal(in_blocks(rows, lambda block: block.sum(axis=1)), rows.sum(axis=1))
    assert in_blocks(rows[:0], lambda block: block.sum(axis=1)).shape == (0,)
    assert mean_of(rows, look=np.asarray).tolist() == rows.mean(axis=0).tolist()  # in float32


def test_what_is_worked_out_of_rows_on_the_disk_lies_there_and_is_gone_afterwards(tmp_path: Path) -> None:
    rows = np.random.default_rng(0).random((2 * BLOCK + 7, 3), np.float32)
    file, order = RowFile(tmp_path), np.arange(len(rows))[::-3]
    file.append(rows)
    for some, expected in ((file, rows), (Reordered(file, order), rows[order])):
        with worked_out(some, np.sqrt) as found:
            assert isinstance(found, RowFile)
            assert np.array_equal(found[:], np.sqrt(expected))
        with pytest.raises(ValueError, match="closed file"):
            found[:]
    with worked_out(rows, np.sqrt) as found:
        assert isinstance(found, np.ndarray)
        assert np.array_equal(found, np.sqrt(rows))
    file.close()
    assert list(tmp_path.iterdir()) == []


class FullDisk:
    """A file on a disk that takes so many bytes."""

    def __init__(self, file: Any, room: int) -> None:
        self.file, self.room = file, room

    def __getattr__(self, name: str) -> Any:
        return getattr(self.file, name)

    def write(self, data: memoryview) -> int:
        written = self.file.write(data.cast("B")[: self.room])
        self.room -= written
        if written < data.nbytes:
            raise OSError(errno.ENOSPC, "No space left on device")
        return int(written)


def test_rows_that_found_no_room_can_be_put_there_again(tmp_path: Path) -> None:
    file, rows = RowFile(tmp_path), np.arange(24, dtype=np.int32).reshape(6, 4)
    real = file._file
    file.append(rows[:2])
    file._file = FullDisk(real, 24)  # type: ignore[assignment] # one row and a half
    with pytest.raises(OSError, match="No space left"):
        file.append(rows[2:])
    file._file = real
    file.append(rows[2:])
    assert np.array_equal(file[:], rows)
    file.close()


def test_nothing_is_left_in_the_folder(tmp_path: Path) -> None:
    file = RowFile(tmp_path)
    file.append(np.ones((4, 2), np.float16))
    file.close()
    assert list(tmp_path.iterdir()) == []


def test_all_files_of_a_pool_are_let_go_of_even_where_one_can_not_be_written(tmp_path: Path) -> None:
    pool = Pool(tmp_path)
    some = np.zeros(3, np.int64)
    pool.add(p=np.ones((3, 2), np.float32), kinds=some, indices=some, thumbs=np.zeros((3, 256), np.uint8))
    pool.join()
    files = list(pool._files.values())
    real = files[0]._file

    class Torn:
        def close(self) -> None:
            real.close()
            raise OSError(errno.ENOSPC, "No space left on device")

    files[0]._file = Torn()  # type: ignore[assignment]
    with pytest.raises(OSError, match="No space left"):
        pool.close()
    assert len(files) > 1
    assert all(file._file.closed for file in files[1:])
