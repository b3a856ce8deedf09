"""How does a sheet become sprites? By the JSON beside it, by a grid, or by looking where something is."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from asset_gen import pixels
from asset_gen.errors import UsageError
from asset_gen.images import Rgba, read_rgba
from asset_gen.importers.cut import Grid, border_area, figures
from asset_gen.importers.sheet_json import Canvas, Slice, canvases, label_in, picture_of, read_json, sliced
from asset_gen.importers.sprite_set import Piece, SetImport, check_free, import_pieces


def import_sheet(
    path: Path,
    out: Path,
    grid: Grid | None = None,
    labels: Sequence[str] = (),
    background: str = "auto",
    gap: int = 1,
    whole: bool = False,
) -> SetImport:
    """Cut a sheet into a set.

    Args:
        path: a picture, or the JSON beside one. Where a picture has a JSON of the same name, that says what lies where.
        out: a folder that isn't there yet.
        grid: cells to cut by instead.
        labels: the type of all sprites, or one for every row of a sheet without JSON; none: what the JSON or the
            file's name says.
        background: ``keep``; ``auto``: a uniform border colour becomes transparent as far as it is connected to the
            border; ``#rrggbb``: that colour everywhere.
        gap: transparent pixels that may part a figure, where neither JSON nor grid tells.
        whole: frames, even where the JSON has slices.

    Raises:
        SpriteError: picture or JSON can't be used.
        UsageError: ``out`` exists, or the options don't fit the sheet.
    """
    check_free(out)
    document_path = path if path.suffix.lower() == ".json" else path.with_suffix(".json")
    if path == document_path or (grid is None and document_path.is_file()):
        document = read_json(document_path)
        picture_path = picture_of(path, document) if path == document_path else path
        sheet = _keyed(read_rgba(picture_path), background)
        frames = canvases(document_path, document, sheet)
        frames, notes = cut_by_slices(document_path, [] if whole else document.meta.slices, frames)
        return import_canvases(out, frames, picture_path, labels, notes)
    sheet = _keyed(read_rgba(path), background)
    found = grid.boxes(sheet) if grid else figures(sheet, gap)
    rows = 1 + max((row for _, row in found), default=0)
    if len(labels) > 1 and len(labels) != rows:
        raise UsageError(f"--type: {len(labels)} types for {rows} rows of sprites. Give one for all, or one for each.")
    pieces, number = [], 0
    for box, row in found:
        picture = box.cut(sheet)
        if picture[..., 3].any():
            label = (labels[row] if len(labels) > 1 else labels[0]) if labels else path.stem
            pieces.append(Piece(label, f"{path.stem}_{number:03}", picture))
            number += 1
    how = f"cut by a grid of {grid}" if grid else f"cut into {rows} rows of figures"
    return import_pieces(out, pieces, path, [how])


def cut_by_slices(path: Path, slices: list[Slice], frames: list[Canvas]) -> tuple[list[Canvas], list[str]]:
    """(what slices cut out of frames, or the frames where there are none; what is to be said of it)."""
    if not slices:
        return frames, []
    return sliced(path, slices, frames), [f"cut by slices ({len(slices)} of them); --frames takes whole frames"]


def import_canvases(
    out: Path, frames: Sequence[Canvas], path: Path, labels: Sequence[str], notes: Sequence[str] = ()
) -> SetImport:
    """Frames that know their names, as a set; empty ones and equal ones of the same type are left out.

    ``notes``: what is to be said beside that.

    Raises:
        UsageError: more than one type is given.
        SpriteError, ProjectError: see ``import_pieces``.
    """
    if len(labels) > 1:
        raise UsageError("--type: the file says which sprite is which; give one type for all, or none.")
    pieces: list[Piece] = []
    seen: set[tuple[str, bytes, tuple[int, ...]]] = set()
    empty = equal = 0
    for frame in frames:
        label = labels[0] if labels else frame.label or label_in(frame.name) or path.stem
        if not frame.picture[..., 3].any():
            empty += 1
            continue
        key = (label, frame.picture.tobytes(), frame.picture.shape)
        if key in seen:
            equal += 1
            continue
        seen.add(key)
        stem = Path(frame.name.replace("\\", "/")).name
        pieces.append(Piece(label, re.sub(r"\.[A-Za-z]{2,8}$", "", stem) or path.stem, frame.picture))
    left_out = ((empty, "empty frames"), (equal, "repeated frames"))
    said = [*notes, *(f"{count} {what} were left out" for count, what in left_out if count)]
    return import_pieces(out, pieces, path, said)


def _keyed(sheet: Rgba, background: str) -> Rgba:
    """The sheet with its background transparent."""
    if background == "keep":
        return sheet
    if background == "auto":
        colour = pixels.border_colour(sheet)
        if colour is None:
            return sheet
        keyed = sheet.copy()
        near = np.abs(sheet[..., :3].astype(np.int16) - np.array(colour, np.int16)).max(axis=2) <= 8
        keyed[border_area(near)] = 0
        return keyed
    found = re.fullmatch("#?([0-9a-fA-F]{6})", background)
    if not found:
        raise UsageError(f"--background {background!r}: write auto, keep, or a colour as in #ff00ff.")
    keyed = sheet.copy()
    keyed[(sheet[..., :3] == np.frombuffer(bytes.fromhex(found[1]), np.uint8)).all(axis=2)] = 0
    return keyed
