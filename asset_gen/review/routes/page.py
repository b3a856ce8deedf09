"""Pages and what they are made of."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from asset_gen.review.guard import WITH_WEBASSEMBLY
from asset_gen.review.pages import KINDS, LAB, PAGES, STATIC, TRAINING, render
from asset_gen.review.studio import Studio


def page(request: Request) -> Response:
    """The page at this address."""
    studio: Studio = request.app.state.studio
    if request.url.path == TRAINING and studio.run is None:
        return PlainTextResponse("This studio shows no training. Start it with --run RUN.", 404)
    text = render(
        PAGES[request.url.path],
        here=request.url.path,
        project=studio.gallery.project.name,
        read_only=studio.read_only,
        run=studio.run.folder.name if studio.run else "",
        twin=False,
    )
    headers = {"Content-Security-Policy": WITH_WEBASSEMBLY} if request.url.path == LAB else {}
    return Response(text, media_type="text/html; charset=utf-8", headers=headers)


def static(request: Request) -> Response:
    """A script or a style sheet."""
    path = STATIC.get(request.path_params["name"])
    if path is None:
        return PlainTextResponse("There is no such file.", 404)
    return Response(path.read_bytes(), media_type=KINDS[path.suffix])


ROUTES = [*(Route(address, page) for address in PAGES), Route("/static/{name}", static)]
