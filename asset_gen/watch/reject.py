"""A sprite was moved into ``candidates~/reject``: which picture is meant, and what is written down?"""

from __future__ import annotations

import re
import shutil
from contextlib import suppress
from pathlib import Path

from asset_gen.candidates import FOLDER, read_origins
from asset_gen.decisions import decide, person, read_decisions, record
from asset_gen.errors import SpriteError
from asset_gen.manifest import FIRST_EXPLORED, Manifest, Origin
from asset_gen.publish import STATE, Place, make_state

REASON = "moved to the folder of rejected sprites"
CANDIDATE = re.compile(r"([a-z0-9_]{1,64})_c([0-9]{6,18})")


def take_rejection(path: Path, place: Place, manifest: Manifest | None) -> str:
    """Write the decision down, and move the file on to ``.assetgen/rejected``; returns the sprite's name.

    A kill in between is made good by doing it again: a picture that is rejected already is only moved on.

    Raises:
        SpriteError: the file's name is that of no slot and no candidate; it stays where it is.
        ProjectError: the decisions can't be written.
    """
    name = path.stem
    origin = origin_of(name, manifest) or _explored(name, place)
    if origin is None:
        raise SpriteError(
            f"{path}: is named neither like a published sprite (dragon_000017) nor like a candidate (dragon_c000123). "
            f"Give it back its name, or take it away."
        )
    if origin not in read_decisions(place.project).rejected:
        record(place.project, [decide(name, "reject", origin, person(place.project), REASON)])
    folder = place.project / STATE / "rejected"
    make_state(folder.parent)
    folder.mkdir(exist_ok=True)
    shutil.move(path, _free(folder / path.name))
    return name


def origin_of(name: str, manifest: Manifest | None) -> Origin | None:
    """The picture that a slot's or a candidate's name means at present."""
    if manifest is None:
        return None
    for sheet in manifest.sheets:
        for sprite in sheet.sprites:
            if sprite.name == name:
                return sprite.origin
    if (candidate := CANDIDATE.fullmatch(name)) and candidate[1] in manifest.quotas:
        if int(candidate[2]) >= FIRST_EXPLORED:
            return None
        choice = manifest.choice
        return Origin(model=choice.model, seed=choice.seed, type=candidate[1], index=int(candidate[2]))
    return None


def _explored(name: str, place: Place) -> Origin | None:
    """The explored candidate of this name, where a set of the project still has it."""
    for folder in sorted((place.out / FOLDER).glob("*/")):
        with suppress(OSError, ValueError):
            if (found := read_origins(folder).get(name)) is not None:
                return found
    return None


def _free(path: Path) -> Path:
    """This path, or the next one that no file has."""
    number, free = 1, path
    while free.exists():
        number += 1
        free = path.with_name(f"{path.stem}-{number}{path.suffix}")
    return free
