"""What assetgen publishes for Godot, in Godot: 4.6's official web runtime in Chromium, and Debian's Godot 3.

Godot 4's editor isn't to be had here. So stand-ins take the place of the editor's classes that the add-on uses, and a
file takes the place of the pipe from the program. How the editor itself treats the add-on isn't tested.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from asset_gen.cli import run as run_command_line
from integrations.godot import tileset, writer
from tests.clients import godot_web
from tests.integrations.test_godot import CELL, delivery

if TYPE_CHECKING:
    from tests.clients.conftest import Browser, Client, Page

ROOT = Path(__file__).parents[2]
HERE = Path(__file__).parent
ADDONS = ROOT / "integrations" / "godot" / "project" / "addons"
EXAMPLE = ROOT / "examples" / "godot"
GENERATED = Path("assets", "generated")
RUNTIME = Path(os.environ.get("ASSETGEN_CLIENTS", Path.home() / ".cache" / "assetgen-clients")) / "godot-4.6"
SCRIPTS = sorted(path for folder in (ADDONS, EXAMPLE, HERE / "godot") for path in folder.rglob("*.gd"))
WIDTH, HEIGHT = 640, 480  # CSS pixels of the page
HEIGHT_OF_EXAMPLE = 360

BROKEN = {
    "cut.assetgen": ('{"format": 1, "types": [', "res://broken/cut.assetgen, line 1:"),
    "empty.assetgen": ("", "res://broken/empty.assetgen, line"),
    "newer.assetgen": ('{"format": 2, "types": []}', "has the format 2"),
    "text.assetgen": ('{"format": "1", "types": []}', "has the format 1, not 1."),
    "array.assetgen": ("[]", "has the format <null>"),
    "untyped.assetgen": ('{"format": 1, "types": [{"sprites": []}]}', "isn't a list of sprites"),
    "table.assetgen": ('{"format": 1, "types": {}}', "isn't a list of sprites"),
    "bare.assetgen": ('{"format": 1, "types": [{"type": "a", "sprites": [{"name": "a_0"}]}]}', "isn't a list of"),
}
"""Name → a damaged list, and a part of what the builder says of it."""
SPRITE = {"name": "imp_0", "image": "../imp.png", "region": [0, 0, 8, 8], "score": 1.0}
for name, change, told in (
    ("outside", {"region": [4, 0, 8, 8]}, "imp_0 lies outside its sheet res://imp.png"),
    ("flat", {"region": [0, 0, 8, 0]}, "imp_0 lies outside its sheet"),
    ("three", {"region": [0, 0, 8]}, "isn't a list of sprites"),
    ("sheetless", {"image": "none.png"}, "its sheet res://broken/none.png can't be loaded"),
):
    types = [{"type": "imp", "label": "Imp", "sprites": [SPRITE | change]}]
    BROKEN[f"{name}.assetgen"] = (json.dumps({"format": 1, "types": types}), told)

PIPE = """progress: drawing candidates 0/200
assetgen: something a person should read
progress: drawing candidates 200/200
51 sprites of 17 types
"""


@dataclass(frozen=True)
class Sprite:
    """What Godot should see of a sprite."""

    name: str
    type: str
    score: float
    size: tuple[int, int]
    pixels: NDArray[np.uint8]
    """RGBA [h, w, 4], without what was trimmed."""


@dataclass(frozen=True)
class Seen:
    """What Godot has printed and shown."""

    printed: dict[str, Any]
    complaints: list[str]
    screen: NDArray[np.uint8]
    """RGB [h, w, 3]."""


@pytest.fixture(scope="session")
def runtime(client: Client) -> Path:
    """The folder of Godot's web runtime, its hashes checked."""
    wrong = godot_web.find_wrong_file(RUNTIME)
    return RUNTIME if wrong is None else client(f"{RUNTIME / wrong} (Godot 4.6, unchanged)")


