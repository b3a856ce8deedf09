"""A training's run folder on a page: what it tells while it goes on, and what a stranger's can't make it do."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from starlette.testclient import TestClient

from asset_gen.errors import UsageError
from asset_gen.review.app import make_app
from asset_gen.review.studio import open_studio
from asset_gen.review.training import RunFolder, cells, some
from tests.asset_gen.review.conftest import HOME, PORT, TOKEN
from tests.conftest import Cli


@pytest.fixture
def run(finished_run: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(finished_run, tmp_path / "run"))


@pytest.fixture
def page(run: Path, game: Path) -> Iterator[TestClient]:
    app = make_app(open_studio(game, run=run), PORT, TOKEN)
    with TestClient(app, base_url=HOME, headers={"Origin": HOME}) as client:
        client.get(f"/?token={TOKEN}")
        yield client


def test_it_tells_what_the_run_folder_holds(page: TestClient, run: Path) -> None:
    told = page.get("/api/training").json()
    lines = [json.loads(line) for line in (run / "stats.jsonl").read_text().splitlines()]
    assert told["statistics"] == lines and not told["gone"]
    assert told["sheets"] == sorted(int(path.stem) for path in (run / "samples").glob("*.png"))
    assert ["preset", json.loads((run / "config.json").read_text())["preset"]] in told["facts"]
    step = told["sheets"][-1]
    assert page.get(f"/training/{step}.png").content == (run / "samples" / f"{step:09d}.png").read_bytes()
    assert page.get(f"/training/{step + 1}.png").status_code == 404
    assert "training" in page.get("/training").text.lower()
    assert 'href="/training"' in page.get("/").text


def test_nearest_training_sprites_are_named_and_shown(page: TestClient, run: Path) -> None:
    step = page.get("/api/training").json()["sheets"][-1]
    found = page.get(f"/api/training/{step}/nearest").json()
    config = json.loads((run / "config.json").read_text())
    assert {one["type"] for one in found} == set(config["types"].values())
    for one in found:
        assert [near["distance"] for near in one["near"]] == sorted(near["distance"] for near in one["near"])
        assert all((Path(config["sprites"]) / near["file"]).is_file() for near in one["near"])
    config["sprites"] = str(run / "nothing here")
    (run / "config.json").write_text(json.dumps(config))
    answer = TestClient(make_app(open_studio(run, run=run), PORT, TOKEN), base_url=HOME, headers={"Origin": HOME})
    answer.get(f"/?token={TOKEN}")
    told = answer.get(f"/api/training/{step}/nearest")
    assert told.status_code == 409 and "aren't here" in told.json()["error"]


def test_a_training_sprite_on_a_sheet_is_its_own_nearest(run: Path) -> None:
    folder = RunFolder(run)
    step = folder.told()["sheets"][-1]
    config = json.loads((run / "config.json").read_text())
    path = sorted(Path(config["sprites"]).glob("*/*.png"))[0]
    size = config["size"]
    with Image.open(run / "samples" / f"{step:09d}.png") as sheet:
        picture = sheet.convert("RGB")
    zoom = picture.height // (len(config["types"]) * (size + 2))
    margin = picture.width - 8 * (size + 2) * zoom
    with Image.open(path) as file:
        sprite = Image.new("RGBA", (size, size), (207, 207, 207, 255))
        sprite.alpha_composite(file.convert("RGBA").resize((size, size), Image.Resampling.BOX))
    picture.paste(sprite.convert("RGB").resize((size * zoom, size * zoom), 0), (margin + zoom, zoom))
    picture.save(run / "samples" / f"{step:09d}.png")
    first = folder.nearest(step)[0]["near"][0]
    assert first["file"] == path.relative_to(config["sprites"]).as_posix()
    assert first["distance"] < 0.01


def test_a_line_that_is_being_written_is_left_for_later(page: TestClient, run: Path) -> None:
    before = page.get("/api/training").json()["statistics"]
    with (run / "stats.jsonl").open("a") as file:
        file.write('{"step": 99, "loss_g": 0.')
    assert page.get("/api/training").json()["statistics"] == before
    with (run / "stats.jsonl").open("a") as file:
        file.write('5}\n{"step": 100, "loss_g": NaN, "loss_d": 1, "note": [1]}\n[]\n{"step": "x"}\n')
    told = page.get("/api/training").json()["statistics"]
    assert told[len(before) :] == [{"step": 99, "loss_g": 0.5}, {"step": 100, "loss_d": 1}]


def test_windows_hear_when_the_training_has_written(run: Path, game: Path) -> None:
    import asyncio

    studio = open_studio(game, run=run)
    heard: list[str] = []
    studio.hub.tell = lambda event, data: heard.append(event)  # type: ignore[method-assign]

    async def look() -> None:
        await studio.look()

    asyncio.run(look())
    asyncio.run(look())
    assert heard == ["training"]
    with (run / "stats.jsonl").open("a") as file:
        file.write('{"step": 999}\n')
    asyncio.run(look())
    assert heard == ["training", "training"]


def test_a_folder_that_is_no_training_is_refused_with_the_command_that_makes_one(cli: Cli, game: Path) -> None:
    done = cli("review", "--project", game, "--run", game / "nothing", "--no-browser")
    assert done.code == 2
    assert "holds no training" in done.err and "assetgen train SPRITES --run" in done.err


def test_one_that_has_just_begun_and_one_that_is_gone(page: TestClient, run: Path) -> None:
    for name in ("stats.jsonl", "evaluations.jsonl"):
        (run / name).unlink(missing_ok=True)
    shutil.rmtree(run / "samples")
    told = page.get("/api/training").json()
    assert (told["statistics"], told["sheets"], told["gone"]) == ([], [], False)
    shutil.rmtree(run)
    assert page.get("/api/training").json()["gone"]


def test_links_lead_out_of_no_run(page: TestClient, run: Path, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text('{"step": 1, "loss_g": 4711}\n')
    step = page.get("/api/training").json()["sheets"][-1]
    for path in (run / "stats.jsonl", run / "samples" / f"{step:09d}.png"):
        path.unlink()
        path.symlink_to(secret)
    assert page.get("/api/training").json()["statistics"] == []
    assert page.get(f"/training/{step}.png").status_code == 404
    for path in (
        "/training/..%2f..%2fsecret.png",
        "/training/-1.png",
        "/training/1e3.png",
        "/training/99999999999.png",
    ):
        assert page.get(path).status_code == 404


def test_a_studio_without_a_training_says_so(game: Path) -> None:
    page = TestClient(make_app(open_studio(game), PORT, TOKEN), base_url=HOME, headers={"Origin": HOME})
    page.get(f"/?token={TOKEN}")
    assert page.get("/training").status_code == 404
    assert "--run RUN" in page.get("/api/training").json()["error"]
    assert 'href="/training"' not in page.get("/").text


def test_a_sheet_is_taken_apart_and_another_is_refused() -> None:
    rows: Any = np.arange(2 * 8 * 4 * 4 * 3, dtype=np.uint8).reshape(2, 8, 4, 4, 3)
    bare = np.pad(rows, ((0, 0), (0, 0), (1, 1), (1, 1), (0, 0))).swapaxes(1, 2).reshape(12, 48, 3)
    sheet = np.pad(bare.repeat(2, axis=0).repeat(2, axis=1), ((0, 0), (31, 0), (0, 0)))
    assert np.array_equal(cells(sheet, 4, 2), rows)
    with pytest.raises(UsageError, match="isn't one of this training"):
        cells(sheet[:-1], 4, 2)


def test_long_tables_are_thinned_evenly() -> None:
    assert some(range(10), 20) == list(range(10))
    assert some(range(1001), 11) == list(range(0, 1001, 100))
