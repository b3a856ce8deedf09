"""``labels.csv`` beside two sprites: the set is listed and its types get folders, or it is refused."""

from __future__ import annotations

from asset_gen.names import slugs_of
from tests.fuzz.scratch import folder
from trainer.dataset import list_sprites

SPRITES = folder("labels")
for name in ("a.png", "b/c d.png"):
    (SPRITES / name).parent.mkdir(exist_ok=True)
    (SPRITES / name).touch()


def attack(data: bytes) -> None:
    table = SPRITES / "labels.csv"
    table.write_bytes(data)
    listed, _ = list_sprites(SPRITES)
    slugs_of(sorted({label for sprite in listed for label in sprite.types}), str(table))