def game_of(folder: Path, files: Mapping[str, bytes] | None = None) -> Path:
    """The project of the probe with the add-on, and these files among the generated ones."""
    shutil.copytree(HERE / "godot", folder)
    shutil.copytree(ADDONS, folder / "addons")
    for path, data in (files or {}).items():
        (folder / GENERATED / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / GENERATED / path).write_bytes(data)
    return folder


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A Godot project into which the command line has published 51 sprites. Read only."""
    project = game_of(tmp_path_factory.mktemp("godot") / "game")
    targets = ["--target", "godot", "--target", "godot-tileset"]
    assert run_command_line(["batch", "--count", "51", "--scale", "2", "--project", str(project), *targets, "-q"]) == 0
    return project


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A Godot project with the golden delivery: trimmed sprites, an alias, several types on a sheet. Read only."""
    files = {**writer.write(delivery()), **tileset.write(delivery())}
    project = game_of(tmp_path_factory.mktemp("godot") / "drawn", files)
    random = np.random.default_rng(1)
    for sheet in delivery().sheets:
        picture = random.integers(0, 256, (sheet.height, sheet.width, 4), np.uint8)
        picture[..., 3] = np.where(picture[..., 3] < 64, 0, 255)
        (project / GENERATED / sheet.image).parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(picture).save(project / GENERATED / sheet.image)
    return project


def sprites_in_manifest(project: Path) -> dict[str, Sprite]:
    """Every published sprite, by name, its pixels cut from its sheet."""
    manifest = json.loads((project / GENERATED / "manifest.json").read_text(encoding="utf-8"))
    sprites = {}
    for sheet in manifest["sheets"]:
        picture = np.array(Image.open(project / GENERATED / sheet["image"]).convert("RGBA"))
        for sprite in sheet["sprites"]:
            x, y, width, height = sprite["rect"]
            pixels = picture[y : y + height, x : x + width]
            sprites[sprite["name"]] = Sprite(sprite["name"], sprite["type"], sprite["score"], (width, height), pixels)
    return sprites


def sprites_in_delivery(project: Path) -> dict[str, Sprite]:
    sprites = {}
    for sheet in delivery().sheets:
        picture = np.array(Image.open(project / GENERATED / sheet.image))
        for region in sheet.regions:
            pixels = picture[region.y : region.y + region.height, region.x : region.x + region.width]
            size = region.source or (region.width, region.height)
            sprites[region.name] = Sprite(region.name, region.type, region.score, size, pixels)
    return sprites


def run_probe(browser: Browser, runtime: Path, project: Path) -> Seen:
    blank = Image.new("RGBA", (CELL, CELL), "red")
    blank.save(sheet := project.with_suffix(".png"))
    extra = {f"broken/{name}": text.encode() for name, (text, _) in BROKEN.items()}
    extra |= {"imp.png": sheet.read_bytes(), "pipe.txt": PIPE.encode()}
    with godot_web.serve(runtime, godot_web.export(project, extra), WIDTH, HEIGHT) as address:
        page = browser.open(address, width=WIDTH, height=HEIGHT)
        page.wait_for("printed.some(line => line.startsWith('PROBE')) || complaints.some(c => c.includes('SCRIPT'))")
        lines, complaints = page.evaluate("[printed, complaints]")
        probe = [line.removeprefix("PROBE ") for line in lines if line.startswith("PROBE ")]
        assert probe, complaints
        return Seen(json.loads(probe[0]), complaints, page.screenshot())


@pytest.fixture(scope="module", params=["published", "drawn"])
def project(request: pytest.FixtureRequest) -> Path:
    return Path(request.getfixturevalue(request.param))


@pytest.fixture(scope="module")
def sprites(project: Path) -> dict[str, Sprite]:
    return (sprites_in_manifest if (project / GENERATED / "manifest.json").exists() else sprites_in_delivery)(project)


@pytest.fixture(scope="module")
def seen(launch: Callable[[float], Browser], runtime: Path, project: Path) -> Iterator[Seen]:
    """What Godot 4.6 has seen of a project."""
    browser = launch(1)
    yield run_probe(browser, runtime, project)
    browser.close_pages()


