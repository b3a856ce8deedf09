"""Disks that fill up, clocks that jump, odd paths and links: with a model that draws in no time."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.attacks.hostile import assert_refused, published
from tests.conftest import Cli
from tests.fakes import use_stand_ins, write_bundle
from tests.studio import Studio

OUT = "assets/generated"
FIRST = ("--types", "beetle=3,flask=2", "--oversample", 2)
THEN = ("--types", "beetle=5,mushroom=3", "--oversample", 2, "--yes")
"""Adds sprites, and removes a folder."""


@pytest.fixture
def model(tmp_path: Path) -> Path:
    """A bundle that draws in no time."""
    return write_bundle(tmp_path / "model")


# Disks ---------------------------------------------------------------------------------------------------------------


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of its own with one megabyte."""
    place = tmp_path / "disk"
    place.mkdir()
    try:
        command = ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(place)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        reason = done.stderr.strip() if done.returncode else ""
    except FileNotFoundError as error:
        reason = str(error)
    if reason:
        pytest.skip(f"a small file system can't be mounted here: {reason}")
    yield place
    subprocess.run(["umount", str(place)], check=True)


def test_a_disk_that_fills_up_wherever_it_does(cli: Cli, model: Path, small_disk: Path, tmp_path: Path) -> None:
    """Real ENOSPC, from the first candidate to the manifest, as more and more of the work finds room."""
    game, filler = small_disk / "game", small_disk / "filler"
    game.mkdir()
    (tmp_path / "game").mkdir()
    arguments = ("batch", "--model", model, "--project")
    for project in (game, tmp_path / "game"):
        assert cli(*arguments, project, *FIRST).code == 0
    old = published(game)
    shutil.copytree(game, tmp_path / "old")
    assert cli(*arguments, tmp_path / "game", *THEN).code == 0
    new = published(tmp_path / "game")
    codes = []
    for free in range(80, 400, 16):
        shutil.rmtree(game)
        shutil.copytree(tmp_path / "old", game)
        room = shutil.disk_usage(small_disk).free - free * 1024
        filler.write_bytes(bytes(room))
        done = cli(*arguments, game, *THEN)
        codes.append(done.code)
        if done.code == 1:
            assert_refused(done, 1, game, "No space left on device")
        for path, data in published(game).items():
            assert data in (old.get(path), new.get(path)), (free, path)
        assert old.keys() & new.keys() <= published(game).keys()
        filler.unlink()
        if codes[-2:] == [0, 0]:
            break
        assert cli(*arguments, game, *THEN).code == 0
        assert published(game) == new, free
        assert cli("verify", "--project", game).code == 0
    assert codes.count(1) > 3  # else nothing was attacked
    assert codes[-2:] == [0, 0]


# Clocks --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("moment", [0, 2**32 + 1000], ids=["1970", "2106"])
def test_a_clock_that_jumps_decides_nothing(cli: Cli, model: Path, game: Path, tmp_path: Path, moment: int) -> None:
    """Files are known by what they hold: dates in the past or the future neither hide a change nor make one."""
    arguments = ("batch", "--model", model, "--project", game)
    assert cli(*arguments, *FIRST).code == 0
    before = published(game)
    for path in [game, *game.rglob("*")]:
        os.utime(path, (moment, moment))
    assert cli(*arguments, *FIRST).code == 0
    assert published(game) == before
    sheet = game / OUT / "beetle" / "beetle.png"
    torn = sheet.read_bytes()[:-20] + bytes(20)
    sheet.write_bytes(torn)  # of the same size
    os.utime(sheet, (moment, moment))
    assert cli("verify", "--project", game).code == 3
    assert cli(*arguments, *FIRST).code == 0
    assert published(game) == before
    (tmp_path / "other").mkdir()
    assert cli("batch", "--model", model, "--project", tmp_path / "other", *FIRST).code == 0
    for project in (game, tmp_path / "other"):
        assert cli("batch", "--model", model, "--project", project, *THEN).code == 0
    assert published(game) == published(tmp_path / "other")


# Paths ---------------------------------------------------------------------------------------------------------------


def test_a_path_of_blanks_umlauts_emoji_and_200_characters_is_a_path_like_any_other(
    cli: Cli, model: Path, game: Path, tmp_path: Path
) -> None:
    odd = tmp_path / "Mein Spiel – Übungsstücke 'größer' & 100 % \N{DRAGON FACE}\N{FIRE}"
    while len(str(odd)) < 200:
        odd /= "日本語 an weiterer Ordner"[: max(1, 199 - len(str(odd)))]
    odd.mkdir(parents=True)
    shutil.copytree(model, odd.parent / "Modell \N{DRAGON FACE}")
    for project, bundle in ((game, model), (odd, odd.parent / "Modell \N{DRAGON FACE}")):
        (project / "project.godot").write_text("config_version=5\n")
        for options in (FIRST, THEN):
            done = cli(
                "batch", "--model", bundle, "--project", project, "--target", "godot", "--target", "tiled", *options
            )
            assert done.code == 0, done.err
        done = cli("verify", "--project", project)
        assert done.code == 0, done.err
    assert len(str(odd)) >= 200
    assert published(odd) == published(game)  # and no file tells where the project lies


@pytest.mark.parametrize("link", ["assets", "assets/generated", "."])
def test_an_output_folder_behind_a_link_within_the_project(
    cli: Cli, model: Path, game: Path, tmp_path: Path, link: str
) -> None:
    """``.``: the project itself is reached by a link."""
    (tmp_path / "plain").mkdir()
    real = game / "elsewhere" / "pictures"
    real.mkdir(parents=True)
    project = game
    if link == ".":
        project = tmp_path / "link"
        project.symlink_to(game)
    else:
        (game / link).parent.mkdir(exist_ok=True)
        (game / link).symlink_to(real)
    for place in (project, tmp_path / "plain"):
        for options in (FIRST, THEN, THEN):
            done = cli("batch", "--model", model, "--project", place, "--out", OUT, *options)
            assert done.code == 0, done.err
        assert cli("verify", "--project", place, "--out", OUT).code == 0
    found = {path: data for path, data in published(game).items() if not path.startswith("elsewhere/")}
    wanted = published(tmp_path / "plain")
    if link != ".":
        inside = {"assets": OUT.removeprefix("assets/"), OUT: ""}[link]
        there = real / inside
        assert (game / link).is_symlink()
        found = {f"{OUT}/{path}": data for path, data in published(there).items()}
    assert found == wanted


def test_a_watch_sees_what_changed_whatever_the_clocks_say(
    game: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stand_in = tmp_path / "stand_in"
    stand_in.mkdir()
    for name in ("bundle.json", "classifier.onnx", "generator.onnx"):
        (stand_in / name).write_text("1")
    use_stand_ins(monkeypatch)
    (game / "assetgen.toml").write_text("# a recipe\n")
    studio = Studio(game, stand_in)
    studio.settle(full=True)
    before = studio.published()
    sheet = studio.out / "bat" / "bat.png"
    size = sheet.stat().st_size
    for moment, clock in ((0, -500.0), (2**32 + 1000, 10_000.0)):
        sheet.write_bytes(sheet.read_bytes()[: size - 20] + bytes(20))
        os.utime(sheet, (moment, moment))
        studio.now += clock
        studio.settle()
        assert studio.published() == before
    assert studio.batches == 3
