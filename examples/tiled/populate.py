"""Puts random creatures of a type into the room: python populate.py [TYPE] [--count N] [--seed S]

Reads the tilesets that `assetgen batch` has made in assets/generated, and writes populated.tmx, for Tiled and for any
game that reads its maps. Needs nothing but Python. In Tiled itself, Map ▸ Place Generated Sprites… does the same.
"""

from __future__ import annotations

import argparse
import random
import sys
from pathlib import Path
from xml.etree import ElementTree

HERE = Path(__file__).parent
GENERATED = Path("assets", "generated")


def tiles_of(kind: str | None) -> list[tuple[str, int, str, str, int]]:
    """(tileset, tile's id, name, type, side in pixels) of every sprite of a type, or of all."""
    found = []
    for path in sorted((HERE / GENERATED).glob("*/*.tsx")):
        tileset = ElementTree.parse(path).getroot()
        for tile in tileset.iter("tile"):
            own = {entry.get("name"): entry.get("value", "") for entry in tile.iter("property")}
            if kind in (None, tile.get("type")):
                source = path.relative_to(HERE).as_posix()
                side = int(tileset.attrib["tilewidth"])
                found.append((source, int(tile.attrib["id"]), own["name"], tile.attrib["type"], side))
    return found


def main() -> None:
    """Write populated.tmx."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("type", nargs="?", help="dragon, potion …; all types without it")
    parser.add_argument("--count", type=int, default=24)
    parser.add_argument("--seed", type=int, default=0, help="another one spawns others elsewhere")
    options = parser.parse_args()
    tiles = tiles_of(options.type)
    if not tiles:
        sys.exit(f"There are no sprites of the type {options.type!r} in {GENERATED}. First: assetgen batch --scale 2")
    chance = random.Random(options.seed)
    document = ElementTree.parse(HERE / "room.tmx")
    room = document.getroot()
    width = int(room.attrib["width"]) * int(room.attrib["tilewidth"])
    height = int(room.attrib["height"]) * int(room.attrib["tileheight"])
    layer = room.find("objectgroup")
    assert layer is not None
    chosen = [chance.choice(tiles) for _ in range(options.count)]
    firsts: dict[str, int] = {}
    for source, *_ in sorted(chosen):
        if source not in firsts:
            firsts[source] = 100_000 * (1 + len(firsts))  # room for all ids of the one before
            room.insert(len(firsts), ElementTree.Element("tileset", firstgid=str(firsts[source]), source=source))
    for number, (source, tile, name, kind, side) in enumerate(chosen, 1):
        place = {"x": chance.randrange(width - side), "y": chance.randrange(side, height)}  # y: of its lower edge
        values = {"id": number, "name": name, "type": kind, "gid": firsts[source] + tile, **place}
        values |= {"width": side, "height": side}
        layer.append(ElementTree.Element("object", {key: str(value) for key, value in values.items()}))
    room.set("nextobjectid", str(len(chosen) + 1))
    ElementTree.indent(document, " ")
    document.write(HERE / "populated.tmx", encoding="UTF-8", xml_declaration=True)


if __name__ == "__main__":
    main()
