"""What do all routes work with?"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from asset_gen.errors import AssetgenError
from asset_gen.review.events import Hub
from asset_gen.review.gallery import Gallery, News
from asset_gen.review.lab import Lab
from asset_gen.review.making import Maker
from asset_gen.review.publishing import Publisher
from asset_gen.review.training import RunFolder
from asset_gen.review.wall import changes

LOOK_SECONDS = 1.0
"""Between two looks at what others do to the project."""


@dataclass(slots=True)
class Studio:
    """One project, open for review."""

    gallery: Gallery
    publisher: Publisher
    maker: Maker
    lab: Lab
    read_only: bool = False
    run: RunFolder | None = None
    """A training that is shown beside it."""
    hub: Hub = field(default_factory=Hub)
    seen: object = None
    """Stamp of the training when windows were told last."""
    trouble: str = ""
    """Why the project's files can't be read at present; empty: they can."""

    def tell(self, news: News) -> None:
        """Let every window know. Call it in the event loop."""
        if news.whole:
            self.hub.tell("anew", {"version": news.version})
        elif news.changed:
            self.hub.tell("changed", {"version": news.version, "sprites": changes(news.changed)})

    async def look(self) -> None:
        """Take over what others changed."""
        try:
            news, trouble = await asyncio.to_thread(self.gallery.refresh), ""
        except AssetgenError as error:
            news, trouble = None, str(error)
        except OSError as error:
            news, trouble = None, f"{error.filename or self.gallery.project}: {error.strerror or error}."
        if news is not None:
            self.tell(news)
        if self.run is not None and (stamp := await asyncio.to_thread(self.run.stamp)) != self.seen:
            self.seen = stamp
            self.hub.tell("training", {})
        if trouble != self.trouble:
            self.trouble = trouble
            self.hub.tell("trouble", {"message": trouble})

    async def watch(self, pause: Callable[[float], Any] = asyncio.sleep) -> None:
        """Look again and again."""
        while True:
            await pause(LOOK_SECONDS)
            await self.look()


def open_studio(project: Path, read_only: bool = False, run: Path | None = None) -> Studio:
    """
    Raises:
        UsageError: ``run`` holds no training.
        AssetgenError: as of ``open_catalogue``.
    """
    training = RunFolder(run) if run is not None else None
    gallery = Gallery(project)
    publisher = Publisher(gallery.project)
    maker = Maker(gallery.project, publisher.models, read_only)
    return Studio(gallery, publisher, maker, Lab(maker), read_only, training)
