"""How do explored sprites become candidates and published ones, and are they made again from their origins alone?"""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from asset_gen.catalogue import open_catalogue
from asset_gen.forget import forget
from asset_gen.images import read_rgba
from asset_gen.manifest import Origin, read_manifest
from asset_gen.watch.reject import origin_of, take_rejection
from tests.conftest import Cli, files_of


@pytest.fixture
def published(cli: Cli, game: Path) -> Path:
    """A game with twelve sprites of the built-in model."""
    (game / "assetgen.toml").write_text('types = { dragon = 6, potion = 6 }\nfilter = "none"\n')
    assert cli("batch", "--project", game, "-q").code == 0
    return game


def add(cli: Cli, game: Path, *words: object) -> list[dict[str, Any]]:
    out = game.parent / "found.png"
    done = cli("explore", *words, "--project", game, "--add", "--out", out, "--json")
    assert done.code == 0, done.err
    found: list[dict[str, Any]] = json.loads(done.out)["sprites"]
    return found


def slots(game: Path) -> dict[str, Origin]:
    manifest = read_manifest(game / "assets" / "generated")
    assert manifest is not None
    return {sprite.name: sprite.origin for sheet in manifest.sheets for sprite in sheet.sprites}


def picture_of(game: Path, name: str) -> np.ndarray:
    out = game / "assets" / "generated"
    manifest = read_manifest(out)
    assert manifest is not None
    for sheet in manifest.sheets:
        for sprite in sheet.sprites:
            if sprite.name == name:
                x, y, width, height = sprite.rect
                return read_rgba(out / sheet.image)[y : y + height, x : x + width]
    raise AssertionError(name)


def test_an_explored_sprite_takes_one_slot_and_nothing_else_changes(cli: Cli, published: Path) -> None:
    before = slots(published)
    found = add(cli, published, "variations", "--like", "potion:1", "--strength", "0.4", "-n", 3)
    assert slots(published) == before  # added, not published
    done = cli("explore", "publish", found[2]["candidate"], "--into", "potion:1", "--project", published)
    assert done.code == 0, done.err
    after = slots(published)
    assert {name for name in after if after[name] != before[name]} == {"potion_000001"}
    origin = after["potion_000001"]
    assert (origin.operation, origin.parents) == ("variation", (before["potion_000001"],))
    assert (origin.parameters.strength, origin.parameters.index) == (0.4, 2)
    again = files_of(published)
    assert cli("batch", "--project", published, "-q").code == 0
    assert files_of(published) == again  # the same arguments change no byte
    entry = open_catalogue(published).find("potion:1")
    assert (entry.origin, entry.state) == (origin, "kept")
    assert cli("verify", "--project", published).code == 0
    assert cli("audit", "--project", published).code == 0


def test_a_lost_sheet_is_made_again_from_origins_alone(cli: Cli, published: Path) -> None:
    found = add(cli, published, "between", "potion_000000", "dragon_000001", "-n", 3)
    assert cli("explore", "publish", found[1]["candidate"], "--into", "potion:2", "--project", published).code == 0
    before = files_of(published)
    out = published / "assets" / "generated"
    shutil.rmtree(out / "candidates~")
    (out / "potion" / "potion.png").unlink()
    assert cli("verify", "--project", published).code == 3
    shutil.rmtree(published / ".assetgen")  # nor is it in the history
    assert cli("batch", "--project", published, "-q").code == 0
    after = files_of(published)
    sheets = [path for path in before if path.endswith("potion.png") and "candidates~" not in path]
    assert {path: after[path] for path in sheets} == {path: before[path] for path in sheets}
    assert cli("verify", "--project", published).code == 0


def test_it_stays_when_the_count_grows(cli: Cli, published: Path) -> None:
    found = add(cli, published, "truncate", "potion:0", "-n", 2, "--to", "0.5")
    assert cli("explore", "publish", found[1]["candidate"], "--into", "potion:0", "--project", published).code == 0
    origin, picture = slots(published)["potion_000000"], picture_of(published, "potion_000000")
    assert cli("batch", "--project", published, "--types", "dragon=9,potion=9", "-q").code == 0
    assert len(slots(published)) == 18
    assert slots(published)["potion_000000"] == origin
    assert np.array_equal(picture_of(published, "potion_000000"), picture)


