"""The target ``aseprite``: the JSON (array) that Aseprite exports with a sheet, which many engines and loaders read.

<type>/<type>.aseprite.json   frames of one sheet, and a tag over those of every type

As Phaser's ``anims.createFromAseprite`` needs it, ``filename`` is the frame's number (Aseprite's item filename
``{frame}``), and the sprite's own name stands beside it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import PurePosixPath
from typing import Any

from asset_gen.sheet import Delivery, Region, Sheet, Target
from integrations.generic.writer import frame, frame_tags

APP = "https://www.aseprite.org/"
"""By which some loaders know the format; ``generator`` says who wrote the file."""
DURATION = 100
"""Milliseconds a frame is shown for, as in a new file of Aseprite's."""


def write(delivery: Delivery) -> Mapping[str, bytes]:
    """One JSON file a sheet."""
    return {
        str(PurePosixPath(sheet.image).with_suffix(".aseprite.json")): _document(sheet) for sheet in delivery.sheets
    }


def _document(sheet: Sheet) -> bytes:
    """With a line for each frame, so that a version control system shows what changed."""
    frames = ",\n".join(f"  {_json(_frame(place, region))}" for place, region in enumerate(sheet.regions))
    layer = {"name": sheet.label or PurePosixPath(sheet.image).stem, "opacity": 255, "blendMode": "normal"}
    meta = {
        "app": APP,
        "version": "1.3",
        "generator": "assetgen",
        "image": PurePosixPath(sheet.image).name,
        "format": "RGBA8888",
        "size": {"w": sheet.width, "h": sheet.height},
        "scale": "1",
        "frameTags": [{**tag, "color": "#000000ff"} for tag in frame_tags(sheet.regions)],
        "layers": [layer],
        "slices": [],
    }
    fields = ",\n".join(f"  {_json(key)}: {_json(value)}" for key, value in meta.items())
    return f'{{\n "frames": [\n{frames}\n ],\n "meta": {{\n{fields}\n }}\n}}\n'.encode()


def _frame(place: int, region: Region) -> dict[str, Any]:
    own = {"duration": DURATION, "name": region.name, "score": round(region.score, 4)}
    return {"filename": str(place), **frame(region), **own}


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)


TARGET = Target(
    name="aseprite",
    summary="Aseprite JSON (array) with a tag for each type, and a script",
    write=write,
    next_step="In Aseprite: File ▸ Scripts ▸ Open Scripts Folder, and copy tools/aseprite/assetgen-open.lua there.",
)