def assert_same(found: Mapping[str, Any], sprite: Sprite, *, size: tuple[int, int] | None = None) -> None:
    """Godot's view of a sprite, down to every pixel that can be seen."""
    assert (found["name"], found["type"]) == (sprite.name, sprite.type)
    assert found["score"] == pytest.approx(sprite.score, abs=0.0001)
    assert tuple(found["size"]) == (size or sprite.size)
    visible = np.where(sprite.pixels[..., 3:] == 255, sprite.pixels, 0)
    assert set(np.unique(sprite.pixels[..., 3])) <= {0, 255} and visible.any()
    assert found["pixels"] == sha256(visible.tobytes()).hexdigest(), f"other pixels: {sprite.name}"


def test_it_is_the_runtime_of_4_6(seen: Seen) -> None:
    assert seen.printed["version"].startswith("4.6-stable")


@pytest.mark.parametrize("source", ["frames", "built", "imported"])
def test_sprite_frames_hold_every_sprite_of_their_type(seen: Seen, sprites: dict[str, Sprite], source: str) -> None:
    """``frames``: what the target wrote; ``built``: by the add-on from the list; ``imported``: saved and loaded."""
    assert seen.printed["built_error"] == ""
    by_type = {**seen.printed, **seen.printed["plugin"]}[source]
    found = [sprite for frames in by_type.values() for sprite in frames]
    assert sorted(sprite["name"] for sprite in found) == sorted(sprites)
    for sprite in found:
        assert_same(sprite, sprites[sprite["name"]])
    assert all(sprite["type"] == kind for kind, frames in by_type.items() for sprite in frames)


def test_every_sprite_is_an_atlas_texture_file(seen: Seen, sprites: dict[str, Sprite]) -> None:
    assert sorted(seen.printed["regions"]) == sorted(f"{name}.tres" for name in sprites)
    for sprite in seen.printed["regions"].values():
        assert_same(sprite, sprites[sprite["name"]])


def test_every_sprite_is_a_tile_that_knows_its_type(seen: Seen, sprites: dict[str, Sprite]) -> None:
    tiles = [tile for kind in seen.printed["tiles"].values() for tile in kind]
    assert sorted(tile["name"] for tile in tiles) == sorted(sprites)
    for tile in tiles:
        height, width, _ = sprites[tile["name"]].pixels.shape
        assert_same(tile, sprites[tile["name"]], size=(width, height))


def test_three_sprites_are_on_screen_pixel_for_pixel(seen: Seen, sprites: dict[str, Sprite]) -> None:
    """From SpriteFrames, from an AtlasTexture, from a TileSet."""
    assert len(set(seen.printed["shown"])) == 3
    for number, name in enumerate(seen.printed["shown"]):
        pixels = sprites[name].pixels
        height, width, _ = pixels.shape
        shot = seen.screen[8 : 8 + height, 8 + 200 * number :][:, :width]
        opaque = pixels[..., 3] == 255
        assert opaque.any()
        assert np.array_equal(shot[opaque], pixels[opaque, :3]), name


def test_godot_complains_of_nothing_but_the_missing_program(seen: Seen) -> None:
    errors = [line for line in seen.complaints if not line.startswith("   at:")]
    assert errors == [
        "ERROR: OS::execute_with_pipe is not available on the Web platform.",
        "ERROR: res://broken/outside.assetgen: imp_0 lies outside its sheet res://imp.png. Run `assetgen batch` again.",
    ]


def test_the_builder_names_what_is_wrong_with_a_list(seen: Seen) -> None:
    """Also a region outside its sheet, which Godot itself takes in silence."""
    assert set(seen.printed["broken"]) == set(BROKEN)
    for name, (_, told) in BROKEN.items():
        assert told in seen.printed["broken"][name], name


def test_the_plugin_adds_its_parts_and_takes_them_away(seen: Seen, sprites: dict[str, Sprite]) -> None:
    """With stand-ins for the four classes of the editor that it uses, in ``godot/stubs``."""
    plugin = seen.printed["plugin"]
    assert plugin["docks"] == ["AssetGen"] and plugin["extensions"] == ["assetgen"] and plugin["type"]
    assert plugin["settings"] == {"assetgen/command": "assetgen"}
    assert plugin["types"] == len({sprite.type for sprite in sprites.values()})
    assert (plugin["error"], plugin["refused"], plugin["left"]) == (0, 16, 0)  # OK, ERR_FILE_CORRUPT


