"""How does an ``.aseprite`` file become sprites? Every frame, or every slice of it; tags and slices name the types.

What ``aseprite_file`` can't draw as Aseprite does, Aseprite's own program draws, where it is installed.
"""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path

from asset_gen.errors import SpriteError
from asset_gen.images import read_rgba
from asset_gen.importers.archive import MAX_FILE
from asset_gen.importers.aseprite_file import Drawing, UnsupportedError, read_aseprite
from asset_gen.importers.sheet import cut_by_slices, import_canvases
from asset_gen.importers.sheet_json import Canvas, Slice, canvases, read_json
from asset_gen.importers.sprite_set import SetImport, check_free

PROGRAM_SECONDS = 120


def import_aseprite(path: Path, out: Path, labels: Sequence[str] = (), whole: bool = False) -> SetImport:
    """Take a drawing's frames, or where it has slices what these cut out, as a set.

    A sprite's type is the one given, its slice's name, the tag over its frame, or the file's name. ``out`` is a folder
    that isn't there yet. ``whole``: frames, even where there are slices.

    Raises:
        SpriteError: the file is damaged, or can't be drawn here.
        UsageError: ``out`` exists.
    """
    check_free(out)
    frames, slices = _frames(path)
    pieces, notes = cut_by_slices(path, [] if whole else slices, frames)
    return import_canvases(out, pieces, path, labels, notes)


def _frames(path: Path) -> tuple[list[Canvas], list[Slice]]:
    """A drawing's frames and its slices."""
    try:
        if path.stat().st_size > MAX_FILE:
            raise SpriteError(f"{path}: {path.stat().st_size // 2**20} MiB are no drawing of sprites. Split it.")
        data = path.read_bytes()
    except OSError as error:
        raise SpriteError(f"{path}: can't be read ({error.strerror}). Check its name and permissions.") from None
    try:
        drawing = read_aseprite(path, data)
        return _of_drawing(path, drawing), drawing.slices
    except UnsupportedError:
        program = shutil.which("aseprite")
        if program is None:
            raise
        return _by_program(path, program)


def _of_drawing(path: Path, drawing: Drawing) -> list[Canvas]:
    labels = [""] * len(drawing.frames)
    for name, first, last in drawing.tags:
        if not 0 <= first <= last < len(labels):
            raise SpriteError(f"{path}: the tag {name[:40]!r} spans frames that aren't there. Save the file again.")
        labels[first : last + 1] = [name] * (last + 1 - first)
    return [
        Canvas(f"{label or path.stem}_{number:03}", label, picture)
        for number, (label, picture) in enumerate(zip(labels, drawing.frames, strict=True))
    ]


def _by_program(path: Path, program: str) -> tuple[list[Canvas], list[Slice]]:
    """The frames as Aseprite exports them, and the slices."""
    with tempfile.TemporaryDirectory() as folder:
        sheet, data = Path(folder, "sheet.png"), Path(folder, "sheet.json")
        command = [program, "--batch", str(path.resolve()), "--sheet", str(sheet), "--data", str(data)]
        command += ["--format", "json-array", "--list-tags", "--list-slices"]
        try:
            done = subprocess.run(command, capture_output=True, text=True, timeout=PROGRAM_SECONDS, check=False)
        except (OSError, subprocess.TimeoutExpired) as error:
            raise SpriteError(
                f"{path}: Aseprite couldn't export it ({error}). Export a sheet with JSON yourself."
            ) from None
        if done.returncode or not sheet.is_file() or not data.is_file():
            said = (done.stderr or done.stdout).strip().splitlines()
            raise SpriteError(
                f"{path}: Aseprite couldn't export it ({said[-1][:200] if said else 'it said nothing'}). "
                f"Open it in the Aseprite that saved it, and export a sheet with JSON."
            )
        document = read_json(data)
        return canvases(data, document, read_rgba(sheet)), document.meta.slices
