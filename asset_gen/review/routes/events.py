"""What windows hear."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from asset_gen.review.studio import Studio


async def events(request: Request) -> Response:
    """Server-sent events: ``hello``, ``changed``, ``anew``, ``trouble``, and those of publishing."""
    studio: Studio = request.app.state.studio
    hello = {"version": studio.gallery.version, "trouble": studio.trouble}
    return StreamingResponse(studio.hub.stream(hello), media_type="text/event-stream")


ROUTES = [Route("/api/events", events)]
