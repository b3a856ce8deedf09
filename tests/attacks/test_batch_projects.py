"""Game projects that are in the way: read only, damaged, or made by somebody who wishes us ill."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from tests.attacks.hostile import as_stranger, assert_refused, published
from tests.conftest import Cli, files_of

OUT = "assets/generated"


@pytest.fixture
def batch(cli: Cli, bundle: Path, game: Path) -> Callable[..., Any]:
    """Four sprites into ``game``."""
    return lambda *more: cli("batch", "--project", game, "--model", bundle, "--count", 4, *more)


# Permissions ---------------------------------------------------------------------------------------------------------


@pytest.fixture
def public(bundle: Path) -> Iterator[Path]:
    """A folder that everybody may look into, with a bundle and a project."""
    folder = Path(tempfile.mkdtemp())
    folder.chmod(0o755)
    shutil.copytree(bundle, folder / "bundle")
    (folder / "game").mkdir()
    yield folder
    for root, inner, _ in os.walk(folder):
        for name in inner:
            Path(root, name).chmod(0o755)
    shutil.rmtree(folder)


def test_a_read_only_project(cli: Cli, public: Path, batch: Callable[..., Any]) -> None:
    assert batch().code == 0  # loads what a stranger can't
    game = public / "game"
    game.chmod(0o555)
    with as_stranger():
        done = cli("batch", "--project", game, "--model", public / "bundle", "--count", 4)
    assert_refused(done, 1, f"{game}: can't be written", "Permission denied", "Check its permissions")
    assert list(game.iterdir()) == []


def test_a_project_that_can_not_be_looked_into(cli: Cli, public: Path, batch: Callable[..., Any]) -> None:
    assert batch().code == 0
    (public / "game" / "inner").mkdir()
    (public / "game").chmod(0)
    with as_stranger():
        done = cli("batch", "--project", public / "game" / "inner", "--model", public / "bundle", "--count", 4)
    assert_refused(done, 1, f"{public / 'game' / 'inner'}", "Permission denied", "Check its permissions")


def test_a_read_only_output_folder(cli: Cli, public: Path, batch: Callable[..., Any]) -> None:
    assert batch().code == 0
    game = public / "game"
    arguments = ("batch", "--project", game, "--model", public / "bundle", "--count")
    assert cli(*arguments, 4).code == 0
    before = published(game)
    for path in [game, *game.rglob("*")]:
        path.chmod(0o777)
    (game / OUT / "beetle").chmod(0o555)
    with as_stranger():
        done = cli(*arguments, 8)
    assert_refused(
        done, 1, f"{game / OUT / 'beetle'}", "Permission denied", "mend the permissions", "run the same command"
    )
    after = published(game)
    for path in (f"{OUT}/beetle/beetle.png", f"{OUT}/manifest.json"):  # the manifest comes last
        assert after[path] == before[path]
    assert cli(*arguments, 8).code == 0


# In the way ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", [".assetgen", ".assetgen/lock", "assets", f"{OUT}/beetle", f"{OUT}/candidates~"])
def test_something_else_stands_where_ours_should(batch: Callable[..., Any], game: Path, name: str) -> None:
    path = game / name
    path.parent.mkdir(parents=True, exist_ok=True)
    if name.endswith("lock"):
        path.mkdir()
    else:
        path.write_text("mine")
    before = published(game)
    done = batch()
    assert_refused(done, 1, game / name.removesuffix("/lock"))
    assert {path: data for path, data in published(game).items() if "candidates~/" not in path} == before


@pytest.mark.parametrize("name", [f"{OUT}/manifest.json", f"{OUT}/beetle/beetle.png"])
def test_a_folder_stands_where_a_file_should(batch: Callable[..., Any], game: Path, name: str) -> None:
    (game / name).mkdir(parents=True)
    assert_refused(batch(), 1, game / name)
    assert [path for path in published(game) if "candidates~" not in path] == []


@pytest.mark.parametrize("name", [".assetgen", f"{OUT}/beetle", f"{OUT}/candidates~", f"{OUT}/beetle/beetle.png"])
def test_a_link_that_leads_out_of_the_project(batch: Callable[..., Any], game: Path, tmp_path: Path, name: str) -> None:
    elsewhere = tmp_path / "elsewhere"
    for inner in ("stage", "candidates"):  # which sweeping would remove
        (elsewhere / inner).mkdir(parents=True)
        (elsewhere / inner / "precious.txt").write_text("precious")
    (game / name).parent.mkdir(parents=True, exist_ok=True)
    (game / name).symlink_to(elsewhere / "new.png" if name.endswith(".png") else elsewhere)
    before = files_of(elsewhere)
    for _ in range(2):  # and the refusal doesn't poison what comes after
        assert_refused(batch(), 1, game / name, "Remove")
    assert files_of(elsewhere) == before
    (game / name).unlink()
    assert batch().code == 0
    assert files_of(elsewhere) == before


@pytest.mark.parametrize("name", [".gitignore", "journal.tmp"])
def test_a_link_inside_the_state_folder_is_not_written_through(
    batch: Callable[..., Any], game: Path, tmp_path: Path, name: str
) -> None:
    (tmp_path / "precious.txt").write_text("precious")
    (game / ".assetgen").mkdir()
    (game / ".assetgen" / name).symlink_to(tmp_path / "precious.txt")
    assert batch().code == 0
    assert (tmp_path / "precious.txt").read_text() == "precious"


# manifest.json -------------------------------------------------------------------------------------------------------


def edit(change: Callable[[dict[str, Any]], object]) -> Callable[[bytes], bytes]:
    """A manifest with something changed in it."""

    def apply(data: bytes) -> bytes:
        document = json.loads(data)
        change(document)
        return json.dumps(document).encode()

    return apply


MANIFESTS: dict[str, tuple[Callable[[bytes], bytes], str]] = {
    "empty": (lambda data: b"", "can't be read as a manifest"),
    "torn": (lambda data: data[: len(data) // 2], "can't be read as a manifest"),
    "not UTF-8": (lambda data: data.replace(b"beetle", b"b\xff\xffle"), "can't be read as a manifest"),
    "conflict markers": (lambda data: b"<<<<<<< HEAD\n" + data, "can't be read as a manifest"),
    "deep": (lambda data: b'{"x": ' + b"[" * 100_000, "can't be read as a manifest"),
    "another format": (edit(lambda m: m.update(format=2)), "has format 2"),
    "a file outside": (edit(lambda m: m["files"][0].update(path="../../main.c")), "a file outside its folder"),
    "a file with code 0": (edit(lambda m: m["files"][0].update(path="a\0b")), "a file outside its folder"),
    "a sheet outside": (edit(lambda m: m["sheets"][0].update(image="/etc/x.png")), "a file outside its folder"),
    "no columns": (edit(lambda m: m["sheets"][0].update(columns=-1)), "columns"),
    "a run outside": (edit(lambda m: m.update(run="../../../..")), "run"),
    "a colour that is none": (edit(lambda m: m["finish"].update(palette=["red"])), "palette"),
    "a negative index": (edit(lambda m: m["sheets"][0]["sprites"][0]["origin"].update(index=-1)), "index"),
    "a huge index": (edit(lambda m: m["sheets"][0]["sprites"][0]["origin"].update(index=2**63)), "manifest"),
    "a slot left out": (edit(lambda m: m["sheets"][0]["sprites"][0].update(slot=1)), "is empty"),
    "a rectangle off the sheet": (edit(lambda m: m["sheets"][0]["sprites"][0].update(rect=[90, 2, 32, 32])), "lie on"),
    "an offset off the sprite": (edit(lambda m: m["sheets"][0]["sprites"][0].update(offset=[1, 0])), "another size"),
    "a slot filled twice": (edit(lambda m: m["sheets"][0]["sprites"].append(m["sheets"][0]["sprites"][0])), "order"),
    "no such arrangement": (edit(lambda m: m["layout"].update(sheets="ring")), "sheets"),
    "a small rectangle": (edit(lambda m: m["sheets"][0]["sprites"][0].update(rect=[2, 2, 8, 8])), "another size"),
}


@pytest.mark.parametrize("attack", list(MANIFESTS))
def test_a_damaged_manifest(batch: Callable[..., Any], game: Path, attack: str) -> None:
    assert batch().code == 0
    change, word = MANIFESTS[attack]
    manifest = game / OUT / "manifest.json"
    manifest.write_bytes(change(manifest.read_bytes()))
    before = files_of(game)
    for more in ((), ("--count", 8, "--yes"), ("--dry-run",)):
        assert_refused(batch(*more), 1, f"{manifest}: ", word, "move the folder aside")
        assert files_of(game) == before


# Candidate sets ------------------------------------------------------------------------------------------------------


def rows(folder: Path, change: Callable[[list[str]], list[str]]) -> None:
    """Alter the lines of ``scores.csv``."""
    lines = (folder / "scores.csv").read_text().splitlines()
    (folder / "scores.csv").write_text("\n".join(change(lines)) + "\n")


SETS: dict[str, Callable[[Path], object]] = {
    "no scores": lambda folder: (folder / "scores.csv").unlink(),
    "half the scores": lambda folder: rows(folder, lambda lines: lines[:5]),
    "no numbers": lambda folder: rows(
        folder, lambda lines: [lines[0], *(line.replace("0.", "x") for line in lines[1:])]
    ),
    "another type": lambda folder: rows(folder, lambda lines: [line.replace("beetle", "orc") for line in lines]),
    "no columns": lambda folder: rows(folder, lambda lines: lines[1:]),
    "empty run.json": lambda folder: (folder / "run.json").write_text(""),
    "deep run.json": lambda folder: (folder / "run.json").write_text("[" * 100_000),
    "another run.json": lambda folder: (folder / "run.json").write_text('{"scorer": {"name": 3}}'),
}


@pytest.mark.parametrize("attack", list(SETS))
def test_a_damaged_candidate_set(batch: Callable[..., Any], game: Path, attack: str) -> None:
    assert batch().code == 0
    shown = published(game)
    (folder,) = (game / OUT / "candidates~").glob("*/")
    (game / OUT / "manifest.json").unlink()  # so that the set is needed again
    SETS[attack](folder)
    assert_refused(batch(), 1, f"{folder}: this candidate set is damaged", "Remove the folder, and it is drawn again")
    shutil.rmtree(folder)
    assert batch("--yes").code == 0
    assert published(game) == shown


def test_a_candidate_of_another_size_is_drawn_again(batch: Callable[..., Any], game: Path) -> None:
    assert batch().code == 0
    shown = {path: data for path, data in published(game).items() if "candidates~" not in path}
    for picture in game.glob(f"{OUT}/candidates~/*/*/*.png"):
        Image.new("RGBA", (7, 5), "red").save(picture)
    for sheet in game.glob(f"{OUT}/*/*.png"):
        sheet.unlink()
    assert batch().code == 0
    assert {path: data for path, data in published(game).items() if "candidates~" not in path} == shown


# The journal ---------------------------------------------------------------------------------------------------------


def journal(out: str = OUT, moves: object = (), removals: object = ()) -> str:
    """A journal as assetgen writes it."""
    return json.dumps({"out": out, "moves": moves, "removals": removals})


@pytest.mark.parametrize(
    "text",
    [
        journal(moves=[["000000", "../../x"]]),
        journal(moves=[["000000", "/tmp/assetgen_x"]]),
        journal(moves=[["000000", ".."]]),
        journal(moves=[["000000", ".hidden"]]),
        journal(moves=[["000000", "a\0b"]]),
        journal(out="a\0b"),
        journal(moves=[["../../precious.txt", "stolen.txt"]]),
        journal(removals=["../../precious.txt"]),
        journal(removals=["link/precious.txt"]),
        journal(out="..", moves=[["000000", "x"]]),
        journal(out=".git/hooks", moves=[["000000", "pre-commit"]]),
        journal(out=".", removals=["main.c"]),
        journal(moves={"000000": "x"}),
        "[]",
        "",
        "\x00",
        "{" * 5000,
    ],
)
def test_a_hostile_journal_is_not_carried_out(batch: Callable[..., Any], game: Path, tmp_path: Path, text: str) -> None:
    (tmp_path / "precious.txt").write_text("precious")
    (game / "main.c").write_text("int main;")
    (game / OUT).mkdir(parents=True)
    (game / OUT / "link").symlink_to(tmp_path)
    (game / ".assetgen" / "stage").mkdir(parents=True)
    (game / ".assetgen" / "stage" / "000000").write_text("#!/bin/sh\n")
    (game / ".assetgen" / "journal.json").write_text(text)
    before = files_of(tmp_path)
    done = batch()
    assert_refused(done, 1, f"{game / '.assetgen' / 'journal.json'}: ", f"Remove {game / '.assetgen'}")
    after = {path: data for path, data in files_of(tmp_path).items() if path in before}
    assert after == before
    assert not (game / ".git").exists()
    shutil.rmtree(game / ".assetgen")
    assert batch().code == 0
