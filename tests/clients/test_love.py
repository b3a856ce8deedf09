"""What assetgen publishes for LÖVE, in LÖVE, in a window of a virtual screen."""

from __future__ import annotations

import base64
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from asset_gen.sheet import paint
from integrations.love.writer import write
from tests.clients import published
from tests.clients.pictures import colours, is_on
from tests.integrations.deliveries import CELL, LABEL, grid

if TYPE_CHECKING:
    from tests.clients.conftest import Client
    from tests.clients.published import Published

ROOT = Path(__file__).parents[2]
HERE = Path(__file__).parent / "love"
LOADER = ROOT / "integrations" / "love" / "project" / "assetgen"
EXAMPLE = ROOT / "examples" / "love"
OUT = "assets/generated"
PATIENCE = 120  # seconds for a game, on a machine that may be busy

Love = Callable[..., "subprocess.CompletedProcess[str]"]


@dataclass
class Seen:
    """What a probe has printed."""

    sprites: dict[str, tuple[str, float, NDArray[np.uint8]]] = field(default_factory=dict)
    """Name → type, score, pixels [h, w, 4]."""
    labels: dict[str, str] = field(default_factory=dict)
    unknown: str = ""
    error: str = ""


@pytest.fixture(scope="module")
def love(client: Client) -> Iterator[Love]:
    """Plays a LÖVE game on a virtual screen until it ends. Not through xvfb-run, which may leave its Xvfb behind."""
    program = client("love")
    reader, writer = os.pipe()
    command = [str(client("Xvfb")), "-displayfd", str(writer), "-screen", "0", "800x600x24", "-nolisten", "tcp"]
    screen = subprocess.Popen(command, pass_fds=[writer], stderr=subprocess.DEVNULL)
    os.close(writer)
    with os.fdopen(reader) as told:
        display = told.readline().strip()  # once the screen is there; nothing if it couldn't start
    assert display, "Xvfb doesn't start"

    def play(game: Path, *arguments: object) -> subprocess.CompletedProcess[str]:
        environment = os.environ | {"DISPLAY": f":{display}"}
        command = [str(program), str(game), *map(str, arguments)]
        return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=PATIENCE)

    yield play
    screen.terminate()
    screen.wait(20)


def probe(love: Love, game: Path) -> Seen:
    """What the loader makes of the sprites in a game's ``OUT``."""
    shutil.copytree(HERE, game, dirs_exist_ok=True)
    shutil.copytree(LOADER, game / "assetgen", dirs_exist_ok=True)
    result = love(game, OUT)
    seen = Seen()
    for line in result.stdout.splitlines():
        kind, *rest = line.split("\t")
        if kind == "sprite":
            name, of_type, score, width, height, data = rest
            pixels = np.frombuffer(base64.b64decode(data), np.uint8).reshape(int(height), int(width), 4)
            seen.sprites[name] = (of_type, float(score), pixels)
        elif kind == "label":
            seen.labels[rest[0]] = rest[1]
        elif kind == "unknown":
            seen.unknown = rest[1]
        elif kind == "error":
            seen.error = rest[0]
    assert seen.sprites or seen.error, result.stderr
    return seen


@pytest.fixture(scope="module")
def game(tmp_path_factory: pytest.TempPathFactory) -> Published:
    return published.publish(tmp_path_factory.mktemp("love") / "game", "love", OUT)


def test_every_sprite_has_its_name_type_score_and_pixels(love: Love, game: Published) -> None:
    seen = probe(love, game.project)
    assert not seen.error
    assert list(seen.sprites) == sorted(game.sprites)
    for name, sprite in game.sprites.items():
        kind, score, pixels = seen.sprites[name]
        assert (kind, score) == (sprite.type, pytest.approx(sprite.score, abs=1e-4))
        np.testing.assert_array_equal(pixels, sprite.pixels, name)
    assert set(seen.labels) == {sprite.type for sprite in game.sprites.values()}
    assert "no such type" in seen.unknown and "dragon" in seen.unknown


