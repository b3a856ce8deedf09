"""The target ``bevy``: a ``TextureAtlasLayout`` for each sheet, in RON, and the sprites' names and types.

<type>/<type>.layout.ron   ``bevy::image::TextureAtlasLayout`` as Serde reads it: nothing but what that struct holds
sprites.ron                for each sheet: paths of picture and layout, and its sprites in the order of the layout's
                           ``textures``, so that a sprite's place in the list is its ``TextureAtlas::index``

Paths in ``sprites.ron`` are those of Bevy's AssetServer: relative to the project's ``assets`` folder.
"""

from __future__ import annotations

import json
import tomllib
from collections.abc import Mapping
from pathlib import Path, PurePosixPath

from asset_gen.sheet import Delivery, Region, Sheet, Target

ASSETS = "assets"
"""Where the AssetServer looks, unless a game says otherwise."""


def write(delivery: Delivery) -> Mapping[str, bytes]:
    """A layout for each sheet, and the list of all sprites."""
    files = {_layout_path(sheet.image): _layout(sheet).encode() for sheet in delivery.sheets}
    blocks = [_entry(delivery.base, sheet) for sheet in delivery.sheets]
    files["sprites.ron"] = ("(\n    sheets: [\n" + "".join(blocks) + "    ],\n)\n").encode()
    return files


def _layout_path(image: str) -> str:
    return str(PurePosixPath(image).with_suffix(".layout.ron"))


def _layout(sheet: Sheet) -> str:
    """``size: UVec2``, ``textures: Vec<URect>``: glam writes a vector as a tuple, and ``max`` is exclusive."""
    lines = [
        f"        (min: ({region.x}, {region.y}), max: ({region.x + region.width}, {region.y + region.height})),"
        f" // {region.name}\n"
        for region in sheet.regions
    ]
    return f"(\n    size: ({sheet.width}, {sheet.height}),\n    textures: [\n{''.join(lines)}    ],\n)\n"


def _entry(base: str, sheet: Sheet) -> str:
    sprites = "".join(f"                {_sprite(region)},\n" for region in sheet.regions)
    return (
        "        (\n"
        f"            image: {quote(asset_path(base, sheet.image))},\n"
        f"            layout: {quote(asset_path(base, _layout_path(sheet.image)))},\n"
        f"            label: {quote(sheet.label)},\n"
        f"            sprites: [\n{sprites}            ],\n"
        "        ),\n"
    )


def _sprite(region: Region) -> str:
    """``trim`` is Some((left, top, untrimmed width, untrimmed height)) of a trimmed sprite, else None."""
    trim = f"Some(({', '.join(map(str, (*region.offset, *region.source)))}))" if region.source else "None"
    return f"(name: {quote(region.name)}, type: {quote(region.type)}, score: {region.score:.4f}, trim: {trim})"


def quote(text: str) -> str:
    """A RON string: JSON's escapes are RON's too, but for surrogates, and so what isn't ASCII stays as it is."""
    return json.dumps(text, ensure_ascii=False)


def asset_path(base: str, path: str) -> str:
    """The path as the AssetServer takes it; of an output folder outside ``assets``, relative to the project."""
    parts = [part for part in PurePosixPath(base).parts if part != "."]
    return str(PurePosixPath(*(parts[1:] if parts[:1] == [ASSETS] else parts), path))


def detect(project: Path) -> bool:
    """Whether ``Cargo.toml`` asks for bevy, for itself or for its workspace."""
    try:
        document = tomllib.loads((project / "Cargo.toml").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    workspace = document.get("workspace")
    tables = [document, workspace if isinstance(workspace, dict) else {}]
    return any(
        isinstance(table.get(key), dict) and "bevy" in table[key]
        for table in tables
        for key in ("dependencies", "dev-dependencies")
    )


TARGET = Target(
    name="bevy",
    summary="Bevy: TextureAtlasLayout in RON, with names and types",
    write=write,
    detect=detect,
)
