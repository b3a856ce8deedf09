"""The target ``love``: Lua tables for LÖVE 11 and newer, which ``project/assetgen`` turns into quads.

<type>/<type>.lua   the sprites of one sheet: name, type, rectangle in pixels from the upper left corner, score
sprites.lua         the paths of all sheets' tables, and the labels of all types

A table for each sheet keeps a change of one type out of the others' files, and every file far below the 65,536
constants that LuaJIT takes in one function.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path, PurePosixPath

from asset_gen.sheet import Delivery, Region, Sheet, Target

FORMAT = 1
"""Of both files; the loader refuses others."""


def write(delivery: Delivery) -> Mapping[str, bytes]:
    """A table for each sheet, and one that names them all."""
    files: dict[str, bytes] = {}
    paths: list[str] = []
    labels: dict[str, str] = {}
    for sheet in delivery.sheets:
        path = str(PurePosixPath(sheet.image).with_suffix(".lua"))
        files[path] = _table(sheet).encode()
        paths.append(path)
        for region in sheet.regions:
            labels.setdefault(region.type, sheet.label if region.type == sheet.type else region.type)
    lines = [
        "return {",
        f"  format = {FORMAT},",
        "  sheets = {",
        *(f"    {quote(path)}," for path in paths),
        "  },",
        "  labels = {",
        *(f"    [{quote(kind)}] = {quote(label)}," for kind, label in labels.items()),
        "  },",
        "}",
    ]
    files["sprites.lua"] = ("\n".join(lines) + "\n").encode()
    return files


def quote(text: str) -> str:
    """A Lua string literal, UTF-8; control characters as decimal escapes, which Lua 5.1 and LuaJIT both read."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return '"' + "".join(c if c >= " " and c != "\x7f" else f"\\{ord(c):03d}" for c in escaped) + '"'


def _table(sheet: Sheet) -> str:
    head = [
        "return {",
        f"  format = {FORMAT},",
        f"  image = {quote(sheet.image)},",
        f"  width = {sheet.width}, height = {sheet.height},",
        "  sprites = {",
    ]
    return "\n".join([*head, *(f"    {_sprite(region)}," for region in sheet.regions), "  },", "}"]) + "\n"


def _sprite(region: Region) -> str:
    """One line: its place on the sheet and, where it was trimmed, its place in the untrimmed sprite."""
    fields = (
        f"name = {quote(region.name)}, type = {quote(region.type)}, x = {region.x}, y = {region.y}, "
        f"width = {region.width}, height = {region.height}, score = {region.score:.4f}"
    )
    if region.source:
        left, top = region.offset
        fields += f", left = {left}, top = {top}, full_width = {region.source[0]}, full_height = {region.source[1]}"
    return f"{{ {fields} }}"


def detect(project: Path) -> bool:
    """Whether this is a LÖVE game: it has a ``conf.lua`` or ``main.lua`` that speaks to ``love``."""
    for name in ("conf.lua", "main.lua"):
        try:
            if "love." in (project / name).read_text(encoding="utf-8", errors="replace"):
                return True
        except (OSError, ValueError):  # ValueError: a NUL in the path
            continue
    return False


TARGET = Target(
    name="love",
    summary="LÖVE: Lua tables, and a loader module",
    write=write,
    detect=detect,
    next_step='In the game: local sprites = require("assetgen").load("assets/generated")',
)
