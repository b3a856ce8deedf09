"""What lies in a project that a watch must know of, and what became of a file that changed? Reads only."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from asset_gen.bundle import NETWORKS
from asset_gen.candidates import FOLDER
from asset_gen.decisions import NAME as DECISIONS
from asset_gen.errors import SpriteError, TooLargeError
from asset_gen.files import file_sha256
from asset_gen.images import SUFFIXES, read_whole
from asset_gen.manifest import NAME as MANIFEST
from asset_gen.manifest import Manifest
from asset_gen.plan import Request
from asset_gen.publish import Place
from asset_gen.recipe import NAME as RECIPE

REJECT = "reject"
"""Folder beside the candidate sets: a sprite that is moved there is rejected."""
LITTER = (".", "~", "Thumbs.db", "desktop.ini")
"""Beginnings of names that file managers and editors leave, never an artist."""

Stamp = tuple[int, int, int]
"""Size, time of the last change in nanoseconds, inode."""


class Role(StrEnum):
    """What a file is to a watch."""

    RECIPE = "recipe"
    DECISIONS = "decisions"
    MODEL = "model"
    SETTING = "setting"
    """A palette or ratings that the recipe names."""
    MANIFEST = "manifest"
    OUTPUT = "output"
    REJECTED = "rejected"
    SPRITE = "sprite"
    """To train on."""


class State(StrEnum):
    """What became of a file."""

    SAME = "same"
    """Its content is what it was when it was last dealt with, or what assetgen wrote."""
    CHANGED = "changed"
    MISSING = "missing"
    DAMAGED = "damaged"
    """An output that is a picture no more."""
    EDITED = "edited"
    """An output that somebody changed."""


@dataclass(frozen=True, slots=True)
class Seen:
    """A file that is watched."""

    role: Role
    stamp: Stamp | None
    """None: it isn't there."""
    place: Place | None = None
    """The output folder it belongs to; None: to the whole project."""


@dataclass(frozen=True, slots=True)
class Part:
    """A set of the project, as far as it could be read."""

    request: Request
    place: Place
    manifest: Manifest | None = None
    hashes: Mapping[str, str] = field(default_factory=dict)
    """Path of every published file → its sha256 by the manifest."""


def stamp_of(path: Path) -> Stamp | None:
    """A file as it is now, or None where there is none."""
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_size, status.st_mtime_ns, status.st_ino


def look(project: Path, parts: Sequence[Part], sprites: Path | None) -> dict[Path, Seen]:
    """Every file that is watched, by its path."""
    scene = {
        project / RECIPE: Seen(Role.RECIPE, stamp_of(project / RECIPE)),
        project / DECISIONS: Seen(Role.DECISIONS, stamp_of(project / DECISIONS)),
    }
    for part in parts:
        request, place = part.request, part.place
        for name in ("bundle.json", *NETWORKS):
            scene[request.model / name] = Seen(Role.MODEL, stamp_of(request.model / name))
        for setting in settings_of(request):
            scene[setting] = Seen(Role.SETTING, stamp_of(setting))
        scene[place.out / MANIFEST] = Seen(Role.MANIFEST, stamp_of(place.out / MANIFEST), place)
        for name in part.hashes:
            scene[place.out / name] = Seen(Role.OUTPUT, stamp_of(place.out / name), place)
        for path in files_below(place.out / FOLDER / REJECT):
            scene[path] = Seen(Role.REJECTED, stamp_of(path), place)
    if sprites is not None:
        for path in files_below(sprites):
            if path.suffix.lower() in SUFFIXES or path.name == "labels.csv":
                scene[path] = Seen(Role.SPRITE, stamp_of(path))
    return scene


def settings_of(request: Request) -> Iterator[Path]:
    """Files that a request names beside the model."""
    if request.palette and not request.palette.isdecimal():
        yield Path(request.palette)


def files_below(folder: Path) -> Iterator[Path]:
    """Files in a folder and in those below it, without what file managers leave; links to folders aren't followed."""
    try:
        with os.scandir(folder) as found:  # which knows what is a folder without asking again, file by file
            entries = sorted(found, key=lambda entry: entry.name)
    except OSError:
        return
    for entry in entries:
        if entry.name.startswith(LITTER) or entry.name.endswith("~"):
            continue
        if entry.is_dir(follow_symlinks=False):
            yield from files_below(Path(entry.path))
        elif entry.is_file():
            yield Path(entry.path)


def examine(path: Path, seen: Seen, known: str | None) -> tuple[State, str | None]:
    """What became of a file, and the sha256 of its content; ``known``: what it should be, or was."""
    try:
        found = file_sha256(path)
    except OSError:  # no permission, a folder in its place: as good as not there until that changes
        found = None
    if found is None:
        return State.MISSING, None
    if found == known:
        return State.SAME, found
    if seen.role is not Role.OUTPUT:
        return State.CHANGED, found
    if path.suffix == ".png":
        try:
            read_whole(path)
        except TooLargeError:
            return State.EDITED, found
        except SpriteError:
            return State.DAMAGED, found
    return State.EDITED, found


def folders_of(scene: Iterable[Path], parts: Sequence[Part], project: Path, sprites: Path | None) -> dict[Path, bool]:
    """Folders to listen to, each with whether what lies below it is meant, too."""
    folders = {project: False}
    for path in scene:
        folders.setdefault(path.parent, False)
    for part in parts:
        folders[part.place.out] = True
    if sprites is not None:
        folders[sprites] = True
    deep = [folder for folder, below in folders.items() if below]
    return {
        folder: below
        for folder, below in folders.items()
        if folder.is_dir() and not any(folder != upper and folder.is_relative_to(upper) for upper in deep)
    }
