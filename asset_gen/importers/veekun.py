"""Which of a Veekun archive's pictures are the paper's 801, and of which types?

Archives of veekun.com/dex/downloads hold ``pokemon/main-sprites/<game>/[<variant>/…]<species>[-<form>].png`` and
``pokemon/sugimori/<species>.png``. A picture whose folder names no variant and whose file is a bare number is the front
of a species' default form. Types: ``species.csv``, facts from veekun's ``pokemon_types.csv`` (slots 1 and 2).
"""

from __future__ import annotations

import csv
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from io import BytesIO
from pathlib import Path, PurePosixPath

from asset_gen.errors import SpriteError, UsageError
from asset_gen.images import read_rgba
from asset_gen.importers.archive import Member, opened
from asset_gen.importers.sprite_set import Labelled, check_free, write_set

SPECIES = range(1, 802)
VARIANTS = frozenset(
    {"back", "shiny", "female", "animated", "frame2", "gray", "gbc", "transparent"}
    | {"icons", "overworld", "footprints", "trozei", "cropped", "items", "berries", "trainers"}
)
"""Folders of other views, and of other things."""
GAMES = (
    *("red-blue", "red-green", "yellow", "gold", "silver", "crystal", "ruby-sapphire", "emerald", "firered-leafgreen"),
    *("diamond-pearl", "platinum", "heartgold-soulsilver", "black-white", "x-y", "omegaruby-alphasapphire"),
    *("ultra-sun-ultra-moon", "dream-world", "sugimori"),
)
"""Of folders with equally many species the last one here is taken."""
NOTE = """\
Imported by assetgen from a Veekun archive.

The pictures are (c) The Pokemon Company, Nintendo, Game Freak. Use them for your own study; don't publish them,
pictures generated from them, or weights trained on them.
"""


@dataclass(frozen=True, slots=True)
class Imported:
    """What became of an import."""

    out: Path
    source: str
    """The folder of the archive that was taken: ``pokemon/main-sprites/black-white``."""
    counts: dict[str, int]
    """First type → sprites, in name order."""
    missing: list[int]
    """Species that the archive doesn't have there."""
    refused: dict[int, str] = field(default_factory=dict)
    """Species → why its picture can't be used."""


@cache
def types_of_species() -> Mapping[int, tuple[str, ...]]:
    """Species 1–801 → one or two types, the first slot's first."""
    text = files("asset_gen.importers").joinpath("species.csv").read_text(encoding="utf-8")
    rows = csv.DictReader(text.splitlines())
    return {int(row["species"]): tuple(filter(None, (row["type1"], row["type2"]))) for row in rows}


def import_veekun(path: Path, out: Path, game: str | None = None) -> Imported:
    """Copy the front pictures of the default forms of species 1–801 from an archive or folder into a set.

    Args:
        path: a ZIP or TAR archive, a folder of the same layout, a plain folder of ``<species>.png``, or such a set.
        out: a folder that isn't there yet.
        game: the archive's folder to take, ``platinum``; None takes the one with the most species.

    Raises:
        SpriteError: no archive, no such pictures in it, or a member that no honest archive has.
        UsageError: ``out`` exists, or there is no such game.
        ProjectError: ``out`` can't be written.
    """
    check_free(out)
    with opened(path) as members:
        folder, pictures = _choose(path, _fronts(members), game)
        sprites, refused = _read(pictures)
    if not sprites:
        raise SpriteError(f"{path}: none of its pictures can be read: {next(iter(refused.values()))}")
    write_set(out, sprites, NOTE)
    counts: dict[str, int] = defaultdict(int)
    for sprite in sprites:
        counts[sprite.types[0]] += 1
    missing = [species for species in SPECIES if species not in pictures]
    return Imported(out, str(folder), dict(sorted(counts.items())), missing, refused)


def _fronts(members: Iterable[Member]) -> dict[PurePosixPath, dict[int, Member]]:
    """Folder → species → picture. Folders named by types, as in a set of ours, count as the folder they lie in."""
    kinds = {kind for types in types_of_species().values() for kind in types}
    found: dict[PurePosixPath, dict[int, Member]] = defaultdict(dict)
    for member in members:
        species = re.fullmatch(r"0*(\d{1,3})\.png", member.path.name, re.IGNORECASE | re.ASCII)
        if species is None or int(species[1]) not in SPECIES or VARIANTS & set(member.path.parts):
            continue
        folder = member.path.parent
        found[folder.parent if folder.name in kinds else folder].setdefault(int(species[1]), member)
    return found


def _choose(
    path: Path, found: Mapping[PurePosixPath, dict[int, Member]], game: str | None
) -> tuple[PurePosixPath, dict[int, Member]]:
    if not found:
        raise SpriteError(
            f"{path}: holds no <species>.png of species 1–801. Give a sprite archive of veekun.com/dex/downloads, or a "
            f"folder of such pictures."
        )
    if game is not None:
        found = {folder: pictures for folder, pictures in found.items() if folder.name == game} or _no_such(game, found)
    order = {name: place for place, name in enumerate(GAMES)}
    folder = max(found, key=lambda folder: (len(found[folder]), order.get(folder.name, -1), str(folder)))
    return folder, found[folder]


def _no_such(game: str, found: Iterable[PurePosixPath]) -> dict[PurePosixPath, dict[int, Member]]:
    names = ", ".join(sorted({folder.name for folder in found if folder.name}))
    raise UsageError(f"--game {game}: the archive holds {names or 'a single folder without a name; leave it out'}.")


def _read(pictures: Mapping[int, Member]) -> tuple[list[Labelled], dict[int, str]]:
    """The pictures that can be read, in the order of their files, and why others can't be."""
    sprites, refused = [], {}
    for species, member in sorted(pictures.items()):
        types = types_of_species()[species]
        try:
            data = member.read()
            read_rgba(Path(member.path), BytesIO(data))
        except SpriteError as error:
            refused[species] = str(error)
            continue
        sprites.append(Labelled(f"{types[0]}/{species:03}.png", types, data))
    return sorted(sprites, key=lambda sprite: sprite.file), refused
