"""How do folders of somebody's pictures become one set? By their tables, or by the folders that they lie in."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from hashlib import sha256
from io import BytesIO
from pathlib import Path, PurePosixPath
from typing import Literal

from asset_gen.data_card import CREDITS, Credit, parse_credits
from asset_gen.errors import SpriteError
from asset_gen.images import SUFFIXES, read_rgba
from asset_gen.importers.archive import Member, opened
from asset_gen.importers.sprite_set import (
    Labelled,
    SetImport,
    check_free,
    counts_of,
    free_name,
    safe_stem,
    write_set,
)
from asset_gen.names import slugs_of

TABLE = "labels.csv"


@dataclass(frozen=True, slots=True)
class Found:
    """A picture of a source, with its types."""

    where: str
    """For people: the source and the path in it."""
    path: PurePosixPath
    types: tuple[str, ...]
    data: bytes
    look: str
    """Digest of the decoded pixels: equal pictures count once, however they are stored."""
    credit: Credit | None


def import_folders(
    paths: Sequence[Path], out: Path, level: Literal["first", "last"] = "last", label: str | None = None
) -> SetImport:
    """Bring pictures of folders or archives together in one set.

    A picture's types are those of the nearest ``labels.csv`` (columns ``file,type1`` and perhaps ``type2``) above it
    that lists it, otherwise ``label``, otherwise the name of its folder: the ``first`` below the source, or the
    ``last``, in which it lies. Files are copied as they are, with their lines of every ``credits.csv``. Equal pictures
    count once; where they carry different types, all of them are refused.

    Raises:
        SpriteError: a source or table can't be used, or no picture can.
        UsageError: ``out`` exists.
    """
    check_free(out)
    found: list[Found] = []
    refused: list[str] = []
    for path in paths:
        with opened(path) as members:
            _read(path, members, level, label, found, refused)
    kept, repeated = _without_repetitions(found, refused)
    if not kept:
        reasons = "".join(f"\n  {reason}" for reason in refused[:5])
        raise SpriteError(
            f"{', '.join(map(str, paths))}: holds no pictures (PNG, WebP, GIF or BMP) for a set.{reasons}"
        )
    slugs = slugs_of(dict.fromkeys(kind for one in kept for kind in one.types), ", ".join(map(str, paths)))
    taken: set[str] = set()
    sprites = []
    for one in kept:
        stem = f"{slugs[one.types[0]]}/{safe_stem(one.path.stem)}"
        name = str(PurePosixPath(free_name(stem, taken)).with_suffix(one.path.suffix.lower()))
        sprites.append(Labelled(name, one.types, one.data, one.credit))
    sprites.sort(key=lambda sprite: sprite.file)
    write_set(out, sprites, f"Imported by assetgen from {', '.join(path.name for path in paths)}.\n")
    notes = [f"{repeated} pictures that were there already were left out"] if repeated else []
    return SetImport(out, counts_of(sprites), notes, refused)


def _read(
    source: Path,
    members: list[Member],
    level: Literal["first", "last"],
    label: str | None,
    found: list[Found],
    refused: list[str],
) -> None:
    """Add a source's pictures to ``found``, and to ``refused`` why others can't be used."""
    pictures = {member.path: member for member in members if member.path.suffix.lower() in SUFFIXES}
    tables = [member for member in members if member.path.name == TABLE]
    listed: dict[PurePosixPath, tuple[str, ...]] = {}
    for table in sorted(tables, key=lambda member: len(member.path.parts)):  # the nearest comes last, and wins
        listed |= _types_in(source, table, pictures)
    credited = _credits_in(source, members)
    for path, member in pictures.items():
        where = f"{source}/{path}"
        folders = path.parent.parts
        folder = (folders[0] if level == "first" else folders[-1]) if folders else source.name.split(".")[0]
        types = listed.get(path) or (label or folder,)
        try:
            data = member.read()
            picture = read_rgba(Path(where), BytesIO(data))
        except SpriteError as error:
            refused.append(str(error))
            continue
        if not picture[..., 3].any():
            refused.append(f"{where}: nothing to see: every pixel is transparent.")
            continue
        picture[picture[..., 3] == 0] = 0
        look = sha256(str(picture.shape).encode() + picture.tobytes()).hexdigest()
        found.append(Found(where, path, types, data, look, credited.get(path)))


def _types_in(source: Path, table: Member, pictures: Iterable[PurePosixPath]) -> dict[PurePosixPath, tuple[str, ...]]:
    """What a table says of the pictures in its folder and below."""
    where = f"{source}/{table.path}"
    try:
        rows = list(csv.DictReader(table.read().decode("utf-8-sig").splitlines()))
    except (UnicodeDecodeError, csv.Error) as error:
        raise SpriteError(f"{where}: can't be read as CSV in UTF-8 ({error}). Save it again as such.") from None
    known = set(pictures)
    types: dict[PurePosixPath, tuple[str, ...]] = {}
    for line, row in enumerate(rows, start=2):
        if "file" not in row or "type1" not in row:
            raise SpriteError(f"{where}: needs the columns file,type1. Name them on line 1.")
        path = table.path.parent / (row["file"] or "").strip()
        labels = [(row.get(column) or "").strip() for column in ("type1", "type2")]
        if path not in known:
            raise SpriteError(
                f"{where}, line {line}: there is no picture {row['file']!r}. Correct the name, or remove the line."
            )
        if not labels[0]:
            raise SpriteError(f"{where}, line {line}: {row['file']!r} has no type1. Fill it in, or remove the line.")
        types[path] = tuple(dict.fromkeys(filter(None, labels)))
    return types


def _credits_in(source: Path, members: list[Member]) -> dict[PurePosixPath, Credit]:
    """What every ``credits.csv`` says of the files in its folder and below; the nearest wins."""
    known = {member.path for member in members}
    credited: dict[PurePosixPath, Credit] = {}
    tables = [member for member in members if member.path.name == CREDITS]
    for table in sorted(tables, key=lambda member: len(member.path.parts)):
        credited |= _lines_of(source, table, known)
    return credited


def _lines_of(source: Path, table: Member, known: set[PurePosixPath]) -> dict[PurePosixPath, Credit]:
    folder = table.path.parent
    lines = parse_credits(table.read(), f"{source}/{table.path}", lambda name: folder / name in known)
    return {folder / name: credit for name, credit in lines.items()}


def _without_repetitions(found: list[Found], refused: list[str]) -> tuple[list[Found], int]:
    """The pictures that count, and how many were repetitions."""
    groups: dict[str, list[Found]] = {}
    for one in found:
        groups.setdefault(one.look, []).append(one)
    kept, repeated = [], 0
    for group in groups.values():
        if len({one.types for one in group}) > 1:
            said = ", ".join(f"{one.where} ({' and '.join(one.types)})" for one in group[:4])
            refused.append(f"one picture, different types: {said}. Decide for one, and remove the others.")
            continue
        kept.append(replace(group[0], credit=_strictest(group)))
        repeated += len(group) - 1
    return kept, repeated


def _strictest(group: list[Found]) -> Credit | None:
    """What is said of a picture that lies in several places: that it may not be used, before anything else."""
    said = [one.credit for one in group if one.credit]
    return next((credit for credit in said if credit.licensed == "no"), said[0] if said else None)
