"""What a person decides."""

from __future__ import annotations

import asyncio

import msgspec
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from asset_gen.review.gallery import Wish
from asset_gen.review.routes.writing import body
from asset_gen.review.studio import Studio
from asset_gen.review.wall import changes


class Wishes(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a page sends: all of it is written down, or nothing."""

    wishes: list[Wish]


async def decide(request: Request) -> Response:
    """Write decisions down, and let every window know."""
    studio: Studio = request.app.state.studio
    asked = await body(request, Wishes, "list of decisions")
    if isinstance(asked, Response):
        return asked
    news = await asyncio.to_thread(studio.gallery.decide, asked.wishes)
    studio.tell(news)
    return JSONResponse({"version": news.version, "sprites": changes(news.changed)})


ROUTES = [Route("/api/decisions", decide, methods=["POST"])]
