"""``assetgen.toml`` stands for flags, flags win over it, and every mistake in it is named with its line."""

from __future__ import annotations

import json
import re
import tomllib
from pathlib import Path
from typing import Any

import click
import pytest

from asset_gen.cli import batch
from asset_gen.cli.batch import RENAMED
from asset_gen.errors import AssetgenError
from asset_gen.manifest import Layout
from asset_gen.plan import Request
from asset_gen.recipe import NAME, TEMPLATE, Recipe
from tests.conftest import Cli

EVERY = """\
targets = ["generic", "love"]
out = "art/sprites"
model = "models/mine"
count = 60
types = ["dragon", "potion"]
seed = 5
oversample = 2
scorer = "types"
filter = "top-p"
scale = 3
palette = 16
alpha = "soft"
combined = true
trim = true
padding = 1
extrude = 2
power-of-two = true
max-side = 512
variants = [3, 2]
"""


@pytest.fixture
def heard(monkeypatch: pytest.MonkeyPatch) -> list[Request]:
    """Every request that reaches the library."""
    requests: list[Request] = []

    def listen(request: Request, *others: object) -> None:
        requests.append(request)
        raise AssetgenError("heard")

    monkeypatch.setattr(batch, "run_batch", listen)
    return requests


def test_every_key_stands_for_its_flag(cli: Cli, game: Path, heard: list[Request]) -> None:
    (game / NAME).write_text(EVERY)
    assert set(tomllib.loads(EVERY)) == {name.replace("_", "-") for name in Recipe.__struct_fields__}
    assert cli("batch", "--project", game).err == "assetgen: heard\n"
    layout = Layout(sheets="all", trim=True, padding=1, extrude=2, power_of_two=True, max_side=512, variants=[2, 3])
    assert heard == [
        Request(
            project=game,
            out="art/sprites",
            count=60,
            quotas={"dragon": None, "potion": None},
            model=game / "models/mine",
            seed=5,
            oversample=2,
            scorer="types",
            filter="top-p",
            targets=("generic", "love"),
            scale=3,
            palette="16",
            alpha="soft",
            layout=layout,
        )
    ]


@pytest.mark.parametrize(
    ("recipe", "flags", "expected"),
    [
        ("seed = 5", ["--seed", 0], {"seed": 0}),
        ("types = { dragon = 4, potion = 5 }", [], {"quotas": {"dragon": 4, "potion": 5}, "count": None}),
        (
            "types = { dragon = 4, potion = 5 }",
            ["--count", 20],
            {"quotas": {"dragon": None, "potion": None}, "count": 20},
        ),
        ("count = 60", ["--types", "dragon=3"], {"quotas": {"dragon": 3}, "count": None}),
        ("targets = ['love']", ["--target", "generic"], {"targets": ("generic",)}),
        ("variants = [2]", ["--variant", 4], {"layout": Layout(variants=[4])}),
    ],
)
def test_flags_win(
    cli: Cli, game: Path, heard: list[Request], recipe: str, flags: list[Any], expected: dict[str, Any]
) -> None:
    (game / NAME).write_text(recipe)
    cli("batch", "--project", game, *flags)
    assert {name: getattr(heard[0], name) for name in expected} == expected


def test_variables_win(cli: Cli, game: Path, heard: list[Request], monkeypatch: pytest.MonkeyPatch) -> None:
    (game / NAME).write_text("scale = 3\nseed = 5\n")
    monkeypatch.setenv("ASSETGEN_SCALE", "2")
    cli("batch", "--project", game)
    assert (heard[0].scale, heard[0].seed) == (2, 5)


