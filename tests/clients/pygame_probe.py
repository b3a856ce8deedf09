"""Loads published sprites with our loader: run in a process of its own, as ``pygame_probe.py FOLDER``, with the dummy
video driver. Prints a JSON line for each sprite: name, type, score, size, and its RGBA bytes.
"""

from __future__ import annotations

import base64
import json
import sys

import assetgen_sprites  # type: ignore[import-not-found, unused-ignore]  # installed into the game that is tested
import pygame

pygame.display.init()
pygame.display.set_mode((64, 64))
assert pygame.display.get_driver() == "dummy"
for kind, sprites in assetgen_sprites.load(sys.argv[1]).items():
    for sprite in sprites:
        assert sprite.type == kind
        data = base64.b64encode(pygame.image.tobytes(sprite.image, "RGBA")).decode()
        print(json.dumps([sprite.name, sprite.type, sprite.score, sprite.image.get_size(), data]))
