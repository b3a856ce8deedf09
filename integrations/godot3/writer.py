"""The target ``godot3``: resources of Godot 3.1 to 3.6 (text format 2), which load with no add-on.

<type>/<type>_frames.tres       SpriteFrames: one animation, named as the type, whose frames are its sprites
<type>/regions/<sprite>.tres    AtlasTexture: one sprite
<type>/<type>.png.import        says to Godot how to import the sheet: unfiltered. Only where it has none yet

A sprite's type and score are metadata: ``texture.get_meta("type")``; its name is ``resource_name``. In Godot 3 a
texture's filter is a setting of its import, so without the ``.import`` pixel art would be blurred.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from pathlib import Path

from asset_gen.sheet import Delivery, Region, Sheet, Target
from integrations.godot.project import GODOT_3, complaint, config_version, quote, resource_path
from integrations.godot.writer import TypeSheets, by_type, label_of, margin


def write(delivery: Delivery) -> Mapping[str, bytes]:
    """SpriteFrames of each type, AtlasTexture of each sprite, import settings of each sheet."""
    files = {f"{sheet.image}.import": _import(delivery.base, sheet).encode() for sheet in delivery.sheets}
    for kind, sheets in by_type(delivery.sheets).items():
        files[f"{kind}/{kind}_frames.tres"] = _sprite_frames(delivery.base, kind, sheets).encode()
        for sheet, regions in sheets:
            for region in regions:
                files[f"{kind}/regions/{region.name}.tres"] = _atlas_texture(delivery.base, sheet, region).encode()
    return files


def keep_held(path: str, held: bytes, wanted: bytes) -> bytes:
    """A ``.import`` that the project has is Godot's and its people's: it stays byte for byte."""
    return held


def _texture(base: str, sheet: Sheet, number: int) -> str:
    return f'[ext_resource path={quote(resource_path(base, sheet.image))} type="Texture" id={number}]\n'


def _atlas_lines(region: Region, number: int) -> str:
    lines = [
        f"resource_name = {quote(region.name)}",
        f"atlas = ExtResource( {number} )",
        f"region = Rect2( {region.x}, {region.y}, {region.width}, {region.height} )",
        *(["margin = Rect2( {}, {}, {}, {} )".format(*margin(region))] if any(margin(region)) else []),
        "filter_clip = true",
        f'__meta__ = {{\n"score": {region.score:.4f},\n"type": {quote(region.type)}\n}}',
    ]
    return "\n".join(lines) + "\n"


def _atlas_texture(base: str, sheet: Sheet, region: Region) -> str:
    head = '[gd_resource type="AtlasTexture" load_steps=2 format=2]\n'
    return f"{head}\n{_texture(base, sheet, 1)}\n[resource]\n{_atlas_lines(region, 1)}"


def _sprite_frames(base: str, kind: str, sheets: TypeSheets) -> str:
    """One animation of speed 0: its frames are different creatures, which nobody wants played one after another."""
    count = sum(len(regions) for _, regions in sheets)
    textures = "".join(_texture(base, sheet, number) for number, (sheet, _) in enumerate(sheets, 1))
    parts = [f'[gd_resource type="SpriteFrames" load_steps={count + len(sheets) + 1} format=2]\n', textures]
    sprites = [(number, region) for number, (_, regions) in enumerate(sheets, 1) for region in regions]
    for place, (number, region) in enumerate(sprites, 1):
        parts.append(f'[sub_resource type="AtlasTexture" id={place}]\n{_atlas_lines(region, number)}')
    frames = ", ".join(f"SubResource( {place} )" for place in range(1, count + 1))
    animation = f'"frames": [ {frames} ],\n"loop": false,\n"name": {quote(kind)},\n"speed": 0.0\n'
    meta = f'"label": {quote(label_of(kind, sheets))},\n"type": {quote(kind)}\n'
    parts.append(f"[resource]\nanimations = [ {{\n{animation}}} ]\n__meta__ = {{\n{meta}}}\n")
    return "\n".join(parts)


def _import(base: str, sheet: Sheet) -> str:
    """Godot's preset "2D Pixel"; Godot fills in the rest when it imports the sheet."""
    return (
        '[remap]\n\nimporter="texture"\ntype="StreamTexture"\n\n'
        f"[deps]\n\nsource_file={quote(resource_path(base, sheet.image))}\n\n"
        "[params]\n\ncompress/mode=0\nflags/repeat=0\nflags/filter=false\nflags/mipmaps=false\ndetect_3d=false\n"
    )


def detect(project: Path) -> bool:
    """Whether this is a project of Godot 3.1 or newer, but not 4."""
    return config_version(project) == GODOT_3


TARGET = Target(
    name="godot3",
    summary="Godot 3: SpriteFrames, AtlasTexture, and unfiltered import of the sheets",
    write=write,
    detect=detect,
    complaint=partial(complaint, wanted=GODOT_3),
    merge=keep_held,
    merged=(".import",),
)
