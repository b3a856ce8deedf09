"""The target ``generic``: TexturePacker JSON (hash), which most engines and loaders read.

<type>/<type>.json     frames of one sheet; the type stands in every frame and as a tag over all of them
sheets.js              the same for all sheets as a script, for pages opened from disk, which can't fetch JSON
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from itertools import groupby
from pathlib import PurePosixPath
from typing import Any

from asset_gen.sheet import Delivery, Region, Sheet, Target


def texture_packer(sheet: Sheet) -> dict[str, Any]:
    """TexturePacker's "JSON (Hash)" document for a sheet."""
    meta = {
        "app": "assetgen",
        "version": "1.0",
        "image": PurePosixPath(sheet.image).name,
        "format": "RGBA8888",
        "size": {"w": sheet.width, "h": sheet.height},
        "scale": str(sheet.scale),
        "frameTags": frame_tags(sheet.regions),
    }
    return {"frames": {region.name: frame(region) for region in sheet.regions}, "meta": meta}


def frame(region: Region) -> dict[str, Any]:
    """A region as TexturePacker describes it: what was trimmed off counts from the untrimmed sprite's corner."""
    width, height = region.source or (region.width, region.height)
    left, top = region.offset
    return {
        "frame": {"x": region.x, "y": region.y, "w": region.width, "h": region.height},
        "rotated": False,
        "trimmed": region.source is not None,
        "spriteSourceSize": {"x": left, "y": top, "w": region.width, "h": region.height},
        "sourceSize": {"w": width, "h": height},
        "type": region.type,
    }


def frame_tags(regions: Sequence[Region]) -> list[dict[str, Any]]:
    """Aseprite's tags: the span of frames of every type; ``regions`` come type by type."""
    tags = []
    for kind, group in groupby(enumerate(regions), key=lambda pair: pair[1].type):
        places = [place for place, _ in group]
        tags.append({"name": kind, "from": places[0], "to": places[-1], "direction": "forward"})
    return tags


def write(delivery: Delivery) -> Mapping[str, bytes]:
    """One JSON file a sheet, variants too, and one script for all but these."""
    files: dict[str, bytes] = {}
    entries = []
    for sheet in (*delivery.sheets, *delivery.variants):
        document = texture_packer(sheet)
        text = json.dumps(document, indent=1, ensure_ascii=False)
        files[str(PurePosixPath(sheet.image).with_suffix(".json"))] = f"{text}\n".encode()
        if sheet.scale > 1:
            continue
        entry = {"type": sheet.type, "label": sheet.label, "image": sheet.image, "data": document}
        entries.append(json.dumps(entry, ensure_ascii=False, separators=(",", ":")))
    script = "globalThis.assetgenSheets = [\n" + ",\n".join(entries) + "\n];\n"
    files["sheets.js"] = script.encode()
    return files


TARGET = Target(name="generic", summary="TexturePacker JSON (hash) and a script for web pages", write=write)
