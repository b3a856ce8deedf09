"""Draws the tutorial's art, sixty sprites of four types in one style: python examples/tutorial/draw.py art

Every picture is 32 by 32 pixels with a dark outline and light from the upper left, as an artist's set would be; all of
them lie in one folder, as art that nobody has sorted yet. In place of your own sprites, and free to use (CC0 1.0).
"""

from __future__ import annotations

import csv
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

SIZE = 32
EACH = 15
INK = (34, 26, 46)
RAMPS = {  # dark, middle, light
    "red": ((120, 24, 44), (200, 52, 58), (244, 132, 104)),
    "orange": ((146, 62, 20), (222, 124, 34), (250, 196, 96)),
    "green": ((26, 84, 58), (58, 150, 74), (150, 212, 106)),
    "teal": ((20, 78, 100), (38, 146, 160), (126, 222, 204)),
    "blue": ((34, 46, 128), (62, 98, 206), (132, 178, 246)),
    "purple": ((74, 32, 108), (140, 70, 178), (208, 146, 230)),
    "steel": ((66, 72, 92), (126, 136, 158), (204, 214, 226)),
    "wood": ((84, 50, 34), (142, 92, 56), (198, 152, 100)),
    "cream": ((150, 122, 98), (216, 194, 158), (248, 238, 210)),
}
HUES = ("red", "orange", "green", "teal", "blue", "purple")
Y, X = np.mgrid[0:SIZE, 0:SIZE] + 0.5

Mask = NDArray[np.bool_]  # [32, 32]


class Canvas:
    """A picture under construction: parts are laid on it, then it gets its outline."""

    def __init__(self) -> None:
        self.rgba = np.zeros((SIZE, SIZE, 4), np.uint8)

    def lay(self, part: Mask, ramp: str, middle: tuple[float, float], radius: float) -> None:
        """A rounded part, lit from the upper left."""
        light = ((middle[0] - X) + (middle[1] - Y)) / (2 * radius)
        tone = np.digitize(light, (-0.28, 0.22))
        self.rgba[part, :3] = np.array(RAMPS[ramp], np.uint8)[tone[part]]
        self.rgba[part, 3] = 255

    def flat(self, part: Mask, colour: tuple[int, int, int]) -> None:
        """One colour, where something lies already."""
        self.rgba[part & (self.rgba[..., 3] > 0), :3] = colour

    def outlined(self) -> NDArray[np.uint8]:
        """The picture, with ink around what it shows."""
        solid = np.pad(self.rgba[..., 3] > 0, 1)
        around = solid[:-2, 1:-1] | solid[2:, 1:-1] | solid[1:-1, :-2] | solid[1:-1, 2:]
        picture = self.rgba.copy()
        picture[around & ~solid[1:-1, 1:-1]] = (*INK, 255)
        return picture


def ellipse(x: float, y: float, wide: float, tall: float) -> Mask:
    return np.asarray(((X - x) / wide) ** 2 + ((Y - y) / tall) ** 2 < 1)


def box(left: float, top: float, right: float, bottom: float) -> Mask:
    return np.asarray((left < X) & (right > X) & (top < Y) & (bottom > Y))


def potion(chance: np.random.Generator) -> Canvas:
    """A flask with a cork, filled to some height."""
    canvas, wide, tall = Canvas(), chance.uniform(6, 10), chance.uniform(6, 9)
    middle, neck, shoulder = 28 - tall, chance.uniform(2, 3.4), 28 - 2 * tall
    square = chance.random() < 0.4
    belly = box(16 - wide, shoulder, 16 + wide, 29) if square else ellipse(16, middle, wide, tall)
    top = max(shoulder - chance.uniform(3, 6), 5)
    glass = belly | box(16 - neck, top, 16 + neck, middle)
    canvas.lay(glass, "steel", (16, middle), wide)
    full = belly & (chance.uniform(-0.5, 0.3) * tall + middle < Y)
    canvas.lay(full, str(chance.choice(HUES)), (16, middle), wide)
    canvas.lay(box(16 - neck, top - 3, 16 + neck, top), "wood", (16, top), neck)
    canvas.flat(ellipse(16 - wide * 0.45, middle - tall * 0.4, 1.6, 2.2), (250, 250, 250))
    return canvas


