"""What every route does that changes something."""

from __future__ import annotations

from typing import TypeVar

import msgspec
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from asset_gen.review.making import READ_ONLY
from asset_gen.review.studio import Studio

T = TypeVar("T")


async def body(request: Request, kind: type[T], called: str) -> T | Response:
    """What the page sent, or the answer to what makes no sense or may not be."""
    studio: Studio = request.app.state.studio
    if studio.read_only:
        return JSONResponse({"error": READ_ONLY}, 403)
    try:
        return msgspec.json.decode(await request.body(), type=kind)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        return JSONResponse({"error": f"This is no {called} ({error})."}, 400)
