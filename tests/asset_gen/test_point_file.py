"""Points on the disk are the points that were put there."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from asset_gen.point_file import PointFile


def test_any_rows_of_points_can_be_read_between_writes(tmp_path: Path) -> None:
    points = np.random.default_rng(0).normal(size=(50, 7)).astype(np.float16)
    file = PointFile(tmp_path)
    file.append(points[:20])
    assert np.array_equal(file[:], points[:20].astype(np.float32))
    file.append(points[20:])
    assert len(file) == 50
    for rows in (np.array([3, 4, 5, 49, 0, 7]), np.zeros(0, np.int64), np.arange(1, 50, 3)):
        assert np.array_equal(file[rows], points[rows].astype(np.float32))
    assert np.array_equal(file[40:60], points[40:60].astype(np.float32))
    file.close()
    with pytest.raises(ValueError, match="closed file"):
        file[:]


def test_nothing_is_left_in_the_folder(tmp_path: Path) -> None:
    file = PointFile(tmp_path)
    file.append(np.ones((4, 2), np.float16))
    file.close()
    assert list(tmp_path.iterdir()) == []
