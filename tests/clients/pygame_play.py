"""Plays examples/pygame for a moment: ``pygame_play.py PICTURE TYPES EACH FRAMES``, in the game's folder."""

from __future__ import annotations

import random
import sys

import game  # type: ignore[import-not-found, unused-ignore]  # the example in the working folder
import pygame

picture, types, each, frames = sys.argv[1], *map(int, sys.argv[2:5])
pygame.init()
played = game.Game(random.Random(7))
for number in range(types):
    keys = [pygame.K_SPACE] * each + ([pygame.K_RIGHT] if number < types - 1 else [])
    for key in keys:
        played.handle(pygame.event.Event(pygame.KEYDOWN, key=key))
for _ in range(frames):
    played.step()
    played.draw()
pygame.image.save(played.screen, picture)
