"""What do all pages share, and how do modules become one script that a page opened from disk may load?

A browser loads modules and JSON from servers alone. Modules here import by name, a line each, and export what they
declare: each becomes a function, called in order, whose names nobody else sees.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

LOOK = Path(__file__).parent / "templates" / "look.css"
"""The colours and controls that all pages share."""
WORDS = LOOK.with_name("dom.js")
"""The functions that all pages share."""
_IMPORT = re.compile(r'^import \{ ([\w, ]+) \} from "\./([\w-]+)\.js";$', re.MULTILINE)
_EXPORT = re.compile(r"^export (?=(?:async )?(?:function|class|const) (\w+))", re.MULTILINE)


def joined(modules: Mapping[str, Path], entry: str) -> str:
    """One classic script of a module and all that it imports.

    Args:
        modules: name without ``.js`` → file.
        entry: the name of the module that starts it all.

    Raises:
        ValueError: a module imports or exports in another way than above, or in a circle.
    """
    parts: dict[str, str] = {}
    _add(modules, entry, parts, ())
    return '"use strict";\nconst modules = {};\n' + "".join(parts.values())


def _add(modules: Mapping[str, Path], name: str, parts: dict[str, str], above: tuple[str, ...]) -> None:
    if name in above:
        raise ValueError(f"{name}.js imports itself by way of {', '.join(above)}")
    if name in parts:
        return
    text = modules[name].read_text(encoding="utf-8")
    for found in _IMPORT.finditer(text):
        _add(modules, found[2], parts, (*above, name))
    exports = [found[1] for found in _EXPORT.finditer(text)]
    text = _IMPORT.sub(r"const { \1 } = modules.\2;", text)
    text = _EXPORT.sub("", text)
    if left := re.search(r"^(import|export)\b.*$", text, re.MULTILINE):
        raise ValueError(f"{name}.js: {left[0]!r} can't be joined")
    parts[name] = f"modules.{name} = (() => {{\n{text}return {{ {', '.join(exports)} }};\n}})();\n"
