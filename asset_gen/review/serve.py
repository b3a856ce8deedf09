"""How does the studio run? On 127.0.0.1 alone, on the next free port, until it is stopped."""

from __future__ import annotations

import errno
import os
import signal
import socket
import threading
import webbrowser
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

import uvicorn

from asset_gen.errors import UsageError
from asset_gen.review.app import make_app
from asset_gen.review.pages import TRAINING
from asset_gen.review.studio import Studio, open_studio
from asset_gen.review.ticket import Ticket, keep_ticket, take_ticket

HOST = "127.0.0.1"
PORTS = 20
"""How many are tried, one after another."""
PATIENCE_SECONDS = 3
"""For windows that don't let go when the studio ends."""


@dataclass(frozen=True, slots=True)
class Address:
    """Where the studio is."""

    port: int
    url: str
    """With the token."""


class StudioServer(uvicorn.Server):
    """Serves one project on a socket: ``run(sockets=[…])``. Ends its event streams when it is asked to end."""

    def __init__(self, studio: Studio, ticket: Ticket, ready: Callable[[], None] = lambda: None) -> None:
        """``ticket``: of the port on which it listens; ``ready``: called when it answers."""
        config = uvicorn.Config(
            make_app(studio, ticket.port, ticket.token),
            log_level="error",
            access_log=False,
            server_header=False,
            lifespan="on",
            ws="none",
            timeout_graceful_shutdown=PATIENCE_SECONDS,
        )
        super().__init__(config)
        self.studio, self.ready = studio, ready
        self.interrupted = False

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.ready()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self.studio.hub.close()
        await super().shutdown(sockets)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        self.interrupted |= sig == signal.SIGINT
        self.force_exit = self.should_exit and sig == signal.SIGINT
        self.should_exit = True  # not remembered as a signal, which uvicorn would raise again


def serve(
    project: Path,
    port: int | None = None,
    read_only: bool = False,
    browse: bool = True,
    say: Callable[[Address], None] = lambda address: None,
    run: Path | None = None,
) -> bool:
    """Show a project until SIGINT or SIGTERM; returns whether it was SIGINT.

    Args:
        project: the game's folder.
        port: the first that is tried; None: that of the last time, or 8477.
        read_only: whether nothing can be decided.
        browse: whether the person's browser is opened.
        say: told the address when the studio answers.
        run: a training's folder, which is shown, too, and first.

    Raises:
        UsageError: no such project or training, or no port is free.
        AssetgenError: as of ``open_catalogue``.
    """
    studio = open_studio(project, read_only, run)
    ticket = take_ticket(project, port)
    listening = listen(ticket.port)
    with listening:
        found = listening.getsockname()[1]
        address = Address(found, f"http://{HOST}:{found}{TRAINING if run else '/'}?token={ticket.token}")
        keep_ticket(project, Ticket(found, ticket.token))

        def ready() -> None:
            say(address)
            if browse:
                threading.Thread(target=webbrowser.open, args=(address.url,), daemon=True).start()

        server = StudioServer(studio, Ticket(found, ticket.token), ready)
        server.run(sockets=[listening])
    return server.interrupted


def listen(first: int) -> socket.socket:
    """A socket on this machine alone, on this port or the next that is free.

    Raises:
        UsageError: none is.
    """
    ports = range(first, min(first + PORTS, 65536)) if first else (0,)
    for port in ports:
        found = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        if os.name != "nt":  # where it would let two servers share a port
            found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            found.bind((HOST, port))
            found.listen(128)
        except OSError as error:
            found.close()
            if error.errno not in (errno.EADDRINUSE, errno.EACCES):
                raise
            continue
        return found
    raise UsageError(f"--port {first}: that port and the next {PORTS - 1} are taken. Give another, or 0 for any.")
