"""The sprites that ``assetgen batch --target pygame`` has published: ``load("assets/generated")["dragon"]``."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path

import pygame


@dataclass(frozen=True)
class Sprite:
    name: str
    type: str
    score: float  # p(type | sprite), 0-1
    image: pygame.Surface


def load(folder: str | os.PathLike[str]) -> dict[str, list[Sprite]]:
    """Type -> its sprites, in the order of their slots. Call it after ``pygame.display.set_mode``.

    Raises FileNotFoundError where nothing is published, ValueError where this loader is too old.
    """
    document = json.loads((Path(folder) / "sprites.pygame.json").read_text(encoding="utf-8"))
    if document["format"] != 1:
        raise ValueError("sprites.pygame.json is newer than this loader: run `assetgen integrate pygame`")
    sprites: dict[str, list[Sprite]] = {}
    for sheet in document["sheets"]:
        picture = pygame.image.load(Path(folder) / sheet["image"]).convert_alpha()
        for entry in sheet["sprites"]:
            image = picture.subsurface(entry["rect"])
            if "size" in entry:  # trimmed: put back what was cut off
                image = pygame.Surface(entry["size"], pygame.SRCALPHA)
                image.blit(picture, entry["offset"], entry["rect"])
            sprite = Sprite(entry["name"], entry["type"], entry["score"], image)
            sprites.setdefault(sprite.type, []).append(sprite)
    return sprites