@pytest.fixture
def by_hand(tmp_path: Path) -> Path:
    """A game with all that a delivery may hold: two sheets of a type, trimmed sprites, two types on a sheet."""
    delivery, out = grid(), tmp_path / OUT
    for path, data in write(delivery).items():
        (out / path).parent.mkdir(parents=True, exist_ok=True)
        (out / path).write_bytes(data)
    for sheet in delivery.sheets:
        sprites = [colours(region.name, region.width, region.height) for region in sheet.regions]
        Image.fromarray(paint(sheet, sprites), "RGBA").save(out / sheet.image)
    return tmp_path


def test_trimmed_sprites_lie_where_they_were_and_labels_are_as_written(love: Love, by_hand: Path) -> None:
    seen = probe(love, by_hand)
    assert not seen.error
    assert seen.labels == {"imp": LABEL, "orb": "orb", "bat": "bat", "cat": "cat"}
    assert [name for name in seen.sprites if name.startswith("imp")] == [f"imp_{n:06d}" for n in (0, 1, 2, 4)]
    trimmed = np.zeros((CELL, CELL, 4), np.uint8)
    trimmed[2:8, 1:6] = colours("orb_000000", 5, 6)
    np.testing.assert_array_equal(seen.sprites["orb_000000"][2], trimmed)
    np.testing.assert_array_equal(seen.sprites["cat_000000"][2], colours("cat_000000", CELL, CELL))


@pytest.mark.parametrize(
    ("path", "change", "told"),
    [
        ("sprites.lua", lambda data: None, "Run `assetgen batch --target love`"),
        ("imp/imp.lua", lambda data: data[:40], "assets/generated/imp/imp.lua: "),
        ("imp/imp.lua", lambda data: data.replace(b"format = 1", b"format = 2"), "assetgen integrate love"),
        ("imp/imp.png", lambda data: data[: len(data) // 2], "imp/imp.png"),
        ("imp/imp.lua", lambda data: data.replace(b"width = 22", b"width = 44"), "its table says 44x22"),
    ],
)
def test_what_is_damaged_is_named(love: Love, by_hand: Path, path: str, change: object, told: str) -> None:
    file = by_hand / OUT / path
    data = change(file.read_bytes())  # type: ignore[operator]
    file.unlink() if data is None else file.write_bytes(data)
    assert told in probe(love, by_hand).error


def take_picture(love: Love, folder: Path, frames: int, types: int) -> NDArray[np.uint8]:
    """The example's window after some frames, with creatures of its first types: uint8 [400, 640, 3]."""
    shutil.copy(EXAMPLE / "main.lua", folder / "game.lua")
    shutil.copy(HERE / "play.lua", folder / "main.lua")
    shutil.copy(EXAMPLE / "conf.lua", folder / "conf.lua")
    file = folder / "picture.png"
    result = love(folder, frames, file, types)
    assert file.is_file(), result.stdout + result.stderr
    return np.array(Image.open(file).convert("RGB"))


def test_the_example_shows_creatures_of_the_chosen_type(love: Love, game: Published, tmp_path: Path) -> None:
    shutil.copytree(LOADER, tmp_path / "assetgen")
    shutil.copytree(game.out, tmp_path / OUT, ignore=shutil.ignore_patterns("candidates~"))
    picture = take_picture(love, tmp_path, frames=1, types=1)
    first = min(sprite.type for sprite in game.sprites.values())
    shown = [sprite.name for sprite in game.sprites.values() if is_on(picture, sprite.pixels)]
    assert shown
    assert {game.sprites[name].type for name in shown} == {first}


def test_without_sprites_the_example_says_how_to_make_them(love: Love, tmp_path: Path) -> None:
    picture = take_picture(love, tmp_path, frames=1, types=0)
    assert (picture[150:250] > 200).any(), "a message"
    assert not (picture[300:] > 60).any(), "and nothing else"
