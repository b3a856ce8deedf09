"""What the command line has published into a project, by its manifest: what a client should see of it."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from asset_gen.cli import run as run_command_line


@dataclass(frozen=True)
class Sprite:
    """A published sprite."""

    name: str
    type: str
    score: float
    image: str
    """Path of its sheet, relative to the output folder."""
    rect: tuple[int, int, int, int]
    """x, y, width, height in pixels, from the sheet's upper left corner."""
    pixels: NDArray[np.uint8]
    """RGBA [h, w, 4]."""


@dataclass(frozen=True)
class Published:
    """A project and what lies in its output folder."""

    project: Path
    out: Path
    sprites: dict[str, Sprite]
    """By name, in the manifest's order."""

    def some(self) -> list[Sprite]:
        """The first, the middle and the last sprite of every sheet: corners, and what a wrong pitch would shift."""
        chosen: dict[str, Sprite] = {}
        sheets: dict[str, list[Sprite]] = {}
        for sprite in self.sprites.values():
            sheets.setdefault(sprite.image, []).append(sprite)
        for sprites in sheets.values():
            for sprite in (sprites[0], sprites[len(sprites) // 2], sprites[-1]):
                chosen[sprite.name] = sprite
        assert len(chosen) >= 3
        return list(chosen.values())


def require(found: bool, name: str) -> None:
    """Skips the test where a package isn't installed; fails it on CI, where nothing may be missing."""
    message = f"{name} isn't installed: run `make clients`"
    if not found and os.environ.get("CI") == "true":
        pytest.fail(message)
    if not found:
        pytest.skip(message)


def publish(project: Path, target: str, out: str, count: int = 60) -> Published:
    """The built-in model's sprites at twice their size, published for a target by ``assetgen batch``."""
    project.mkdir(parents=True, exist_ok=True)
    arguments = ["--count", str(count), "--scale", "2", "--target", target, "--project", str(project), "--yes", "-q"]
    assert run_command_line(["batch", *arguments]) == 0
    return read(project, project / out)


def read(project: Path, out: Path) -> Published:
    """What a manifest lists, with the pixels that Pillow reads."""
    manifest = json.loads((out / "manifest.json").read_text(encoding="utf-8"))
    sprites: dict[str, Sprite] = {}
    for sheet in manifest["sheets"]:
        picture = np.array(Image.open(out / sheet["image"]).convert("RGBA"))
        for entry in sheet["sprites"]:
            x, y, width, height = entry["rect"]
            pixels = picture[y : y + height, x : x + width]
            rect = (x, y, width, height)
            sprites[entry["name"]] = Sprite(entry["name"], entry["type"], entry["score"], sheet["image"], rect, pixels)
    assert len({sprite.pixels.tobytes() for sprite in sprites.values()}) > len(sprites) / 2, "all sprites look the same"
    return Published(project, out, sprites)
