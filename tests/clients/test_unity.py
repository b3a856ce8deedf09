"""What assetgen publishes for Unity, and its editor scripts. No Unity runs here: the .meta files are read by a parser
of Unity's YAML, and the scripts are compiled against stubs, for both arms of their only #if, and run on Mono.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections import defaultdict
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from PIL import Image

from tests.clients import published
from tests.clients.published import require

if TYPE_CHECKING:
    from tests.clients.conftest import Client
    from tests.clients.published import Published

ROOT = Path(__file__).parents[2]
HERE = Path(__file__).parent / "unity"
SCRIPTS = ROOT / "integrations" / "unity" / "project" / "Assets"
EXAMPLE = ROOT / "examples" / "unity"
OUT = "Assets/Generated"
GUID = "0123456789abcdef0123456789abcdef"
ARMS = {"before 2021.2": [], "2021.2 or newer": ["-define:UNITY_2021_2_OR_NEWER"]}
PATIENCE = 120  # seconds for a program, on a machine that may be busy

Compile = Callable[..., Path]
Rows = dict[str, list[list[str]]]


@pytest.fixture(scope="module")
def game(tmp_path_factory: pytest.TempPathFactory) -> Published:
    """A Unity project with sprites; its output folder is the target's own choice."""
    project = tmp_path_factory.mktemp("unity") / "game"
    settings = project / "ProjectSettings"
    settings.mkdir(parents=True)
    (settings / "ProjectVersion.txt").write_text("m_EditorVersion: 2022.3.40f1\n")
    (settings / "ProjectSettings.asset").write_text(f"PlayerSettings:\n  productGUID: {GUID}\n")
    return published.publish(project, "unity", OUT)


def test_a_parser_of_unitys_yaml_finds_every_sprite_where_the_manifest_says(game: Published, tmp_path: Path) -> None:
    require(find_spec("unityparser") is not None, "unityparser")
    from unityparser import UnityDocument

    guids, seen = set(), {}
    for path in sorted(game.out.rglob("*.png.meta")):
        parsed = UnityDocument.load_yaml(str(path))
        parsed.dump_yaml(str(tmp_path / "again.meta"))
        assert (tmp_path / "again.meta").read_bytes() == path.read_bytes(), "Unity's own layout, to the byte"
        document = parsed.entry
        guids.add(document["guid"])
        importer = document["TextureImporter"]
        picture = np.array(Image.open(path.with_suffix("")).convert("RGBA"))
        assert int(importer["maxTextureSize"]) >= max(picture.shape)
        assert (importer["spriteMode"], importer["textureSettings"]["filterMode"]) == ("2", "0")
        table = importer["spriteSheet"]["nameFileIdTable"]
        names = {row["second"]: row["first"]["213"] for row in importer["internalIDToNameTable"]}
        for sprite in importer["spriteSheet"]["sprites"]:
            x, y, width, height = (int(sprite["rect"][key]) for key in ("x", "y", "width", "height"))
            top = len(picture) - y - height
            seen[sprite["name"]] = picture[top : top + height, x : x + width]
            assert sprite["internalID"] == table[sprite["name"]] == names[sprite["name"]]
            kind = game.sprites[sprite["name"]].type
            assert kind in document["labels"] and sprite["name"].startswith(f"{kind}_")
        assert len(table) == len(names) == len(importer["spriteSheet"]["sprites"])
    assert len(guids) == len(list(game.out.rglob("*.png"))) - len(list(game.out.rglob("candidates~/**/*.png")))
    assert seen.keys() == game.sprites.keys()
    for name, sprite in game.sprites.items():
        np.testing.assert_array_equal(seen[name], sprite.pixels, name)


@pytest.fixture(scope="module")
def compile_scripts(client: Client, tmp_path_factory: pytest.TempPathFactory) -> Compile:
    """Compiles C# files as strictly as can be; the program, or a library."""

    def compile_files(*files: Path, flags: list[str], kind: str = "exe") -> Path:
        out = tmp_path_factory.mktemp("mcs") / f"scripts.{kind}"
        target = "exe" if kind == "exe" else "library"
        fixed = ["-warnaserror", "-warn:4", "-langversion:7", "-codepage:utf8", f"-target:{target}", f"-out:{out}"]
        result = subprocess.run(
            [str(client("mcs")), *fixed, *flags, *map(str, files)], capture_output=True, text=True, timeout=PATIENCE
        )
        assert result.returncode == 0, result.stdout + result.stderr
        return out

    return compile_files


@pytest.fixture(scope="module", params=ARMS)
def probe(request: pytest.FixtureRequest, compile_scripts: Compile) -> Path:
    """Our scripts with stubs and a program that calls them, for a Unity of either arm."""
    return compile_scripts(*sorted(SCRIPTS.rglob("*.cs")), *sorted(HERE.rglob("*.cs")), flags=ARMS[request.param])


