"""When is it worth looking again? Events of the file system are hints, and this is all that they are used for."""

from __future__ import annotations

import queue
from collections.abc import Callable, Mapping
from pathlib import Path

from watchdog.events import (
    DirCreatedEvent,
    DirDeletedEvent,
    DirMovedEvent,
    FileClosedEvent,
    FileCreatedEvent,
    FileDeletedEvent,
    FileModifiedEvent,
    FileMovedEvent,
    FileSystemEvent,
    FileSystemEventHandler,
)
from watchdog.observers import Observer
from watchdog.observers.api import BaseObserver
from watchdog.observers.polling import PollingObserver

HINTS: list[type[FileSystemEvent]] = [
    FileCreatedEvent,
    FileClosedEvent,
    FileMovedEvent,
    FileDeletedEvent,
    DirCreatedEvent,
    DirMovedEvent,
    DirDeletedEvent,
]
POLLED = [*HINTS, FileModifiedEvent]
"""Polling sees no file being closed."""
POLL_SECONDS = 1.0


class Hints(FileSystemEventHandler):
    """Rings, and does nothing else: one exception here would end watchdog's thread while the process lives on."""

    def __init__(self, bell: queue.SimpleQueue[str]) -> None:
        self._bell = bell

    def on_any_event(self, event: FileSystemEvent) -> None:
        self._bell.put("hint")


class Ears:
    """Listens to folders, and begins anew where folders have changed or watchdog has died."""

    def __init__(self, bell: queue.SimpleQueue[str], poll: bool, handler: Callable[..., Hints] = Hints) -> None:
        self._handler = handler(bell)
        self._poll = poll
        self._observer: BaseObserver | None = None
        self._folders: dict[Path, tuple[bool, int]] = {}
        self.restarts = 0
        """How often listening began anew after watchdog had died."""
        self.deaf: str | None = None
        """Why the operating system doesn't tell of changes, or None: it does."""

    def listen(self, folders: Mapping[Path, bool]) -> bool:
        """Listen to these folders (True: and to those below); returns whether anything began anew."""
        wanted: dict[Path, tuple[bool, int]] = {}
        for folder, below in folders.items():
            try:
                wanted[folder] = below, folder.stat().st_ino
            except OSError:
                continue  # it went a moment ago; the next look will say so
        observer = self._observer
        alive = observer is not None and observer.is_alive() and all(one.is_alive() for one in observer.emitters)
        if self.deaf is not None or (alive and wanted == self._folders):
            return False
        self.restarts += observer is not None and not alive and bool(self._folders)
        self.close()
        observer = PollingObserver(timeout=POLL_SECONDS) if self._poll else Observer()
        self._observer = observer
        try:
            observer.start()
            for folder, (below, _) in wanted.items():
                kinds = POLLED if self._poll else HINTS
                observer.schedule(self._handler, str(folder), recursive=below, event_filter=kinds)
        except OSError as error:  # as a rule, the system's limit of watched folders
            self.close()
            if all(folder.is_dir() for folder in wanted):
                self.deaf = str(error.strerror or error)
                return False
        self._folders = wanted
        return True

    def close(self) -> None:
        """Listen no more."""
        observer, self._observer = self._observer, None
        self._folders = {}
        if observer is not None and observer.is_alive():
            observer.stop()
            observer.join(timeout=5)
