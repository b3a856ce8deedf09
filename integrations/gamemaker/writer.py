"""The target ``gamemaker``: strips, which GameMaker's editor cuts into frames by the ``_stripN`` of their names.

<type>/spr_<type>_stripN.png   N frames in one row without gaps (the sheets themselves: ``Target.strip``)
assetgen_sprites.gml           a script function that finds sprites by type, with their names and scores

GameMaker keeps its resources in files of its own, which only its editor may write: strips and script are dragged
into it once. A frame's number is its sprite's place on the strip, so frames that a game refers to never change. The
script names the strips' assets, not strings, so that GameMaker sees them in use and doesn't leave them out of a build.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path, PurePosixPath

from asset_gen.sheet import Delivery, Sheet, Target

STRIP = re.compile(r"(?P<asset>[A-Za-z_][A-Za-z0-9_]*)_strip(?P<count>[0-9]+)")
"""A file's name: on import GameMaker takes the end off, cuts the picture into so many frames, and names the asset."""

SCRIPT = """\
// Made by `assetgen batch --target gamemaker`: made again, it is written again.

/// @function             assetgen_sprites(type)
/// @description          The generated sprites of a type, in the order of their slots; [] of an unknown type.
///                       draw_sprite(found[0].sprite, found[0].frame, x, y);
/// @param {{String}} type  As in assetgen_types().
/// @returns {{Array<Struct>}} name, type, label, score (0-1), sprite (the asset), frame (image_index)
function assetgen_sprites(type) {{
    static by_type = undefined;
    if (by_type == undefined) {{
        by_type = {{}};
{calls}    }}
    return by_type[$ type] ?? [];
}}

/// @function     assetgen_types()
/// @returns {{Array<String>}}
function assetgen_types() {{
    return [{types}];
}}

/// @function             assetgen_random(type)
/// @description          One generated sprite of a type, by chance; undefined of an unknown type.
/// @param {{String}} type
/// @returns {{Struct}}
function assetgen_random(type) {{
    var found = assetgen_sprites(type);
    return array_length(found) > 0 ? found[irandom(array_length(found) - 1)] : undefined;
}}

/// @ignore
function __assetgen_add(by_type, sprite, label, rows) {{
    for (var frame = 0; frame < array_length(rows); frame++) {{
        var row = rows[frame];
        var found = by_type[$ row[1]] ?? [];
        array_push(found, {{ name: row[0], type: row[1], label: label, score: row[2], sprite: sprite, frame: frame }});
        by_type[$ row[1]] = found;
    }}
}}
"""


def write(delivery: Delivery) -> Mapping[str, bytes]:
    """The script; the strips are the delivery's sheets.

    Raises:
        ValueError: a sheet isn't a strip of GameMaker's.
    """
    calls: list[str] = []
    for sheet in delivery.sheets:
        asset = check_strip(sheet)
        rows = ",\n".join(
            f"            [{json.dumps(region.name)}, {json.dumps(region.type)}, {region.score:.4f}]"
            for region in sheet.regions
        )
        label = json.dumps(sheet.label, ensure_ascii=False)
        calls.append(f"        __assetgen_add(by_type, {asset}, {label}, [\n{rows}\n        ]);\n")
    types = sorted({region.type for sheet in delivery.sheets for region in sheet.regions})
    script = SCRIPT.format(calls="".join(calls), types=", ".join(map(json.dumps, types)))
    return {"assetgen_sprites.gml": script.encode()}


def check_strip(sheet: Sheet) -> str:
    """The strip's name as an asset. It's cut into N equal parts, so its name must say N and its sprites fill it.

    Raises:
        ValueError: with the first thing that isn't so.
    """
    named = STRIP.fullmatch(PurePosixPath(sheet.image).stem)
    width, height = sheet.cell
    if named is None:
        raise ValueError(f"{sheet.image}: a strip's name is a GameMaker name that ends in _stripN.")
    if int(named["count"]) != len(sheet.regions):
        raise ValueError(f"{sheet.image}: the strip has {len(sheet.regions)} sprites, not {named['count']}.")
    if (sheet.width, sheet.height) != (width * len(sheet.regions), height):
        raise ValueError(f"{sheet.image}: {sheet.width}×{sheet.height} isn't {len(sheet.regions)} × {width}×{height}.")
    for place, region in enumerate(sheet.regions):
        if (region.x, region.y, region.width, region.height) != (place * width, 0, width, height) or region.source:
            raise ValueError(f"{sheet.image}: {region.name} doesn't fill part {place} of the strip.")
    return named["asset"]


def detect(project: Path) -> bool:
    """Whether the folder holds a GameMaker project file."""
    try:
        return any(path.is_file() for path in project.glob("*.yyp"))
    except (OSError, ValueError):
        return False


TARGET = Target(
    name="gamemaker",
    summary="GameMaker: strips in one row, and a script that finds sprites by type",
    write=write,
    detect=detect,
    max_side=16384,  # of the strip's file alone: frames get places of their own on texture pages
    strip=True,
)
