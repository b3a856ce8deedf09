"""The target ``phaser``: one multiatlas, as TexturePacker exports it for Phaser 3 and newer.

sprites.phaser.json   all sheets, each with its frames: ``this.load.multiatlas(key, "…/sprites.phaser.json", "…/")``

Phaser keeps every frame's entry as its ``customData``, so type, label and score stand in each.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from asset_gen.sheet import Delivery, Region, Sheet, Target
from integrations.generic.writer import frame, frame_tags
from integrations.phaser.package import dependencies

OLDEST = 3
"""Phaser 2 knows no multiatlas."""


def write(delivery: Delivery) -> Mapping[str, bytes]:
    """The one document, with a line for each frame, so that a version control system shows what changed."""
    textures = []
    for sheet in delivery.sheets:
        head = {
            "image": sheet.image,
            "format": "RGBA8888",
            "size": {"w": sheet.width, "h": sheet.height},
            "scale": 1,
        }
        frames = ",\n".join(f"   {_json(_frame(sheet, region))}" for region in sheet.regions)
        textures.append(f'  {_json(head)[:-1]}, "frames": [\n{frames}\n  ]}}')
    regions = [region for sheet in delivery.sheets for region in sheet.regions]
    meta = {"app": "assetgen", "version": "1.0", "frameTags": frame_tags(regions)}  # counted through all sheets
    text = '{\n "textures": [\n' + ",\n".join(textures) + f'\n ],\n "meta": {_json(meta)}\n}}\n'
    return {"sprites.phaser.json": text.encode()}


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)


def _frame(sheet: Sheet, region: Region) -> dict[str, Any]:
    label = sheet.label if region.type == sheet.type else region.type
    return {"filename": region.name, **frame(region), "label": label, "score": round(region.score, 4)}


def detect(project: Path) -> bool:
    """Whether ``package.json`` asks for Phaser."""
    return "phaser" in dependencies(project)


def complaint(project: Path) -> str | None:
    """That the project's Phaser is older than ``OLDEST``; None: it isn't, or there is no telling."""
    version = dependencies(project).get("phaser", "")
    found = re.match(r"[\s^~>=v]*(\d{1,3})(?![^\s.])", version, re.ASCII)
    if found is None or int(found[1]) >= OLDEST:
        return None
    return (
        f"package.json asks for phaser {version}, which can't load a multiatlas. "
        f"Update it to {OLDEST} or newer, or use --target generic."
    )


TARGET = Target(
    name="phaser",
    summary="Phaser 3 and 4: one multiatlas over all sheets, and a typed loader",
    write=write,
    detect=detect,
    next_step='In the game: import { preload } from "./assetgen/phaser.js"',
    complaint=complaint,
)
