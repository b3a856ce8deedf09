"""What does a watch tell, to people and to editors? One JSON line an event."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Annotated, Literal

import msgspec

Kind = Literal[
    "watching", "working", "rejected", "published", "edited", "waiting", "error", "retraining", "retrained", "stopped"
]


class Event(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A line of ``assetgen watch --json``."""

    event: Kind
    """``watching``: all is as it should be. ``working``: something is being made again. ``waiting``: for a person's
    yes. ``error``: something must be mended first; it is tried again when a file changes, and every minute."""
    time: Annotated[datetime, msgspec.Meta(tz=True)]
    """UTC."""
    message: str
    """A sentence for people."""
    path: str = ""
    """The file that is meant, absolute."""
    out: str = ""
    """The output folder that is meant, relative to the project."""
    written: list[str] = []
    """Published files, relative to ``out``."""
    removed: list[str] = []
    seconds: float | None = None
    """How long it took."""


Say = Callable[[Event], None]
