"""What assetgen publishes for Tiled, in Tiled: its exporter reads the tilesets, its rasteriser draws them; and
pytiled-parser, with which Python games read maps.

Debian's Tiled is 1.8: the rectangles of collections, which are of 1.9, are read by pytiled-parser and compared here.
The extension runs in Node.js with stand-ins of Tiled's own objects; Tiled 1.8 runs none without its window.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from asset_gen.cli import run as run_command_line
from tests.clients import published
from tests.clients.published import Published, require

if TYPE_CHECKING:
    from tests.clients.conftest import Client

ROOT = Path(__file__).parents[2]
HERE = Path(__file__).parent
OUT = "assets/generated"
EXTENSION = ROOT / "integrations/tiled/project/extensions/assetgen/assetgen.js"
OFFSCREEN = os.environ | {"QT_QPA_PLATFORM": "offscreen", "XDG_RUNTIME_DIR": "/tmp"}

try:
    import pytiled_parser
except ImportError:
    pytiled_parser = None  # type: ignore[assignment]


@pytest.fixture(scope="module")
def game(tmp_path_factory: pytest.TempPathFactory) -> Published:
    return published.publish(tmp_path_factory.mktemp("tiled"), "tiled", OUT)


def tiled(program: Path, *arguments: object) -> str:
    """What Tiled says."""
    done = subprocess.run(
        [str(program), *map(str, arguments)], capture_output=True, text=True, env=OFFSCREEN, timeout=120
    )
    assert done.returncode == 0, done.stderr
    return done.stdout + done.stderr


def test_tileds_exporter_reads_type_name_and_score_of_every_tile(
    client: Client, game: Published, tmp_path: Path
) -> None:
    program = client("tiled")
    seen = set()
    for path in sorted(game.out.rglob("*.tsx")):
        exported = tmp_path / "tileset.json"
        tiled(program, "--export-tileset", "json", path, exported)
        tileset = json.loads(exported.read_text(encoding="utf-8"))
        for tile in tileset["tiles"]:
            properties = {entry["name"]: entry["value"] for entry in tile["properties"]}
            sprite = game.sprites[properties["name"]]
            assert (tile["type"], properties["slot"]) == (sprite.type, int(sprite.name[-6:]))
            assert properties["score"] == pytest.approx(sprite.score, abs=1e-4)
            x, y = place_on(tileset, tile["id"])
            assert (x, y) == sprite.rect[:2]
            seen.add(sprite.name)
    assert seen == game.sprites.keys()


def place_on(tileset: dict[str, Any], tile: int) -> tuple[int, int]:
    """Where Tiled takes a tile from; it has counted the columns itself."""
    row, column = divmod(tile, tileset["columns"])
    margin, spacing = tileset["margin"], tileset["spacing"]
    return margin + column * (tileset["tilewidth"] + spacing), margin + row * (tileset["tileheight"] + spacing)


def test_tileds_rasteriser_draws_the_pixels_of_the_manifest(client: Client, game: Published, tmp_path: Path) -> None:
    program = client("tmxrasterizer")
    sprites = game.some()
    drawn = rasterised(program, map_of(game, sprites, tmp_path / "map.tmx"))
    for place, sprite in enumerate(sprites):
        side = sprite.pixels.shape[0]
        tile = drawn[:side, place * side : (place + 1) * side]
        opaque = sprite.pixels[..., 3] == 255
        assert opaque.any()
        np.testing.assert_array_equal(tile[opaque], sprite.pixels[opaque], sprite.name)
        assert not tile[~opaque][:, 3].any(), sprite.name


def rasterised(program: Path, path: Path) -> NDArray[np.uint8]:
    """RGBA of a map, as Tiled draws it."""
    picture = path.with_suffix(".png")
    tiled(program, "--no-smoothing", path, picture)
    return np.array(Image.open(picture).convert("RGBA"))


def map_of(game: Published, sprites: list[published.Sprite], path: Path) -> Path:
    """A map of one row with these sprites."""
    lines, ids, first = [], [], 1
    for sprite in sprites:
        tileset = game.out / Path(sprite.image).with_suffix(".tsx")
        root = json.loads(json.dumps(_tiles(tileset)))
        lines.append(f'<tileset firstgid="{first}" source="{tileset}"/>')
        ids.append(first + root[sprite.name])
        first += 100_000
    side = sprites[0].pixels.shape[0]
    head = (
        f'<map version="1.8" orientation="orthogonal" renderorder="right-down" width="{len(ids)}" height="1" '
        f'tilewidth="{side}" tileheight="{side}" infinite="0">'
    )
    cells = f'<data encoding="csv">{",".join(map(str, ids))}</data>'
    layer = f'<layer id="1" name="row" width="{len(ids)}" height="1">{cells}</layer>'
    path.write_text(f'<?xml version="1.0" encoding="UTF-8"?>{head}{"".join(lines)}{layer}</map>', encoding="utf-8")
    return path


def _tiles(path: Path) -> dict[str, int]:
    """Name → id of a tileset's tiles, read by pytiled-parser."""
    require(pytiled_parser is not None, "pytiled-parser")
    tileset = pytiled_parser.parse_tileset(path)
    return {str(tile.properties["name"]): tile.id for tile in (tileset.tiles or {}).values()}