def call(client: Client, probe: Path, project: Path, *arguments: object) -> Rows:
    """What the probe prints, by the lines' first words."""
    command = [client("mono"), probe, *arguments]
    result = subprocess.run(
        [*map(str, command)], cwd=project, capture_output=True, text=True, encoding="utf-8", timeout=PATIENCE
    )
    rows: Rows = defaultdict(list)
    for line in result.stdout.splitlines():
        word, *rest = line.split("\t")
        rows[word].append(rest)
    assert result.returncode == 0 or "refused" in rows, result.stdout + result.stderr
    return rows


def pictures(game: Published) -> list[str]:
    return [f"{OUT}/{image}" for image in dict.fromkeys(sprite.image for sprite in game.sprites.values())]


@pytest.mark.parametrize("arm", ARMS)
def test_what_a_game_uses_compiles_without_the_editor(compile_scripts: Compile, arm: str) -> None:
    runtime = sorted((SCRIPTS / "AssetGen").rglob("*.cs"))
    example = sorted((EXAMPLE / "Assets").glob("*.cs"))
    assert runtime and example
    compile_scripts(*runtime, *example, HERE / "stubs" / "UnityEngine.cs", flags=ARMS[arm], kind="dll")


def test_sheets_without_a_meta_are_cut_as_the_manifest_says(client: Client, probe: Path, game: Published) -> None:
    rows = call(client, probe, game.project, "import", *pictures(game))
    cut = {name: (image, place) for when, image, name, place, *_ in rows["sprite"] if when == "fresh"}
    assert cut.keys() == game.sprites.keys()
    for name, sprite in game.sprites.items():
        image, place = cut[name]
        x, y, width, height, *pivot = map(float, place.split())
        picture = np.array(Image.open(game.project / image).convert("RGBA"))
        top = len(picture) - int(y + height)
        seen = picture[top : top + int(height), int(x) : int(x + width)]
        np.testing.assert_array_equal(seen, sprite.pixels, name)
        assert pivot == [0.5, 0.5]
    for when, _, *settings, units, side, applied in rows["settings"]:
        if when in ("fresh", "again"):
            assert settings == ["Sprite", "Multiple", "Point", "False", "Uncompressed", "None"]
            assert (units, side, applied) == ("64", "2048", "1"), "and the second import changes nothing"


def test_the_scripts_give_the_ids_that_the_batch_gives(
    client: Client, compile_scripts: Compile, game: Published
) -> None:
    flags = ARMS["2021.2 or newer"]
    program = compile_scripts(*sorted(SCRIPTS.rglob("*.cs")), *sorted(HERE.rglob("*.cs")), flags=flags)
    rows = call(client, program, game.project, "import", *pictures(game))
    metas = "".join(path.read_text() for path in game.out.rglob("*.png.meta"))
    fresh = [row for row in rows["sprite"] if row[0] == "fresh"]
    assert fresh
    for _, _, name, _, sprite_id, file_id in fresh:
        assert sprite_id == file_id
        assert f"spriteID: {sprite_id}\n" in metas[metas.index(f"name: {name}\n") :].split("internalID")[0]
    for _, _, name, _, sprite_id, file_id in (row for row in rows["sprite"] if row[0] == "edited"):
        if name in {row[2] for row in first_of_each(fresh)}:
            assert file_id == "f" * 32, "what scenes refer to is kept"
            assert sprite_id != file_id


def first_of_each(rows: list[list[str]]) -> list[list[str]]:
    """The first row of each picture."""
    return list({row[1]: row for row in reversed(rows)}.values())


def test_what_a_person_has_set_stays(client: Client, probe: Path, game: Published) -> None:
    rows = call(client, probe, game.project, "import", *pictures(game))
    fresh = {row[2]: row[3] for row in rows["sprite"] if row[0] == "fresh"}
    first = {row[2] for row in first_of_each([row for row in rows["sprite"] if row[0] == "fresh"])}
    edited = [row for row in rows["sprite"] if row[0] == "edited"]
    assert [row[2] for row in edited].count("face") == len(pictures(game)), "a sprite that isn't ours"
    assert {row[2] for row in edited} == {*fresh, "face"}, "and none of a freed slot"
    for _, _, name, place, *_ in edited:
        if name in first:
            assert place == fresh[name].removesuffix("0.5 0.5") + "0.25 0", "its place is ours, its pivot theirs"
        elif name != "face":
            assert place == fresh[name]
    for row in rows["settings"]:
        if row[0] == "edited":
            assert row[4] == "Trilinear" and int(row[9]) >= 128


