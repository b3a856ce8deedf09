"""Sheets are as small as oxipng makes them, where that is asked for, and otherwise the same."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from asset_gen import png
from asset_gen.images import read_whole
from tests.conftest import Cli, Result, files_of
from tests.fakes import write_bundle

OUT = Path("assets/generated")


@pytest.fixture
def model(tmp_path: Path) -> Path:
    return write_bundle(tmp_path / "model")


@pytest.fixture
def make(cli: Cli, game: Path, model: Path) -> Callable[..., Result]:
    """``assetgen batch`` for 12 sprites, with further arguments."""

    def call(*arguments: object, project: Path = game) -> Result:
        return cli("batch", "--project", project, "--model", model, "--count", 12, *arguments)

    return call


@pytest.fixture
def plain(make: Callable[..., Result], tmp_path: Path) -> Callable[..., Path]:
    """The output folder of another project, for which nothing was optimized."""

    def call(*arguments: object) -> Path:
        (tmp_path / "plain").mkdir(exist_ok=True)
        assert make(*arguments, project=tmp_path / "plain").code == 0
        return tmp_path / "plain" / OUT

    return call


@pytest.fixture
def times(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Bytes of every sheet that oxipng is given."""
    given: list[int] = []
    real = png.optimizer()

    class Counted:
        @staticmethod
        def optimize_from_memory(data: bytes, **options: Any) -> bytes:
            given.append(len(data))
            return bytes(real.optimize_from_memory(data, **options))

    monkeypatch.setattr(png, "optimizer", Counted)
    return given


def sheets(out: Path) -> dict[str, Path]:
    return {path.relative_to(out).as_posix(): path for path in out.rglob("*.png") if "candidates~" not in path.parts}


@pytest.mark.parametrize(
    "further", [[], ["--palette", 12, "--variant", 2], ["--combined", "--trim", "--alpha", "soft"]]
)
def test_optimized_sheets_are_smaller_show_the_same_and_keep_their_mark(
    make: Callable[..., Result], plain: Callable[..., Path], game: Path, cli: Cli, further: list[object]
) -> None:
    assert make("--optimize", *further).code == 0
    others = plain(*further)
    assert len(sheets(game / OUT)) >= 1
    for path, file in sheets(game / OUT).items():
        other = others / path
        assert file.stat().st_size < other.stat().st_size
        assert np.array_equal(read_whole(file), read_whole(other))
        with Image.open(file) as image:
            assert png.SOURCE_TYPE in image.info["XML:com.adobe.xmp"]
    document = json.loads((game / OUT / "manifest.json").read_text())
    assert document["finish"]["optimize"] is True
    assert "optimize" not in json.loads((others / "manifest.json").read_text())["finish"]
    assert document["sheets"] == json.loads((others / "manifest.json").read_text())["sheets"]
    assert cli("verify", "--project", game).code == 0
    assert cli("audit", "--project", game).code == 0


def test_the_same_again_changes_no_byte_and_optimizes_nothing_again(
    make: Callable[..., Result], game: Path, times: list[int]
) -> None:
    assert make("--optimize", "--variant", 2).code == 0
    before, count = files_of(game), len(times)
    assert count == 6
    again = make("--optimize", "--variant", 2)
    assert "Nothing to change" in again.out
    assert files_of(game) == before
    assert len(times) == count


def test_only_a_sheet_that_changed_is_optimized_again(
    make: Callable[..., Result], game: Path, times: list[int]
) -> None:
    assert make("--optimize").code == 0
    before = {path: file.read_bytes() for path, file in sheets(game / OUT).items()}
    (game / OUT / "flask/flask.png").unlink()  # lost
    assert make("--optimize").code == 0
    assert {path: file.read_bytes() for path, file in sheets(game / OUT).items()} == before
    assert len(times) == 4


