"""The wall as files that open from disk or any web space, for somebody without Python.

index.html       the page
studio.js        its scripts, joined, since a page opened from disk can't load modules
wall.js          its data, as a script, since a page opened from disk can't fetch JSON
sprites/*.png    the pictures

What is decided there stays in the browser, and is saved as a JSON file that ``assetgen catalogue import`` reads.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

from asset_gen.errors import AssetgenError, UsageError
from asset_gen.review.gallery import Gallery
from asset_gen.review.pages import STATIC, render
from asset_gen.review.wall import about, wall
from asset_gen.webpage import joined

Progress = Callable[[str, int, int], None]


def write_twin(gallery: Gallery, out: Path, progress: Progress = lambda *_: None) -> tuple[Path, list[str]]:
    """Write the page and its pictures.

    Returns: the page, and the names of sprites whose picture isn't here.

    Raises:
        UsageError: there is no candidate, or ``out`` holds something already; it stays as it is.
        OSError: it can't be written.
    """
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise UsageError(f"--export {out}: holds something already. Give an empty folder, or another.")
    if not gallery.shown:
        raise UsageError(f"{gallery.project}: has no candidates to look at yet. assetgen batch draws some.")
    stage = out.with_name(f".{out.name}.part")
    shutil.rmtree(stage, ignore_errors=True)
    (stage / "sprites").mkdir(parents=True)
    facts, missing = {}, []
    for number, one in enumerate(gallery.shown.values()):
        progress("writing sprites", number, len(gallery.shown))
        try:
            (stage / "sprites" / f"{one.id}.png").write_bytes(gallery.pictures.png(one.entry))
        except (AssetgenError, OSError):
            missing.append(one.entry.subject)
        facts[one.id] = about(gallery, one)
    data = "".join(
        f"globalThis.{name} = {json.dumps(told, ensure_ascii=True)};\n"
        for name, told in (("wall", wall(gallery)), ("about", facts))
    )
    (stage / "wall.js").write_text(data, encoding="utf-8")
    modules = {path.stem: path for path in STATIC.values() if path.suffix == ".js"}
    (stage / "studio.js").write_text(joined(modules, "twin"), encoding="utf-8")
    for name in ("look.css", "studio.css"):
        shutil.copyfile(STATIC[name], stage / name)
    page = render("wall.html", project=gallery.project.name, read_only=False, twin=True)
    (stage / "index.html").write_text(page, encoding="utf-8")
    if out.exists():
        out.rmdir()
    stage.rename(out)
    return out / "index.html", missing
