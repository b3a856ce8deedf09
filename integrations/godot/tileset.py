"""The target ``godot-tileset``: a Godot 4 TileSet a type, for sprites that are painted on a TileMapLayer.

<type>/<type>_tileset.tres    type, name and score are custom data layers of its tiles
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import pairwise

from asset_gen.sheet import Delivery, Region, Sheet, Target
from integrations.godot.project import GODOT_4, complaint, quote
from integrations.godot.writer import TypeSheets, by_type, margin, texture

LAYERS = (("type", 4), ("name", 4), ("score", 3))
"""Custom data layers: name and Variant type (4 String, 3 float)."""
FIRST_LONE = 1000
"""Id of the source of slot 0 where each sprite has a source of its own; below are the numbers of sheets."""

Tiles = Mapping[tuple[int, int], Sequence[Region]]
"""Column and row → the sprites there: several where they share their pixels."""


def write(delivery: Delivery) -> Mapping[str, bytes]:
    """TileSet of each type."""
    return {
        f"{kind}/{kind}_tileset.tres": _tile_set(delivery.base, sheets).encode()
        for kind, sheets in by_type(delivery.sheets).items()
    }


@dataclass(frozen=True, slots=True)
class _Grid:
    """How a TileSetAtlasSource divides its texture, in pixels: x, y."""

    margin: tuple[int, int]
    gap: tuple[int, int]
    size: tuple[int, int]

    def tile_of(self, region: Region) -> tuple[int, int] | None:
        """Column and row of a region, or None where it isn't a cell of the grid."""
        column, right = divmod(region.x - self.margin[0], self.size[0] + self.gap[0])
        row, down = divmod(region.y - self.margin[1], self.size[1] + self.gap[1])
        return None if right or down or (region.width, region.height) != self.size else (column, row)


def _grid(sheet: Sheet) -> _Grid:
    """The grid on which a sheet's regions lie, if they lie on one.

    A sheet is filled row by row, so that neighbours in its first row and column show the gap. With one column or row
    no gap shows, and none is needed; tiles keep their places when the others come.
    """
    size = (sheet.regions[0].width, sheet.regions[0].height)
    places = sorted({region.x for region in sheet.regions}), sorted({region.y for region in sheet.regions})
    gap = [
        max(0, min((after - before for before, after in pairwise(along)), default=side) - side)
        for along, side in zip(places, size, strict=True)
    ]
    return _Grid((places[0][0], places[1][0]), (gap[0], gap[1]), size)


def _tile_set(base: str, sheets: TypeSheets) -> str:
    """A source for each sheet; for each sprite of a sheet that has no grid, since its sprites are trimmed or mixed.

    A source's id never changes, since maps refer to it.
    """
    sources: dict[int, str] = {}
    textures = []
    for number, (sheet, regions) in enumerate(sheets):
        key = f"{number + 1}_sheet"
        textures.append(texture(base, sheet, key))
        grid = _grid(sheet)
        tiles: dict[tuple[int, int], list[Region]] = {}
        if all(grid.tile_of(region) and not any(margin(region)) for region in sheet.regions):
            for region in regions:
                tiles.setdefault(grid.tile_of(region) or (0, 0), []).append(region)
            sources[number] = _tile_source(number, key, grid, tiles)
            continue
        for region in regions:
            lone = _Grid((region.x, region.y), (0, 0), (region.width, region.height))
            place = FIRST_LONE + region.slot
            sources[place] = _tile_source(place, key, lone, {(0, 0): [region]})
    width, height = sheets[0][1][0].source or sheets[0][0].cell
    layers = "".join(
        f'custom_data_layer_{number}/name = "{name}"\ncustom_data_layer_{number}/type = {variant}\n'
        for number, (name, variant) in enumerate(LAYERS)
    )
    places = "".join(f'sources/{place} = SubResource("source_{place}")\n' for place in sources)
    resource = f"[resource]\ntile_size = Vector2i({width}, {height})\n{layers}{places}"
    return "\n".join(['[gd_resource type="TileSet" format=3]\n', "".join(textures), *sources.values(), resource])


def _tile_source(place: int, key: str, grid: _Grid, tiles: Tiles) -> str:
    """A TileSetAtlasSource; sprites that share their pixels are alternatives of one tile."""
    lines = [
        f'[sub_resource type="TileSetAtlasSource" id="source_{place}"]',
        f'texture = ExtResource("{key}")',
        f"margins = Vector2i{grid.margin}",
        f"separation = Vector2i{grid.gap}",
        f"texture_region_size = Vector2i{grid.size}",
    ]
    for (column, row), regions in tiles.items():
        tile = f"{column}:{row}"
        if len(regions) > 1:
            lines.append(f"{tile}/next_alternative_id = {len(regions)}")
        for alternative, region in enumerate(regions):
            lines += [
                f"{tile}/{alternative} = {alternative}",
                *_origin(f"{tile}/{alternative}", region),
                f"{tile}/{alternative}/custom_data_0 = {quote(region.type)}",
                f"{tile}/{alternative}/custom_data_1 = {quote(region.name)}",
                f"{tile}/{alternative}/custom_data_2 = {region.score:.4f}",
            ]
    return "\n".join(lines) + "\n"


def _origin(tile: str, region: Region) -> list[str]:
    """A tile is drawn about its middle: a trimmed one is moved back to where it was in the untrimmed sprite."""
    if region.source is None:
        return []
    left, top, across, down = margin(region)
    x, y = across // 2 - left, down // 2 - top
    return [f"{tile}/texture_origin = Vector2i({x}, {y})"] if x or y else []


TARGET = Target(
    name="godot-tileset",
    summary="Godot 4: a TileSet a type, with type, name and score as custom data",
    next_step="In Godot, enable it: Project ▸ Project Settings ▸ Plugins ▸ assetgen.",
    write=write,
    complaint=partial(complaint, wanted=GODOT_4),
)
