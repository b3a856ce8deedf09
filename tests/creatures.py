"""A small procedural generator of typed sprites, so that tests need nobody's art."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

KINDS = ("beetle", "crystal", "flask", "mushroom")


def creature(kind: str, seed: int, size: int = 32) -> NDArray[np.uint8]:
    """A sprite, RGBA uint8 [size, size, 4], hard alpha: the kind decides shape and hue, the seed the rest."""
    chance = np.random.default_rng([KINDS.index(kind), seed])
    canvas = Image.new("RGBA", (size, size))
    pen = ImageDraw.Draw(canvas)
    unit = size / 32
    wide, tall = chance.uniform(6, 11) * unit, chance.uniform(7, 12) * unit
    shade = chance.integers(-40, 41, 3)

    def colour(red: int, green: int, blue: int) -> tuple[int, ...]:
        return (*(int(c) for c in np.clip(np.array([red, green, blue]) + shade, 0, 255)), 255)

    middle, floor = size / 2, size - 2 * unit
    if kind == "beetle":
        pen.ellipse(
            [middle - wide, floor - tall, middle + wide, floor], fill=colour(60, 140, 60), outline=(20, 30, 20, 255)
        )
        pen.line([middle, floor - tall, middle, floor], fill=(20, 30, 20, 255))
        for side in (-1, 1):
            for step in range(3):
                y = floor - tall * (0.25 + 0.25 * step)
                pen.line(
                    [middle + side * wide, y, middle + side * (wide + 3 * unit), y + 2 * unit], fill=(20, 30, 20, 255)
                )
    elif kind == "crystal":
        top = floor - 2 * tall
        pen.polygon([(middle, top), (middle + wide, floor - tall), (middle, floor), (middle - wide, floor - tall)],
                    fill=colour(90, 130, 220), outline=(20, 30, 90, 255))  # fmt: skip
    elif kind == "flask":
        pen.rectangle(
            [middle - 2 * unit, floor - 2 * tall, middle + 2 * unit, floor - tall], fill=colour(190, 190, 200)
        )
        pen.ellipse(
            [middle - wide, floor - 1.3 * tall, middle + wide, floor],
            fill=colour(200, 60, 160),
            outline=(70, 20, 60, 255),
        )
    else:
        pen.rectangle([middle - 3 * unit, floor - tall, middle + 3 * unit, floor], fill=colour(220, 210, 180))
        pen.pieslice([middle - wide, floor - 2 * tall, middle + wide, floor], 180, 360, fill=colour(210, 50, 40))
    return np.array(canvas)


def write_set(folder: Path, each: int = 10, size: int = 32, kinds: tuple[str, ...] = KINDS) -> Path:
    """A folder per kind with ``each`` sprites."""
    for kind in kinds:
        (folder / kind).mkdir(parents=True, exist_ok=True)
        for seed in range(each):
            Image.fromarray(creature(kind, seed, size), "RGBA").save(folder / kind / f"{kind}{seed:03d}.png")
    return folder
