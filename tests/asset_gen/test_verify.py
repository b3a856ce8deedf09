"""``assetgen verify`` finds what a game would show wrongly, and tells it from what a person changed."""

from __future__ import annotations

import json
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from asset_gen.decisions import decide, record
from asset_gen.manifest import read_manifest
from tests.conftest import Cli, Result, files_of
from tests.fakes import use_stand_ins

SHEET = "assets/generated/beetle/beetle.png"


@pytest.fixture
def batch(cli: Cli, game: Path, bundle: Path) -> Callable[[], Any]:
    """Publishes eight sprites."""
    return lambda: cli("batch", "--project", game, "--model", bundle, "--count", 8)


def edit_manifest(game: Path, change: Callable[[Any], None]) -> None:
    path = game / "assets/generated/manifest.json"
    document = json.loads(path.read_text())
    change(document)
    path.write_text(json.dumps(document))


def test_what_was_published_is_whole(cli: Cli, game: Path, batch: Callable[[], Any]) -> None:
    assert batch().code == 0
    before = files_of(game)
    done = cli("verify", "--project", game)
    assert (done.code, done.err) == (0, "")
    assert "8 sprites" in done.out and "are as published" in done.out
    assert files_of(game) == before


@pytest.mark.parametrize("lost", [0.7, 0.3, 0.02, 40, 12, 1])
def test_a_picture_that_breaks_off_is_damaged(cli: Cli, game: Path, batch: Callable[[], Any], lost: float) -> None:
    assert batch().code == 0
    whole = (game / SHEET).read_bytes()
    (game / SHEET).write_bytes(whole[: -round(len(whole) * lost if lost < 1 else lost)])  # a share, or so many bytes
    done = cli("verify", "--project", game)
    assert done.code == 3
    assert done.out.startswith("damaged: beetle/beetle.png: damaged (")
    assert batch().code == 0  # as the message says
    assert (game / SHEET).read_bytes() == whole
    assert cli("verify", "--project", game).code == 0


def test_a_region_outside_its_sheet(cli: Cli, game: Path, batch: Callable[[], Any]) -> None:
    assert batch().code == 0
    edit_manifest(game, lambda m: m["sheets"][0]["sprites"][0]["rect"].__setitem__(0, 4000))
    done = cli("verify", "--project", game)
    assert done.code == 1
    assert "'beetle_000000' does not lie on its sheet" in done.err


def test_a_sheet_of_another_size_that_the_manifest_takes_for_its_own(
    cli: Cli, game: Path, batch: Callable[[], Any]
) -> None:
    assert batch().code == 0
    edit_manifest(game, lambda m: m["sheets"][0].update(size=[500, 500]))
    done = cli("verify", "--project", game, "--json")
    assert done.code == 3
    found = {(finding["path"], finding["kind"]) for finding in json.loads(done.out)["findings"]}
    assert found == {
        ("beetle/beetle.png", "moved"),
        ("beetle/beetle.json", "stale"),  # they tell of the size as well
        ("sheets.js", "stale"),
    }


def test_a_missing_file(cli: Cli, game: Path, batch: Callable[[], Any]) -> None:
    assert batch().code == 0
    (game / "assets/generated/beetle/beetle.json").unlink()
    done = cli("verify", "--project", game)
    assert done.code == 3
    assert "missing: beetle/beetle.json" in done.out
    assert "1 of " in done.err


@pytest.mark.parametrize("size", [(70, 70), (4097, 4096), (16385, 16384)])  # the second is too large for a sprite …
def test_an_edited_file_is_a_persons_right(
    cli: Cli, game: Path, bundle: Path, batch: Callable[[], Any], size: tuple[int, int]
) -> None:  # … and the third for a sheet
    assert batch().code == 0
    Image.new("1", size, 1).save(game / SHEET)
    edited = (game / SHEET).read_bytes()
    (game / "assets/generated/beetle/beetle.json").write_text("{}")
    assert cli("batch", "--project", game, "--model", bundle, "--count", 12).code == 0
    done = cli("verify", "--project", game)
    assert done.code == 0
    kinds = [line.split(": ")[:2] for line in done.out.splitlines()]
    assert kinds == [
        ["edited", "beetle/beetle.png"],
        ["waiting", "beetle/beetle.png.new"],
        ["edited", "beetle/beetle.json"],
        ["waiting", "beetle/beetle.json.new"],
    ]
    assert (game / SHEET).read_bytes() == edited


