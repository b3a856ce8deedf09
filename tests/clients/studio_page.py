"""The studio as a browser meets it: a server in this process, and a project that costs nothing to draw."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from asset_gen.cli import run as run_command_line
from asset_gen.review.gallery import Gallery
from asset_gen.review.serve import StudioServer, listen
from asset_gen.review.studio import open_studio
from asset_gen.review.ticket import Ticket
from tests.fakes import write_bundle

if TYPE_CHECKING:
    from tests.clients.conftest import Browser, Page

TOKEN = "t" * 43
OUT = "assets/generated"


@dataclass
class Running:
    """A studio that answers."""

    server: StudioServer
    port: int

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/?token={TOKEN}"

    @property
    def gallery(self) -> Gallery:
        return self.server.studio.gallery


@contextmanager
def running(project: Path, port: int = 0, read_only: bool = False, run: Path | None = None) -> Iterator[Running]:
    """A studio of this project, until the block ends."""
    ready = threading.Event()
    with listen(port) as listening:
        found = listening.getsockname()[1]
        server = StudioServer(open_studio(project, read_only, run), Ticket(found, TOKEN), ready.set)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
        thread.start()
        assert ready.wait(60)
        try:
            yield Running(server, found)
        finally:
            server.should_exit = True
            thread.join()


def make_project(folder: Path, count: int = 12) -> Path:
    """A published game of three types whose model draws coloured noise of 16 pixels."""
    write_bundle(folder / "model")
    (folder / "assetgen.toml").write_text(f'model = "model"\ncount = {count}\noversample = 3\n')
    assert run_command_line(["batch", "--project", str(folder), "-q"]) == 0
    return folder


def opened(browser: Browser, studio: Running, **window: Any) -> Page:
    """A window with the wall drawn."""
    page = browser.open(studio.url, **window)
    page.wait_for("globalThis.studio?.grid.sprites.length && document.querySelector('.tile img')?.naturalWidth")
    return page


def labels(page: Page) -> list[str]:
    """What a screen reader is told of the tiles that are drawn, in order."""
    expression = (
        "[...document.querySelectorAll('.row:not([hidden]) .tile:not([hidden])')]"
        ".sort((a, b) => a.dataset.at - b.dataset.at).map(tile => tile.querySelector('.unseen').textContent)"
    )
    return [str(label) for label in page.evaluate(expression)]


def current(page: Page) -> int:
    """The place of the sprite that the person is on."""
    return int(page.evaluate("globalThis.studio.grid.current"))


def text(page: Page, selector: str) -> str:
    return str(page.evaluate(f"document.querySelector({selector!r}).innerText"))
