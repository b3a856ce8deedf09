"""The target ``godot``: native resources of Godot 4, which load with no add-on.

<type>/<type>_frames.tres       SpriteFrames: one animation, named as the type, whose frames are its sprites
<type>/regions/<sprite>.tres    AtlasTexture: one sprite, for a Sprite2D, a TextureRect, a Button …
sprites.assetgen                all types as JSON, which the add-on imports as one SpriteFrames

A sprite's AtlasTexture holds its name as ``resource_name`` and ``metadata/type`` and ``metadata/score``. No
``ext_resource`` has a uid, since Godot warns at every unknown one, and no ``.import`` is written: that file is Godot's.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path

from asset_gen.sheet import Delivery, Region, Sheet, Target
from integrations.godot.project import GODOT_4, complaint, config_version, quote, resource_path

FORMAT = 1
"""Of ``sprites.assetgen``; the add-on refuses others."""

TypeSheets = list[tuple[Sheet, list[Region]]]
"""The sheets that hold sprites of one type, each with those sprites."""


def by_type(sheets: Sequence[Sheet]) -> dict[str, TypeSheets]:
    """Type → its sheets and regions, in the order of the sheets; a sheet may hold several types."""
    types: dict[str, TypeSheets] = {}
    for sheet in sheets:
        regions: dict[str, list[Region]] = {}
        for region in sheet.regions:
            regions.setdefault(region.type, []).append(region)
        for kind, own in regions.items():
            types.setdefault(kind, []).append((sheet, own))
    return types


def label_of(kind: str, sheets: TypeSheets) -> str:
    """The type as its artist wrote it; its slug where several types share a sheet."""
    return sheets[0][0].label if sheets[0][0].type == kind else kind


def margin(region: Region) -> tuple[int, int, int, int]:
    """What was trimmed, as AtlasTexture counts it: left, top, and both sides together: width, height."""
    width, height = region.source or (region.width, region.height)
    return *region.offset, width - region.width, height - region.height


def write(delivery: Delivery) -> Mapping[str, bytes]:
    """SpriteFrames of each type, AtlasTexture of each sprite, and the add-on's list of all."""
    files: dict[str, bytes] = {}
    types = by_type(delivery.sheets)
    for kind, sheets in types.items():
        files[f"{kind}/{kind}_frames.tres"] = _sprite_frames(delivery.base, kind, sheets).encode()
        for sheet, regions in sheets:
            for region in regions:
                files[f"{kind}/regions/{region.name}.tres"] = _atlas_texture(delivery.base, sheet, region).encode()
    files["sprites.assetgen"] = _list(types).encode()
    return files


def texture(base: str, sheet: Sheet, key: str) -> str:
    """A resource file's reference to a sheet, by path alone."""
    return f'[ext_resource type="Texture2D" path={quote(resource_path(base, sheet.image))} id="{key}"]\n'


def _atlas_lines(region: Region, key: str) -> str:
    """The properties of a sprite's AtlasTexture. ``filter_clip``: a scaled sprite shows nothing of its neighbours."""
    lines = [
        f"resource_name = {quote(region.name)}",
        f'atlas = ExtResource("{key}")',
        f"region = Rect2({region.x}, {region.y}, {region.width}, {region.height})",
        *([f"margin = Rect2{margin(region)}"] if any(margin(region)) else []),
        "filter_clip = true",
        f"metadata/score = {region.score:.4f}",
        f"metadata/type = {quote(region.type)}",
    ]
    return "\n".join(lines) + "\n"


def _atlas_texture(base: str, sheet: Sheet, region: Region) -> str:
    return (
        "\n".join(
            [
                '[gd_resource type="AtlasTexture" format=3]\n',
                texture(base, sheet, "1_sheet"),
                "[resource]",
                _atlas_lines(region, "1_sheet"),
            ]
        ).rstrip("\n")
        + "\n"
    )


def _sprite_frames(base: str, kind: str, sheets: TypeSheets) -> str:
    """One animation of speed 0: its frames are different creatures, which nobody wants played one after another."""
    keys = [f"{number}_sheet" for number in range(1, len(sheets) + 1)]
    textures = "".join(texture(base, sheet, key) for (sheet, _), key in zip(sheets, keys, strict=True))
    parts = ['[gd_resource type="SpriteFrames" format=3]\n', textures]
    frames = []
    for (_, regions), key in zip(sheets, keys, strict=True):
        for region in regions:
            parts.append(f'[sub_resource type="AtlasTexture" id="{region.name}"]\n{_atlas_lines(region, key)}')
            frames.append(f'{{\n"duration": 1.0,\n"texture": SubResource("{region.name}")\n}}')
    animation = f'"frames": [{", ".join(frames)}],\n"loop": false,\n"name": &{quote(kind)},\n"speed": 0.0\n'
    parts.append(
        f"[resource]\nanimations = [{{\n{animation}}}]\n"
        f"metadata/label = {quote(label_of(kind, sheets))}\nmetadata/type = {quote(kind)}\n"
    )
    return "\n".join(parts)


def _list(types: Mapping[str, TypeSheets]) -> str:
    """``sprites.assetgen``: JSON with a line for each sprite, so that a version control system shows what changed."""
    blocks = []
    for kind, sheets in types.items():
        sprites = [
            {
                "name": region.name,
                "image": sheet.image,
                "region": [region.x, region.y, region.width, region.height],
                **({"margin": list(margin(region))} if any(margin(region)) else {}),
                "score": round(region.score, 4),
            }
            for sheet, regions in sheets
            for region in regions
        ]
        lines = ",\n".join(f"   {json.dumps(sprite, ensure_ascii=False)}" for sprite in sprites)
        head = json.dumps({"type": kind, "label": label_of(kind, sheets)}, ensure_ascii=False)
        blocks.append(f'  {head[:-1]}, "sprites": [\n{lines}\n  ]}}')
    return f'{{\n "format": {FORMAT},\n "types": [\n' + ",\n".join(blocks) + "\n ]\n}\n"


def detect(project: Path) -> bool:
    """Whether this is a Godot 4 project."""
    return config_version(project) == GODOT_4


TARGET = Target(
    name="godot",
    summary="Godot 4: SpriteFrames, AtlasTexture, and a list for the add-on",
    next_step="In Godot, enable it: Project ▸ Project Settings ▸ Plugins ▸ assetgen.",
    write=write,
    detect=detect,
    complaint=partial(complaint, wanted=GODOT_4),
)
