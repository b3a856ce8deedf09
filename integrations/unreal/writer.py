"""The target ``unreal``: ``.paper2dsprites``, which Unreal's Paper2D plugin imports as sprites with their texture.

<type>/<type>.paper2dsprites   TexturePacker's JSON (hash) as Paper2D's importer reads it

Dropped into the Content Browser, or imported again from there, a file becomes a PaperSpriteSheet, its texture, and a
PaperSprite for each frame, named as the frame. Paper2D reads a sheet's name from ``meta.image`` and has no place for
a type: it stands in the name (``dragon_000017``) and, for other readers of the JSON, in each frame.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import Any

from asset_gen.sheet import Delivery, Region, Sheet, Target

APP = "http://www.codeandweb.com/texturepacker"
"""What Paper2D wants ``meta.app`` to start with; of any other program's sheet it says that it may not understand it."""


def write(delivery: Delivery) -> Mapping[str, bytes]:
    """One JSON document a sheet, with a line for each sprite."""
    files: dict[str, bytes] = {}
    for sheet in delivery.sheets:
        frames = ",\n".join(f"  {json.dumps(region.name)}: {json.dumps(_frame(region))}" for region in sheet.regions)
        meta = json.dumps(_meta(sheet), ensure_ascii=False)
        text = f'{{\n "frames": {{\n{frames}\n }},\n "meta": {meta}\n}}\n'
        files[str(PurePosixPath(sheet.image).with_suffix(".paper2dsprites"))] = text.encode()
    return files


def _frame(region: Region) -> dict[str, Any]:
    width, height = region.source or (region.width, region.height)
    left, top = region.offset
    return {
        "frame": {"x": region.x, "y": region.y, "w": region.width, "h": region.height},
        "rotated": False,
        "trimmed": region.source is not None,
        "spriteSourceSize": {"x": left, "y": top, "w": region.width, "h": region.height},
        "sourceSize": {"w": width, "h": height},
        "pivot": {"x": 0.5, "y": 0.5},
        "type": region.type,
        "score": round(region.score, 4),
    }


def _meta(sheet: Sheet) -> dict[str, Any]:
    return {
        "app": APP,
        "version": "1.0",
        "generator": "assetgen",
        "target": "paper2d",
        "image": PurePosixPath(sheet.image).name,
        "format": "RGBA8888",
        "size": {"w": sheet.width, "h": sheet.height},
        "scale": "1",
    }


def detect(project: Path) -> bool:
    """Whether the folder holds an Unreal project file."""
    try:
        return any(path.is_file() for path in project.glob("*.uproject"))
    except (OSError, ValueError):
        return False


TARGET = Target(
    name="unreal",
    summary="Unreal: sprite sheets for Paper2D",
    write=write,
    detect=detect,
    max_side=8192,  # Direct3D 11 takes 16384, but Unreal's mobile feature levels stop here
)
