"""A server on this machine that behaves as badly as it is asked to."""

from __future__ import annotations

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self


class Server:
    """Answers every request with ``data``; counts the requests.

    ``claims`` is the length it announces (None: none at all), ``cuts`` ends the connection after that many bytes,
    ``stalls`` waits there until the test is over, ``redirects`` sends the asker on that often (-1: for ever).
    """

    def __init__(self, data: bytes, *, status: int = 200, claims: int | None = -1, cuts: int | None = None,
                 stalls: bool = False, redirects: int = 0) -> None:  # fmt: skip
        self.asked = 0
        over = self.over = threading.Event()
        length = len(data) if claims == -1 else claims
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                outer.asked += 1
                if redirects < 0 or outer.asked <= redirects:
                    self.send_response(302)
                    self.send_header("Location", f"/{outer.asked}")
                    self.send_header("Content-Length", "0")
                    self.end_headers()
                    return
                self.send_response(status)
                if length is not None:
                    self.send_header("Content-Length", str(length))
                self.end_headers()
                self.wfile.write(data[:cuts])
                self.wfile.flush()
                if stalls:
                    over.wait(30)

            def log_message(self, *_: Any) -> None:
                """Quiet."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/tiles.zip"
        self.thread = threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.02})

    def __enter__(self) -> Self:
        self.thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.over.set()
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()
