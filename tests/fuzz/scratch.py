"""A folder for the files of one fuzzing process."""

from __future__ import annotations

import atexit
import shutil
import tempfile
from pathlib import Path

FOLDER = Path(tempfile.mkdtemp(prefix="assetgen-fuzz-"))
atexit.register(shutil.rmtree, FOLDER, ignore_errors=True)


def folder(name: str) -> Path:
    """An empty folder of this name."""
    place = FOLDER / name
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir(parents=True)
    return place