def test_the_dock_previews_by_type(seen: Seen, sprites: dict[str, Sprite]) -> None:
    dock = seen.printed["dock"]
    assert dock["types"] == sorted({sprite.type for sprite in sprites.values()})
    expected = [f"{sprite.name}\nscore {sprite.score:.2f}" for sprite in sprites.values()]
    assert [text.split("\n")[0] for text in dock["tooltips"]] == [text.split("\n")[0] for text in sorted(expected)]


def test_the_dock_says_what_to_do_where_the_program_is_not_found(seen: Seen) -> None:
    assert "assetgen can't be started. Install it" in seen.printed["dock"]["status"]


def test_the_dock_asks_before_it_replaces_and_tells_what_was_done(seen: Seen) -> None:
    dock = seen.printed["dock"]
    assert dock["asked"] == "12 published sprites would be replaced."
    assert dock["done"] == "5 sprites added, 7 as they were, in assets/generated\na.tres was edited"
    assert dock["generated"] == 1
    assert dock["failed"] == "assetgen: no such model"


def test_the_dock_reads_progress_from_the_pipe_and_keeps_the_rest(seen: Seen) -> None:
    command = seen.printed["command"]
    assert command["progress"] == [["drawing candidates", 0, 200], ["drawing candidates", 200, 200]]
    assert command["rest"].splitlines() == ["assetgen: something a person should read", "51 sprites of 17 types"]


def test_the_program_takes_what_the_dock_calls_it_with(seen: Seen, tmp_path: Path) -> None:
    empty, filled = seen.printed["dock"]["arguments"], seen.printed["dock"]["filled"]
    assert empty == ["batch", "--json", "--project", "/games/my game"]
    assert filled == [*empty, "--count", "7", "--types", "dragon=3,undead=4", "--yes"]
    for arguments in (empty, filled):
        in_reach = [str(tmp_path) if argument == "/games/my game" else argument for argument in arguments]
        assert run_command_line([*in_reach, "--dry-run"]) == 0


def packed(colours: NDArray[np.uint8]) -> NDArray[np.uint32]:
    """RGB or RGBA [h, w, 3 or 4] as one number a pixel [h, w]; alpha is left out."""
    red, green, blue = (colours[..., channel].astype(np.uint32) for channel in range(3))
    return (red << 16) | (green << 8) | blue


def find_on(screen: NDArray[np.uint32], sprite: NDArray[np.uint8], zoom: int) -> bool:
    """Whether a sprite RGBA [h, w, 4], enlarged, is anywhere on a packed screen, every opaque pixel of it."""
    colours, opaque = packed(sprite), np.argwhere(sprite[..., 3] == 255)
    assert len(opaque) > 0
    height, width = (whole - side * zoom + 1 for whole, side in zip(screen.shape, sprite.shape, strict=False))
    top, left = opaque[0]
    places = np.argwhere(screen[top * zoom :, left * zoom :][:height, :width] == colours[top, left])
    for row, column in opaque[1:]:
        there = screen[places[:, 0] + row * zoom, places[:, 1] + column * zoom] == colours[row, column]
        places = places[there]
    return len(places) > 0


def press(page: Page, key: str) -> None:
    for kind in ("keyDown", "keyUp"):
        page.call("Input.dispatchKeyEvent", type=kind, key=key, code=f"Digit{key}", windowsVirtualKeyCode=ord(key))


def until(condition: Callable[[], bool]) -> None:
    """Waits for what shows on a screen that is drawn in software, on a machine that may be busy."""
    deadline = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < deadline, "it never came true"
        time.sleep(0.1)


@contextmanager
def playing(browser: Browser, runtime: Path, game: Path) -> Iterator[Page]:
    """The example game, once it has written its first words into the upper left corner."""
    with godot_web.serve(runtime, godot_web.export(game, {}), WIDTH, HEIGHT_OF_EXAMPLE) as address:
        page = browser.open(address, width=WIDTH, height=HEIGHT_OF_EXAMPLE)
        page.wait_for("printed.length >= 3 || complaints.length")
        until(lambda: page.screenshot()[:24, :200].max() > 200)
        page.evaluate("canvas.focus()")
        yield page
        assert page.evaluate("complaints") == []


