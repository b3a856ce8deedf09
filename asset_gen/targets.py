"""Which engines' files can be written? Whatever is installed under the entry point ``assetgen.targets``."""

from __future__ import annotations

import json
from collections.abc import Sequence
from importlib.metadata import entry_points
from pathlib import Path

from asset_gen.errors import UsageError
from asset_gen.names import nearest
from asset_gen.sheet import Target

GROUP = "assetgen.targets"
DEFAULT = "generic"


def load_targets(names: Sequence[str]) -> list[Target]:
    """The targets of these names (none: the default), each once.

    Raises:
        UsageError: there is no such target, or it can't be loaded.
    """
    found = {entry.name: entry for entry in entry_points(group=GROUP)}
    targets = []
    for name in dict.fromkeys(names or (DEFAULT,)):
        if name not in found:
            raise UsageError(f"--target {name}: installed are {', '.join(sorted(found))}.{nearest(name, found)}")
        where = f"--target {name}: its entry point {found[name].value}"
        try:
            target = found[name].load()
        except Exception as error:  # somebody else's module, which may fail in any way
            raise UsageError(f"{where} can't be loaded ({error!r}). Install its package again, or remove it.") from None
        if not isinstance(target, Target):
            raise UsageError(f"{where} is not an asset_gen.sheet.Target.")
        targets.append(target)
    return targets


def default_out(project: Path) -> str:
    """Where generated assets belong in this project, relative to it."""
    if (project / "ProjectSettings" / "ProjectVersion.txt").is_file():
        return "Assets/Generated"
    if (project / "package.json").is_file() and _has_bundler(project / "package.json"):
        return "public/assets/generated"
    return "assets/generated"


def _has_bundler(package: Path) -> bool:
    """Whether a web bundler serves the project's ``public`` folder."""
    try:
        document = json.loads(package.read_text(encoding="utf-8"))
        used = {*document.get("dependencies", {}), *document.get("devDependencies", {})}
    except (OSError, ValueError, AttributeError, TypeError):
        return False
    return bool(used & {"vite", "webpack", "parcel", "rollup", "next", "astro", "snowpack", "react-scripts"})
