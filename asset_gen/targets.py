"""Which engines' files can be written? Whatever is installed under the entry point ``assetgen.targets``."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from contextlib import suppress
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path

from asset_gen.errors import UsageError
from asset_gen.names import nearest
from asset_gen.sheet import Target

GROUP = "assetgen.targets"
DEFAULT = "generic"
USUAL = "assets/generated"


def load_targets(names: Sequence[str], project: Path) -> list[Target]:
    """The targets of these names, each once; without names those of the project's engines, else the default.

    Raises:
        UsageError: there is no such target, it can't be loaded, or it says why it can't serve this project.
    """
    found = _installed()
    targets = [_load(name, found) for name in dict.fromkeys(names)] or _detected(found, project)
    for target in targets:
        if complaint := target.complaint(project):
            raise UsageError(f"--target {target.name}: {complaint}")
    return targets


def entry_of(name: str) -> EntryPoint:
    """Where the target of this name is installed.

    Raises:
        UsageError: there is no such target.
    """
    return _entry(name, _installed())


def detect_targets(project: Path) -> list[Target]:
    """The targets that know this project, in name order; none where no engine's files are found."""
    found = _installed()
    return _knowing(found, project)


def _installed() -> dict[str, EntryPoint]:
    return {entry.name: entry for entry in entry_points(group=GROUP)}


def _entry(name: str, found: Mapping[str, EntryPoint]) -> EntryPoint:
    if name not in found:
        raise UsageError(
            f"--target {name}: there is none of this name.{nearest(name, found)} Installed are "
            f"{', '.join(sorted(found))}."
        )
    return found[name]


def _load(name: str, found: Mapping[str, EntryPoint]) -> Target:
    entry = _entry(name, found)
    where = f"--target {name}: its entry point {entry.value}"
    try:
        target = entry.load()
    except Exception as error:  # somebody else's module, which may fail in any way
        raise UsageError(f"{where} can't be loaded ({error!r}). Install its package again, or remove it.") from None
    if not isinstance(target, Target):
        raise UsageError(f"{where} is not an asset_gen.sheet.Target.")
    return target


def _detected(found: Mapping[str, EntryPoint], project: Path) -> list[Target]:
    return _knowing(found, project) or [_load(DEFAULT, found)]


def _knowing(found: Mapping[str, EntryPoint], project: Path) -> list[Target]:
    targets = []
    for name in sorted(found):
        with suppress(UsageError):  # one that can't be loaded has nothing to say, unless it is asked for
            target = _load(name, found)
            if target.detect(project):
                targets.append(target)
    return targets


def default_out(project: Path, targets: Sequence[Target]) -> str:
    """Where generated assets belong in this project, relative to it: where the first engine that cares keeps them."""
    for target in targets:
        if target.out != USUAL:
            return target.out
    if (project / "package.json").is_file() and _has_bundler(project / "package.json"):
        return "public/assets/generated"
    return USUAL


def _has_bundler(package: Path) -> bool:
    """Whether a web bundler serves the project's ``public`` folder."""
    try:
        document = json.loads(package.read_text(encoding="utf-8"))
        used = {*document.get("dependencies", {}), *document.get("devDependencies", {})}
    except (OSError, ValueError, AttributeError, TypeError, RecursionError):
        return False
    return bool(used & {"vite", "webpack", "parcel", "rollup", "next", "astro", "snowpack", "react-scripts"})
