"""How do all windows hear of what happened? Server-sent events, one queue a window."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

BEAT_SECONDS = 15.0
"""Between signs of life, so that a connection that is gone is noticed."""
AGAIN_MILLISECONDS = 500
"""After which a browser whose connection broke tries again."""
BACKLOG = 1000
"""Events for a window that doesn't read them; it reads everything anew then."""


class Hub:
    """Tells every window. Use it in the event loop alone."""

    def __init__(self) -> None:
        self._windows: set[asyncio.Queue[str | None]] = set()
        self.closed = False

    def tell(self, event: str, data: Any) -> None:
        """Send an event to all windows."""
        text = f"event: {event}\ndata: {json.dumps(data)}\n\n"
        for window in list(self._windows):
            if window.qsize() >= BACKLOG:
                self._windows.discard(window)
                window.put_nowait(None)
            else:
                window.put_nowait(text)

    def close(self) -> None:
        """End every window's stream."""
        self.closed = True
        for window in self._windows:
            window.put_nowait(None)

    async def stream(self, hello: Any) -> AsyncIterator[str]:
        """A window's events, from now on; the first is ``hello``."""
        window: asyncio.Queue[str | None] = asyncio.Queue()
        self._windows.add(window)
        try:
            yield f"retry: {AGAIN_MILLISECONDS}\nevent: hello\ndata: {json.dumps(hello)}\n\n"
            while not self.closed:
                try:
                    text = await asyncio.wait_for(window.get(), BEAT_SECONDS)
                except TimeoutError:
                    yield ": still here\n\n"
                    continue
                if text is None:
                    return
                yield text
        finally:
            self._windows.discard(window)