def test_a_palette_file_lies_beside_the_recipe(cli: Cli, game: Path, heard: list[Request]) -> None:
    (game / NAME).write_text('palette = "dusk.hex"')
    cli("batch", "--project", game)
    assert heard[0].palette == str(game / "dusk.hex")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("seed = 0\n\ntyps = ['dragon']\n", ["line 3", "no key 'typs'", "Did you mean 'types'?"]),
        ("seed = 0\nmax_side = 64\n", ["line 2", "Did you mean 'max-side'?"]),
        ("# scale\nscale = 17\n", ["line 2", "scale", "<= 16"]),
        ("scale = '2'\n", ["line 1", "scale", "Expected `int"]),
        ("filter = 3\n", ["line 1", "filter", "`int`"]),
        ("[types]\ndragon = 0\n", ["line 1", "types", ">= 1"]),
        ("targets = 'love'\n", ["line 1", "targets"]),
        ("variants = [2, 99]\n", ["line 1", "variants", "<= 8"]),
        ("seed = 1\nseed = 2\n", ["line 2"]),
        ("scale = \n", ["line 1"]),
        ("\xff", []),
    ],
)
def test_every_mistake_is_named_with_its_line(cli: Cli, game: Path, text: str, words: list[str]) -> None:
    (game / NAME).write_bytes(text.encode("latin-1"))
    done = cli("batch", "--project", game)
    assert done.code == 2
    assert done.err.startswith(f"assetgen: {game / NAME}")
    for word in words:
        assert word in done.err
    assert [path.name for path in game.iterdir()] == [NAME]


def test_what_the_recipe_asks_for_is_made_and_verified(cli: Cli, game: Path, bundle: Path) -> None:
    (game / NAME).write_text(f'model = "{bundle}"\ncount = 8\nout = "art/made"\ntrim = true\n')
    assert cli("batch", "--project", game).code == 0
    manifest = json.loads((game / "art/made/manifest.json").read_text())
    assert (sum(manifest["quotas"].values()), manifest["layout"]["trim"]) == (8, True)
    assert "8 sprites" in cli("verify", "--project", game).out


@pytest.mark.parametrize(
    ("file", "text", "found", "out"),
    [
        ("project.godot", "config_version=5\n", "godot", "assets/generated"),
        ("main.lua", "function love.draw() end\n", "love", "assets/generated"),
        ("ProjectSettings/ProjectVersion.txt", "m_EditorVersion: 6000.0.23f1\n", "unity", "Assets/Generated"),
        ("readme.txt", "", "generic", "assets/generated"),
    ],
)
def test_init_writes_what_it_found(cli: Cli, game: Path, file: str, text: str, found: str, out: str) -> None:
    (game / file).parent.mkdir(exist_ok=True)
    (game / file).write_text(text)
    done = cli("init", "--project", game)
    assert done.code == 0
    assert found in done.out
    written = tomllib.loads((game / NAME).read_text())
    assert written == {"targets": [found], "out": out}
    assert cli("batch", "--project", game, "--dry-run").code == 0


def test_init_overwrites_nothing(cli: Cli, game: Path) -> None:
    (game / NAME).write_text("seed = 3\n")
    done = cli("init", "--project", game)
    assert done.code == 2
    assert "is there already" in done.err
    assert (game / NAME).read_text() == "seed = 3\n"


def test_the_template_shows_every_key_but_one_with_values_that_can_be(
    cli: Cli, game: Path, heard: list[Request]
) -> None:
    text = TEMPLATE.format(targets='"generic"', found="", out="x")
    (game / NAME).write_text(re.sub("^#(?! )", "", text, flags=re.MULTILINE))
    assert cli("batch", "--project", game).err == "assetgen: heard\n"
    keys = set(tomllib.loads((game / NAME).read_text()))
    assert keys == {name.replace("_", "-") for name in Recipe.__struct_fields__} - {"scorer"}


def test_keys_are_named_after_flags() -> None:
    options = {option.name for option in batch.command.params if isinstance(option, click.Option)}
    assert {RENAMED.get(name, name) for name in Recipe.__struct_fields__} <= options
    assert options - {RENAMED.get(name, name) for name in Recipe.__struct_fields__} == {
        *("project", "device", "yes", "dry_run", "json", "quiet")
    }
