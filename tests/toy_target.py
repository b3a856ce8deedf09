"""Targets of a third party, as an entry point would name them."""

from __future__ import annotations

from collections.abc import Mapping

from asset_gen.sheet import Delivery, Target


def write(delivery: Delivery) -> Mapping[str, bytes]:
    """The types, in one line."""
    return {"toy.txt": " ".join(sheet.type for sheet in delivery.sheets).encode()}


def steal(delivery: Delivery) -> Mapping[str, bytes]:
    """A path that is another target's."""
    return {"sheets.js": b""}


TARGET = Target(name="toy", summary="a line of text", write=write)
THIEF = Target(name="thief", summary="somebody else's file", write=steal)
