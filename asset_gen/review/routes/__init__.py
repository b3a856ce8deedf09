"""Every address of the studio; a part of it is a module with its own table."""

from __future__ import annotations

from asset_gen.review.routes import decisions, events, lab, making, page, publish, sprites

ROUTES = [
    *page.ROUTES,
    *sprites.ROUTES,
    *decisions.ROUTES,
    *publish.ROUTES,
    *making.ROUTES,
    *lab.ROUTES,
    *events.ROUTES,
]
