"""How is a single file written, put in place and removed so that no crash leaves half of it?"""

from __future__ import annotations

import errno
import os
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from hashlib import file_digest
from pathlib import Path

SYNCS_FOLDERS = os.name != "nt"
"""Windows can't open a folder, and keeps renames in its own journal."""
SHARING_VIOLATIONS = (5, 32)
"""Windows' codes for a file that an engine, an indexer or a virus scanner holds open for a moment."""
ATTEMPTS = 8
FIRST_WAIT = 0.02
"""Seconds before the second attempt; doubled each time, so that the last comes after two and a half seconds."""


def file_sha256(path: Path) -> str | None:
    """sha256 of a file, or None where there is none."""
    try:
        with path.open("rb") as file:
            return file_digest(file, "sha256").hexdigest()
    except (FileNotFoundError, NotADirectoryError):
        return None


def write_file(path: Path, data: bytes) -> None:
    """A new file, synced; a link of that name is removed, not followed."""
    with naming(path):
        path.unlink(missing_ok=True)
        with path.open("xb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        if path.stat().st_size != len(data):
            raise OSError(errno.EIO, f"wrote {path.stat().st_size} of {len(data)} bytes")


def move_file(source: Path, target: Path) -> None:
    """Rename ``source`` over ``target``; waits for whoever holds it open on Windows, within reason."""
    _patiently(lambda: source.replace(target))


def remove_file(path: Path) -> None:
    """Remove a file that may have gone already; waits as ``move_file`` does."""
    _patiently(lambda: path.unlink(missing_ok=True))


def remove_any(path: Path) -> None:
    """Remove what lies there: a file, a link but not what it leads to, or a folder with all that is in it."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        remove_file(path)


def sync_folder(path: Path) -> None:
    """Make renames and removals in a folder last through a power cut."""
    if not SYNCS_FOLDERS:
        return
    with naming(path):
        handle = os.open(path, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def _patiently(move: Callable[[], object]) -> None:
    wait = FIRST_WAIT
    for attempt in range(1, ATTEMPTS + 1):
        try:
            move()
            return
        except PermissionError as error:
            if attempt == ATTEMPTS or getattr(error, "winerror", None) not in SHARING_VIOLATIONS:
                raise
        time.sleep(wait)
        wait *= 2


@contextmanager
def naming(path: Path) -> Iterator[None]:
    """Errors of write and fsync carry no file name; give them this one."""
    try:
        yield
    except OSError as error:
        error.filename = error.filename or str(path)
        raise
