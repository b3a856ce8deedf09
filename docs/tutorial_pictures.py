"""Draws the tutorial's pictures from the folder in which its commands were run: python docs/tutorial_pictures.py FOLDER

They go to docs/images/tutorial-*.png. Pages are shown by Debian's Chromium (apt install chromium), opened from disk.
"""

from __future__ import annotations

import csv
import json
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

IMAGES = Path(__file__).parent / "images"
ACROSS, STEP, NAME = 15, 40, 84
CHECKER = (236, 228)


def board(width: int, height: int) -> Image.Image:
    """A checkerboard to lay sprites on."""
    y, x = np.indices((height, width)) // 8
    return Image.fromarray(np.where((y + x) % 2, *CHECKER).astype(np.uint8)).convert("RGBA")


def lay(rows: Sequence[tuple[str, Sequence[Image.Image]]], across: int) -> Image.Image:
    """Sprites of up to 36 pixels in named rows, ``across`` to a line; rows without a name have no margin."""
    left = NAME if any(name for name, _ in rows) else 8
    lines = [-(-len(sprites) // across) for _, sprites in rows]
    canvas = board(left + across * STEP + 4, sum(lines) * STEP + 8)
    pen, top = ImageDraw.Draw(canvas), 6
    for (name, sprites), count in zip(rows, lines, strict=True):
        pen.text((8, top + 10), name, fill=(40, 40, 40, 255), font_size=13)
        for place, sprite in enumerate(sprites):
            canvas.alpha_composite(sprite, (left + place % across * STEP, top + place // across * STEP))
        top += count * STEP
    return canvas.convert("RGB")


def art(folder: Path) -> Image.Image:
    """As it lay there, shuffled."""
    paths = sorted((folder / "art").glob("*.png"))
    order = np.random.default_rng(0).permutation(len(paths))
    return lay([("", [Image.open(paths[row]).convert("RGBA") for row in order])], ACROSS)


def types(folder: Path) -> Image.Image:
    """By the set's table."""
    rows: dict[str, list[Image.Image]] = {}
    with (folder / "sprites" / "labels.csv").open(newline="", encoding="utf-8") as file:
        for line in csv.DictReader(file):
            rows.setdefault(line["type1"], []).append(Image.open(folder / "sprites" / line["file"]).convert("RGBA"))
    return lay(list(rows.items()), ACROSS)


def training(folder: Path) -> Image.Image:
    """The last sample sheet."""
    return Image.open(max((folder / "runs" / "mine" / "samples").glob("*.png"))).convert("RGB")


def sheets(folder: Path) -> Image.Image:
    """Every published sprite, in slot order."""
    out = folder / "game" / "assets" / "generated"
    rows = []
    for sheet in json.loads((out / "manifest.json").read_text())["sheets"]:
        picture = Image.open(out / sheet["image"]).convert("RGBA")
        boxes = [(x, y, x + width, y + height) for x, y, width, height in (one["rect"] for one in sheet["sprites"])]
        rows.append((sheet["type"], [picture.crop(box) for box in boxes]))
    return lay(rows, 20)


def page(path: Path, width: int, height: int) -> Image.Image:
    """What Chromium shows of a page."""
    shot = path.resolve().with_suffix(".shot.png")
    options = ["--headless", "--no-sandbox", "--hide-scrollbars", "--virtual-time-budget=8000"]
    size = [f"--window-size={width},{height}", f"--screenshot={shot}"]
    subprocess.run(["chromium", *options, *size, path.resolve().as_uri()], check=True, capture_output=True)
    with Image.open(shot) as image:
        picture = image.convert("RGB")
    shot.unlink()
    return picture


def candidates(folder: Path) -> Image.Image:
    """The page of the latest candidate set."""
    pages = (folder / "game" / "assets" / "generated" / "candidates~").glob("*/index.html")
    return page(max(pages, key=lambda path: path.stat().st_mtime), 1000, 640)


def game(folder: Path) -> Image.Image:
    """The game's first page."""
    return page(folder / "game" / "index.html", 1000, 640)


PICTURES: tuple[Callable[[Path], Image.Image], ...] = (art, types, training, sheets, candidates, game)

if __name__ == "__main__":
    for draw in PICTURES:
        picture = draw(Path(sys.argv[1]))
        if draw in (candidates, game):
            picture = picture.quantize(128, dither=Image.Dither.NONE)
        picture.save(IMAGES / f"tutorial-{draw.__name__}.png", optimize=True)
