"""The application: every route of ``asset_gen.review.routes`` behind the guard."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING

from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response

from asset_gen.errors import AssetgenError
from asset_gen.review.guard import Guard
from asset_gen.review.routes import ROUTES
from asset_gen.review.studio import Studio

if TYPE_CHECKING:
    from starlette.types import ASGIApp


def make_app(studio: Studio, port: int, token: str) -> ASGIApp:
    """An ASGI application for one project.

    Args:
        studio: the project.
        port: under which browsers reach it.
        token: what they must know.
    """

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        watching = asyncio.create_task(studio.watch())
        yield
        watching.cancel()
        with suppress(asyncio.CancelledError):
            await watching

    app = Starlette(
        routes=ROUTES,
        lifespan=lifespan,
        exception_handlers={AssetgenError: _told, OSError: _failed, ClientDisconnect: _too_much},
    )
    app.state.studio = studio
    return Guard(app, port, token)


def _told(request: Request, error: Exception) -> Response:
    return JSONResponse({"error": str(error)}, 409)


def _failed(request: Request, error: Exception) -> Response:
    assert isinstance(error, OSError)
    reason = f"{error.filename}: {error.strerror}" if error.filename else str(error)
    return JSONResponse({"error": f"{reason}. Check its permissions and the disk."}, 500)


def _too_much(request: Request, error: Exception) -> Response:
    return JSONResponse({"error": "That is too much at once."}, 413)
