"""What assetgen publishes for PixiJS, in PixiJS 8, in Chromium."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

from integrations.pixi.writer import write
from tests.clients import published, web
from tests.integrations.deliveries import LABEL

if TYPE_CHECKING:
    from tests.clients.conftest import Browser, Client
    from tests.clients.published import Published

ROOT = Path(__file__).parents[2]
HERE = Path(__file__).parent / "pixi"
PROJECT = ROOT / "integrations" / "pixi" / "project"
LOADER = PROJECT / "src" / "assetgen" / "pixi.js"
USE = """\
import { Sprite, Texture } from "pixi.js";
import { load, Sprites } from "./pixi.js";

export async function creature(): Promise<Sprite> {
  const sprites: Sprites = await load("assets/generated");
  const names: readonly string[] = sprites.names(sprites.types()[0] ?? "dragon");
  const texture: Texture = sprites.random("dragon", () => 0.5);
  const sprite = new Sprite({ texture, label: `${names.length} ${sprites.label("dragon")}` });
  sprite.alpha = sprites.score(String(texture.label));
  return sprite;
}
"""
MISUSE = {
    "load(7)": "is not assignable to parameter of type 'string'",
    "sprites.names()": "Expected 1 arguments",
    "sprites.random('dragon').name.length": "Property 'name' does not exist",
}


@pytest.fixture(scope="module")
def packages(client: Client) -> Path:
    return web.find_packages(client)


@pytest.fixture(scope="module")
def batch(tmp_path_factory: pytest.TempPathFactory) -> Published:
    return published.publish(tmp_path_factory.mktemp("pixi") / "game", "pixi", web.OUT)


def test_every_sprite_has_its_name_type_score_and_pixels(
    browser: Browser, packages: Path, batch: Published, tmp_path: Path
) -> None:
    game = web.game_of(tmp_path / "game", packages, HERE, PROJECT, batch.project)
    with web.serve(game) as address:
        seen = web.probe(browser, f"{address}/index.html")
    sprites = web.sprites_of(seen)
    assert (seen["version"], seen["renderer"]) == ("8.22.0", "webgl")
    assert seen["types"] == sorted({sprite.type for sprite in batch.sprites.values()})
    assert sorted(sprites) == sorted(batch.sprites)
    for name, sprite in batch.sprites.items():
        assert (sprites[name].type, sprites[name].score) == (sprite.type, pytest.approx(sprite.score, abs=1e-4))
        np.testing.assert_array_equal(sprites[name].pixels, web.visible(sprite.pixels), name)


def test_trimmed_combined_and_shared_sprites_look_as_they_should(
    browser: Browser, packages: Path, tmp_path: Path
) -> None:
    game = web.game_of(web.deliver(tmp_path / "game", write), packages, HERE, PROJECT)
    with web.serve(game) as address:
        seen = web.probe(browser, f"{address}/index.html")
    sprites = web.sprites_of(seen)
    expected = web.delivered()
    assert sorted(sprites) == sorted(expected)
    for name, pixels in expected.items():
        np.testing.assert_array_equal(sprites[name].pixels, pixels, name)
    assert seen["types"] == ["bat", "cat", "gem", "imp", "orb"]
    labels = {sprite.type: sprite.label for sprite in sprites.values()}
    assert labels == {"imp": LABEL, "orb": "orb", "bat": "bat", "cat": "cat", "gem": "Gem"}
    assert [name for name in sprites if name.startswith("imp")] == [f"imp_{n:06d}" for n in (0, 1, 2, 4)]
    assert seen["random"] == ["orb_000000", "orb_000001", "orb_000001"]
    assert seen["cached"], "textures have their names in PixiJS's own cache, too"
    no_type = 'There are no sprites of type "no such"; there are: bat, cat, gem, imp, orb.'
    assert seen["unknown"] == [no_type, no_type, 'There is no sprite "no such".']


@pytest.mark.parametrize("path", ["imp/imp.pixi.json", "imp/imp_2.pixi.json", "orb/orb.pixi.json", "all.pixi.json"])
def test_one_sheet_loads_without_the_loader_and_brings_its_types_others_along(
    browser: Browser, packages: Path, tmp_path: Path, path: str
) -> None:
    game = web.game_of(web.deliver(tmp_path / "game", write), packages, HERE, PROJECT)
    with web.serve(game) as address:
        sprites = web.sprites_of(web.probe(browser, f"{address}/index.html?only={path}"))
    kinds = {"bat", "cat"} if path.startswith("all") else {path.partition("/")[0]}
    expected = {name: pixels for name, pixels in web.delivered().items() if name.partition("_")[0] in kinds}
    assert sorted(sprites) == sorted(expected)
    for name, pixels in expected.items():
        np.testing.assert_array_equal(sprites[name].pixels, pixels, name)


@pytest.mark.parametrize("path", ["sprites.pixi.json", "imp/imp_2.pixi.json", "imp/imp_2.png"])
def test_what_is_missing_is_named(browser: Browser, packages: Path, tmp_path: Path, path: str) -> None:
    game = web.game_of(web.deliver(tmp_path / "game", write), packages, HERE, PROJECT)
    (game / web.OUT / path).unlink()
    with web.serve(game) as address:
        seen = web.probe(browser, f"{address}/index.html")
    assert path in seen["error"]


def typed_project(folder: Path, packages: Path) -> Path:
    """A TypeScript project with the loader's types, and PixiJS."""
    (folder / "node_modules").symlink_to(packages)
    for path in (LOADER, LOADER.with_suffix(".d.ts")):
        shutil.copy(path, folder)
    return folder


def test_the_types_are_those_of_the_code(packages: Path, tmp_path: Path) -> None:
    folder = typed_project(tmp_path, packages)
    committed = (folder / "pixi.d.ts").read_text()
    (folder / "pixi.d.ts").unlink()
    options = ("--allowJs", "--checkJs", "--declaration", "--emitDeclarationOnly")
    assert not web.compile_types(packages, folder, ["pixi.js"], *options)
    assert (folder / "pixi.d.ts").read_text() == committed


def test_a_typed_game_compiles_and_a_wrong_one_does_not(packages: Path, tmp_path: Path) -> None:
    folder = typed_project(tmp_path, packages)
    (folder / "game.ts").write_text(USE)
    assert not web.compile_types(packages, folder, ["game.ts"], "--noEmit")
    for wrong, complaint in MISUSE.items():
        (folder / "game.ts").write_text(USE.replace("const names:", f"{wrong};\n  const names:"))
        told = web.compile_types(packages, folder, ["game.ts"], "--noEmit")
        assert complaint in told and len(told.splitlines()) <= 2, told
