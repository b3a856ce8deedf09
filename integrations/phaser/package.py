"""Which npm packages does a web game use?"""

from __future__ import annotations

import json
from pathlib import Path


def dependencies(project: Path) -> dict[str, str]:
    """Name → version range, of what ``package.json`` asks for; empty where there is none that can be read."""
    path = project / "package.json"
    try:
        document = json.loads(path.read_text(encoding="utf-8-sig")) if path.is_file() else {}
    except (OSError, ValueError, RecursionError):  # ValueError: no UTF-8, no JSON, a NUL in the path
        return {}
    found: dict[str, str] = {}
    for field in ("devDependencies", "dependencies"):
        entries = document.get(field) if isinstance(document, dict) else None
        if isinstance(entries, dict):
            found |= {name: version for name, version in entries.items() if isinstance(version, str)}
    return found
