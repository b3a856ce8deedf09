"""The target ``pixi``: spritesheets for PixiJS, which ``Assets.load`` takes.

<type>/<type>.pixi.json   one sheet: its frames, and under ``animations`` the names of every type's frames; a type that
                          goes on to further sheets brings those along (``related_multi_packs``)
sprites.pixi.json         no frame of its own; brings all sheets along, and holds the labels of all types

Types are groups, but ``animations`` is where PixiJS keeps lists of textures. There is never an ``anchor``: PixiJS would
shift the sprites.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path, PurePosixPath
from posixpath import dirname, relpath
from typing import Any

from asset_gen.sheet import Delivery, Region, Sheet, Target
from integrations.generic.writer import frame, texture_packer
from integrations.phaser.package import dependencies


def write(delivery: Delivery) -> Mapping[str, bytes]:
    """A spritesheet for each sheet, and the one for all; nothing where there is no sheet."""
    if not delivery.sheets:
        return {}
    files: dict[str, bytes] = {}
    labels: dict[str, str] = {}
    for sheet in delivery.sheets:
        others = [_path(other) for other in delivery.sheets if other.type == sheet.type and other is not sheet]
        meta = texture_packer(sheet)["meta"] | {"related_multi_packs": _relative(others, sheet.image)}
        files[_path(sheet)] = _document(sheet.regions, meta)
        for region in sheet.regions:
            labels.setdefault(region.type, sheet.label if region.type == sheet.type else region.type)
    first = delivery.sheets[0]
    meta = texture_packer(first)["meta"] | {
        "image": first.image,  # PixiJS wants one, and has it already
        "frameTags": [],
        "related_multi_packs": list(files),
        "labels": labels,
    }
    return {**files, "sprites.pixi.json": _document((), meta)}


def _path(sheet: Sheet) -> str:
    return str(PurePosixPath(sheet.image).with_suffix(".pixi.json"))


def _relative(paths: Sequence[str], origin: str) -> list[str]:
    """As seen from the folder of ``origin``."""
    return [relpath(path, dirname(origin) or ".") for path in paths]


def _document(regions: Sequence[Region], meta: Mapping[str, Any]) -> bytes:
    """A spritesheet with a line for each frame, so that a version control system shows what changed."""
    names: dict[str, list[str]] = {}
    for region in regions:
        names.setdefault(region.type, []).append(region.name)
    frames = [f"  {_json(region.name)}: {_json(_frame(region))}" for region in regions]
    animations = [f"  {_json(kind)}: {_json(members)}" for kind, members in names.items()]
    fields = [f' "frames": {_braced(frames)}', f' "animations": {_braced(animations)}', f' "meta": {_json(meta)}']
    return ("{\n" + ",\n".join(fields) + "\n}\n").encode()


def _braced(lines: list[str]) -> str:
    return "{\n" + ",\n".join(lines) + "\n }" if lines else "{}"


def _frame(region: Region) -> dict[str, Any]:
    return {**frame(region), "score": round(region.score, 4)}


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)


def detect(project: Path) -> bool:
    """Whether ``package.json`` asks for PixiJS, whole or in parts."""
    return any(name == "pixi.js" or name.startswith("@pixi/") for name in dependencies(project))


TARGET = Target(
    name="pixi",
    summary="PixiJS: spritesheets with the textures of every type, and a typed loader",
    write=write,
    detect=detect,
    next_step='In the game: import { load } from "./assetgen/pixi.js"',
)
