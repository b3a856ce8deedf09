"""A training, as its run folder tells it."""

from __future__ import annotations

import asyncio

import msgspec
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from asset_gen.errors import UsageError
from asset_gen.review.studio import Studio
from asset_gen.review.training import RunFolder

A_WHILE = "private, max-age=600"


def run_of(request: Request) -> RunFolder:
    """
    Raises:
        UsageError: the studio was started without a training.
    """
    studio: Studio = request.app.state.studio
    if studio.run is None:
        raise UsageError("This studio shows no training. Start it with --run RUN.")
    return studio.run


async def training(request: Request) -> Response:
    """Curves, figures, and which sample sheets there are."""
    told = await asyncio.to_thread(run_of(request).told)
    return Response(msgspec.json.encode(told), media_type="application/json")


def sheet(request: Request) -> Response:
    """A sample sheet."""
    try:
        data = run_of(request).sheet(request.path_params["step"])
    except UsageError as error:
        return PlainTextResponse(str(error), 404)
    return Response(data, media_type="image/png", headers={"Cache-Control": A_WHILE})


async def nearest(request: Request) -> Response:
    """Training sprites that look like those of a sheet."""
    found = await asyncio.to_thread(run_of(request).nearest, request.path_params["step"])
    return Response(msgspec.json.encode(found), media_type="application/json")


ROUTES = [
    Route("/api/training", training),
    Route("/training/{step:int}.png", sheet),
    Route("/api/training/{step:int}/nearest", nearest),
]
