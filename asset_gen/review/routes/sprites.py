"""What pages read of sprites."""

from __future__ import annotations

import msgspec
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from asset_gen.errors import AssetgenError
from asset_gen.review import wall
from asset_gen.review.studio import Studio

AN_HOUR = "private, max-age=3600"
"""A picture belongs to its origin, and is what it is."""


def all_sprites(request: Request) -> Response:
    """Everything that the wall sorts, filters and draws."""
    studio: Studio = request.app.state.studio
    told = {"read_only": studio.read_only, "trouble": studio.trouble, "who": studio.gallery.who}
    return Response(msgspec.json.encode(wall.wall(studio.gallery) | told), media_type="application/json")


def one_sprite(request: Request) -> Response:
    """All that is known of one."""
    studio: Studio = request.app.state.studio
    shown = studio.gallery.find(request.path_params["name"])
    return Response(msgspec.json.encode(wall.about(studio.gallery, shown)), media_type="application/json")


def picture(request: Request) -> Response:
    """Its PNG file."""
    studio: Studio = request.app.state.studio
    try:
        shown = studio.gallery.find(request.path_params["name"])
        data = studio.gallery.pictures.png(shown.entry)
    except AssetgenError as error:
        return PlainTextResponse(str(error), 404)
    return Response(data, media_type="image/png", headers={"Cache-Control": AN_HOUR})


ROUTES = [
    Route("/api/wall", all_sprites),
    Route("/api/sprites/{name}", one_sprite),
    Route("/sprites/{name}.png", picture),
]
