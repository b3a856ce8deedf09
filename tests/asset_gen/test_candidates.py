"""Everything that was drawn can be looked through, one sprite at a time."""

from __future__ import annotations

import csv
import json
import tarfile
from dataclasses import replace
from math import isnan, nan
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from asset_gen import shards
from asset_gen.candidates import COLUMNS, CandidateReader, CandidateWriter, Near, Row, candidate_name, read_rows
from asset_gen.contact_sheet import BINS, histograms
from asset_gen.errors import SpriteError
from tests.creatures import KINDS, creature

SPRITES = {(kind, candidate_name(kind, index)): creature(kind, index) for kind in KINDS for index in range(4)}
ROWS = [
    Row(name, kind, 0.25 + int(name[-1]) / 10, 1.25, name.endswith("1"), 7, int(name[-6:]), f'"why", {kind}')
    for kind, name in SPRITES
]
RUN = {
    "run": "0123456789abcdef",
    "model_name": "fake",
    "choice": {"model": "m" * 64, "seed": 7, "oversample": 4, "scorer": "types", "filter": "is"},
    "quotas": dict.fromkeys(KINDS, 1),
    "scorer": {
        "name": "types",
        "splits": 10,
        "kept": {"n": 4, "mean": None, "std": None},
        "all": {"n": 4, "mean": None, "std": None},
    },
}


def write_set(stage: Path, sharded: bool) -> Path:
    """A whole candidate set of sixteen sprites."""
    writer = CandidateWriter(stage, sharded)
    for (kind, name), sprite in SPRITES.items():
        writer.add(kind, name, sprite)
    writer.finish(ROWS, RUN)
    return stage


