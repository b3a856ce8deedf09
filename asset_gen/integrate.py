"""How do the files that live inside an engine get into a project, and stay a person's own once they are changed?

What was installed is listed in ``assetgen.integrations.json`` in the project, which is committed with it: an installed
file is replaced by a newer one only where it still is what assetgen wrote.
"""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import Annotated

import msgspec

from asset_gen import __version__
from asset_gen.errors import ProjectError, UsageError
from asset_gen.publish import Change, Place, Published, opened
from asset_gen.targets import entry_of, load_targets

RECORD = "assetgen.integrations.json"
FOLDER = "project"
"""Beside an engine's writer: a tree of files, at the paths that they get in a game project."""
FORMAT = 1


class Integration(msgspec.Struct, frozen=True, kw_only=True):
    """What was installed for an engine."""

    assetgen: str
    """Version that installed it."""
    files: dict[str, str]
    """Path relative to the project → sha256."""


class Record(msgspec.Struct, frozen=True, kw_only=True):
    """``assetgen.integrations.json``."""

    format: Annotated[int, msgspec.Meta(ge=FORMAT, le=FORMAT)] = FORMAT
    engines: dict[str, Integration] = {}


def integrate(name: str, project: Path) -> tuple[Published, str]:
    """Install or update what lives inside an engine; returns what was done and what a person does next.

    Raises:
        UsageError: no such target, nothing to install for it, no such project, or an engine too old for it.
        ProjectError: the project can't be written, or its list of integrations is damaged.
    """
    if not project.is_dir():
        raise UsageError(f"--project {project}: there is no such folder. Create it, or give the game's own folder.")
    (target,) = load_targets([name], project)
    sources = in_engine_files(name)
    if not sources:
        raise UsageError(f"{name}: has nothing to install; the files that assetgen batch writes are enough.")
    place = Place(project.resolve(), project.resolve())
    with opened(place):
        record = _read_record(place.project / RECORD)
        others = {engine: own for engine, own in record.engines.items() if engine != name}
        before = record.engines[name].files if name in record.engines else {}
        change = Change(place, {path: digest for own in record.engines.values() for path, digest in own.files.items()})
        for path, data in sources.items():
            change.put(path, data)
        shared = {path for own in others.values() for path in own.files}
        for path in sorted(set(before) - set(sources) - shared):
            change.remove(path)
        ours = Integration(assetgen=__version__, files=dict(change.hashes))
        engines = dict(sorted({**others, name: ours}.items()))
        text = msgspec.json.format(msgspec.json.encode(Record(engines=engines)), indent=1)
        change.put_own(RECORD, text + b"\n")
        return change.commit(), target.next_step


def in_engine_files(name: str) -> dict[str, bytes]:
    """Path in a project → content, of what a target brings for the inside of its engine; sorted."""
    spec = find_spec(entry_of(name).module)
    folder = Path(spec.origin).parent / FOLDER if spec and spec.origin else None
    if folder is None or not folder.is_dir():
        return {}
    files = {path.relative_to(folder).as_posix(): path for path in folder.rglob("*") if path.is_file()}
    return {path: files[path].read_bytes() for path in sorted(files) if "__pycache__" not in path}


def _read_record(path: Path) -> Record:
    try:
        return msgspec.json.decode(path.read_bytes(), type=Record)
    except FileNotFoundError:
        return Record()
    except (OSError, msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise ProjectError(
            f"{path}: can't be read as assetgen's list of installed files ({error}). Restore it from version control, "
            f"or remove it: then files that differ are left alone."
        ) from None
