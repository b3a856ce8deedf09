"""What assetgen publishes for Phaser, in Phaser 4 and 3, in Chromium."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

from integrations.aseprite.writer import write as write_aseprite
from integrations.phaser.writer import write
from tests.clients import published, web
from tests.clients.pictures import is_on
from tests.integrations.deliveries import LABEL

if TYPE_CHECKING:
    from tests.clients.conftest import Browser, Client
    from tests.clients.published import Published

ROOT = Path(__file__).parents[2]
HERE = Path(__file__).parent / "phaser"
PROJECT = ROOT / "integrations" / "phaser" / "project"
LOADER = PROJECT / "src" / "assetgen" / "phaser.js"
EXAMPLE = ROOT / "examples" / "phaser"
VERSIONS = {"": "4.2.1", "?phaser3": "3.90.0"}
USE = """\
import * as Phaser from "phaser";
import { preload, Sprites } from "./phaser.js";

export class Game extends Phaser.Scene {
  sprites?: Sprites;
  preload() { this.sprites = preload(this, "assets/generated"); }
  create() {
    const sprites: Sprites = this.sprites ?? new Sprites(this.textures);
    const names: readonly string[] = sprites.names(sprites.types()[0] ?? "dragon");
    const name: string = sprites.random("dragon", () => Phaser.Math.RND.frac());
    this.add.image(0, 0, sprites.key, name).setName(`${names.length} ${sprites.label("dragon")}`);
    this.add.image(0, 0, sprites.key, sprites.random()).setAlpha(sprites.score(name));
  }
}
"""
NEXT_FRAME = """new Promise(done => {
  globalThis.creatures.events.once("poststep", () => globalThis.creatures.events.once("postrender", () => {
    requestAnimationFrame(done);
  }));
})"""
MISUSE = {
    "preload(this, 7)": "is not assignable to parameter of type 'string'",
    "preload({})": "missing the following properties from type 'Scene'",
    "new Sprites(this.textures).names()": "Expected 1 arguments",
    "new Sprites(this.textures).random('dragon').x": "Property 'x' does not exist on type 'string'",
    "new Sprites(this.textures).key = 'other'": "read-only",
}


@pytest.fixture(scope="module")
def packages(client: Client) -> Path:
    return web.find_packages(client)


@pytest.fixture(scope="module")
def batch(tmp_path_factory: pytest.TempPathFactory) -> Published:
    return published.publish(tmp_path_factory.mktemp("phaser") / "game", "phaser", web.OUT)


@pytest.fixture(params=VERSIONS)
def version(request: pytest.FixtureRequest) -> str:
    """The part of the probe's address that asks for a version of Phaser."""
    return str(request.param)


def test_every_sprite_has_its_name_type_score_and_pixels(
    browser: Browser, packages: Path, batch: Published, version: str, tmp_path: Path
) -> None:
    game = web.game_of(tmp_path / "game", packages, HERE, PROJECT, batch.project)
    with web.serve(game) as address:
        seen = web.probe(browser, f"{address}/index.html{version}")
    sprites = web.sprites_of(seen)
    assert (seen["version"], seen["renderer"]) == (VERSIONS[version], 2)
    assert seen["types"] == sorted({sprite.type for sprite in batch.sprites.values()})
    assert sorted(sprites) == sorted(batch.sprites)
    for name, sprite in batch.sprites.items():
        assert (sprites[name].type, sprites[name].score) == (sprite.type, pytest.approx(sprite.score, abs=1e-4))
        np.testing.assert_array_equal(sprites[name].pixels, web.visible(sprite.pixels), name)


def test_trimmed_combined_and_shared_sprites_look_as_they_should(
    browser: Browser, packages: Path, version: str, tmp_path: Path
) -> None:
    game = web.game_of(web.deliver(tmp_path / "game", write), packages, HERE, PROJECT)
    with web.serve(game) as address:
        seen = web.probe(browser, f"{address}/index.html{version}")
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
    assert seen["unknown"] == [
        'There are no sprites of type "no such"; there are: bat, cat, gem, imp, orb.',
        'There is no sprite "no such".',
    ]


def test_the_loaders_path_comes_first_and_a_prefix_does_no_harm(
    browser: Browser, packages: Path, version: str, tmp_path: Path
) -> None:
    game = web.game_of(web.deliver(tmp_path / "game", write), packages, HERE, PROJECT)
    with web.serve(game) as address:
        seen = web.probe(browser, f"{address}/index.html?{version[1:]}&path=generated")
    assert seen["prefix"] == "my_", "as it was"
    assert sorted(web.sprites_of(seen)) == sorted(web.delivered())


