"""What publishing would change; publishing; taking it back."""

from __future__ import annotations

import asyncio
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from asset_gen.review.routes.writing import body
from asset_gen.review.studio import Studio


class Agreed(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a person has said yes to."""

    agreed: list[str] = []
    """Questions of the plan, word by word."""


def plan(request: Request) -> Response:
    """What ``assetgen batch --dry-run`` says, and which pictures change."""
    studio: Studio = request.app.state.studio
    return JSONResponse(studio.publisher.plan())


async def publish(request: Request) -> Response:
    """Publish; every window sees it go on."""
    studio: Studio = request.app.state.studio
    asked = await body(request, Agreed, "yes")
    if isinstance(asked, Response):
        return asked
    loop = asyncio.get_running_loop()

    def tell(what: str, done: int, total: int) -> None:
        loop.call_soon_threadsafe(studio.hub.tell, "progress", {"what": what, "done": done, "total": total})

    return await _finish(studio, asyncio.to_thread(studio.publisher.publish, asked.agreed, tell))


async def take_back(request: Request) -> Response:
    """Go back to what was published before."""
    studio: Studio = request.app.state.studio
    asked = await body(request, Agreed, "yes")
    if isinstance(asked, Response):
        return asked
    return await _finish(studio, asyncio.to_thread(studio.publisher.take_back))


async def _finish(studio: Studio, work: Any) -> Response:
    try:
        done = await asyncio.shield(work)
    finally:
        studio.hub.tell("progress", None)
    await studio.look()
    return JSONResponse(done)


ROUTES = [
    Route("/api/plan", plan),
    Route("/api/publish", publish, methods=["POST"]),
    Route("/api/back", take_back, methods=["POST"]),
]
