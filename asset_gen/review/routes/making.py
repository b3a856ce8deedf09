"""What pages ask the model for, and what of it becomes candidates."""

from __future__ import annotations

import asyncio
import base64
import time

import msgspec
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from asset_gen.candidates import encode_png
from asset_gen.manifest import Origin
from asset_gen.review.making import Made, Wish
from asset_gen.review.routes.writing import body
from asset_gen.review.studio import Studio


class Chosen(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What of it a person wants to have among the candidates."""

    origins: list[Origin]
    set: str = ""


async def able(request: Request) -> Response:
    """Whether anything can be made of a set's sprites; loads the model."""
    studio: Studio = request.app.state.studio
    part = request.query_params.get("set", "")
    return JSONResponse({"why": await asyncio.to_thread(studio.maker.trouble, part)})


async def make(request: Request) -> Response:
    """Draw."""
    studio: Studio = request.app.state.studio
    wish = await body(request, Wish, "wish")
    if isinstance(wish, Response):
        return wish
    entry = studio.gallery.find(wish.of).entry
    other = studio.gallery.find(wish.other).entry.origin if wish.other else None
    begun = time.perf_counter()
    made = await asyncio.to_thread(studio.maker.make, entry.part, entry.origin, other, wish)
    return Response(msgspec.json.encode(told(made, begun)), media_type="application/json")


async def add(request: Request) -> Response:
    """Make it candidates, and let every window know."""
    studio: Studio = request.app.state.studio
    chosen = await body(request, Chosen, "list of sprites")
    if isinstance(chosen, Response):
        return chosen
    names = await asyncio.to_thread(studio.maker.add, chosen.set, chosen.origins)
    await studio.look()
    return JSONResponse({"names": names})


def told(made: Made, begun: float) -> dict[str, object]:
    """What a page hears of it; ``begun``: by ``time.perf_counter``."""
    sprites = [
        {"origin": origin, "type": origin.type, "picture": base64.b64encode(encode_png(sprite)).decode()}
        for origin, sprite in zip(made.origins, made.sprites, strict=True)
    ]
    return {"made": sprites, "milliseconds": round(1000 * (time.perf_counter() - begun))}


ROUTES = [
    Route("/api/making", able),
    Route("/api/make", make, methods=["POST"]),
    Route("/api/candidates", add, methods=["POST"]),
]
