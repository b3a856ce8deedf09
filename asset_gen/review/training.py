"""What does a training's run folder tell, while it goes on and afterwards? Read as data, since it may be anybody's."""

from __future__ import annotations

import base64
import json
import math
from collections.abc import Mapping, Sequence
from io import BytesIO
from pathlib import Path
from threading import Lock
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from asset_gen import pixels
from asset_gen.candidates import encode_png
from asset_gen.errors import AssetgenError, SpriteError, UsageError
from asset_gen.images import Rgba, read_rgba
from asset_gen.metrics.copies import nearest_neighbours
from asset_gen.sprite_folder import list_sprites

CONFIG, STATISTICS, EVALUATIONS, SAMPLES = "config.json", "stats.jsonl", "evaluations.jsonl", "samples"
LARGEST = 8_000_000
"""Bytes that are read of a file; of a longer table, the last."""
POINTS = 600
"""Of a curve."""
SHEETS = 64
"""Sample sheets between which a page's slider goes, the first and the newest among them."""
COLUMNS = 8
"""Sprites in a row of a sample sheet."""
GREY = 207
"""On which sprites are compared: between the two greys of a sheet's squares."""
EXAMPLES, NEIGHBOURS = 3, 3
"""Sprites of a row for which the nearest training sprites are looked for, and how many of these."""
MOST = 20_000
"""Training sprites that are looked through."""

T = TypeVar("T")


