"""Which Godot made a project folder? ``project.godot`` says so in its ``config_version``."""

from __future__ import annotations

import re
from pathlib import Path

GODOT_3 = 4
"""``config_version`` of Godot 3.1 to 3.6."""
GODOT_4 = 5
"""``config_version`` of Godot 4."""


def config_version(project: Path) -> int | None:
    """The number in ``project.godot``; None where there is no such file or no number in it."""
    try:
        text = (project / "project.godot").read_text(encoding="utf-8", errors="replace")
    except (OSError, ValueError):  # ValueError: a NUL in the path
        return None
    found = re.search(r"^\s*config_version\s*=\s*([0-9]{1,9})\s*$", text, re.MULTILINE)
    return int(found[1]) if found else None


def complaint(project: Path, wanted: int) -> str | None:
    """Why resources for ``wanted``, a ``config_version``, don't load in this project, with the cure; None: they do."""
    found = config_version(project)
    if found is None or found == wanted:
        return None
    if found == GODOT_3:
        return "project.godot is Godot 3's (config_version 4), which can't read Godot 4 resources. Use --target godot3."
    if found == GODOT_4:
        return (
            "project.godot is Godot 4's (config_version 5), which doesn't want Godot 3 resources. Use --target godot."
        )
    if found < GODOT_3:
        return (
            f"project.godot is of Godot 3.0 or older (config_version {found}). Open the project once in Godot 3.6, "
            "which converts it, then use --target godot3; or in Godot 4, then --target godot."
        )
    return (
        f"project.godot is of a Godot newer than 4 (config_version {found}), which this assetgen doesn't know. "
        "Use a newer assetgen, or --target generic."
    )


def quote(text: str) -> str:
    """A string as Godot's text formats hold it, of any version: UTF-8, only quotes and backslashes escaped."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def resource_path(base: str, path: str) -> str:
    """``res://…`` of a file in the output folder ``base``."""
    return "res://" + "/".join(part for part in (base.strip("/"), path) if part and part != ".")
