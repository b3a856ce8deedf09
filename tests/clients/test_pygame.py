"""What assetgen publishes for pygame, in pygame, with SDL's dummy video driver."""

from __future__ import annotations

import base64
import json
import os
import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from asset_gen.sheet import paint
from integrations.pygame.writer import write
from tests.clients import published
from tests.clients.pictures import colours, is_on
from tests.clients.published import require
from tests.integrations.deliveries import CELL, grid

if TYPE_CHECKING:
    from tests.clients.published import Published

HERE = Path(__file__).parent
ROOT = Path(__file__).parents[2]
LOADER = ROOT / "integrations" / "pygame" / "project" / "assetgen_sprites.py"
EXAMPLE = ROOT / "examples" / "pygame"
OUT = "assets/generated"


@pytest.fixture(scope="module", autouse=True)
def pygame_is_installed() -> None:
    require(find_spec("pygame") is not None, "pygame")


def play(project: Path, script: str, *arguments: object) -> subprocess.CompletedProcess[str]:
    """A script of ours in a game's folder, which a copy of the loader stands in."""
    shutil.copy(LOADER, project)
    paths = os.pathsep.join(map(str, [project, HERE]))
    environment = os.environ | {"SDL_VIDEODRIVER": "dummy", "PYTHONPATH": paths, "PYGAME_HIDE_SUPPORT_PROMPT": "1"}
    command = [sys.executable, HERE / script, *arguments]
    return subprocess.run(
        [*map(str, command)], cwd=project, env=environment, capture_output=True, text=True, timeout=120
    )


def probe(project: Path) -> dict[str, tuple[str, float, NDArray[np.uint8]]]:
    """Name → type, score and pixels [h, w, 4] of every sprite that the loader gives."""
    result = play(project, "pygame_probe.py", OUT)
    assert result.returncode == 0, result.stderr
    seen: dict[str, tuple[str, float, NDArray[np.uint8]]] = {}
    for line in result.stdout.splitlines():
        name, kind, score, (width, height), data = json.loads(line)
        pixels = np.frombuffer(base64.b64decode(data), np.uint8).reshape(height, width, 4)
        seen[name] = (kind, score, pixels)
    return seen


@pytest.fixture(scope="module")
def game(tmp_path_factory: pytest.TempPathFactory) -> Published:
    return published.publish(tmp_path_factory.mktemp("pygame") / "game", "pygame", OUT)


def test_every_sprite_has_its_name_type_score_and_pixels(game: Published) -> None:
    seen = probe(game.project)
    assert list(seen) == list(game.sprites)
    for name, sprite in game.sprites.items():
        kind, score, pixels = seen[name]
        assert (kind, score) == (sprite.type, pytest.approx(sprite.score, abs=1e-4))
        np.testing.assert_array_equal(pixels, sprite.pixels, name)


@pytest.fixture
def by_hand(tmp_path: Path) -> Path:
    """A game with all that a delivery may hold: two sheets of a type, trimmed sprites, two types on a sheet."""
    delivery, out = grid(), tmp_path / OUT
    for path, data in write(delivery).items():
        (out / path).parent.mkdir(parents=True, exist_ok=True)
        (out / path).write_bytes(data)
    for sheet in delivery.sheets:
        (out / sheet.image).parent.mkdir(parents=True, exist_ok=True)
        sprites = [colours(region.name, region.width, region.height) for region in sheet.regions]
        Image.fromarray(paint(sheet, sprites), "RGBA").save(out / sheet.image)
    return tmp_path


def test_trimmed_sprites_lie_where_they_were(by_hand: Path) -> None:
    seen = probe(by_hand)
    assert [name for name in seen if name.startswith("imp")] == [f"imp_{n:06d}" for n in (0, 1, 2, 4)]
    trimmed = np.zeros((CELL, CELL, 4), np.uint8)
    trimmed[2:8, 1:6] = colours("orb_000000", 5, 6)
    np.testing.assert_array_equal(seen["orb_000000"][2], trimmed)
    np.testing.assert_array_equal(seen["cat_000000"][2], colours("cat_000000", CELL, CELL))


@pytest.mark.parametrize(
    ("path", "old", "new", "told"),
    [
        ("sprites.pygame.json", b'"format": 1', b'"format": 2', "assetgen integrate pygame"),
        ("sprites.pygame.json", b"[2, 12, 8, 8]", b"[2, 18, 8, 8]", "subsurface rectangle outside surface area"),
        ("imp/imp.png", b"IDAT", b"IDA", "error"),
    ],
)
def test_what_is_damaged_is_not_loaded(by_hand: Path, path: str, old: bytes, new: bytes, told: str) -> None:
    file = by_hand / OUT / path
    data = file.read_bytes()
    assert old in data
    file.write_bytes(data.replace(old, new))
    result = play(by_hand, "pygame_probe.py", OUT)
    assert result.returncode == 1
    assert told in result.stderr


def test_the_example_shows_creatures_of_the_chosen_type(game: Published, tmp_path: Path) -> None:
    shutil.copy(EXAMPLE / "game.py", tmp_path)
    shutil.copytree(game.out, tmp_path / OUT, ignore=shutil.ignore_patterns("candidates~"))
    result = play(tmp_path, "pygame_play.py", "picture.png", 1, 4, 1)
    assert result.returncode == 0, result.stderr
    picture = np.array(Image.open(tmp_path / "picture.png").convert("RGB"))
    shown = {sprite.type for sprite in game.sprites.values() if is_on(picture, sprite.pixels)}
    assert shown == {min(sprite.type for sprite in game.sprites.values())}


def test_without_loader_or_sprites_the_example_says_how_to_get_them(tmp_path: Path) -> None:
    shutil.copy(EXAMPLE / "game.py", tmp_path)
    environment = os.environ | {"SDL_VIDEODRIVER": "dummy"}
    for command in ("assetgen integrate pygame", "assetgen batch"):
        result = subprocess.run(
            [sys.executable, "game.py"], cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=120
        )
        assert result.returncode == 1
        assert command in result.stderr
        shutil.copy(LOADER, tmp_path)