@pytest.mark.parametrize("path", ["sprites.phaser.json", "imp/imp_2.png"])
def test_what_is_missing_is_said_where_sprites_are_used(
    browser: Browser, packages: Path, version: str, tmp_path: Path, path: str
) -> None:
    game = web.game_of(web.deliver(tmp_path / "game", write), packages, HERE, PROJECT)
    (game / web.OUT / path).unlink()
    with web.serve(game) as address:
        seen = web.probe(browser, f"{address}/index.html{version}")
    assert "run `assetgen batch --target phaser`" in seen["error"]


def test_phaser_reads_the_json_of_aseprite(browser: Browser, packages: Path, version: str, tmp_path: Path) -> None:
    game = web.game_of(web.deliver(tmp_path / "game", write_aseprite), packages, HERE)
    with web.serve(game) as address:
        page = browser.open(f"{address}/aseprite.html{version}")
        page.wait_for("globalThis.seen")
        seen = page.evaluate("seen")
    document = json.loads((game / web.OUT / "all.aseprite.json").read_text())
    assert seen["frames"] == [[entry["frame"][side] for side in "xywh"] for entry in document["frames"]]
    tags = {tag["name"]: tag["to"] - tag["from"] + 1 for tag in document["meta"]["frameTags"]}
    assert seen["animations"] == tags and len(tags) > 1


def typed_project(folder: Path, packages: Path, phaser: str) -> Path:
    """A TypeScript project with the loader's types, and a Phaser."""
    (folder / "node_modules").mkdir(parents=True)
    (folder / "node_modules" / "phaser").symlink_to(packages / phaser)
    for path in (LOADER, LOADER.with_suffix(".d.ts")):
        shutil.copy(path, folder)
    return folder


def test_the_types_are_those_of_the_code(packages: Path, tmp_path: Path) -> None:
    folder = typed_project(tmp_path, packages, "phaser")
    committed = (folder / "phaser.d.ts").read_text()
    (folder / "phaser.d.ts").unlink()
    options = ("--allowJs", "--checkJs", "--declaration", "--emitDeclarationOnly")
    assert not web.compile_types(packages, folder, ["phaser.js"], *options)
    assert (folder / "phaser.d.ts").read_text() == committed


@pytest.mark.parametrize("phaser", ["phaser", "phaser3"])
def test_a_typed_game_compiles_and_a_wrong_one_does_not(packages: Path, tmp_path: Path, phaser: str) -> None:
    folder = typed_project(tmp_path, packages, phaser)
    (folder / "game.ts").write_text(USE)
    assert not web.compile_types(packages, folder, ["game.ts"], "--noEmit")
    for wrong, complaint in MISUSE.items():
        (folder / "game.ts").write_text(USE.replace("const sprites:", f"{wrong};\n    const sprites:"))
        told = web.compile_types(packages, folder, ["game.ts"], "--noEmit")
        assert complaint in told and len(told.splitlines()) <= 2, told


def test_the_example_shows_a_creature_of_the_chosen_type(
    browser: Browser, packages: Path, batch: Published, tmp_path: Path
) -> None:
    game = web.game_of(tmp_path / "game", packages, EXAMPLE, PROJECT, batch.project)
    with web.serve(game) as address:
        page = browser.open(f"{address}/index.html", width=640, height=400)
        page.wait_for("document.querySelector('canvas') && globalThis.creatures?.scene.isActive('creatures')")
        for key in ("ArrowRight", " "):
            page.press(key)
            page.evaluate(NEXT_FRAME)  # Phaser takes keys of one frame twice
        page.wait_for("globalThis.creatures.scene.keys.creatures.creatures.length === 1")
        page.evaluate(NEXT_FRAME)
        picture = page.screenshot()
    second = sorted({sprite.type for sprite in batch.sprites.values()})[1]
    shown = [sprite for sprite in batch.sprites.values() if is_on(picture, sprite.pixels)]
    assert [sprite.type for sprite in shown] == [second]


@pytest.mark.parametrize(
    ("missing", "cure"),
    [("src/assetgen", "assetgen integrate phaser"), ("node_modules", "npm install"), (web.OUT, "assetgen batch")],
)
def test_the_example_says_what_is_missing(
    browser: Browser, packages: Path, batch: Published, tmp_path: Path, missing: str, cure: str
) -> None:
    game = web.game_of(tmp_path / "game", packages, EXAMPLE, PROJECT, batch.project)
    (game / missing).rename(tmp_path / "away")
    with web.serve(game) as address:
        page = browser.open(f"{address}/index.html", width=640, height=400)
        page.wait_for("document.querySelector('p')")
        assert f"`{cure}`" in page.evaluate("document.querySelector('p').textContent")
        assert not page.evaluate("document.querySelector('canvas')")