@pytest.fixture(params=[False, True], ids=["files", "shards"])
def folder(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(shards, "SHARD_SIZE", 5)
    return write_set(tmp_path / "set", request.param)


def test_every_sprite_is_read_back_alone(folder: Path) -> None:
    reader = CandidateReader(folder)
    for (kind, name), sprite in reversed(SPRITES.items()):
        assert np.array_equal(reader.sprite(kind, name), sprite)
        assert reader.png(kind, name).startswith(b"\x89PNG")


def test_the_scores_are_a_table_with_these_columns(folder: Path) -> None:
    with (folder / "scores.csv").open(newline="") as file:
        lines = list(csv.reader(file))
    assert tuple(lines[0]) == COLUMNS == ("name", "type", "p_type", "entropy", "kept", "seed", "index", "reason")
    assert lines[2] == ["beetle_c000001", "beetle", "0.350000", "1.250000", "1", "7", "1", '"why", beetle']
    assert list(read_rows(folder)) == ROWS


def test_further_scores_are_further_columns(tmp_path: Path) -> None:
    rows = [replace(row, scores={"realism": row.index / 3, "loose specks": nan}) for row in ROWS]
    CandidateWriter(tmp_path / "set", sharded=False).finish(rows, RUN)
    with (tmp_path / "set" / "scores.csv").open(newline="") as file:
        lines = list(csv.reader(file))
    assert lines[0] == [*COLUMNS, "realism", "loose specks"]
    assert lines[2][-2:] == ["0.333333", ""]
    back = list(read_rows(tmp_path / "set"))
    assert [row.scores["realism"] for row in back] == pytest.approx([row.index / 3 for row in rows], rel=1e-5)
    assert all(isnan(row.scores["loose specks"]) for row in back)


def test_every_candidate_has_the_same_scores(tmp_path: Path) -> None:
    odd = replace(ROWS[0], scores={"realism": 0.5})
    with pytest.raises(ValueError, match=f"{ROWS[1].name} has the scores , others realism"):
        CandidateWriter(tmp_path / "set", sharded=False).finish([odd, *ROWS[1:]], RUN)
    clash = [replace(row, scores={"kept": 1.0}) for row in ROWS]
    with pytest.raises(ValueError, match="names of other columns: kept"):
        CandidateWriter(tmp_path / "set", sharded=False).finish(clash, RUN)


def test_a_line_with_too_many_cells_is_damage(folder: Path) -> None:
    text = (folder / "scores.csv").read_text()
    (folder / "scores.csv").write_text(text.replace('beetle"\n', 'beetle",1\n', 1))
    with pytest.raises(ValueError, match="line 2 has more cells"):
        list(read_rows(folder))


def test_every_sprite_is_found_where_many_names_have_the_same_hash(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shards, "PLACE_BITS", 63)
    reader = CandidateReader(folder)
    for (kind, name), sprite in SPRITES.items():
        assert np.array_equal(reader.sprite(kind, name), sprite)
    with pytest.raises((SpriteError, OSError), match=r"[Nn]o such file"):
        reader.sprite(KINDS[0], "no_such")


@pytest.mark.parametrize("place", ["0,9" + "9" * 30, "0,1" + "0" * 15, "0,-1", "-1,4", "9" * 30 + ",4", "0,10241"])
def test_a_place_outside_its_shard_is_refused(folder: Path, place: str) -> None:
    (folder / "shard_0000.tar").write_bytes(bytes(10_240))
    (folder / "shards.csv").write_text(f"path,shard,offset,size\nbeetle/beetle_c000000.png,shard_0000.tar,{place}\n")
    with pytest.raises(SpriteError, match=r"beetle_c000000\.png: does not lie in shard_0000\.tar"):
        CandidateReader(folder).sprite("beetle", "beetle_c000000")


def test_a_run_says_what_it_was_drawn_with(folder: Path) -> None:
    assert json.loads((folder / "run.json").read_text()) == RUN


def data_of(folder: Path) -> dict[str, Any]:
    """What a contact sheet shows."""
    script = (folder / "candidates.js").read_text(encoding="utf-8")
    return dict(json.loads(script.removeprefix("globalThis.candidates = ").removesuffix(";\n")))


def test_the_contact_sheet_opens_from_disk_with_every_picture_it_shows(folder: Path) -> None:
    data = data_of(folder)
    sharded = (folder / "shards.csv").exists()
    assert [entry[0] for entry in data["sprites"]] == [row.name for row in ROWS if row.kept or not sharded]
    for name, kind, _, _, image, scores, _ in data["sprites"]:
        assert image.startswith("data:image/png;base64,") if sharded else (folder / image).is_file()
        assert (kind, name) in SPRITES
        assert scores[1] == 1.25
    assert [score["label"] for score in data["scores"]] == ["p(type)", "entropy"]
    assert sum(data["scores"][0]["kept"]) == 4
    assert sum(data["scores"][0]["rest"]) == 12
    page = (folder / "index.html").read_text(encoding="utf-8")
    assert 'src="candidates.js"' in page
    assert "http://" not in page.replace("http://www.w3.org", "")
    assert "https://" not in page


def test_a_histogram_counts_kept_and_others_apart_and_leaves_out_what_is_not_known() -> None:
    rows = [
        replace(ROWS[0], kept=kept, scores={"x": x}) for x, kept in ((0, True), (1, True), (1, False), (nan, False))
    ]
    spread = histograms({"x": "X"}, rows)[0]
    assert (spread["label"], spread["low"], spread["high"]) == ("X", 0, 1)
    assert spread["kept"] == [1, *[0] * (BINS - 2), 1]
    assert spread["rest"] == [*[0] * (BINS - 1), 1]
    alike = histograms({"x": "X"}, rows[1:3])[0]
    assert (alike["low"], alike["high"], sum(alike["kept"]), sum(alike["rest"])) == (1, 1, 1, 1)
    assert histograms({"x": "X"}, rows[3:])[0] == {
        "name": "x",
        "label": "X",
        "low": None,
        "high": None,
        "kept": [],
        "rest": [],
    }


def test_nearest_training_sprites_are_named_in_the_table_and_on_the_page(tmp_path: Path) -> None:
    near = (Near("flask/a, b.png", 0.0625), Near("flask/c.png", 0.125))
    rows = [replace(row, nearest=near[: row.index]) for row in ROWS]
    CandidateWriter(tmp_path / "set", sharded=False).finish(rows, RUN)
    with (tmp_path / "set" / "scores.csv").open(newline="") as file:
        lines = list(csv.reader(file))
    assert lines[0] == [*COLUMNS, "nearest_1", "distance_1", "nearest_2", "distance_2"]
    assert lines[2][-4:] == ["flask/a, b.png", "0.0625", "", ""]
    assert [row.nearest for row in read_rows(tmp_path / "set")] == [row.nearest for row in rows]
    assert data_of(tmp_path / "set")["sprites"][2][-1] == [["flask/a, b.png", 0.0625], ["flask/c.png", 0.125]]


def test_shards_are_ordinary_tar_files_of_a_fixed_number_of_pictures(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shards, "SHARD_SIZE", 5)
    folder = write_set(tmp_path / "set", sharded=True)
    names = []
    for shard in sorted(folder.glob("shard_*.tar")):
        with tarfile.open(shard) as archive:
            names.append(archive.getnames())
    assert list(map(len, names)) == [5, 5, 5, 1]
    assert [name for shard in names for name in shard] == [f"{kind}/{name}.png" for kind, name in SPRITES]
    assert not list(folder.glob("*/*.png"))


def test_a_set_begins_empty(tmp_path: Path) -> None:
    (tmp_path / "set").mkdir()
    (tmp_path / "set" / "leftover.png").touch()
    CandidateWriter(tmp_path / "set", sharded=False)
    assert list((tmp_path / "set").iterdir()) == []


@pytest.mark.parametrize("sprite", [creature("flask", 0), np.zeros((3, 5, 4), np.uint8)])
def test_pictures_are_png_without_loss(sprite: NDArray[np.uint8], tmp_path: Path) -> None:
    writer = CandidateWriter(tmp_path / "set", sharded=False)
    writer.add("flask", "a", sprite)
    assert np.array_equal(CandidateReader(tmp_path / "set").sprite("flask", "a"), sprite)
