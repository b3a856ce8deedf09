"""The lab: what its page is told, the network that runs in the browser, and what is drawn here where it can't."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from asset_gen.manifest import Origin
from asset_gen.review.lab import FORMATS, Sliders, Way
from asset_gen.review.pages import VENDOR
from asset_gen.review.routes.making import told
from asset_gen.review.routes.writing import body
from asset_gen.review.studio import Studio

LONG = "private, max-age=86400"


async def equipment(request: Request) -> Response:
    """What a page must know of a set's model; loads it."""
    studio: Studio = request.app.state.studio
    part = request.query_params.get("set", "")
    if why := await asyncio.to_thread(studio.maker.trouble, part):
        return JSONResponse({"why": why})
    return JSONResponse({"why": "", **await asyncio.to_thread(studio.lab.equipment, part)})


async def network(request: Request) -> Response:
    """The generator, for ONNX Runtime in the browser; its address holds the model's name, so it may be kept."""
    studio: Studio = request.app.state.studio
    data = await asyncio.to_thread(studio.lab.network, request.query_params.get("set", ""))
    return Response(data, media_type="application/octet-stream", headers={"Cache-Control": LONG})


def runtime(request: Request) -> Response:
    """A file of ONNX Runtime Web."""
    path, media, encoding = VENDOR[request.url.path]
    headers = {"Cache-Control": LONG} | ({"Content-Encoding": encoding} if encoding else {})
    return Response(path.read_bytes(), media_type=media, headers=headers)


async def code(request: Request) -> Response:
    """The code of a sprite, before any slider is moved."""
    return await _answer(request, Sliders, lambda studio, part, asked, found: studio.lab.code(part, asked, found[0]))


async def draw(request: Request) -> Response:
    """What the sliders show."""
    return await _answer(request, Sliders, lambda studio, part, asked, found: studio.lab.draw(part, asked, found[0]))


async def way(request: Request) -> Response:
    """Pictures on the way between two states of the sliders."""
    return await _answer(request, Way, lambda studio, part, asked, found: studio.lab.way(part, asked, found))


async def file(request: Request) -> Response:
    """The same as a file."""
    return await _answer(request, Way, lambda studio, part, asked, found: studio.lab.file(part, asked, found))


async def _answer(request: Request, kind: Any, work: Any) -> Response:
    studio: Studio = request.app.state.studio
    asked = await body(request, kind, "state of the sliders")
    if isinstance(asked, Response):
        return asked
    part = request.query_params.get("set", "")
    states = (asked.first, asked.second) if isinstance(asked, Way) else (asked,)
    found = tuple(_sprite(studio, sliders) for sliders in states)
    begun = time.perf_counter()
    done = await asyncio.to_thread(work, studio, part, asked, found)
    if isinstance(done, bytes):
        return Response(done, media_type=FORMATS[asked.format])
    return Response(
        msgspec.json.encode(done if isinstance(done, dict) else told(done, begun)), media_type="application/json"
    )


def _sprite(studio: Studio, sliders: Sliders) -> Origin | None:
    """
    Raises:
        AssetgenError: no sprite has this id.
    """
    return studio.gallery.find(sliders.sprite).entry.origin if sliders.sprite else None


ROUTES = [
    Route("/api/lab", equipment),
    Route("/lab/network.onnx", network),
    *(Route(address, runtime) for address in VENDOR),
    Route("/api/lab/code", code, methods=["POST"]),
    Route("/api/lab/draw", draw, methods=["POST"]),
    Route("/api/lab/way", way, methods=["POST"]),
    Route("/api/lab/file", file, methods=["POST"]),
]