def test_the_example_spawns_a_creature_of_the_type_of_the_key(
    browser: Browser, runtime: Path, published: Path, tmp_path: Path
) -> None:
    game = Path(shutil.copytree(EXAMPLE, tmp_path / "game", ignore=shutil.ignore_patterns("assets", ".*")))
    shutil.copytree(published / GENERATED, game / GENERATED)
    sprites = sprites_in_manifest(published).values()
    kinds = sorted({sprite.type for sprite in sprites})

    def on_screen() -> set[str]:
        screen = packed(page.screenshot())
        return {sprite.type for sprite in sprites if find_on(screen, sprite.pixels, 2)}

    with playing(browser, runtime, game) as page:
        assert not on_screen()
        press(page, "3")
        until(lambda: bool(on_screen()))
        assert on_screen() == {kinds[2]}


def test_the_example_without_sprites_says_how_to_make_them(browser: Browser, runtime: Path, tmp_path: Path) -> None:
    game = Path(shutil.copytree(EXAMPLE, tmp_path / "game", ignore=shutil.ignore_patterns("assets", ".*")))
    with playing(browser, runtime, game) as page:
        press(page, "1")
        below = page.screenshot()[32:-8, 8:-8]
        assert (below == below[0, 0]).all(), "no button, no creature"


def test_all_gdscript_parses(client: Client) -> None:
    if find_spec("gdtoolkit") is None:
        client("gdparse")
    assert {"plugin.gd", "importer.gd", "builder.gd", "command.gd", "dock.gd", "main.gd"} <= {s.name for s in SCRIPTS}
    parsed = subprocess.run([sys.executable, "-m", "gdtoolkit.parser", *SCRIPTS], capture_output=True, text=True)
    assert parsed.returncode == 0, parsed.stdout + parsed.stderr


def run_godot_3(program: Path, project: Path, home: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Runs it to its end; its settings and caches stay below ``home``."""
    home.mkdir(exist_ok=True)
    environment = {**os.environ, "HOME": str(home)}
    command = [program, "--path", project, *arguments]
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60)


def import_with_godot_3(program: Path, project: Path, home: Path) -> None:
    """Lets the editor import the sheets.

    The 3.2.3 of Debian may quit before it has scanned the project, or crash while it quits, in the thread that draws
    thumbnails. So what counts is what it has imported.
    """
    for _ in range(5):
        ended = run_godot_3(program, project, home, "--editor", "--quit")
        if all(b"dest_files" in path.read_bytes() for path in project.rglob("*.png.import")):
            return
    pytest.fail(f"Godot 3 has not imported the sheets: {ended.stdout}{ended.stderr}")


def test_godot_3_imports_the_sheets_unfiltered_and_reads_every_sprite(client: Client, tmp_path: Path) -> None:
    project = Path(shutil.copytree(HERE / "godot3", tmp_path / "game"))
    rest = ["--scale", "2", "--project", str(project), "--target", "godot3", "-q"]
    assert run_command_line(["batch", "--count", "51", *rest]) == 0
    program = client("godot3-server")
    import_with_godot_3(program, project, tmp_path / "home")
    ended = run_godot_3(program, project, tmp_path / "home", "--script", "probe.gd")
    lines = [line for line in ended.stdout.splitlines() if line.startswith("PROBE ")]
    assert ended.returncode == 0 and len(lines) == 1, ended.stdout + ended.stderr
    found = json.loads(lines[0].removeprefix("PROBE "))
    sprites = sprites_in_manifest(project)
    assert set(found["filter"].values()) == {False}
    frames = [sprite for kind in found["frames"].values() for sprite in kind]
    for entries in (frames, found["regions"].values()):
        assert sorted(sprite["name"] for sprite in entries) == sorted(sprites)
        for sprite in entries:
            assert_same(sprite, sprites[sprite["name"]])
    imports = {path: path.read_bytes() for path in project.rglob("*.png.import")}
    assert len(imports) == len({sprite.type for sprite in sprites.values()})
    assert run_command_line(["batch", "--count", "55", *rest]) == 0
    assert {path: path.read_bytes() for path in imports} == imports
