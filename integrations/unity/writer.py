"""The target ``unity``: import settings, which Unity reads as if its own Sprite Editor had cut the sheets.

<type>/<type>.png.meta   spriteMode 2 with a sprite for each region: names, rectangles, and ids that stay
sprites.unity.json       all sheets for the editor scripts in ``project/``: types, labels, scores, and the same ids

A sprite's type is the beginning of its name, a label of the texture's (``l:dragon`` in the Project window's search),
and an entry of the catalogue that the scripts build.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from asset_gen.sheet import Delivery, Region, Sheet, Target
from integrations.unity.merge import merge
from integrations.unity.meta import bottom, pivot, place, sprite_id, texture_meta

FORMAT = 1
"""Of ``sprites.unity.json``; the editor scripts refuse others."""
OLDEST = (2019, 4)
"""Before 2019.3 Unity kept sprites' ids in another table; 2019.4 is the oldest with long-term support."""


def write(delivery: Delivery) -> Mapping[str, bytes]:
    """A ``.meta`` for each sheet, and the list of all."""
    files = {f"{sheet.image}.meta": texture_meta(delivery, sheet).encode() for sheet in delivery.sheets}
    blocks = []
    for sheet in delivery.sheets:
        head = {"image": sheet.image, "type": sheet.type, "width": sheet.width, "height": sheet.height}
        sprites = ",\n".join(f"   {_json(_entry(delivery, sheet, region))}" for region in sheet.regions)
        blocks.append(f'  {_json(head)[:-1]}, "sprites": [\n{sprites}\n  ]}}')
    text = f'{{\n "format": {FORMAT},\n "sheets": [\n' + ",\n".join(blocks) + "\n ]\n}\n"
    files["sprites.unity.json"] = text.encode()
    return files


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)


def _entry(delivery: Delivery, sheet: Sheet, region: Region) -> dict[str, Any]:
    """A sprite as Unity's JsonUtility reads it, ``y`` counted from the bottom."""
    x, y = pivot(region)
    return {
        "name": region.name,
        "type": region.type,
        "label": sheet.label if region.type == sheet.type else region.type,
        "score": round(region.score, 4),
        "x": region.x,
        "y": bottom(sheet, region),
        "width": region.width,
        "height": region.height,
        "pivotX": x,
        "pivotY": y,
        "spriteID": sprite_id(delivery.identity, place(delivery, sheet), region.name),
    }


def _read(project: Path, name: str) -> str:
    """A file of ProjectSettings; nothing where there is none."""
    try:
        return (project / "ProjectSettings" / name).read_text(encoding="utf-8", errors="replace")
    except (OSError, ValueError):  # ValueError: a NUL in the path
        return ""


def detect(project: Path) -> bool:
    """Whether Unity has written down its version there."""
    return "m_EditorVersion:" in _read(project, "ProjectVersion.txt")


def identity(project: Path) -> str:
    """The project's productGUID: 32 hexadecimal digits; empty where it has none that can be read."""
    found = re.search(r"^ *productGUID: ([0-9a-f]{32})\s*$", _read(project, "ProjectSettings.asset"), re.MULTILINE)
    return found[1] if found else ""


def complaint(project: Path) -> str | None:
    """That the project's Unity is older than ``OLDEST``; None: it isn't, or there is no telling."""
    found = re.search(r"m_EditorVersion: ((\d{1,5})\.(\d{1,3})\S*)", _read(project, "ProjectVersion.txt"))
    if found is None or (int(found[2]), int(found[3])) >= OLDEST:
        return None
    wanted = ".".join(map(str, OLDEST))
    return (
        f"ProjectSettings/ProjectVersion.txt is of Unity {found[1]}, which keeps the ids of sprites in another way. "
        f"Open the project in Unity {wanted} or newer, or use --target generic."
    )


TARGET = Target(
    name="unity",
    summary="Unity: .png.meta with named sprites and stable ids, and a list for the editor scripts",
    next_step="Unity compiles it at the next look; then use Assets ▸ AssetGen ▸ Generate…",
    write=write,
    detect=detect,
    out="Assets/Generated",
    identity=identity,
    complaint=complaint,
    merge=merge,
    merged=(".meta",),
)
