"""A rejected sprite is replaced in its slot and never comes back; whatever else is published keeps every byte."""

from __future__ import annotations

import json
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from asset_gen import batch
from asset_gen.candidates import FOLDER, read_rows
from asset_gen.decisions import NAME, decide, read_decisions, record
from asset_gen.images import read_rgba
from asset_gen.manifest import Manifest, Origin, SpriteRecord, read_manifest
from tests.conftest import Cli, Result, files_of
from tests.fakes import Painter, fake_bundle, install

OUT = Path("assets/generated")


@pytest.fixture(autouse=True)
def painter(monkeypatch: pytest.MonkeyPatch) -> Painter:
    """A model of bats, imps and owls takes the place of every bundle."""
    return install(monkeypatch)


@pytest.fixture
def make(cli: Cli, game: Path) -> Any:
    """``assetgen batch`` for 30 sprites, with further arguments."""

    def call(*arguments: object, count: int = 30) -> Result:
        done = cli("batch", "--project", game, "--count", count, *arguments)
        assert done.code == 0, done.err
        return done

    return call


def manifest(game: Path) -> Manifest:
    found = read_manifest(game / OUT)
    assert found is not None
    return found


def slots(game: Path) -> dict[str, SpriteRecord]:
    return {sprite.name: sprite for sheet in manifest(game).sheets for sprite in sheet.sprites}


def origins(game: Path) -> dict[str, Origin]:
    return {name: sprite.origin for name, sprite in slots(game).items()}


def published(game: Path) -> dict[str, bytes]:
    """What the game loads: all but candidate sets."""
    return {path: data for path, data in files_of(game / OUT).items() if not path.startswith(FOLDER)}


def pictures(game: Path) -> dict[str, bytes]:
    """The pixels of every published sprite."""
    told = {}
    for sheet in manifest(game).sheets:
        picture = read_rgba(game / OUT / sheet.image)
        for sprite in sheet.sprites:
            x, y, width, height = sprite.rect
            told[sprite.name] = picture[y : y + height, x : x + width].tobytes()
    return told


def changed(before: dict[str, Any], after: dict[str, Any]) -> list[str]:
    return sorted(name for name in before.keys() | after.keys() if before.get(name) != after.get(name))


@pytest.mark.parametrize("flags", [[], ["--trim"], ["--combined"], ["--palette", 5], ["--filter", "none"]])
def test_a_rejection_replaces_one_picture_and_nothing_else(make: Any, game: Path, flags: list[Any]) -> None:
    make(*flags)
    sprites, seen, rects = origins(game), pictures(game), {name: s.rect for name, s in slots(game).items()}
    make("--reject", "imp:3")
    assert changed(sprites, origins(game)) == changed(seen, pictures(game)) == ["imp_000003"]
    if "--trim" not in flags:  # there the new one may be larger
        assert {name: sprite.rect for name, sprite in slots(game).items()} == rects
    (line,) = read_decisions(game).lines
    assert (line.subject, line.action, line.origin) == ("imp_000003", "reject", sprites["imp_000003"])
    before = published(game)
    make(*flags)
    assert published(game) == before


def test_a_rejection_needs_no_network(make: Any, game: Path, painter: Painter) -> None:
    make()
    painter.calls.clear()
    done = json.loads(make("--reject", "imp:3", "--json").out)
    assert painter.calls == []
    assert (done["stay"], done["added"], done["replaced"], done["freed"]) == (29, 0, 1, 0)
    assert set(done["written"]) == {"imp/imp.png", "manifest.json"} | {p for p in done["written"] if "json" in p}


def test_the_next_best_of_the_type_takes_the_place_and_what_people_keep_comes_first(make: Any, game: Path) -> None:
    make()
    rows = list(read_rows(game / OUT / FOLDER / manifest(game).run))
    free = [row for row in rows if row.type == "imp" and row.reason.startswith("not chosen")]
    best, *_, last = sorted(free, key=lambda row: -row.p_type)
    make("--reject", "imp:3")
    assert slots(game)["imp_000003"].origin.index == best.index
    origin = origins(game)["imp_000003"]
    kept = Origin(model=origin.model, seed=0, type="imp", index=last.index)
    record(game, [decide(f"{manifest(game).run}/{last.name}", "keep", kept, "Ada")])
    make("--reject", "imp:4")
    assert slots(game)["imp_000004"].origin == kept


def test_a_rejected_one_never_comes_back_however_often_its_slot_is_rejected(make: Any, game: Path) -> None:
    make(count=6)
    seen = set()
    for _ in range(9):  # the candidate set has 6 spare imps
        seen.add(origins(game)["imp_000001"])
        make("--reject", "imp:1")
    assert len(seen) == 9
    assert len(list((game / OUT / FOLDER).glob("*/run.json"))) > 1  # it was drawn further
    assert not seen & set(origins(game).values())
    make(count=12)  # nor when slots are added
    assert not seen & set(origins(game).values())
    make("--yes", "--oversample", 5, count=6)  # nor when all are chosen anew
    assert not seen & set(origins(game).values())
    assert len(pictures(game)) == 6


