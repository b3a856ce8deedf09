"""How does an imported set appear on disk: whole, or not at all?

<folder>/<type>/<file>.png   the pictures, byte for byte as they were
<folder>/labels.csv          file, type1, type2: what ``assetgen train`` reads
<folder>/credits.csv         who drew them, and whether they may be used, where somebody says so
"""

from __future__ import annotations

import csv
import io
import re
import shutil
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from uuid import uuid4

from PIL import Image

from asset_gen.data_card import CREDITS, Credit
from asset_gen.errors import ProjectError, SpriteError, UsageError
from asset_gen.images import Rgba
from asset_gen.names import slugs_of

COLUMNS = ("file", "type1", "type2")
CREDITED = ("file", "author", "licence", "source", "licensed")


@dataclass(frozen=True, slots=True)
class Labelled:
    """A picture with its types."""

    file: str
    """Path in the set, with forward slashes: ``water/007.png``."""
    types: tuple[str, ...]
    """One or two, the first one first."""
    data: bytes
    credit: Credit | None = None
    """Its line of ``credits.csv``."""


@dataclass(frozen=True, slots=True)
class Piece:
    """A sprite that was cut out of something larger."""

    label: str
    """Its type, as its artist wrote it."""
    name: str
    """What its file shall be called, without an ending; whatever no file may be called is replaced."""
    picture: Rgba


@dataclass(frozen=True, slots=True)
class SetImport:
    """What became of an import."""

    out: Path
    counts: dict[str, int]
    """First type → sprites, in name order."""
    notes: list[str] = field(default_factory=list)
    """What a person should know about how it was read."""
    refused: list[str] = field(default_factory=list)
    """Why something was left out: a sentence each."""


def import_pieces(out: Path, pieces: Sequence[Piece], source: Path, notes: Sequence[str] = ()) -> SetImport:
    """Write pieces of ``source`` as a set.

    Raises:
        SpriteError: there are none, or a label can't be a folder.
        UsageError: ``out`` holds something already.
        ProjectError: it can't be written; nothing is left behind.
    """
    if not pieces:
        raise SpriteError(f"{source}: holds no sprites: nothing in it can be seen.")
    slugs = slugs_of(dict.fromkeys(piece.label for piece in pieces), str(source))
    taken: set[str] = set()
    sprites = []
    for piece in pieces:
        file = free_name(f"{slugs[piece.label]}/{safe_stem(piece.name)}", taken)
        sprites.append(Labelled(file, (piece.label,), encode(piece.picture)))
    sprites.sort(key=lambda sprite: sprite.file)
    write_set(out, sprites, f"Imported by assetgen from {source.name}.\n")
    return SetImport(out, counts_of(sprites), list(notes))


def counts_of(sprites: Sequence[Labelled]) -> dict[str, int]:
    """First type → sprites, in name order."""
    return dict(sorted(Counter(sprite.types[0] for sprite in sprites).items()))


def safe_stem(name: str) -> str:
    """A file's name that every file system takes, without an ending."""
    return re.sub(r"[^A-Za-z0-9_-]+", "_", name).strip("_")[:80] or "sprite"


def free_name(stem: str, taken: set[str]) -> str:
    """``stem.png``, or ``stem_2.png`` … where that is taken, in whatever case; it is taken from then on."""
    name, number = stem, 1
    while name.casefold() in taken:
        number += 1
        name = f"{stem}_{number}"
    taken.add(name.casefold())
    return f"{name}.png"


def encode(picture: Rgba) -> bytes:
    """A PNG file's bytes."""
    buffer = io.BytesIO()
    Image.fromarray(picture, "RGBA").save(buffer, "PNG", optimize=True)
    return buffer.getvalue()


def check_free(folder: Path) -> None:
    """Raises UsageError where ``folder`` holds something already."""
    try:
        taken = folder.exists() and (not folder.is_dir() or any(folder.iterdir()))
    except OSError as error:
        raise ProjectError(f"{folder}: {error.strerror}. Check its permissions, or give another --out.") from None
    if taken:
        raise UsageError(f"--out {folder}: exists already. Give another folder, or remove this one.")


def write_set(folder: Path, sprites: Sequence[Labelled], note: str) -> None:
    """Write a set into a folder that isn't there yet, or is empty; ``note`` becomes its ``README.txt``.

    A ``credits.csv`` lists the sprites that have a credit.

    Raises:
        UsageError: the folder holds something already.
        ProjectError: it can't be written; nothing is left behind.
    """
    check_free(folder)
    stage = folder.with_name(f".{folder.name}.{uuid4().hex[:8]}")
    try:
        for sprite in sprites:
            path = stage / sprite.file
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(sprite.data)
        (stage / "labels.csv").write_text(_table(sprites), encoding="utf-8", newline="")
        (stage / "README.txt").write_text(note, encoding="utf-8")
        if credited := [_line(sprite.file, sprite.credit) for sprite in sprites if sprite.credit]:
            (stage / CREDITS).write_text(_csv([CREDITED, *credited]), encoding="utf-8", newline="")
        if folder.is_dir():
            folder.rmdir()
        stage.rename(folder)
    except OSError as error:
        raise ProjectError(
            f"{folder}: {error.strerror or error}. Nothing was left behind; make room or mend the permissions, and "
            f"run the same command again."
        ) from None
    finally:
        shutil.rmtree(stage, ignore_errors=True)


def _line(file: str, credit: Credit) -> list[str]:
    licensed = "" if credit.licensed == "unstated" else credit.licensed
    return [file, credit.author, credit.licence, credit.source, licensed]


def _table(sprites: Sequence[Labelled]) -> str:
    return _csv([COLUMNS, *([sprite.file, *sprite.types, *[""] * (2 - len(sprite.types))] for sprite in sprites)])


def _csv(rows: Sequence[Sequence[str]]) -> str:
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator="\n").writerows(rows)
    return text.getvalue()