def test_the_catalogue_holds_every_type(client: Client, probe: Path, game: Published) -> None:
    rows = call(client, probe, game.project, "import", *pictures(game))
    assert rows["asset"] == [[f"{OUT}/Resources/AssetGenSprites.asset"]]
    found = {name: (kind, float(score)) for kind, _, name, _, score, _, _ in rows["entry"]}
    assert found == {
        name: (sprite.type, pytest.approx(sprite.score, abs=1e-4)) for name, sprite in game.sprites.items()
    }
    assert all(name == sprite and known == random == "True" for _, _, name, sprite, _, known, random in rows["entry"])
    kinds = [row[0] for row in rows["entry"]]
    assert kinds == sorted(kinds)
    assert rows["unknown"] == [["no such type", "True"]]
    assert 'no generated sprites of the type "no such type"' in rows["warning"][-1][0]


@pytest.mark.parametrize(
    ("damage", "told"),
    [
        (lambda text: text.replace('"format": 1', '"format": 2'), "assetgen integrate unity"),
        (lambda text: text[: len(text) // 2], "can't be read"),
        (lambda text: "", "isn't of format 1"),
    ],
)
def test_a_list_that_cannot_be_read_is_named_and_changes_nothing(
    client: Client, probe: Path, game: Published, tmp_path: Path, damage: Callable[[str], str], told: str
) -> None:
    out = tmp_path / OUT
    out.mkdir(parents=True)
    text = (game.out / "sprites.unity.json").read_text(encoding="utf-8")
    (out / "sprites.unity.json").write_text(damage(text), encoding="utf-8")
    rows = call(client, probe, tmp_path, "import", pictures(game)[0])
    assert "sprites.unity.json" in rows["error"][0][0] and told in rows["error"][0][0]
    assert {row[-1] for row in rows["settings"]} == {"0"}


def test_pictures_that_are_not_ours_are_left_alone(client: Client, probe: Path, game: Published) -> None:
    rows = call(client, probe, game.project, "import", "Assets/Other/hero.png", f"{OUT}/mine.png")
    assert {(row[2], row[-1]) for row in rows["settings"]} == {("Default", "0")}


ASSETGEN = """\
import os, sys, time
assert os.environ["ASSETGEN_PROGRESS"] == "lines"
print("progress: drawing candidates 50/200", file=sys.stderr, flush=True)
time.sleep(0.3)
print("progress: drawing candidates 200/200", file=sys.stderr, flush=True)
print("what a person should read – ✦", file=sys.stderr)
print(repr(sys.argv[1:]))
sys.exit(6)
"""
AWKWARD = ["plain", "with blank", 'a "quote"', "back\\slash\\", "", "Drache – ✦"]


def test_a_run_tells_progress_messages_output_and_exit_code(client: Client, probe: Path, tmp_path: Path) -> None:
    (tmp_path / "fake.py").write_text(ASSETGEN, encoding="utf-8")
    rows = call(client, probe, tmp_path, "run", sys.executable, "-X", "utf8", "fake.py", *AWKWARD)
    assert ["drawing candidates", "0.25"] in rows["progress"]
    assert rows["ended"] == [["6", "drawing candidates", "1"]]
    assert rows["messages"] == [["what a person should read – ✦"]]
    assert rows["output"] == [[repr(AWKWARD)]], "arguments arrive as they were given"


def test_a_run_can_be_stopped(client: Client, probe: Path, tmp_path: Path) -> None:
    text = "import sys, time; print('progress: stop me 1/2', file=sys.stderr, flush=True); time.sleep(100)"
    (tmp_path / "slow.py").write_text(text)
    rows = call(client, probe, tmp_path, "run", sys.executable, "slow.py")
    assert rows["ended"][0][0] != "0"


def test_a_program_that_is_not_there_is_told_with_the_cure(client: Client, probe: Path, tmp_path: Path) -> None:
    rows = call(client, probe, tmp_path, "run", "no-such-program", "batch")
    assert "no-such-program" in rows["refused"][0][0] and "pipx install" in rows["refused"][0][0]


def test_the_real_command_line_answers_the_window(client: Client, probe: Path, game: Published) -> None:
    """Before it replaces sprites, and nothing else, the window asks for a yes; what is wrong comes as a message."""
    program = shutil.which("assetgen", path=str(Path(sys.executable).parent))
    assert program is not None

    def plan(*fields: str) -> list[str]:
        (row,) = call(client, probe, game.project.parent, "plan", program, game.project, *fields)["plan"]
        return row

    assert plan("60", "", "") == ["0", ""]
    code, question = plan("60", " ", " 1 ")
    assert code == "0" and "60" in question, "another seed replaces all"
    code, message = plan("", "dragn=4", "")
    assert code == "2" and "dragn" in message
