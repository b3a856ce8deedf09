"""``assetgen.toml``: read, or refused."""

from __future__ import annotations

from asset_gen.recipe import NAME, read_recipe, settings_of
from tests.fuzz.scratch import folder

PROJECT = folder("recipe")


def attack(data: bytes) -> None:
    (PROJECT / NAME).write_bytes(data)
    settings_of(read_recipe(PROJECT))