def test_pytiled_parser_reads_the_tilesets(game: Published) -> None:
    require(pytiled_parser is not None, "pytiled-parser")
    names = {}
    for path in sorted(game.out.rglob("*.tsx")):
        tileset = pytiled_parser.parse_tileset(path)
        for tile in (tileset.tiles or {}).values():
            names[tile.properties["name"]] = (tile.class_, tileset.columns)
    assert {name: kind for name, (kind, _) in names.items()} == {s.name: s.type for s in game.sprites.values()}


@pytest.mark.parametrize("options", [("--trim",), ("--combined",), ("--trim", "--combined")])
def test_collections_hold_the_rectangles_of_trimmed_and_shared_sheets(options: tuple[str, ...], tmp_path: Path) -> None:
    require(pytiled_parser is not None, "pytiled-parser")
    arguments = ["--count", "60", "--scale", "2", "--target", "tiled", "--project", str(tmp_path), "-q", *options]
    assert run_command_line(["batch", *arguments]) == 0
    game = published.read(tmp_path, tmp_path / OUT)
    seen = set()
    for path in sorted(game.out.rglob("*.tsx")):
        tileset = pytiled_parser.parse_tileset(path)
        assert tileset.columns == 0
        for tile in (tileset.tiles or {}).values():
            assert tile.properties is not None and tile.image is not None
            sprite = game.sprites[str(tile.properties["name"])]
            assert (tile.class_, tile.id) == (sprite.type, int(sprite.name[-6:]))
            assert (tile.x, tile.y, tile.width, tile.height) == sprite.rect
            picture = np.array(Image.open(path.parent / tile.image).convert("RGBA"))
            x, y, width, height = sprite.rect
            np.testing.assert_array_equal(picture[y : y + height, x : x + width], sprite.pixels)
            seen.add(sprite.name)
    assert seen == game.sprites.keys()


def test_the_example_shows_creatures_of_the_chosen_type(client: Client, tmp_path: Path) -> None:
    program = client("tmxrasterizer")
    room = tmp_path / "room"
    ignored = shutil.ignore_patterns("assets", ".assetgen", "populated.*", "extensions")
    shutil.copytree(ROOT / "examples/tiled", room, ignore=ignored)
    game = published.publish(room, "tiled", OUT)
    floor = rasterised(program, room / "room.tmx")
    populate = [sys.executable, str(room / "populate.py"), "statue", "--count", "3", "--seed", "5"]
    subprocess.run(populate, check=True, timeout=60)
    drawn = rasterised(program, room / "populated.tmx")
    objects = ElementTree.parse(room / "populated.tmx").getroot().findall("objectgroup/object")
    assert len(objects) == 3
    for entry in objects:
        sprite = game.sprites[entry.attrib["name"]]
        assert sprite.type == "statue"
    entry = max(objects, key=lambda entry: int(entry.attrib["y"]))  # drawn last: nothing lies on it
    sprite = game.sprites[entry.attrib["name"]]
    x, y = int(entry.attrib["x"]), int(entry.attrib["y"]) - sprite.pixels.shape[0]
    shown = drawn[y : y + sprite.pixels.shape[0], x : x + sprite.pixels.shape[1]]
    opaque = sprite.pixels[..., 3] == 255
    np.testing.assert_array_equal(shown[opaque], sprite.pixels[opaque])
    assert not np.array_equal(drawn, floor)


def test_the_example_says_what_is_missing(tmp_path: Path) -> None:
    shutil.copy(ROOT / "examples/tiled/populate.py", tmp_path)
    done = subprocess.run([sys.executable, str(tmp_path / "populate.py"), "wyvern"], capture_output=True, text=True)
    assert done.returncode == 1
    assert "no sprites of the type 'wyvern'" in done.stderr and "assetgen batch" in done.stderr


def test_the_extension_generates_and_places_sprites(client: Client, tmp_path: Path) -> None:
    done = subprocess.run(
        [str(client("node")), str(HERE / "tiled/stand_ins.js"), str(EXTENSION), str(tmp_path)],
        capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    seen = json.loads(done.stdout)
    assert seen["menus"] == {"File": ["AssetGenGenerate"], "Map": ["AssetGenPlace"]}
    assert seen["ran"] == ["assetgen", "batch", "--project", str(tmp_path), "--count", "40", "--target", "tiled", "-q"]
    assert "40 sprites are in" in seen["logged"][0]
    assert "no such model" in seen["failed"]
    assert "Choose an object layer" in seen["no layer"]
    assert "No tileset of this map has tiles of the type wyvern" in seen["no type"]
    placed = seen["placed"]
    assert len(placed) == 7
    for sprite in placed:
        assert sprite["tile"] in ("dragon_000000", "dragon_000001") and sprite["name"] == sprite["tile"]
        assert 0 <= sprite["x"] <= 320 - 64 and 64 <= sprite["y"] <= 160
    assert seen["macros"] == ["Place generated sprites"]
