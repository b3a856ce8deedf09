"""Who works in a folder? One process at a time does, and the others can say for whom they wait.

    lock         held by the one that works
    lock.json    who that is; written once ``lock`` is held
    lock.told    held as well, once ``lock.json`` says so

A record counts only while ``lock.told`` is held: what a killed process left behind names nobody, whatever process has
its number today, on any system and on network drives, too.
"""

from __future__ import annotations

import os
import platform
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from datetime import datetime
from pathlib import Path

import msgspec
from click import get_current_context
from filelock import FileLock, Timeout

TELL_SECONDS = 1.0
"""For so long ``lock.told`` is tried for: somebody may just be looking whether it is held."""
NOBODY_KNOWN = "another assetgen"


class Holder(msgspec.Struct, frozen=True, kw_only=True):
    """Who holds a lock."""

    command: str
    """``assetgen batch``."""
    process: int
    machine: str
    since: datetime

    def __str__(self) -> str:
        since = f"{self.since.astimezone():%Y-%m-%d %H:%M:%S}"
        text = f"{self.command} (process {self.process} on {self.machine}, since {since})"
        return "".join(sign if sign.isprintable() else "?" for sign in text)


@contextmanager
def holding(path: Path, seconds: float) -> Iterator[None]:
    """Hold the lock ``path``, and let others know who does.

    Raises:
        Timeout: another process holds it for longer than ``seconds``; ``holder_of`` says which.
        OSError: there can't be a lock there.
    """
    lock, told = FileLock(path), FileLock(_beside(path, "told"))
    record = _beside(path, "json")
    with ExitStack() as ends:  # in reverse, all of them, even where one is interrupted
        lock.acquire(timeout=seconds)
        ends.callback(lock.release)
        ends.callback(_remove, _beside(path, "told"))
        ends.callback(told.release)
        ends.callback(_remove, record)
        with suppress(OSError):  # a full disk, or a folder in its place: the lock holds without a name
            record.unlink(missing_ok=True)
            with record.open("xb") as file:
                file.write(msgspec.json.encode(_myself()))
            told.acquire(timeout=TELL_SECONDS)
        yield


def holder_of(path: Path) -> str:
    """Who holds the lock ``path``, for people; ``another assetgen`` where that isn't known."""
    if not _beside(path, "told").exists():
        return NOBODY_KNOWN
    told = FileLock(_beside(path, "told"))
    try:
        told.acquire(timeout=0)
    except Timeout:
        with suppress(OSError, msgspec.MsgspecError, UnicodeDecodeError):
            return str(msgspec.json.decode(_beside(path, "json").read_bytes(), type=Holder))
    except OSError:
        pass
    else:
        told.release()
    return NOBODY_KNOWN


def _remove(path: Path) -> None:
    with suppress(OSError):  # on Windows somebody may be looking at it
        path.unlink(missing_ok=True)


def _beside(path: Path, ending: str) -> Path:
    return path.with_name(f"{path.name}.{ending}")


def _myself() -> Holder:
    context = get_current_context(silent=True)
    command = context.command_path if context else "a program that uses assetgen"
    machine = platform.node() or "this machine"
    return Holder(command=command, process=os.getpid(), machine=machine, since=datetime.now().astimezone())
