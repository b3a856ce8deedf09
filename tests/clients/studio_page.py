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
from tests.clients import web
from tests.fakes import write_bundle

if TYPE_CHECKING:
    from tests.clients.conftest import Browser, Page

AXE = web.INSTALLED / "node_modules" / "axe-core" / "axe.min.js"
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


def violations(page: Page, options: str = "") -> Any:
    """What axe-core finds wrong on the page: [rule, elements]; ``options``: of ``axe.run``, as JavaScript."""
    page.evaluate(AXE.read_text(encoding="utf-8") + "; 0")
    return page.evaluate(
        f"axe.run({options}).then(({{violations}}) => violations.map(one => [one.id, one.nodes.map(n => n.html)]))"
    )


def choose(page: Page, control: str, value: object) -> None:
    """What a person does with a select or a field."""
    field = f"document.querySelector({control!r})"
    page.evaluate(f"{field}.value = '{value}'")
    page.evaluate(f"['input', 'change'].forEach(kind => {field}.dispatchEvent(new Event(kind)))")


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
