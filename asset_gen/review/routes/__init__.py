"""Every address of the studio; a part of it is a module with its own table."""

from __future__ import annotations

from asset_gen.review.routes import decisions, events, lab, making, page, publish, sprites, training

PARTS = (page, sprites, decisions, publish, making, lab, training, events)
ROUTES = [route for part in PARTS for route in part.ROUTES]
