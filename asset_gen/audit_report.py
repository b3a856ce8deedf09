"""How does a person see whether sprites are copies? A page with every sprite beside its nearest training sprites.

The training sprites are embedded, so the page is for whoever may see them, and is never shipped with a game.
"""

from __future__ import annotations

import base64
from collections import defaultdict
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from asset_gen.audit import Audit, Audited
from asset_gen.candidates import encode_png
from asset_gen.errors import SpriteError
from asset_gen.images import read_rgba
from asset_gen.neighbours import Pictured
from asset_gen.sheet import cut


def write_report(path: Path, project: Path, audit: Audit, training: Pictured) -> None:
    """Write the page: sprites that are nearest to a training sprite first, those whose sheet can't be read left out."""
    from jinja2 import Environment, PackageLoader

    pictures = dict(zip(training.names, training.sprites, strict=True))
    told: dict[str, list[str]] = defaultdict(list)
    for finding in audit.findings:
        told[finding.sprite or ""].append(f"{finding.rule}: {finding.message}")
    entries = []
    sheets: dict[str, NDArray[np.uint8] | None] = {}
    for sprite in sorted(audit.sprites, key=lambda sprite: sprite.nearest[0].distance if sprite.nearest else np.inf):
        if not sprite.nearest or (picture := _picture(project, sprite, sheets)) is None:
            continue
        near = [(one.name, f"{one.distance:.4f}", _address(pictures[one.name])) for one in sprite.nearest]
        entries.append((sprite, _address(picture), near, told[sprite.name]))
    page = Environment(loader=PackageLoader("asset_gen"), autoescape=True).get_template("audit.html")
    text = page.render(entries=entries, limit=f"{training.copy_limit:.4f}", others=told[""], count=len(audit.sprites))
    path.write_text(text, encoding="utf-8")


def _picture(project: Path, sprite: Audited, sheets: dict[str, NDArray[np.uint8] | None]) -> NDArray[np.uint8] | None:
    if sprite.sheet not in sheets:
        try:
            sheets[sprite.sheet] = read_rgba(project / sprite.sheet)
        except SpriteError:
            sheets[sprite.sheet] = None
    whole = sheets[sprite.sheet]
    return None if whole is None else cut(whole, *sprite.rect)


def _address(picture: NDArray[np.uint8]) -> str:
    return "data:image/png;base64," + base64.b64encode(encode_png(picture)).decode()
