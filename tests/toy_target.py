"""Targets of a third party, as an entry point would name them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from asset_gen.sheet import Sheet, Target


def write(sheets: Sequence[Sheet]) -> Mapping[str, bytes]:
    """The types, in one line."""
    return {"toy.txt": " ".join(sheet.type for sheet in sheets).encode()}


def steal(sheets: Sequence[Sheet]) -> Mapping[str, bytes]:
    """A path that is another target's."""
    return {"sheets.js": b""}


TARGET = Target("toy", "a line of text", write)
THIEF = Target("thief", "somebody else's file", steal)
