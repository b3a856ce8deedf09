"""The target ``libgdx``: one ``.atlas`` for all sheets.

sprites.atlas   every sheet as a page; ``findRegions("dragon")`` gives the dragons in the order of their slots, and
                ``findRegion("dragon", 17)`` is ``dragon_000017``

Written with the keys that old and new versions of libGDX read (``xy``, ``size``, ``orig``, ``offset``, ``index``).
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from asset_gen.sheet import Delivery, Region, Sheet, Target

BUILD_FILES = ("build.gradle", "build.gradle.kts", "core/build.gradle", "core/build.gradle.kts", "gradle.properties")
MARKS = ("com.badlogicgames.gdx", "gdxVersion")


def write(delivery: Delivery) -> Mapping[str, bytes]:
    """The atlas."""
    return {"sprites.atlas": "".join(_page(sheet) for sheet in delivery.sheets).encode()}


def _page(sheet: Sheet) -> str:
    lines = [
        "",
        sheet.image,
        f"size: {sheet.width}, {sheet.height}",
        "format: RGBA8888",
        "filter: Nearest, Nearest",
        "repeat: none",
    ]
    for region in sheet.regions:
        lines += _region(region)
    return "\n".join(lines) + "\n"


def _region(region: Region) -> list[str]:
    width, height = region.source or (region.width, region.height)
    left, top = region.offset
    below = height - top - region.height  # libGDX counts upwards
    return [
        region.type,
        "  rotate: false",
        f"  xy: {region.x}, {region.y}",
        f"  size: {region.width}, {region.height}",
        f"  orig: {width}, {height}",
        f"  offset: {left}, {below}",
        f"  index: {region.slot}",
    ]


def detect(project: Path) -> bool:
    """Whether a Gradle file of the project speaks of libGDX."""
    for name in BUILD_FILES:
        try:
            text = (project / name).read_text(encoding="utf-8", errors="replace")
        except (OSError, ValueError):
            continue
        if any(mark in text for mark in MARKS):
            return True
    return False


TARGET = Target(name="libgdx", summary="libGDX: a texture atlas, regions by type and slot", write=write, detect=detect)
