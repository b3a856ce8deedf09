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
from asset_gen.publish import locate
from asset_gen.recipe import NAME, TEMPLATE, SetRecipe, Settings, project_sets
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
min-is = 4.5
min-score = 0.5
scale = 3
palette = 16
alpha = "soft"
combined = true
trim = true
padding = 1
extrude = 2
power-of-two = true
max-side = 512
optimize = true
variants = [3, 2]
approval = "required"
"""


@pytest.fixture
def heard(monkeypatch: pytest.MonkeyPatch) -> list[Request]:
    """Every request that reaches the library."""
    requests: list[Request] = []

    def listen(heard: list[Request], *others: object) -> None:
        requests.extend(heard)
        raise AssetgenError("heard")

    monkeypatch.setattr(batch, "run_batches", listen)
    return requests


def test_every_key_stands_for_its_flag(cli: Cli, game: Path, heard: list[Request]) -> None:
    (game / NAME).write_text(EVERY)
    assert set(tomllib.loads(EVERY)) == {name.replace("_", "-") for name in Settings.__struct_fields__} - {"size"}
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
            min_is=4.5,
            min_score=0.5,
            targets=("generic", "love"),
            scale=3,
            palette="16",
            alpha="soft",
            optimize=True,
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
        ("scale = 2\nsize = 64\n", ["line 2", "scale and size say the same", "Leave one"]),
        ("min-score = 2\n", ["line 1", "min-score", "<= 1"]),
        (
            "[[sets]]\nname = 'a'\n[[sets]]\nname = 'b'\nscal = 2\n",
            ["line 5", "no key 'scal'", "Did you mean 'scale'?"],
        ),
        ("scale = 2\n[[sets]]\nname = 'a'\n\nscale = 17\n", ["line 5", "scale", "<= 16"]),
        ("[[sets]]\nname = 'a'\n[sets.types]\ndragon = 0\n", ["line 3", "types", ">= 1"]),
        ("seed = 1\n[[sets]]\nscale = 2\n", ["line 2", "missing required field `name`"]),
        ("[[sets]]\nname = 'A b'\n", ["line 2", "name", "matching regex"]),
        ("[[sets]]\nname = 'a'\n[[sets]]\nname = 'a'\n", ["line 4", "another set is called 'a'", "Rename"]),
        ("[[sets]]\nname = 'a'\nscale = 2\nsize = 32\n", ["line 4", "scale and size say the same"]),
        ("seed = 1\nsets = [{ name = 'a', sed = 3 }]\n", ["line 2", "no key 'sed'", "Did you mean 'seed'?"]),
        ("sets = 3\n", ["line 1", "sets"]),
        ("sets = [3]\n", ["line 1", "sets"]),
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


def test_init_takes_over_what_is_published(cli: Cli, game: Path, bundle: Path, tmp_path: Path) -> None:
    palette = tmp_path / "own.hex"
    palette.write_text("000000\nffffff\n8040c0\n")
    settings = ("--seed", 3, "--oversample", 2, "--filter", "top-p", "--scale", 2, "--trim", "--padding", 4)
    common = ("batch", "--model", bundle, "--project", game)
    assert cli(*common, "--types", "beetle=3,flask=2", *settings, "--palette", palette).code == 0
    done = cli("init", "--project", game)
    assert "the model, which a person must name there: that is the bundle creatures" in done.out
    assert tomllib.loads((game / NAME).read_text()) == {
        "targets": ["generic"],
        "out": "assets/generated",
        "types": {"beetle": 3, "flask": 2},
        "seed": 3,
        "oversample": 2,
        "scale": 2,
        "palette": "../own.hex",
        "trim": True,
        "padding": 4,
    }
    sheets = {path: path.read_bytes() for path in game.glob("assets/generated/*/*.*")}
    assert len(sheets) > 2
    assert cli(*common).code == 0
    assert {path: path.read_bytes() for path in sheets} == sheets


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
    document = tomllib.loads((game / NAME).read_text())
    keys = {*document, *(key for one in document["sets"] for key in one)} - {"sets"}
    assert keys == {name.replace("_", "-") for name in SetRecipe.__struct_fields__} - {"scorer"}
    assert [(request.name, request.out) for request in heard] == [
        ("creatures", "x/creatures"),
        ("portraits", "x/portraits"),
    ]


def test_keys_are_named_after_flags() -> None:
    options = {
        RENAMED.get(option.name or "", option.name)
        for option in batch.command.params
        if isinstance(option, click.Option)
    }
    assert options - set(Settings.__struct_fields__) == {
        *("project", "device", "engine", "ray_address", "ray_workers", "part"),
        *("only", "reject", "yes", "dry_run", "json", "quiet"),
    }
    assert set(Settings.__struct_fields__) - {"approval"} <= options  # it speaks to assetgen audit


SETS = """\
seed = 5
count = 60
types = { dragon = 40, potion = 20 }
scale = 2
[[sets]]
name = "all"
[[sets]]
name = "few"
count = 7
size = 96
out = "art/few"
[[sets]]
name = "one"
types = { potion = 3 }
"""


def test_a_set_is_a_batch_of_its_own_and_the_recipe_its_default(cli: Cli, game: Path, heard: list[Request]) -> None:
    (game / NAME).write_text(SETS)
    cli("batch", "--project", game)
    told = [(one.name, one.out, one.count, one.quotas, one.scale, one.size, one.seed) for one in heard]
    assert told == [
        ("all", "assets/generated/all", 60, {"dragon": 40, "potion": 20}, 2, None, 5),
        ("few", "art/few", 7, {"dragon": None, "potion": None}, 1, 96, 5),
        ("one", "assets/generated/one", None, {"potion": 3}, 2, None, 5),
    ]
    places = [(one.name, one.place, one.settings.seed) for one in project_sets(game)]
    assert places == [(one.name, locate(game, str(one.out)), 5) for one in heard]


def test_a_project_without_sets_has_one_part(game: Path) -> None:
    (one,) = project_sets(game)
    assert (one.name, one.place) == ("", locate(game, "assets/generated"))


@pytest.mark.parametrize(
    ("flags", "expected"),
    [
        (["--set", "few"], [("few", "art/few", 1)]),
        (["--set", "few", "--out", "x"], [("few", "x", 1)]),
        (["--set", "few", "--scale", 3], [("few", "art/few", 3)]),
        (
            ["--scale", 4],
            [("all", "assets/generated/all", 4), ("few", "art/few", 4), ("one", "assets/generated/one", 4)],
        ),
    ],
)
def test_flags_win_over_sets(
    cli: Cli, game: Path, heard: list[Request], flags: list[Any], expected: list[tuple[str, str, int]]
) -> None:
    (game / NAME).write_text(SETS)
    cli("batch", "--project", game, *flags)
    assert [(one.name, one.out, one.scale) for one in heard] == expected


@pytest.mark.parametrize(
    ("recipe", "flags", "words"),
    [
        (SETS, ["--set", "fw"], ["--set fw", "no such set", "Did you mean 'few'?", "all, few, one"]),
        ("seed = 1\n", ["--set", "few"], ["--set few", "It has no sets."]),
        (SETS, ["--out", "x"], ["--out x", "has 3 sets", "--set NAME"]),
        (SETS, ["--scale", 2, "--size", 64], ["--scale, --size", "Leave one"]),
        (
            SETS.replace("art/few", "assets/generated/ALL"),
            [],
            ["'all' and 'few' would share the folder", "an out of its own"],
        ),
        (SETS.replace("art/few", "assets"), [], ["'all' and 'few' would share the folder"]),
        ("types = ['orb']\ncount = 1\nsize = 33\n", [], ["--size 33", "32, 64, 96, 128 … 512 are possible"]),
        ("[[sets]]\nname = 'a'\nsize = 48\n", [], ["set 'a': --size 48"]),
    ],
)
def test_sets_that_contradict_each_other_are_refused_before_any_work(
    cli: Cli, game: Path, recipe: str, flags: list[Any], words: list[str]
) -> None:
    (game / NAME).write_text(recipe.replace("dragon", "humanoid"))
    done = cli("batch", "--project", game, *flags)
    assert done.code == 2
    for word in words:
        assert word in done.err
    assert [path.name for path in game.iterdir()] == [NAME]
