"""Which port and token has a project's studio? The same for half a day, so that open pages outlive a restart.

They lie in the user's own cache folder, readable by nobody else: never in the project, which may come from a stranger.
"""

from __future__ import annotations

import os
import secrets
import time
from hashlib import sha256
from pathlib import Path
from typing import Annotated

import msgspec

from asset_gen.score.cache import cache_folder

PORT = 8477
LASTS_SECONDS = 12 * 3600.0


class Ticket(msgspec.Struct, frozen=True):
    """What an address is made of."""

    port: Annotated[int, msgspec.Meta(ge=0, le=65535)]
    token: Annotated[str, msgspec.Meta(pattern="^[A-Za-z0-9_-]{43}$")]


def take_ticket(project: Path, port: int | None) -> Ticket:
    """The project's ticket of the last hours, or a new one; ``port``: what the person asks for."""
    try:
        path = _path(project)
        status = path.stat()
        mine = os.name == "nt" or (status.st_uid == os.getuid() and not status.st_mode & 0o077)
        if path.is_symlink() or not mine or not 0 <= time.time() - status.st_mtime < LASTS_SECONDS:
            raise OSError("is somebody else's, or old")
        held = msgspec.json.decode(path.read_bytes(), type=Ticket)
    except (OSError, msgspec.MsgspecError, UnicodeDecodeError):
        held = Ticket(PORT, secrets.token_urlsafe(32))
    return held if port is None else Ticket(port, held.token)


def keep_ticket(project: Path, ticket: Ticket) -> None:
    """Remember it; where that can't be, the next studio has another."""
    path = _path(project)
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        staged = path.with_suffix(f".{os.getpid()}")
        staged.unlink(missing_ok=True)
        with os.fdopen(os.open(staged, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(msgspec.json.encode(ticket))
        staged.replace(path)
    except OSError:
        return


def _path(project: Path) -> Path:
    return cache_folder() / "review" / f"{sha256(str(project.resolve()).encode()).hexdigest()[:16]}.json"
