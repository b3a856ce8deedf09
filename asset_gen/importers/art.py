"""Which pictures does a folder, an archive or a file hold?"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path, PurePosixPath

from asset_gen.errors import SpriteError
from asset_gen.images import SUFFIXES, Rgba, read_rgba
from asset_gen.importers.archive import opened


@dataclass(frozen=True, slots=True)
class Art:
    """Pictures and where they lie."""

    pictures: dict[PurePosixPath, Rgba]
    """Path below the folder → picture, in name order."""
    others: dict[PurePosixPath, bytes] = field(default_factory=dict)
    """Tables beside them (``.csv``)."""
    refused: list[str] = field(default_factory=list)
    """Why a picture can't be used: a sentence each."""


def read_art(path: Path) -> Art:
    """Every picture in a folder or archive, however deep, or one picture.

    Raises:
        SpriteError: there is none that can be used.
    """
    if path.is_file() and path.suffix.lower() in SUFFIXES:
        return Art({PurePosixPath(path.name): read_rgba(path)})
    art = Art({})
    with opened(path) as members:
        for member in members:
            if member.path.suffix.lower() == ".csv":
                art.others[member.path] = member.read()
            elif member.path.suffix.lower() in SUFFIXES:
                try:
                    art.pictures[member.path] = read_rgba(Path(f"{path}/{member.path}"), BytesIO(member.read()))
                except SpriteError as error:
                    art.refused.append(str(error))
    if not art.pictures:
        reasons = "".join(f"\n  {reason}" for reason in art.refused[:5])
        raise SpriteError(f"{path}: holds no pictures (PNG, WebP, GIF or BMP) that can be used.{reasons}")
    return art


def visible(art: Art) -> Iterator[Rgba]:
    """The pictures in which something shows."""
    return (picture for picture in art.pictures.values() if picture[..., 3].any())
