"""The target ``generic``: TexturePacker JSON (hash), which most engines and loaders read.

<type>/<type>.json     frames of one sheet; the type stands in every frame and as a tag over all of them
sheets.js              the same for all sheets as a script, for pages opened from disk, which can't fetch JSON
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import PurePosixPath
from typing import Any

from asset_gen.sheet import Delivery, Sheet, Target


def texture_packer(sheet: Sheet) -> dict[str, Any]:
    """TexturePacker's "JSON (Hash)" document for a sheet."""
    frames = {
        region.name: {
            "frame": {"x": region.x, "y": region.y, "w": region.width, "h": region.height},
            "rotated": False,
            "trimmed": False,
            "spriteSourceSize": {"x": 0, "y": 0, "w": region.width, "h": region.height},
            "sourceSize": {"w": region.width, "h": region.height},
            "type": sheet.type,
        }
        for region in sheet.regions
    }
    tag = {"name": sheet.type, "from": 0, "to": len(frames) - 1, "direction": "forward"}
    meta = {
        "app": "assetgen",
        "version": "1.0",
        "image": PurePosixPath(sheet.image).name,
        "format": "RGBA8888",
        "size": {"w": sheet.width, "h": sheet.height},
        "scale": "1",
        "frameTags": [tag],
    }
    return {"frames": frames, "meta": meta}


def write(delivery: Delivery) -> Mapping[str, bytes]:
    """One JSON file a sheet, and one script for all."""
    files: dict[str, bytes] = {}
    entries = []
    for sheet in delivery.sheets:
        document = texture_packer(sheet)
        text = json.dumps(document, indent=1, ensure_ascii=False)
        files[str(PurePosixPath(sheet.image).with_suffix(".json"))] = f"{text}\n".encode()
        entry = {"type": sheet.type, "label": sheet.label, "image": sheet.image, "data": document}
        entries.append(json.dumps(entry, ensure_ascii=False, separators=(",", ":")))
    script = "globalThis.assetgenSheets = [\n" + ",\n".join(entries) + "\n];\n"
    files["sheets.js"] = script.encode()
    return files


TARGET = Target(name="generic", summary="TexturePacker JSON (hash) and a script for web pages", write=write)
