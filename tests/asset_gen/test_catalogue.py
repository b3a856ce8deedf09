"""The catalogue says what the committed files say, and comes back from whatever happens to it."""

from __future__ import annotations

import json
import shutil
import sqlite3
from pathlib import Path
from typing import Any

import pytest

from asset_gen.candidates import FOLDER
from asset_gen.catalogue import MIGRATIONS, NAME, Catalogue, open_catalogue
from asset_gen.decisions import NAME as DECISIONS
from asset_gen.decisions import decide, read_decisions, record
from asset_gen.errors import ProjectError
from asset_gen.manifest import Origin
from tests.conftest import Cli, files_of
from tests.fakes import install

OUT = Path("assets/generated")


@pytest.fixture(autouse=True)
def project(game: Path, cli: Cli, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A game with three bats, three imps and three owls, of twelve candidates each."""
    install(monkeypatch)
    assert cli("batch", "--project", game, "--count", 9).code == 0
    return game


def told(catalogue: Catalogue) -> list[Any]:
    return [(entry.origin, entry.slot, entry.state, entry.reason) for entry in catalogue.entries]


def names(cli: Cli, game: Path, *filters: object) -> list[str]:
    done = cli("catalogue", "list", "--project", game, "--json", *filters)
    assert done.code == 0, done.err
    return [one["slot"] or one["name"] for one in json.loads(done.out)["candidates"]]


def test_every_candidate_is_listed_with_what_became_of_it(project: Path) -> None:
    catalogue = open_catalogue(project)
    assert [entry.origin.type for entry in catalogue.entries] == ["bat"] * 12 + ["imp"] * 12 + ["owl"] * 12
    assert [sum(entry.state == state for entry in catalogue.entries) for state in ("published", "candidate")] == [9, 27]
    assert {entry.reason for entry in catalogue.entries if entry.slot} == {"chosen by is"}
    assert catalogue.rebuilt
    assert not open_catalogue(project).rebuilt  # nothing has changed since


def test_it_can_be_filtered_and_sorted(cli: Cli, game: Path) -> None:
    assert names(cli, game, "--type", "imp", "--state", "published") == [f"imp_00000{n}" for n in range(3)]
    best = json.loads(cli("catalogue", "list", "--project", game, "--json", "--sort", "p_type", "--limit", 5).out)
    scores = [one["p_type"] for one in best["candidates"]]
    assert len(scores) == 5
    assert scores == sorted(scores, reverse=True)
    assert "in bat_000000" in cli("catalogue", "list", "--project", game).out
    none = cli("catalogue", "list", "--project", game, "--type", "imp", "--state", "rejected")
    assert (none.code, none.out) == (0, "") and "candidates is so" in none.err
    for flag, wrong, meant in (("--sort", "p_typ", "p_type"), ("--type", "inp", "imp"), ("--set", "x", "")):
        done = cli("catalogue", "list", "--project", game, flag, wrong)
        assert (done.code, f"{flag} {wrong}: there are" in done.err) == (2, True)
        assert not meant or f"Did you mean '{meant}'?" in done.err


def test_a_rejection_is_written_down_and_carried_out_by_the_next_batch(cli: Cli, game: Path) -> None:
    before = {entry.slot: entry.origin for entry in open_catalogue(game).entries}
    done = cli("catalogue", "reject", "imp:1", "bat_000002", "--project", game, "--why", "two heads", "--who", "Ada")
    assert done.code == 0
    assert "imp_000001 is rejected; the next assetgen batch replaces it." in done.out
    assert [(line.subject, line.who, line.why) for line in read_decisions(game).lines] == [
        ("imp_000001", "Ada", "two heads"),
        ("bat_000002", "Ada", "two heads"),
    ]
    assert names(cli, game, "--state", "rejected") == ["bat_000002", "imp_000001"]
    assert cli("batch", "--project", game, "--count", 9).code == 0
    after = {entry.slot: entry.origin for entry in open_catalogue(game).entries if entry.slot}
    assert {slot for slot in after if after[slot] != before[slot]} == {"imp_000001", "bat_000002"}
    shown = json.loads(cli("catalogue", "show", "imp_000001", "--project", game, "--json").out)
    assert (shown["state"], shown["decisions"]) == ("published", [])
    assert shown["reason"] == "took a rejected one's place"


def test_what_was_decided_is_taken_back_also_when_the_slot_is_filled_anew(cli: Cli, game: Path) -> None:
    origin = open_catalogue(game).find("imp:1").origin
    assert cli("batch", "--project", game, "--count", 9, "--reject", "imp:1").code == 0
    assert origin in read_decisions(game).rejected
    assert cli("catalogue", "restore", "imp:1", "--project", game).code == 0
    assert read_decisions(game).rejected == frozenset()
    again = cli("catalogue", "restore", "imp:1", "--project", game)
    assert (again.code, "is neither kept nor rejected" in again.err) == (2, True)


def test_candidates_are_kept_rated_and_noted_by_name(cli: Cli, game: Path) -> None:
    (run,) = (path.name for path in (game / OUT / FOLDER).iterdir() if path.is_dir())
    free = next(entry for entry in open_catalogue(game).entries if entry.state == "candidate")
    for name, words in ((f"{run}/{free.name}", ["keep"]), (free.name, ["rate", 4.5]), (free.name, ["note"])):
        assert cli("catalogue", *words, name, "--project", game, "--why", "for the shop").code == 0
    shown = cli("catalogue", "show", free.name, "--project", game, "--set", "").out
    assert shown.startswith(f"kept       {free.p_type:.3f}  {run}/{free.name}")
    assert "rate 4.5 for the shop" in shown


@pytest.mark.parametrize("name", ["imp:9", "imp_000009", "imp_c000099", "0000000000000000/imp_c000000", "imp:x", ""])
def test_what_is_not_there_is_named_and_nothing_is_decided(cli: Cli, game: Path, name: str) -> None:
    done = cli("catalogue", "reject", "imp:1", name, "--project", game)
    assert done.code == 2
    assert f"{name}: there is no such slot or candidate" in done.err
    assert not (game / DECISIONS).exists()


@pytest.mark.parametrize(
    "damage",
    [
        lambda path: path.unlink(),
        lambda path: path.write_bytes(b""),
        lambda path: path.write_bytes(b"no database" * 1000),
        lambda path: path.write_bytes(path.read_bytes()[:5000]),
        lambda path: path.write_bytes(path.read_bytes()[:4096] + bytes(len(path.read_bytes()) - 4096)),
        lambda path: run_sql(path, "DROP TABLE candidates"),
        lambda path: run_sql(path, "UPDATE candidates SET number = -1 - number"),
        lambda path: run_sql(path, "UPDATE candidates SET scores = '{'"),
        lambda path: run_sql(path, "PRAGMA user_version = 99"),
    ],
)
def test_a_lost_or_damaged_cache_comes_back_as_it_was(project: Path, damage: Any) -> None:
    record(project, [decide("bat_000000", "keep", open_catalogue(project).find("bat:0").origin, "Ada")])
    before = told(open_catalogue(project))
    damage(project / ".assetgen" / NAME)
    assert told(open_catalogue(project)) == before


def run_sql(path: Path, statement: str) -> None:
    base = sqlite3.connect(path)
    with base:
        base.execute(statement)
    base.close()


def test_a_cache_of_the_first_format_is_brought_up(project: Path) -> None:
    before = told(open_catalogue(project))
    path = project / ".assetgen" / NAME
    path.unlink()
    base = sqlite3.connect(path)
    base.executescript(f"{MIGRATIONS[0]} PRAGMA user_version = 1;")
    base.close()
    assert told(open_catalogue(project)) == before
    base = sqlite3.connect(path)
    assert base.execute("PRAGMA user_version").fetchone() == (len(MIGRATIONS),)
    assert base.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    base.close()


def test_a_link_is_replaced_and_what_it_leads_to_is_left_alone(project: Path, tmp_path: Path) -> None:
    other = tmp_path / "other.sqlite"
    run_sql(other, "CREATE TABLE theirs (a)")
    before = other.read_bytes()
    path = project / ".assetgen" / NAME
    path.symlink_to(other)
    open_catalogue(project)
    assert (other.read_bytes(), path.is_symlink()) == (before, False)


def test_it_is_built_anew_when_the_files_have_changed(cli: Cli, game: Path) -> None:
    open_catalogue(game)
    assert cli("batch", "--project", game, "--count", 12).code == 0
    assert sum(bool(entry.slot) for entry in open_catalogue(game).entries) == 12
    shutil.rmtree(game / OUT / FOLDER)
    entries = open_catalogue(game).entries
    assert sorted(entry.slot for entry in entries) == [
        f"{kind}_00000{n}" for kind in ("bat", "imp", "owl") for n in range(4)
    ]
    assert {entry.reason for entry in entries} == {"its candidate set is not here"}


def test_a_damaged_candidate_set_is_named_and_left_out(cli: Cli, game: Path) -> None:
    (table,) = (game / OUT / FOLDER).glob("*/scores.csv")
    table.write_text("name,type\nbat_c000000,bat\n")
    done = cli("catalogue", "rebuild", "--project", game)
    assert done.out == "9 candidates: 9 published, 0 kept, 0 rejected, 0 candidate\n"
    assert f"{table.parent}: is damaged and left out" in done.err


def test_a_decision_about_a_picture_that_is_not_here_is_listed_too(cli: Cli, game: Path) -> None:
    away = Origin(model="f" * 64, seed=3, type="imp", index=5)
    record(game, [decide("feedfeedfeedfeed/imp_c000005", "reject", away, "Bob", "too dark")])
    (found,) = [entry for entry in open_catalogue(game).entries if entry.state == "rejected"]
    assert (found.origin, found.reason) == (away, "Bob: too dark")
    assert cli("catalogue", "restore", "feedfeedfeedfeed/imp_c000005", "--project", game).code == 0
    assert read_decisions(game).rejected == frozenset()


def test_broken_decisions_are_named(project: Path) -> None:
    (project / DECISIONS).write_text("{\n")
    with pytest.raises(ProjectError, match="line 1: is no decision"):
        open_catalogue(project)


@pytest.mark.parametrize(
    "text",
    [
        '[{"subject": "imp:1", "action": "reject", "why": "dark"}, {"name": "bat_000000", "action": "keep"}]',
        '{"title": "review", "decisions": [{"name": "imp_000001", "action": "reject", "score": 3},'
        ' {"name": "bat_000000", "action": "keep", "who": "Cyd"}]}',
        '{"subject": "imp:1", "action": "reject"}\n\n{"subject": "bat:0", "action": "keep"}\n',
    ],
)
def test_decisions_of_others_are_taken_over_in_every_shape(cli: Cli, game: Path, tmp_path: Path, text: str) -> None:
    (tmp_path / "review.json").write_text(text)
    done = cli("catalogue", "import", tmp_path / "review.json", "--project", game, "--who", "Bob")
    assert done.out == f"2 new decisions from {tmp_path / 'review.json'}.\n"
    catalogue = open_catalogue(game)
    assert catalogue.find("imp:1").state == "rejected"
    assert catalogue.find("bat:0").state == "kept"
    assert {line.who for line in catalogue.decided.lines} <= {"Bob", "Cyd"}


def test_another_projects_file_is_taken_over_once_with_its_times(cli: Cli, game: Path, tmp_path: Path) -> None:
    assert cli("catalogue", "reject", "imp:1", "--project", game).code == 0
    shutil.copyfile(game / DECISIONS, tmp_path / "theirs.jsonl")
    assert cli("catalogue", "restore", "imp:1", "--project", game).code == 0
    before = (game / DECISIONS).read_bytes()
    assert cli("catalogue", "import", tmp_path / "theirs.jsonl", "--project", game).out.startswith("0 new")
    assert (game / DECISIONS).read_bytes() == before
    (game / DECISIONS).unlink()
    assert cli("catalogue", "import", tmp_path / "theirs.jsonl", "--project", game).out.startswith("1 new")
    assert (game / DECISIONS).read_bytes() == (tmp_path / "theirs.jsonl").read_bytes()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('[{"subject": "imp:1", "action": "reject"}, {"subject": "imp:77", "action": "keep"}]', ["entry 2", "imp:77"]),
        ('[{"subject": "imp:1", "action": "delete"}]', ["entry 1", "Invalid enum value"]),
        ("[3]", ["entry 1", "Expected `object`"]),
        ('{"subject": "imp:1", "action": "keep"}\n{', ["line 2", "is no JSON"]),
    ],
)
def test_of_a_file_with_a_fault_nothing_is_taken(
    cli: Cli, game: Path, tmp_path: Path, text: str, words: list[str]
) -> None:
    (tmp_path / "review.json").write_text(text)
    before = {path for path in files_of(game) if "catalogue" not in path}
    done = cli("catalogue", "import", tmp_path / "review.json", "--project", game)
    assert done.code == 2
    for word in [str(tmp_path / "review.json"), *words]:
        assert word in done.err
    assert {path for path in files_of(game) if "catalogue" not in path} == before


def test_a_name_in_several_sets_needs_the_set(cli: Cli, game: Path) -> None:
    (game / "assetgen.toml").write_text("count = 6\n[[sets]]\nname = 'a'\n[[sets]]\nname = 'b'\nseed = 1\n")
    assert cli("batch", "--project", game).code == 0
    done = cli("catalogue", "reject", "imp:1", "--project", game)
    assert (done.code, "imp_000001 of set 'a', imp_000001 of set 'b'" in done.err) == (2, True)
    assert cli("catalogue", "reject", "imp:1", "--set", "b", "--project", game).code == 0
    (line,) = read_decisions(game).lines
    assert line.origin.seed == 1
