"""The example game, opened from disk in a real browser."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from tests.clients.conftest import HERE, client, node_package

PAGE = Path(__file__).parents[2] / "examples" / "bestiary"


def visit(page: Path, screenshot: Path) -> dict[str, Any]:
    """What a visitor of the page sees."""
    node_package("playwright-core")
    script = [client("node"), str(HERE / "bestiary.mjs"), client("chromium"), str(page), str(screenshot)]
    done = subprocess.run(script, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    result: dict[str, Any] = json.loads(done.stdout)
    return result


@pytest.fixture
def book(tmp_path: Path) -> Path:
    """A copy of the page without assets."""
    folder = tmp_path / "bestiary"
    folder.mkdir()
    for name in ("index.html", "bestiary.css", "bestiary.js"):
        shutil.copy(PAGE / name, folder)
    return folder


def test_the_bestiary_shows_every_sprite_of_every_type_pixel_for_pixel(
    book: Path, built_in_batch: Path, tmp_path: Path
) -> None:
    shutil.copytree(built_in_batch / "assets", book / "assets")
    seen = visit(book / "index.html", tmp_path / "page.png")
    assert seen["errors"] == []
    assert seen["state"] == "ready"
    out = book / "assets" / "generated"
    sheets = json.loads((out / "manifest.json").read_text())["sheets"]
    published = {sheet["type"]: [sprite["name"] for sprite in sheet["sprites"]] for sheet in sheets}
    assert seen["shown"] == published
    last = sheets[-1]
    assert seen["walkedTo"] == seen["focused"] == published[last["type"]][1]
    assert seen["met"] in published[last["type"]]
    assert seen["met"] != seen["walkedTo"]
    screen = np.array(Image.open(tmp_path / "page.png").convert("RGB"))
    picture = np.array(Image.open(out / last["image"]))
    rects = {sprite["name"]: sprite["rect"] for sprite in last["sprites"]}
    assert len(seen["boxes"]) == 3
    for name, left, top, width, height in seen["boxes"]:
        x, y, w, h = rects[name]
        sprite = picture[y : y + h, x : x + w]
        zoom = round(width) // w
        assert (round(width), round(height)) == (w * zoom, h * zoom)
        middle = zoom // 2
        box = screen[round(top) + middle :, round(left) + middle :][: h * zoom : zoom, : w * zoom : zoom]
        opaque = sprite[..., 3] == 255
        assert opaque.any()
        assert np.array_equal(box[opaque], sprite[opaque][:, :3])


def test_without_assets_the_page_says_how_to_make_them(book: Path, tmp_path: Path) -> None:
    seen = visit(book / "index.html", tmp_path / "page.png")
    assert (seen["state"], seen["errors"]) == ("empty", [])
    assert "make demo" in seen["notice"]


def test_a_missing_sheet_is_named(book: Path, built_in_batch: Path, tmp_path: Path) -> None:
    shutil.copytree(built_in_batch / "assets", book / "assets")
    (book / "assets" / "generated" / "dragon" / "dragon.png").unlink()
    seen = visit(book / "index.html", tmp_path / "page.png")
    assert seen["state"] == "broken"
    assert "assets/generated/dragon/dragon.png" in seen["notice"]


def test_the_contact_sheet_opens_from_disk(built_in_batch: Path, tmp_path: Path) -> None:
    (page,) = (built_in_batch / "assets" / "generated" / "candidates~").glob("*/index.html")
    script = [client("node"), str(HERE / "contact_sheet.mjs"), client("chromium"), str(page)]
    done = subprocess.run(script, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    seen = json.loads(done.stdout)
    rows = (page.parent / "scores.csv").read_text().splitlines()[1:]
    assert seen["errors"] == []
    assert seen["cards"] == len(rows)
    assert seen["kept"] == sum(row.split(",")[4] == "1" for row in rows)
    assert seen["keptOnly"] == seen["kept"]
    assert seen["loaded"] == [32, 32]
    assert seen["rendering"] == "pixelated"