def test_one_that_nobody_keeps_is_never_published(cli: Cli, published: Path) -> None:
    add(cli, published, "variations", "--like", "potion:1", "-n", 3)
    for _ in range(3):
        assert cli("batch", "--project", published, "--reject", "potion:1", "-q").code == 0
        assert not slots(published)["potion_000001"].operation


def test_one_that_is_kept_takes_a_rejected_ones_place(cli: Cli, published: Path) -> None:
    found = add(cli, published, "variations", "--like", "potion:1", "-n", 2)
    assert cli("catalogue", "keep", found[0]["candidate"], "--project", published).code == 0
    assert cli("batch", "--project", published, "--reject", "potion:1", "-q").code == 0
    assert slots(published)["potion_000001"].operation == "variation"
    shown = cli("catalogue", "show", "potion:1", "--project", published).out
    assert "variation of potion" in shown


def test_an_explored_sprite_that_is_rejected_never_comes_back(cli: Cli, published: Path) -> None:
    found = add(cli, published, "variations", "--like", "potion:1", "-n", 2)
    out = published / "assets" / "generated"
    name = found[0]["candidate"].split("/")[1]
    assert origin_of(name, read_manifest(out)) is None  # its name alone doesn't say what it is
    from asset_gen.publish import locate

    place = locate(published, "assets/generated")
    moved = published / f"{name}.png"
    shutil.copy(out / "candidates~" / found[0]["candidate"].split("/")[0] / "potion" / f"{name}.png", moved)
    take_rejection(moved, place, read_manifest(out))
    entry = open_catalogue(published).find(found[0]["candidate"])
    assert entry.state == "rejected"
    told = cli("explore", "publish", found[0]["candidate"], "--into", "potion:1", "--project", published)
    assert told.code == 2
    assert "can't be published" in told.err


def test_an_artists_picture_leads_to_sprites_that_need_it_no_more(cli: Cli, published: Path, tmp_path: Path) -> None:
    mine = tmp_path / "mine.png"
    sprite = picture_of(published, "potion_000002")
    Image.fromarray(sprite, "RGBA").save(mine)
    found = add(cli, published, "variations", "--like", mine, "--strength", "0.1", "-n", 2)
    mine.unlink()
    kind = found[0]["origin"]["type"]
    assert cli("explore", "publish", found[0]["candidate"], "--into", f"{kind}:1", "--project", published).code == 0
    origin = slots(published)[f"{kind}_000001"]
    assert origin.parents[0].operation == "picture"
    assert len(origin.parents[0].parameters.picture) == 64
    picture = picture_of(published, f"{kind}_000001")
    out = published / "assets" / "generated"
    assert forget([origin.parents[0].parameters.picture], [], [], [out]).sprites == {str(out): [f"{kind}_000001"]}
    shutil.rmtree(out / "candidates~")
    (out / kind / f"{kind}.png").unlink()
    shutil.rmtree(published / ".assetgen")
    assert cli("batch", "--project", published, "-q").code == 0
    assert np.array_equal(picture_of(published, f"{kind}_000001"), picture)


def test_what_cannot_be_added_or_published_is_told(cli: Cli, published: Path, game: Path, tmp_path: Path) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    out = tmp_path / "x.png"
    told = cli("explore", "sheet", "-n", 1, "--add", "--project", empty, "--out", out)
    assert "nothing is published there" in told.err
    found = add(cli, published, "variations", "--like", "potion:1", "-n", 1)
    name = found[0]["candidate"]
    for slot, said in (("dragon:0", "is of the type potion"), ("potion:99", "nothing is published in that slot")):
        told = cli("explore", "publish", name, "--into", slot, "--project", published)
        assert (told.code, said in told.err) == (2, True)
    assert "no such slot or candidate" in cli("explore", "publish", "no", "--into", "potion:0", "--project", game).err
