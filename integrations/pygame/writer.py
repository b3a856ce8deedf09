"""The target ``pygame``: one JSON document, which ``project/assetgen_sprites.py`` turns into surfaces.

sprites.pygame.json   all sheets, each with its sprites: name, type, rectangle as ``pygame.Rect`` takes it, score
"""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from asset_gen.sheet import Delivery, Region, Target

FORMAT = 1
"""Of the document; the loader refuses others."""
NEEDED = re.compile(r"pygame(-ce)?\b(?!-)", re.IGNORECASE)
"""The start of a requirement for pygame or its fork, not for ``pygame-menu``."""


def write(delivery: Delivery) -> Mapping[str, bytes]:
    """The one document, with a line for each sprite, so that a version control system shows what changed."""
    sheets = []
    for sheet in delivery.sheets:
        head = {"image": sheet.image, "type": sheet.type, "label": sheet.label, "size": [sheet.width, sheet.height]}
        sprites = ",\n".join(f"   {_json(_sprite(region))}" for region in sheet.regions)
        sheets.append(f'  {_json(head)[:-1]}, "sprites": [\n{sprites}\n  ]}}')
    text = f'{{\n "format": {FORMAT},\n "sheets": [\n' + ",\n".join(sheets) + "\n ]\n}\n"
    return {"sprites.pygame.json": text.encode()}


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)


def _sprite(region: Region) -> dict[str, Any]:
    sprite: dict[str, Any] = {
        "name": region.name,
        "type": region.type,
        "rect": [region.x, region.y, region.width, region.height],
        "score": round(region.score, 4),
    }
    if region.source:
        sprite |= {"offset": list(region.offset), "size": list(region.source)}
    return sprite


def detect(project: Path) -> bool:
    """Whether the project's requirements name pygame or pygame-ce."""
    return any(NEEDED.match(requirement.strip()) for requirement in _requirements(project))


def _requirements(project: Path) -> Iterator[str]:
    """What requirements files and ``pyproject.toml`` (standard tables, groups, Poetry's) ask for."""
    try:
        for path in sorted(project.glob("requirements*.txt")):
            yield from path.read_text(encoding="utf-8", errors="replace").splitlines()
        document = tomllib.loads((project / "pyproject.toml").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return
    table = _table(document, "project")
    groups = [table.get("dependencies"), *_table(table, "optional-dependencies").values()]
    groups += [
        *_table(document, "dependency-groups").values(),
        list(_table(document, "tool", "poetry", "dependencies")),
    ]
    for group in groups:
        if isinstance(group, list):
            yield from (entry for entry in group if isinstance(entry, str))


def _table(document: Mapping[str, Any], *path: str) -> Mapping[str, Any]:
    """The table at a path; an empty one where there is none."""
    for key in path:
        found = document.get(key)
        document = found if isinstance(found, dict) else {}
    return document


TARGET = Target(
    name="pygame",
    summary="pygame: JSON, and a typed loader module",
    write=write,
    detect=detect,
    next_step='In the game: import assetgen_sprites; sprites = assetgen_sprites.load("assets/generated")',
)
