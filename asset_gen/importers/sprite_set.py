"""How does an imported set appear on disk: whole, or not at all?

<folder>/<type>/<file>.png   the pictures, byte for byte as they were
<folder>/labels.csv          file, type1, type2: what ``assetgen train`` reads
"""

from __future__ import annotations

import csv
import io
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

from asset_gen.errors import ProjectError, UsageError

COLUMNS = ("file", "type1", "type2")


@dataclass(frozen=True, slots=True)
class Labelled:
    """A picture with its types."""

    file: str
    """Path in the set, with forward slashes: ``water/007.png``."""
    types: tuple[str, ...]
    """One or two, the first one first."""
    data: bytes


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


def _table(sprites: Sequence[Labelled]) -> str:
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    for sprite in sprites:
        writer.writerow([sprite.file, *sprite.types, *[""] * (2 - len(sprite.types))])
    return text.getvalue()