def test_where_nothing_is_published(cli: Cli, game: Path) -> None:
    done = cli("verify", "--project", game)
    assert done.code == 1
    assert "nothing is published there. Give the folder with --out" in done.err
    assert list(game.iterdir()) == []


# With stand-ins for the networks -------------------------------------------------------------------------------------


@pytest.fixture
def published(cli: Cli, game: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The output folder of a project with a recipe, in which it was followed."""
    use_stand_ins(monkeypatch)
    (game / "assetgen.toml").write_text(
        'targets = ["generic", "godot"]\ntypes = { bat = 3, imp = 2 }\noversample = 2\n'
    )
    assert cli("batch", "--project", game).code == 0
    return game / "assets/generated"


def kinds(done: Result) -> set[tuple[str, str]]:
    """(path, kind) of every finding."""
    return {(finding["path"], finding["kind"]) for finding in json.loads(done.out)["findings"]}


def test_files_that_assetgen_does_not_know_are_told_and_those_of_engines_are_not(
    cli: Cli, game: Path, published: Path
) -> None:
    for name in ("bat/bat.png.import", "bat.meta", "bat/script.gd.uid", ".gdignore", "bat/notes.txt"):
        (published / name).write_text("not ours")
    done = cli("verify", "--project", game, "--json")
    assert done.code == 0
    assert kinds(done) == {("bat/notes.txt", "foreign")}
    assert "are as published" in cli("verify", "--project", game).out


def test_a_rejected_sprite_that_is_still_published(cli: Cli, game: Path, published: Path) -> None:
    manifest = read_manifest(published)
    assert manifest is not None
    sprite = manifest.sheets[0].sprites[1]
    record(game, [decide(sprite.name, "reject", sprite.origin, "Ann")])
    done = cli("verify", "--project", game, "--json")
    assert done.code == 3
    assert kinds(done) == {("bat/bat.png", "rejected")}
    assert "bat_000001 was rejected and is still published" in done.out


def test_an_engine_file_that_does_not_fit_the_sheets(cli: Cli, game: Path, published: Path) -> None:
    path = published / "bat/bat.json"
    path.write_text(path.read_text().replace("bat_000001", "bat_999999"))
    digest = sha256(path.read_bytes()).hexdigest()
    edit_manifest(game, lambda m: next(f for f in m["files"] if f["path"] == "bat/bat.json").update(sha256=digest))
    done = cli("verify", "--project", game, "--json")
    assert (done.code, kinds(done)) == (3, {("bat/bat.json", "stale")})


def test_what_another_version_wrote_is_no_failure(cli: Cli, game: Path, published: Path) -> None:
    path = published / "bat/bat.json"
    path.write_text(path.read_text() + "\n")
    digest = sha256(path.read_bytes()).hexdigest()

    def older(document: Any) -> None:
        document["tool"] = "assetgen 0.0.1"
        next(f for f in document["files"] if f["path"] == "bat/bat.json").update(sha256=digest)

    edit_manifest(game, older)
    done = cli("verify", "--project", game, "--json")
    assert (done.code, kinds(done)) == (0, {("bat/bat.json", "unread")})


@pytest.mark.parametrize(
    "options",
    [
        [],
        ["--trim"],
        ["--combined", "--extrude", "1"],
        ["--variant", "2", "--padding", "1", "--power-of-two"],
        ["--target", "gamemaker"],
        ["--target", "unity", "--target", "tiled", "--scale", "2"],
    ],
)
def test_whatever_is_published_fits_its_own_manifest(
    cli: Cli, game: Path, options: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    use_stand_ins(monkeypatch)
    where = ("--project", game, "--out", "assets/generated")
    assert cli("batch", *where, "--types", "bat=5,imp=3", "--oversample", 2, *options).code == 0
    done = cli("verify", *where, "--json")
    assert (done.code, kinds(done)) == (0, set())


LOST = ["bat/bat.png", "imp/imp.png", "bat/bat.json", "bat/bat_frames.tres", "sheets.js", "provenance.json"]


@pytest.mark.parametrize("lost", [LOST, *([one] for one in LOST)])
def test_fix_restores_what_is_missing_byte_by_byte(cli: Cli, game: Path, published: Path, lost: list[str]) -> None:
    before = files_of(game)
    for path in lost:
        (published / path).unlink()
    done = cli("verify", "--project", game, "--fix")
    assert done.code == 0, done.err
    assert done.out.count("restored: ") == len(lost)
    assert files_of(game) == before


def test_fix_restores_a_picture_that_breaks_off_and_leaves_an_edited_one(cli: Cli, game: Path, published: Path) -> None:
    whole = (published / "bat/bat.png").read_bytes()
    (published / "bat/bat.png").write_bytes(whole[:-30])
    Image.new("RGBA", (40, 40), "red").save(published / "imp/imp.png")
    (published / "bat/bat.json").write_text("{}")
    before = files_of(game)
    done = cli("verify", "--project", game, "--fix", "--json")
    assert done.code == 0
    assert json.loads(done.out)["restored"] == [str(published / "bat/bat.png")]
    assert kinds(done) == {("imp/imp.png", "edited"), ("bat/bat.json", "edited")}
    assert files_of(game) == before | {"assets/generated/bat/bat.png": whole}


def test_fix_takes_pictures_from_the_history_where_the_recipe_asks_for_others(
    cli: Cli, game: Path, published: Path
) -> None:
    first = (published / "bat/bat.png").read_bytes()
    recipe = game / "assetgen.toml"
    recipe.write_text(recipe.read_text().replace("bat = 3", "bat = 7"))
    assert cli("batch", "--project", game).code == 0
    assert cli("restore", "--project", game).code == 0
    (published / "bat/bat.png").unlink()
    assert cli("verify", "--project", game, "--fix").code == 0
    assert (published / "bat/bat.png").read_bytes() == first


def test_a_larger_variant_that_breaks_off_is_restored_too_and_an_edited_one_is_not(
    cli: Cli, game: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    use_stand_ins(monkeypatch)
    where = ("--project", game, "--out", "assets/generated")
    batch = ("batch", *where, "--types", "bat=3,imp=2", "--oversample", 2, "--variant", 2)
    assert cli(*batch).code == 0
    out = game / "assets/generated"
    whole = (out / "bat/bat@2x.png").read_bytes()
    (out / "bat/bat@2x.png").write_bytes(whole[:-12])
    Image.new("RGBA", (40, 40), "red").save(out / "imp/imp@2x.png")
    before = files_of(game)
    assert kinds(cli("verify", *where, "--json")) == {("bat/bat@2x.png", "damaged"), ("imp/imp@2x.png", "edited")}
    assert cli(*batch).code == 0
    assert files_of(game) == before | {"assets/generated/bat/bat@2x.png": whole}


def test_fix_says_what_it_cannot_restore(cli: Cli, game: Path, published: Path) -> None:
    edit_manifest(game, lambda m: m["choice"].update(model="0" * 64))
    (published / "bat/bat.png").unlink()
    done = cli("verify", "--project", game, "--fix")
    assert done.code == 3
    assert "missing: bat/bat.png" in done.out
    assert "A change of model" in done.err
    assert not (published / "bat/bat.png").exists()


def test_every_set_is_checked(cli: Cli, game: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    use_stand_ins(monkeypatch)
    sets = "".join(f'[[sets]]\nname = "{name}"\ntypes = {{ {name} = 2 }}\n' for name in ("bat", "imp"))
    (game / "assetgen.toml").write_text(f"oversample = 2\n{sets}")
    assert cli("batch", "--project", game).code == 0
    (game / "assets/generated/imp/imp/imp.png").unlink()
    done = cli("verify", "--project", game, "--json")
    assert done.code == 3
    assert [len(one["findings"]) for one in json.loads(done.out)["sets"]] == [0, 1]
    assert cli("verify", "--project", game, "--set", "bat").code == 0
    assert cli("verify", "--project", game, "--fix").code == 0