def test_a_rejected_sprite_is_replaced_on_an_optimized_sheet_and_the_sheet_stays_one(
    make: Callable[..., Result], game: Path, times: list[int]
) -> None:
    assert make("--optimize").code == 0
    before = {path: file.read_bytes() for path, file in sheets(game / OUT).items()}
    assert make("--reject", "flask:1").code == 0
    after = {path: file.read_bytes() for path, file in sheets(game / OUT).items()}
    assert [path for path in before if before[path] != after[path]] == ["flask/flask.png"]
    assert len(times) == 4
    assert json.loads((game / OUT / "manifest.json").read_text())["finish"]["optimize"] is True


def test_without_the_flag_sheets_are_as_if_it_had_never_been_given(
    make: Callable[..., Result], plain: Callable[..., Path], game: Path
) -> None:
    assert make("--optimize").code == 0
    assert make().code == 0
    others = plain()
    assert {path: file.read_bytes() for path, file in sheets(game / OUT).items()} == {
        path: file.read_bytes() for path, file in sheets(others).items()
    }


def test_a_set_is_optimized_afterwards_from_what_is_published(
    make: Callable[..., Result], game: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert make().code == 0
    before = {path: read_whole(file) for path, file in sheets(game / OUT).items()}

    def drawn(*arguments: object) -> None:
        raise AssertionError("a picture was looked for elsewhere")

    monkeypatch.setattr("asset_gen.pictures.Pictures.native", drawn)
    assert make("--optimize").code == 0
    assert all(np.array_equal(before[path], read_whole(file)) for path, file in sheets(game / OUT).items())
    assert json.loads((game / OUT / "manifest.json").read_text())["finish"]["optimize"] is True


def test_a_recipe_can_ask_for_it(make: Callable[..., Result], game: Path) -> None:
    (game / "assetgen.toml").write_text("optimize = true\n")
    assert make().code == 0
    assert json.loads((game / OUT / "manifest.json").read_text())["finish"]["optimize"] is True
    assert make("--optimize").out.startswith("Nothing to change")


def test_a_sheet_that_somebody_edited_is_left_alone(make: Callable[..., Result], game: Path) -> None:
    assert make("--optimize").code == 0
    sheet = game / OUT / "flask/flask.png"
    picture = read_whole(sheet)
    picture[:8, :8] = 255
    Image.fromarray(picture, "RGBA").save(sheet)
    edited = sheet.read_bytes()
    again = make("--optimize")
    assert again.code == 0
    assert "flask.png was edited by hand and is left as it is" in again.err
    assert sheet.read_bytes() == edited
    assert not sheet.with_name("flask.png.new").exists()  # there is nothing new to offer


def test_what_is_lost_is_restored_as_it_was(make: Callable[..., Result], game: Path, model: Path, cli: Cli) -> None:
    (game / "assetgen.toml").write_text(f'optimize = true\nmodel = "{model.as_posix()}"\ncount = 12\n')
    assert make().code == 0
    sheet = game / OUT / "flask/flask.png"
    before = sheet.read_bytes()
    sheet.unlink()
    assert cli("verify", "--project", game, "--fix").code == 0
    assert sheet.read_bytes() == before


@pytest.mark.parametrize("further", [[], ["--dry-run"]])
def test_without_oxipng_nothing_is_begun_and_the_message_names_the_extra(
    make: Callable[..., Result], game: Path, monkeypatch: pytest.MonkeyPatch, further: list[object]
) -> None:
    monkeypatch.setitem(sys.modules, "oxipng", None)
    refused = make("--optimize", *further)
    assert refused.code == 2
    assert "--optimize: oxipng is not installed" in refused.err
    assert "pip install 'assetgen[optimize]'" in refused.err
    assert files_of(game) == {}


def test_a_published_set_that_is_optimized_needs_oxipng_too(
    make: Callable[..., Result], game: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert make("--optimize").code == 0
    before = files_of(game)
    monkeypatch.setitem(sys.modules, "oxipng", None)
    refused = make("--reject", "flask:1")
    assert refused.code == 2
    assert "assetgen[optimize]" in refused.err
    assert files_of(game) == before
