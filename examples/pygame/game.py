"""Left and right choose a type, space lets a random creature of it appear, a click puts one where the mouse is."""

from __future__ import annotations

import random
import sys
from dataclasses import dataclass
from pathlib import Path

import pygame

HERE = Path(__file__).parent
GENERATED = HERE / "assets" / "generated"
SIZE = pygame.Rect(0, 0, 640, 400)
FLOOR = pygame.Rect(0, 96, 640, 304)
MOST = 120
LOADER = "There is no loader yet. Run `assetgen integrate pygame` in this folder."
SPRITES = "There are no sprites yet. Run `assetgen batch` in this folder."

try:
    import assetgen_sprites
except ModuleNotFoundError:
    sys.exit(LOADER)


@dataclass
class Creature:
    sprite: assetgen_sprites.Sprite
    place: pygame.Rect
    speed: int  # pixels a frame


class Game:
    def __init__(self, chance: random.Random) -> None:
        self.chance = chance
        self.screen = pygame.display.set_mode(SIZE.size)
        pygame.display.set_caption("Creatures")
        self.large, self.small = pygame.font.Font(None, 40), pygame.font.Font(None, 22)
        self.sprites = assetgen_sprites.load(GENERATED)
        self.types = sorted(self.sprites)
        self.chosen = 0
        self.creatures: list[Creature] = []

    def spawn(self, x: int, y: int) -> None:
        sprite = self.chance.choice(self.sprites[self.types[self.chosen]])
        place = sprite.image.get_rect(center=(x, y)).clamp(FLOOR)
        self.creatures = [*self.creatures[-MOST + 1 :], Creature(sprite, place, self.chance.choice((-1, 1)))]

    def handle(self, event: pygame.event.Event) -> None:
        if event.type == pygame.MOUSEBUTTONDOWN:
            self.spawn(*event.pos)
        elif event.type == pygame.KEYDOWN and event.key == pygame.K_SPACE:
            self.spawn(self.chance.randrange(FLOOR.width), self.chance.randrange(FLOOR.top, FLOOR.bottom))
        elif event.type == pygame.KEYDOWN and event.key in (pygame.K_LEFT, pygame.K_RIGHT):
            self.chosen = (self.chosen + (1 if event.key == pygame.K_RIGHT else -1)) % len(self.types)

    def step(self) -> None:
        for creature in self.creatures:
            creature.place.x += creature.speed
            if not FLOOR.contains(creature.place):
                creature.speed = -creature.speed
                creature.place.clamp_ip(FLOOR)

    def draw(self) -> None:
        self.screen.fill((28, 26, 38))
        self.screen.fill((41, 38, 54), FLOOR)
        for creature in sorted(self.creatures, key=lambda creature: creature.place.bottom):  # the nearer in front
            self.screen.blit(creature.sprite.image, creature.place)
        last = self.creatures[-1].sprite if self.creatures else None
        told = f"{last.name}, score {last.score:.2f}" if last else "Press space."
        for font, text, y in ((self.large, f"<  {self.types[self.chosen]}  >", 32), (self.small, told, 66)):
            line = font.render(text, True, (230, 228, 240))
            self.screen.blit(line, line.get_rect(center=(SIZE.centerx, y)))


def main() -> None:
    pygame.init()
    try:
        game = Game(random.Random())
    except FileNotFoundError:
        sys.exit(SPRITES)
    clock = pygame.time.Clock()
    while True:
        for event in pygame.event.get():
            if event.type == pygame.QUIT or (event.type == pygame.KEYDOWN and event.key == pygame.K_ESCAPE):
                return
            game.handle(event)
        game.step()
        game.draw()
        pygame.display.flip()
        clock.tick(60)


if __name__ == "__main__":
    main()