def test_other_artists_decisions_are_carried_out_by_the_next_batch(make: Any, game: Path) -> None:
    make()
    sprites, seen = origins(game), pictures(game)
    lines = [decide(name, "reject", sprites[name], "Bob") for name in ("bat_000000", "owl_000009")]
    record(game, [*lines, decide("imp_000001", "note", sprites["imp_000001"], "Bob", "lovely")])
    make("--only", "bat:0")
    assert changed(sprites, origins(game)) == ["bat_000000"]
    make()
    assert changed(sprites, origins(game)) == changed(seen, pictures(game)) == ["bat_000000", "owl_000009"]


def test_a_rejection_that_was_taken_back_changes_nothing(make: Any, game: Path) -> None:
    make()
    before, origin = published(game), origins(game)["bat_000000"]
    record(game, [decide("bat_000000", "reject", origin, "Bob"), decide("bat_000000", "restore", origin, "Ada")])
    make()
    assert published(game) == before


def test_rejections_and_a_larger_count_together(make: Any, game: Path) -> None:
    make()
    sprites = origins(game)
    record(game, [decide("bat_000004", "reject", sprites["bat_000004"], "Bob")])
    make(count=36)
    after = origins(game)
    assert [name for name in sprites if after[name] != sprites[name]] == ["bat_000004"]
    assert len(after) == len(set(after.values())) == 36


def test_reject_and_only_leave_settings_as_they_are_published(make: Any, game: Path) -> None:
    make("--palette", 6, "--scale", 2, "--seed", 3, "--padding", 5)
    sprites, seen = origins(game), pictures(game)
    make("--reject", "owl:2", count=99)
    assert changed(sprites, origins(game)) == changed(seen, pictures(game)) == ["owl_000002"]
    before = published(game)
    make("--only", "owl:3", "--scale", 4)
    assert published(game) == before


@pytest.mark.parametrize("flags", [[], ["--extrude", 1, "--variant", 2], ["--palette", 6], ["--combined"]])
def test_only_the_named_slot_of_an_edited_sheet_is_made_again(make: Any, game: Path, flags: list[Any]) -> None:
    make(*flags)
    seen, path = pictures(game), game / OUT / slots(game)["owl_000003"].type / "owl.png"
    if "--combined" in flags:
        path = game / OUT / "all.png"
    edited = read_rgba(path)
    for name in ("owl_000003", "owl_000004"):  # an artist draws on two sprites
        x, y, width, height = slots(game)[name].rect
        edited[y : y + height, x : x + width, 1] = 200
    Image.fromarray(edited, "RGBA").save(path)
    drawn = pictures(game)
    make("--only", "owl:3")
    assert changed(drawn, pictures(game)) == ["owl_000003"]
    assert changed(seen, pictures(game)) == ["owl_000004"]
    before = published(game)
    make(*flags)  # what the artist drew stays theirs
    assert published(game) == before
    make("--reject", "owl:3")
    assert changed(seen, pictures(game)) == ["owl_000003", "owl_000004"]


def test_a_missing_file_is_restored_unchanged_after_rejections_too(make: Any, game: Path) -> None:
    make()
    make("--reject", "owl:2")
    before = published(game)
    for path in before:
        if path != "manifest.json":
            (game / OUT / path).unlink()
    shutil.rmtree(game / OUT / FOLDER)
    shutil.rmtree(game / ".assetgen")
    make()
    assert published(game) == before


def test_a_lost_candidate_set_is_drawn_again_for_the_next_best(make: Any, game: Path, tmp_path: Path) -> None:
    make()
    shutil.copytree(game, tmp_path / "other")
    make("--reject", "owl:2")
    shutil.rmtree(tmp_path / "other" / OUT / FOLDER)
    before = published(game)
    shutil.rmtree(game)
    (tmp_path / "other").rename(game)
    make("--reject", "owl:2")
    assert published(game) == before


def test_a_dry_run_of_a_rejection_touches_nothing(make: Any, game: Path) -> None:
    make()
    before = files_of(game)
    assert "stay 29, add 0, replace 1, free 0" in make("--reject", "owl:2", "--dry-run").out
    assert files_of(game) == before


