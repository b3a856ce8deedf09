"""Who may talk to the studio? Only pages that it gave out itself, on this machine, that know its token.

A page of a stranger's can make a browser send requests to 127.0.0.1, and a stranger's name can be made to lead there
(DNS rebinding). So Host must be ours, Origin ours or none, and a cookie must hold the token, which comes with the
address that the person was given. The cookie is hidden from scripts and never sent along from other pages.
"""

from __future__ import annotations

from collections.abc import Mapping
from hmac import compare_digest
from http.cookies import CookieError, SimpleCookie
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

HOSTS = ("127.0.0.1", "localhost")
LARGEST_BODY = 4_000_000
"""Bytes of a request."""
READING = ("GET", "HEAD")
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
WITH_WEBASSEMBLY = POLICY.replace("script-src 'self'", "script-src 'self' 'wasm-unsafe-eval'")
"""Of the one page in which a network runs."""
HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
}
"""Of every answer; an answer that says nothing of caching isn't kept either."""


class Guard:
    """Stands before the application: answers what it refuses, and lets the rest through."""

    def __init__(self, app: ASGIApp, port: int, token: str) -> None:
        self.app = app
        self.token = token
        self.cookie = f"assetgen_{port}"
        self.hosts = {f"{host}:{port}" for host in HOSTS}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self.app(scope, receive, send)
            return
        if scope["type"] != "http":
            return  # websockets: there are none
        headers = _headers(scope)
        if refusal := self._refusal(scope, headers):
            await _answer(send, *refusal)
        elif self._knows_token(scope):
            path = scope["path"] or "/"
            told = f"{self.cookie}={self.token}; Path=/; HttpOnly; SameSite=Strict"
            await _answer(send, 303, "", {"Location": path if path.startswith("/") and path[1:2] != "/" else "/",
                                          "Set-Cookie": told})  # fmt: skip
        elif not self._has_cookie(headers):
            await _answer(send, 403, "This page belongs to whoever started it. Open the address that assetgen review "
                                     "printed, with its token.")  # fmt: skip
        else:
            await self.app(scope, _bounded(receive), _with_headers(send))

    def _refusal(self, scope: Scope, headers: Mapping[str, list[str]]) -> tuple[int, str] | None:
        """Status and words for what isn't ours, whatever it knows."""
        hosts, origins = headers.get("host", []), headers.get("origin", [])
        if len(hosts) != 1 or hosts[0].lower() not in self.hosts:
            return 421, "This isn't the studio's name. Open the address that assetgen review printed."
        foreign = [origin for origin in origins if origin.lower() not in {f"http://{host}" for host in self.hosts}]
        site = headers.get("sec-fetch-site", ["none"])[0]
        navigates = headers.get("sec-fetch-mode", [""])[0] == "navigate" and scope["method"] == "GET"
        if foreign or (site not in ("same-origin", "none") and not navigates):
            return 403, "Pages of others may not talk to the studio."
        if scope["method"] not in READING:
            if not origins:
                return 403, "Only the studio's own pages may change anything."
            if headers.get("content-type", [""])[0].partition(";")[0].strip().lower() != "application/json":
                return 415, "Send JSON."
            length = headers.get("content-length", ["0"])[0]
            if not length.isascii() or not length.isdecimal() or int(length) > LARGEST_BODY:
                return 413, "That is too much at once."
        return None

    def _knows_token(self, scope: Scope) -> bool:
        """Whether the address carries the token; then it goes into the cookie, and out of the address."""
        if scope["method"] != "GET":
            return False
        given = parse_qs(scope["query_string"].decode("latin-1")).get("token", [""])[0]
        return compare_digest(given.encode(), self.token.encode())

    def _has_cookie(self, headers: Mapping[str, list[str]]) -> bool:
        try:
            held = SimpleCookie("; ".join(headers.get("cookie", [])))
        except CookieError:
            return False
        return self.cookie in held and compare_digest(held[self.cookie].value.encode(), self.token.encode())


def _headers(scope: Scope) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for name, value in scope["headers"]:
        found.setdefault(name.decode("latin-1").lower(), []).append(value.decode("latin-1"))
    return found


async def _answer(send: Send, status: int, text: str, further: Mapping[str, str] | None = None) -> None:
    told = {"Content-Type": "text/plain; charset=utf-8", "Cache-Control": "no-store", **HEADERS, **(further or {})}
    headers = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in told.items()]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": text.encode()})


def _with_headers(send: Send) -> Send:
    async def sending(message: Message) -> None:
        if message["type"] == "http.response.start":
            held: list[Any] = list(message.get("headers", []))
            known = {name.lower() for name, _ in held}
            if b"cache-control" not in known:
                held.append((b"cache-control", b"no-store"))
            held += [
                (name.encode(), value.encode()) for name, value in HEADERS.items() if name.lower().encode() not in known
            ]
            message = {**message, "headers": held}
        await send(message)

    return sending


def _bounded(receive: Receive) -> Receive:
    """No body is longer than it may be, whatever its length was said to be."""
    got = 0

    async def receiving() -> Message:
        nonlocal got
        message = await receive()
        got += len(message.get("body", b""))
        return message if got <= LARGEST_BODY else {"type": "http.disconnect"}

    return receiving
