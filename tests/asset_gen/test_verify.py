"""``assetgen verify`` finds what a game would show wrongly, and tells it from what a person changed."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from tests.conftest import Cli, files_of

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


@pytest.mark.parametrize("share", [0.3, 0.7, 0.98])
def test_a_picture_that_breaks_off_is_damaged(cli: Cli, game: Path, batch: Callable[[], Any], share: float) -> None:
    assert batch().code == 0
    whole = (game / SHEET).read_bytes()
    (game / SHEET).write_bytes(whole[: int(len(whole) * share)])
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
    (finding,) = json.loads(done.out)["findings"]
    assert (finding["path"], finding["kind"]) == ("beetle/beetle.png", "moved")


def test_a_missing_file(cli: Cli, game: Path, batch: Callable[[], Any]) -> None:
    assert batch().code == 0
    (game / "assets/generated/beetle/beetle.json").unlink()
    done = cli("verify", "--project", game)
    assert done.code == 3
    assert "missing: beetle/beetle.json" in done.out
    assert "1 of " in done.err


def test_an_edited_file_is_a_persons_right(cli: Cli, game: Path, bundle: Path, batch: Callable[[], Any]) -> None:
    assert batch().code == 0
    Image.new("RGBA", (70, 70), "red").save(game / SHEET)
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


def test_where_nothing_is_published(cli: Cli, game: Path) -> None:
    done = cli("verify", "--project", game)
    assert done.code == 1
    assert "nothing is published there. Give the folder with --out" in done.err
    assert list(game.iterdir()) == []
