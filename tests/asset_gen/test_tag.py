"""assetgen tag: untyped art gets a table of proposed types, and typed art a list of what may be misfiled."""

from __future__ import annotations

import csv
import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from asset_gen.images import Rgba
from asset_gen.proposals import Proposal, move
from asset_gen.sprite_folder import list_sprites
from tests.conftest import Cli, files_of
from tests.creatures import KINDS, creature, write_set
from trainer import tagging


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """What colours tell is enough for these sprites; the networks have tests of their own."""

    def model(pictures: list[Rgba], targets: NDArray[np.float32]) -> tagging.Model:
        return tagging.regression(tagging.colour_features(pictures), targets)

    monkeypatch.setattr(tagging, "own_network", model)


@pytest.fixture
def unsorted(tmp_path: Path) -> Path:
    """Eight sprites of four kinds, in two folders that say nothing of it."""
    folder = tmp_path / "unsorted"
    for number, kind in enumerate(KINDS):
        for seed in (100, 101):
            place = folder / ("a" if seed == 100 else "b")
            place.mkdir(parents=True, exist_ok=True)
            Image.fromarray(creature(kind, seed, 48), "RGBA").save(place / f"{number}.png")
    return folder


def rows_of(table: Path) -> list[dict[str, str]]:
    with table.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_untyped_art_gets_a_table_that_training_reads(cli: Cli, unsorted: Path, sprites: Path) -> None:
    before = files_of(unsorted)
    done = cli("tag", unsorted, "--like", sprites)
    assert done.code == 0 and f"8 sprites typed in {unsorted / 'labels.csv'}" in done.out
    assert {name: data for name, data in files_of(unsorted).items() if name != "labels.csv"} == before
    rows = rows_of(unsorted / "labels.csv")
    right = [KINDS[int(Path(row["file"]).stem)] == row["type1"] for row in rows]
    assert sum(right) >= 7
    assert all(0 <= float(row["confidence"]) <= 1 and row["instead"] != row["type1"] for row in rows)
    listed, _ = list_sprites(unsorted)
    assert [sprite.types[0] for sprite in listed] == [row["type1"] for row in rows]


def test_the_same_art_gives_the_same_table(cli: Cli, unsorted: Path, sprites: Path, tmp_path: Path) -> None:
    for name in ("one.csv", "two.csv"):
        assert cli("tag", unsorted, "--like", sprites, "--out", tmp_path / name).code == 0
    assert (tmp_path / "one.csv").read_bytes() == (tmp_path / "two.csv").read_bytes()
    assert rows_of(tmp_path / "one.csv")[0]["file"] == "unsorted/a/0.png"  # from the table's own folder


def test_files_move_only_when_asked_and_lose_nothing(cli: Cli, unsorted: Path, sprites: Path) -> None:
    pictures = sorted(data for data in files_of(unsorted).values())
    assert cli("tag", unsorted, "--like", sprites, "--move").code == 0
    after = files_of(unsorted)
    assert sorted(data for name, data in after.items() if name != "labels.csv") == pictures
    for row in rows_of(unsorted / "labels.csv"):
        assert row["file"] in after and Path(row["file"]).parent.name == row["type1"]


def test_a_move_never_writes_over_a_file(tmp_path: Path) -> None:
    for place in ("a", "b", "bat"):
        (tmp_path / place).mkdir()
        (tmp_path / place / "1.png").write_text(place)
    proposals = [Proposal(path, "Bat", 1.0, "cat") for path in map(Path, ("a/1.png", "b/1.png", "bat/1.png"))]
    moved = move(tmp_path, proposals)  # type: ignore[arg-type]
    assert [str(one.file) for one in moved] == ["bat/1_2.png", "bat/1_3.png", "bat/1.png"]
    assert [(tmp_path / one.file).read_text() for one in moved] == ["a", "b", "bat"]


def test_unsure_guesses_can_be_left_out(cli: Cli, unsorted: Path, sprites: Path) -> None:
    done = cli("tag", unsorted, "--like", sprites, "--at-least", 1.0, "--json")
    document = json.loads(done.out)
    assert document["proposals"] == [] and document["left_out"] == 8
    assert rows_of(unsorted / "labels.csv") == []


def test_misfiled_sprites_are_listed_and_stay_where_they_are(cli: Cli, tmp_path: Path) -> None:
    art = write_set(tmp_path / "art", each=12)
    shutil.move(art / "flask" / "flask003.png", art / "beetle" / "odd.png")
    before = files_of(art)
    done = cli("tag", art, "--like", art, "--json")
    assert done.code == 0 and files_of(art) == before
    misfiled = json.loads(done.out)["misfiled"]
    assert {(one["file"], one["type"], one["looks_like"]) for one in misfiled} >= {
        ("beetle/odd.png", "beetle", "flask")
    }
    assert len(misfiled) <= 4  # a tenth of the set
    told = cli("tag", art, "--like", art).out
    assert "may be misfiled" in told and "beetle/odd.png: looks like flask" in told


def test_another_folders_numbers_mislead_nobody(cli: Cli, tmp_path: Path) -> None:
    """Its 000 … 003 are other sprites than those of the typed set, in which numbers tell the type."""
    typed, unsorted = write_set(tmp_path / "typed", each=6), tmp_path / "unsorted"
    for number, path in enumerate(sorted(typed.glob("*/*.png"))):
        path.rename(path.with_name(f"{number:03d}.png"))
    unsorted.mkdir()
    for number, kind in enumerate(reversed(KINDS)):
        Image.fromarray(creature(kind, 50), "RGBA").save(unsorted / f"{number:03d}.png")
    told = [
        json.loads(cli("tag", unsorted, "--like", typed, "--out", tmp_path / f"{number}.csv", "--json", *options).out)
        for number, options in enumerate(([], ["--no-names"]))
    ]
    assert told[0]["proposals"] == told[1]["proposals"]
    assert told[0]["accuracy"] == told[1]["accuracy"], "it speaks of what these proposals are made with"


def test_what_cannot_be_used_is_said(cli: Cli, unsorted: Path, sprites: Path, tmp_path: Path) -> None:
    (unsorted / "labels.csv").write_text("file,type1\na/0.png,mine\n")
    done = cli("tag", unsorted, "--like", sprites)
    assert done.code == 2 and "labels.csv: exists already" in done.err
    assert (unsorted / "labels.csv").read_text() == "file,type1\na/0.png,mine\n"
    one_type = write_set(tmp_path / "one", kinds=("flask",))
    done = cli("tag", unsorted, "--like", one_type, "--out", tmp_path / "t.csv")
    assert done.code == 1 and "10 sprites of 1 types teach nothing" in done.err
    assert cli("tag", tmp_path / "none", "--like", sprites).code == 2
    (unsorted / "b" / "9.png").write_text("words")
    done = cli("tag", unsorted, "--like", sprites, "--out", tmp_path / "t.csv")
    assert done.code == 3 and "9.png: not a PNG" in done.err and len(rows_of(tmp_path / "t.csv")) == 8
    assert np.all([Path(row["file"]).name != "9.png" for row in rows_of(tmp_path / "t.csv")])
