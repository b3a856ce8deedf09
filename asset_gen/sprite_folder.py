"""Which sprites does a folder hold, and of which types?

A set is a folder per type, or a ``labels.csv`` (columns ``file,type1``, optionally ``type2``) that wins over folders.
"""

from __future__ import annotations

import csv
import os
from dataclasses import dataclass
from pathlib import Path

from asset_gen.errors import SpriteError
from asset_gen.images import SUFFIXES


@dataclass(frozen=True, slots=True)
class SpriteFile:
    """A file and the types it carries, first type first, as written by the artist."""

    path: Path
    types: tuple[str, ...]


def list_sprites(folder: Path) -> tuple[list[SpriteFile], list[str]]:
    """Every picture of the set with its types, in name order, and notices about what was left aside."""
    if not folder.is_dir():
        what = "is a file, not a folder" if folder.is_file() else "there is no such folder"
        raise SpriteError(f"{folder}: {what}. Give a folder that holds one folder of PNG files per type.")
    table = folder / "labels.csv"
    if table.is_file():
        return _from_table(folder, table)
    kinds = [kind for kind in sorted(folder.iterdir()) if kind.is_dir() and not kind.name.startswith(".")]
    found = [(path, kind.name) for kind in kinds for path in _files_below(kind)]
    listed = [SpriteFile(path, (kind,)) for path, kind in found if path.suffix.lower() in SUFFIXES]
    loose = [path for path in sorted(folder.iterdir()) if path.suffix.lower() in SUFFIXES and path.is_file()]
    others = [path.relative_to(folder).as_posix() for path, _ in found if path.suffix.lower() not in SUFFIXES]
    notices = (
        [f"{len(others)} files that aren't PNG, WebP, GIF or BMP were left aside: {others[0]} …"] if others else []
    )
    if not listed and loose:
        return [SpriteFile(path, (folder.name,)) for path in loose], [
            f"no folders: all sprites are of type {folder.name!r}.",
            *notices,
        ]
    if not listed and others:
        raise SpriteError(
            f"{folder}: holds no sprites: none of its {len(others)} files ({others[0]} …) is PNG, WebP, GIF or BMP. "
            f"Save them as PNG."
        )
    if not listed:
        raise SpriteError(f"{folder}: holds no sprites. Put PNG files into one folder per type, or add a labels.csv.")
    if loose:
        notices.append(f"{len(loose)} pictures beside the type folders were left aside.")
    return listed, notices


def _files_below(folder: Path) -> list[Path]:
    """Every file in a folder and its folders, in name order; hidden ones (``._beetle.png`` of macOS) left out.

    A link that leads nowhere is listed, so that it is reported; a pipe or a device isn't, since reading it may wait
    for ever.

    Raises:
        OSError: a folder can't be looked into.
    """

    def stop(error: OSError) -> None:
        raise error

    paths = [Path(root, name) for root, _, names in os.walk(folder, onerror=stop) for name in names]
    return sorted(path for path in paths if not path.name.startswith(".") and (path.is_file() or not path.exists()))


def _from_table(folder: Path, table: Path) -> tuple[list[SpriteFile], list[str]]:
    listed: list[SpriteFile] = []
    seen: dict[Path, int] = {}
    try:
        reader = csv.DictReader(table.read_text(encoding="utf-8-sig").splitlines())
        columns = reader.fieldnames or []
        rows = list(reader)
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise SpriteError(f"{table}: can't be read as CSV in UTF-8 ({error}). Save it again as such.") from None
    if missing := {"file", "type1"} - set(columns):
        raise SpriteError(
            f"{table}: needs the columns file,type1; {', '.join(sorted(missing))} is missing. Name them on line 1."
        )
    for line, row in enumerate(rows, start=2):
        name = (row["file"] or "").strip()
        path = _inside(folder, name)
        if path is None:
            raise SpriteError(
                f"{table}, line {line}: the file {name[:80]!r} is not inside {folder}. Give its path from there."
            )
        if not path.is_file():
            raise SpriteError(f"{table}, line {line}: there is no file {name!r}. Correct the name, or remove the line.")
        if path in seen:
            raise SpriteError(
                f"{table}, line {line}: {name!r} stands on line {seen[path]} already. Remove one of them."
            )
        seen[path] = line
        labels = [(row.get(column) or "").strip() for column in ("type1", "type2")]
        if not labels[0]:
            raise SpriteError(f"{table}, line {line}: {name!r} has no type1. Fill it in, or remove the line.")
        listed.append(SpriteFile(path, tuple(dict.fromkeys(label for label in labels if label))))
    if not listed:
        raise SpriteError(f"{table}: lists no sprites. Add a line for each, or remove it to use folders.")
    ignored = [column for column in columns if column not in {"file", "type1", "type2"}]
    notices = [f"labels.csv: the columns {', '.join(ignored)} were ignored."] if ignored else []
    return sorted(listed, key=lambda sprite: sprite.path), notices


def _inside(folder: Path, name: str) -> Path | None:
    """The file that a table names, its path normalised; None where it lies outside ``folder`` or can't be a path."""
    root = folder.resolve()
    try:
        path = (root / name).resolve()
        path.exists()
    except (OSError, ValueError):  # too long, or with a character of code 0
        return None
    return folder / path.relative_to(root) if name and path.is_relative_to(root) else None