def mushroom(chance: np.random.Generator) -> Canvas:
    """A stem under a spotted cap."""
    canvas, wide, tall, stem = Canvas(), chance.uniform(8, 13), chance.uniform(8, 14), chance.uniform(2.5, 4.5)
    rim = 29 - chance.uniform(7, 11)
    canvas.lay(box(16 - stem, rim - 2, 16 + stem, 29), "cream", (15, 26), stem + 3)
    cap = ellipse(16, rim, wide, min(tall, rim - 3)) & (rim + 1 > Y)
    canvas.lay(cap, str(chance.choice(HUES)), (15, rim - tall / 2), wide)
    for _ in range(int(chance.integers(2, 6))):
        x, y = 16 + chance.uniform(-0.7, 0.7) * wide, rim - chance.uniform(0.2, 0.8) * tall
        canvas.flat(ellipse(x, y, *chance.uniform(1, 2, 2)) & cap, RAMPS["cream"][2])
    return canvas


def gem(chance: np.random.Generator) -> Canvas:
    """A cut stone: a crown over a pavilion, with facets."""
    canvas, wide, girdle = Canvas(), chance.uniform(8, 13), chance.uniform(10, 15)
    crown, point, table = chance.uniform(3, 6), chance.uniform(9, 14), chance.uniform(0.4, 0.7)
    reach = np.where(
        girdle > Y,
        wide * (table + (1 - table) * (Y - girdle + crown) / crown),
        wide * (1 - (Y - girdle) / point),
    )
    stone = (abs(X - 16) < reach) & (girdle - crown < Y) & (girdle + point > Y)
    ramp = str(chance.choice(HUES))
    canvas.lay(stone, ramp, (16, girdle), wide)
    canvas.flat(stone & (abs(Y - girdle) < 0.6), RAMPS[ramp][2])
    spread = wide * 0.4 * (1 - (Y - girdle) / point)
    canvas.flat(stone & (girdle < Y) & (abs(abs(X - 16) - spread) < 0.6), RAMPS[ramp][0])
    canvas.flat(ellipse(16 - wide * 0.4, girdle - crown * 0.5, 2, 1.2) & stone, (250, 250, 250))
    return canvas


def shield(chance: np.random.Generator) -> Canvas:
    """A rim, a field, and a charge on it."""
    canvas, wide, middle = Canvas(), chance.uniform(9, 12.5), 16.0
    if chance.random() < 0.35:
        outer, inner = ellipse(16, middle, wide, wide), ellipse(16, middle, wide - 2, wide - 2)
    else:
        outer, inner = (
            (abs(X - 16) < w * np.clip((28 - gap - Y) / 13, 0, 1) ** 0.6) & (4 + gap < Y)
            for w, gap in ((wide, 0), (wide - 2, 2))
        )
    canvas.lay(outer, str(chance.choice(["steel", "wood", "orange"])), (16, middle), wide)
    field, charge = chance.choice(HUES, 2, replace=False)
    canvas.lay(inner, str(field), (16, middle), wide)
    charges = (
        abs(X - 16) < 2,
        abs(Y - 13) < 2,
        abs(X - 16 - (Y - middle)) < 2.4,
        ellipse(16, 14, 4, 4),
        (abs(X - 16) < 1.6) | (abs(Y - 13) < 1.6),
    )
    canvas.lay(inner & charges[int(chance.integers(len(charges)))], str(charge), (16, middle), wide)
    return canvas


DRAWN: dict[str, Callable[[np.random.Generator], Canvas]] = {
    "gem": gem,
    "mushroom": mushroom,
    "potion": potion,
    "shield": shield,
}


def draw(out: Path) -> int:
    """Fill ``out`` with the sprites and a ``credits.csv``; returns how many there are."""
    out.mkdir(parents=True, exist_ok=True)
    names = []
    for number, (kind, drawn) in enumerate(DRAWN.items()):
        for variant in range(EACH):
            names.append(f"{kind}-{variant + 1:02}.png")
            picture = drawn(np.random.default_rng([number, variant])).outlined()
            Image.fromarray(picture).save(out / names[-1])
    with (out / "credits.csv").open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([("file", "author", "licence"), *((name, "assetgen", "CC0-1.0") for name in names)])
    return len(names)


if __name__ == "__main__":
    print(f"{sys.argv[1]}: {draw(Path(sys.argv[1]))} sprites")