class RunFolder:
    """One training. May be used by several threads."""

    def __init__(self, folder: Path) -> None:
        """
        Raises:
            UsageError: it holds no training.
        """
        self.folder = folder.resolve()
        self._lock = Lock()
        self._known: tuple[list[str], NDArray[np.uint8]] | None = None
        if not isinstance(self._json(CONFIG), dict):
            raise UsageError(
                f"--run {folder}: holds no training (there is no {CONFIG} that can be read). "
                f"assetgen train SPRITES --run {folder} begins one."
            )

    def stamp(self) -> object:
        """Another one whenever the training has written something."""
        return [_stamp(self.folder / name) for name in (CONFIG, STATISTICS, EVALUATIONS, SAMPLES)]

    def told(self) -> dict[str, Any]:
        """All that a page shows but the pictures."""
        config = self._config()
        steps = self._steps()
        evaluations = self._lines(EVALUATIONS)
        return {
            "name": self.folder.name,
            "gone": not (self.folder / CONFIG).is_file(),
            "facts": _facts(config, self._lines(STATISTICS)[-1:]),
            "rows": self._rows(config),
            "statistics": some(self._lines(STATISTICS), POINTS),
            "evaluations": some(evaluations, POINTS),
            "best": min(evaluations, key=lambda line: line.get("kid", math.inf), default={}).get("step"),
            "sheets": some(steps, SHEETS),
        }

    def sheet(self, step: int) -> bytes:
        """A sample sheet's PNG file.

        Raises:
            UsageError: there is none of this step.
        """
        path = self.folder / SAMPLES / f"{step:09d}.png"
        try:
            if path.resolve().is_relative_to(self.folder) and path.stat().st_size <= LARGEST:
                return path.read_bytes()
        except OSError:
            pass
        raise UsageError("There is no such sample sheet any more.")

    def nearest(self, step: int) -> list[dict[str, Any]]:
        """For the first sprites of each of a sheet's rows the training sprites that look most alike, on grey.

        Raises:
            UsageError: no such sheet, it isn't one of this training, or the training sprites aren't here.
            SpriteError: a picture can't be read.
        """
        config = self._config()
        size, rows = int(config["size"]), self._rows(config)
        drawn = cells(read_rgba(self.folder / SAMPLES, BytesIO(self.sheet(step)))[..., :3], size, len(rows))
        files, known = self._training(config, size)
        sprites = _opaque(drawn[:, :EXAMPLES].reshape(-1, size, size, 3))
        found = nearest_neighbours(sprites, known, NEIGHBOURS)
        return [
            {
                "type": rows[number // EXAMPLES],
                "picture": _png(sprite),
                "near": [
                    {
                        "file": files[place],
                        "distance": float(distance),
                        "mirrored": bool(mirrored),
                        "picture": _png(known[place]),
                    }
                    for place, distance, mirrored in zip(*near, strict=True)
                ],
            }
            for number, (sprite, *near) in enumerate(
                zip(sprites, found.rows, found.distances, found.mirrored, strict=True)
            )
        ]

    def _config(self) -> Mapping[str, Any]:
        config = self._json(CONFIG)
        return config if isinstance(config, dict) else {}

    def _rows(self, config: Mapping[str, Any]) -> list[str]:
        """What the rows of a sample sheet are called."""
        types = config.get("types")
        if config.get("preset") == "paper-dcgan" or not isinstance(types, dict) or not types:
            return [""] * COLUMNS
        return [str(name)[:64] for name in types.values()]

    def _training(self, config: Mapping[str, Any], size: int) -> tuple[list[str], NDArray[np.uint8]]:
        """(files, pictures) of the training sprites; read once."""
        with self._lock:
            if self._known is None:
                folder = Path(str(config.get("sprites", "")))
                try:
                    listed = list_sprites(folder)[0][:MOST]
                except (AssetgenError, OSError, ValueError):
                    raise UsageError(f"{folder}: the training sprites aren't here, so none can be shown.") from None
                files, pictures = [], []
                for one in listed:
                    try:
                        sprite = read_rgba(one.path)
                    except SpriteError:
                        continue  # the training has left it out, too
                    if sprite.shape[0] == sprite.shape[1]:
                        files.append(one.path.relative_to(folder).as_posix())
                        pictures.append(_on_grey(pixels.at_side(sprite[None], size)[0]))
                if not files:
                    raise UsageError(f"{folder}: holds no square sprites to compare with.")
                self._known = files, np.stack(pictures)
            return self._known

    def _steps(self) -> list[int]:
        """Of the sample sheets, in order."""
        try:
            names = [path.stem for path in (self.folder / SAMPLES).glob("*.png")]
        except OSError:
            return []
        return sorted(int(name) for name in names if len(name) == 9 and name.isascii() and name.isdecimal())

    def _json(self, name: str) -> Any:
        try:
            return json.loads(self._tail(name))
        except (OSError, ValueError, RecursionError):
            return None

    def _lines(self, name: str) -> list[dict[str, Any]]:
        """Lines of a table that are whole; a training may be writing the last one."""
        try:
            text = self._tail(name)
        except OSError:
            return []
        found = []
        for line in text.splitlines():
            try:
                told = json.loads(line)
            except (ValueError, RecursionError):
                continue
            if isinstance(told, dict) and isinstance(told.get("step"), int):
                found.append({str(key)[:40]: value for key, value in told.items() if _plain(value)})
        return found

    def _tail(self, name: str) -> bytes:
        path = self.folder / name
        if not path.resolve().is_relative_to(self.folder):
            raise OSError(f"{path}: leads out of the run")
        with path.open("rb") as file:
            file.seek(max(0, path.stat().st_size - LARGEST))
            return file.read(LARGEST)


def cells(sheet: NDArray[np.uint8], size: int, rows: int) -> NDArray[np.uint8]:
    """The sprites [rows, ``COLUMNS``, size, size, 3] of a sample sheet [h, w, 3], without names, enlargement and gaps.

    Raises:
        UsageError: it isn't such a sheet.
    """
    cell = size + 2
    height, width = sheet.shape[:2]
    zoom, rest = divmod(height, rows * cell)
    margin = width - COLUMNS * cell * zoom
    if not zoom or rest or margin < 0:
        raise UsageError(f"This sample sheet of {width}×{height} pixels isn't one of this training.")
    bare = sheet[::zoom, margin::zoom].reshape(rows, cell, COLUMNS, cell, 3).swapaxes(1, 2)
    return bare[:, :, 1:-1, 1:-1]


def some(things: Sequence[T], most: int) -> list[T]:
    """At most so many, evenly spread, the first and the last among them."""
    if len(things) <= most:
        return list(things)
    return [things[round(place)] for place in np.linspace(0, len(things) - 1, most)]


def _facts(config: Mapping[str, Any], last: Sequence[Mapping[str, Any]]) -> list[tuple[str, str]]:
    """(what, how it is), for people."""
    told = [("preset", str(config.get("preset", "?"))), ("size", f"{config.get('size', '?')} px")]
    types = config.get("types")
    if isinstance(types, dict):
        told.append(("types", str(len(types))))
    lineage = config.get("lineage")
    told.append(("began as", str(lineage.get("name", "?"))[:64] if isinstance(lineage, dict) else "random weights"))
    for line in last:
        told += [("step", f"{line['step']:,}"), ("sprites seen", f"{1000 * float(line.get('kimg', 0)):,.0f}")]
        told.append(("trained for", f"{float(line.get('seconds', 0)) / 60:,.0f} min"))
    return told


def _plain(value: object) -> bool:
    """Whether a page can show it."""
    if isinstance(value, str):
        return len(value) <= 64
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _on_grey(sprite: Rgba) -> Rgba:
    alpha = sprite[..., 3:].astype(np.uint16)
    return _opaque(((sprite[..., :3] * alpha + GREY * (255 - alpha)) // 255).astype(np.uint8))


def _opaque(rgb: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The same pictures [..., 3] as [..., 4]."""
    return np.concatenate([rgb, np.full_like(rgb[..., :1], 255)], axis=-1)


def _png(picture: Rgba) -> str:
    return base64.b64encode(encode_png(np.ascontiguousarray(picture))).decode()


def _stamp(path: Path) -> tuple[int, int] | None:
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_size, status.st_mtime_ns
