"""How do proposed types reach an artist's folder? As a table for ``assetgen train``; files move only if asked."""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from asset_gen.errors import ProjectError, UsageError
from asset_gen.names import slugs_of

COLUMNS = ("file", "type1", "confidence", "instead")


@dataclass(frozen=True, slots=True)
class Proposal:
    """A guess at a sprite's type."""

    file: PurePosixPath
    """Below the folder."""
    label: str
    confidence: float
    """Probability of ``label``, 0–1."""
    instead: str
    """The next likely type."""


def check_table(table: Path) -> None:
    """Raises UsageError where a table lies already: whoever wrote it knew more than a guess."""
    if table.exists():
        raise UsageError(f"--out {table}: exists already. Give another name, or remove this one.")


def write_table(table: Path, proposals: Sequence[Proposal], folder: Path) -> None:
    """Write proposals, with paths relative to the table's own folder.

    Raises:
        ProjectError: it can't be written.
    """
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    for one in proposals:
        path = Path(os.path.relpath(folder / one.file, table.resolve().parent)).as_posix()
        writer.writerow([path, one.label, f"{one.confidence:.3f}", one.instead])
    try:
        table.parent.mkdir(parents=True, exist_ok=True)
        stage = table.with_name(f".{table.name}.tmp")
        stage.write_text(text.getvalue(), encoding="utf-8", newline="")
        stage.replace(table)
    except OSError as error:
        raise ProjectError(f"{table}: can't be written ({error.strerror}). Check its folder and the disk.") from None


def move(folder: Path, proposals: Sequence[Proposal]) -> list[Proposal]:
    """Put every file into the folder of its type below ``folder``; nothing is ever written over.

    An interrupted move leaves each file at its old place or its new one, and can be run again.

    Returns: the proposals with the new places.

    Raises:
        SpriteError: a type can't be a folder.
        ProjectError: a file can't be moved; it and those after it are where they were.
    """
    slugs = slugs_of(dict.fromkeys(one.label for one in proposals), str(folder))
    moved: list[Proposal] = []
    for one in proposals:
        target = PurePosixPath(slugs[one.label]) / one.file.name
        number = 1
        while target != one.file and (folder / target).exists():
            number += 1
            target = PurePosixPath(slugs[one.label]) / f"{one.file.stem}_{number}{one.file.suffix}"
        try:
            (folder / target).parent.mkdir(exist_ok=True)
            (folder / one.file).rename(folder / target)
        except OSError as error:
            raise ProjectError(
                f"{folder / one.file}: can't be moved to {target} ({error.strerror}). {len(moved)} files were moved; "
                f"mend the permissions, and run the same command again."
            ) from None
        moved.append(Proposal(target, one.label, one.confidence, one.instead))
    return moved