def test_what_people_keep_is_not_freed_without_a_yes(make: Any, cli: Cli, game: Path) -> None:
    make()
    before = published(game)
    record(game, [decide("owl_000009", "keep", origins(game)["owl_000009"], "Ada")])
    done = cli("batch", "--project", game, "--count", 27)
    assert (done.code, published(game) == before) == (1, True)
    assert "3 sprites would be removed, and people keep 1 of them: owl_000009. Nothing was changed" in done.err
    done = cli("batch", "--project", game, "--count", 30, "--seed", 4)
    assert "all 30 published sprites, 1 that people keep among them, in" in done.err
    make("--yes", count=27)
    assert len(slots(game)) == 27


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        (["--only", "imp:99"], ["--only imp:99", "nothing is published in that slot", "imp has the slots 0 to 9"]),
        (["--reject", "impp:1"], ["--reject impp:1", "published are bat, imp, owl", "Did you mean 'imp'?"]),
        (["--reject", "imp"], ["--reject imp: is no slot", "dragon:17"]),
        (["--only", "imp:-1"], ["is no slot"]),
        (["--reject", "imp:1", "--out", "elsewhere"], ["nothing is published in", "elsewhere"]),
    ],
)
def test_a_slot_that_is_not_there_is_named_before_any_work(
    make: Any, cli: Cli, game: Path, flags: list[Any], words: list[str]
) -> None:
    make()
    before = files_of(game)
    done = cli("batch", "--project", game, *flags)
    assert done.code == 2
    for word in words:
        assert word in done.err
    assert files_of(game) == before


def test_a_slot_of_another_model_is_not_made_again(
    make: Any, cli: Cli, game: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make()
    monkeypatch.setattr(batch, "load_bundle", lambda path: replace(fake_bundle(), sha256="f" * 64))
    done = cli("batch", "--project", game, "--reject", "imp:1")
    assert done.code == 2
    assert "is published from another model (mmmmmmmmmmmmmmmm) than fake (ffffffffffffffff)" in done.err


def test_sets_need_a_name_where_a_slot_is_named(make: Any, cli: Cli, game: Path) -> None:
    (game / "assetgen.toml").write_text("[[sets]]\nname = 'a'\n[[sets]]\nname = 'b'\nsize = 32\n")
    make()
    assert "has 2 sets. Say in which with --set NAME" in cli("batch", "--project", game, "--reject", "imp:1").err
    before = {name: files_of(game / OUT / name) for name in "ab"}
    make("--set", "b", "--reject", "imp:1")
    assert files_of(game / OUT / "a") == before["a"]
    assert files_of(game / OUT / "b") != before["b"]
    one, other = (read_rgba(game / OUT / name / "bat/bat.png") for name in "ab")
    assert np.array_equal(other[2:34, 2:34], one[2:18, 2:18].repeat(2, 0).repeat(2, 1))


def test_git_alone_changes_nothing(make: Any, game: Path, tmp_path: Path) -> None:
    def git(*arguments: str, folder: Path = game) -> None:
        identity = ["-c", "user.name=Ada", "-c", "user.email=ada@example.org"]
        subprocess.run(["git", *identity, *arguments], cwd=folder, check=True, capture_output=True)

    def commit(message: str) -> None:
        git("add", "-A")
        git("commit", "-qm", message, "--allow-empty")  # where git made the same of two branches itself

    def batch_changes_nothing() -> None:
        before = published(game)
        make()
        assert published(game) == before

    git("init", "-q", "-b", "main")
    (game / ".gitattributes").write_text(f"{NAME} merge=union\n*.json -text\n")
    (game / ".gitignore").write_text("candidates~/\n")
    make()
    commit("first")
    first = published(game)
    # two artists reject on two branches
    git("switch", "-qc", "bob")
    make("--reject", "bat:1")
    commit("bob rejects")
    bobs = published(game)
    git("switch", "-q", "main")
    assert published(game) == first
    batch_changes_nothing()  # a branch switch
    make("--reject", "owl:5")
    mine = published(game)
    git("stash", "-q", "--include-untracked")
    assert published(game) == first
    batch_changes_nothing()  # a stash
    git("stash", "pop", "-q")
    assert published(game) == mine
    batch_changes_nothing()
    commit("ada rejects")
    git("merge", "-q", "--no-edit", "-X", "ours", "bob")
    assert len(read_decisions(game).lines) == 2
    git("checkout", "-q", "HEAD~1", "--", OUT.as_posix())  # sheets can't be merged: one side's, then a batch
    assert published(game) == mine
    make()
    merged = published(game)
    git("checkout", "-q", "bob", "--", OUT.as_posix())
    assert published(game) == bobs
    make()
    assert published(game) == merged  # whichever side's
    commit("both")
    # a fresh checkout
    git("clone", "-q", str(game), str(tmp_path / "clone"), folder=tmp_path)
    shutil.rmtree(game)
    (tmp_path / "clone").rename(game)
    assert published(game) == merged
    assert not (game / ".assetgen").exists()
    batch_changes_nothing()
