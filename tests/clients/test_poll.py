"""The poll in a real browser, from disk: two sprites at a time, by keys and touch, undone, resumed, saved."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from PIL import Image

from asset_gen.candidates import FOLDER
from asset_gen.cli import run as run_command_line
from asset_gen.poll.ballot import CandidateSet, read_candidates

if TYPE_CHECKING:
    from tests.clients.conftest import Browser, Page

COMPARISONS = 6


@pytest.fixture(scope="module")
def candidates(built_in_batch: Path) -> CandidateSet:
    (folder,) = (path for path in (built_in_batch / "assets/generated" / FOLDER).iterdir() if path.is_dir())
    return read_candidates(folder)


@pytest.fixture
def poll(candidates: CandidateSet, tmp_path: Path) -> Path:
    """A poll of two types."""
    arguments = ["poll", str(candidates.folder), "--out", str(tmp_path / "a poll"), "--title", "Taste <b>this</b>"]
    arguments += ["--types", "potion,weapon", "--per-type", "5", "--comparisons", str(COMPARISONS)]
    assert run_command_line(arguments) == 0
    return tmp_path / "a poll" / "index.html"


def shown(page: Page) -> list[str]:
    """Left and right sprite."""
    page.wait_for("[...document.querySelectorAll('#pair img')].every(image => image.complete && image.naturalWidth)")
    addresses = page.evaluate("[...document.querySelectorAll('#pair img')].map(image => image.src)")
    return [Path(address).stem for address in addresses]


def place(page: Page) -> str:
    return str(page.evaluate("document.getElementById('place').textContent"))


def saved(page: Page, folder: Path) -> dict[str, Any]:
    """What the button for it saves."""
    page.call("Page.setDownloadBehavior", behavior="allow", downloadPath=str(folder))
    page.click("#save")
    deadline = time.monotonic() + 20
    while not (files := list(folder.glob("votes-*.json"))) or not files[0].stat().st_size:
        assert time.monotonic() < deadline, "nothing was saved"
        time.sleep(0.05)
    return dict(json.loads(files[0].read_text()))


def test_a_visitor_votes_by_keys_and_the_votes_become_ratings(
    poll: Path, candidates: CandidateSet, browser: Browser, tmp_path: Path
) -> None:
    page = browser.open(poll.as_uri())
    assert page.evaluate("document.getElementById('title').textContent") == "Taste <b>this</b>"
    types = {candidates.ballot_id(row): row.type for row in candidates.rows}
    expected = []
    keys = [("ArrowLeft", "left"), ("ArrowRight", "right"), ("ArrowDown", "tie")] * 2
    for number, (key, won) in enumerate(keys):
        assert place(page) == f"{number + 1} of {COMPARISONS}"
        left, right = shown(page)
        assert left != right
        assert types[left] == types[right]
        expected.append({"left": left, "right": right, "won": won})
        page.press(key)
    assert place(page) == f"{COMPARISONS} comparisons made"
    assert not page.evaluate("document.getElementById('end').hidden")
    (tmp_path / "votes").mkdir()
    document = saved(page, tmp_path / "votes")
    assert document["votes"] == expected
    assert len({frozenset((vote["left"], vote["right"])) for vote in expected}) >= 4  # rounds differ
    ratings = tmp_path / "ratings.json"
    arguments = ["poll", str(candidates.folder), "--import", str(tmp_path / "votes"), "--out", str(ratings)]
    assert run_command_line(arguments) == 0
    assert json.loads(ratings.read_text())["votes"] >= 4


def test_a_finger_votes_too_and_a_vote_can_be_taken_back_after_coming_again(poll: Path, browser: Browser) -> None:
    page = browser.open(poll.as_uri(), width=375, height=700)
    first = shown(page)
    assert page.evaluate("document.getElementById('undo').disabled")
    page.call("Emulation.setTouchEmulationEnabled", enabled=True)
    x, y, width, height = page.box("#right")
    assert 0 <= x <= x + width <= 375
    assert height >= 44
    assert page.box("#right img")[2] == 128  # four times the sprite's pixels, of the 150 that there are
    point = {"x": x + width / 2, "y": y + height / 2}
    page.call("Input.dispatchTouchEvent", type="touchStart", touchPoints=[point])
    page.call("Input.dispatchTouchEvent", type="touchEnd", touchPoints=[])
    page.wait_for("document.getElementById('place').textContent.startsWith('2 of')")
    second = shown(page)
    page.call("Page.reload")
    page.wait_for("document.getElementById('place')?.textContent.startsWith('2 of')")
    assert shown(page) == second
    page.click("#undo")
    assert place(page) == f"1 of {COMPARISONS}"
    assert shown(page) == first


def test_two_visitors_see_other_pairs(poll: Path, browser: Browser) -> None:
    orders = set()
    for _ in range(3):
        page = browser.open(poll.as_uri())  # each window is a visitor of its own
        orders.add(page.evaluate("Object.values(localStorage).map(kept => JSON.stringify(JSON.parse(kept).pairs))[0]"))
    assert len(orders) == 3


def test_sprites_are_shown_enlarged_as_whole_pixels(poll: Path, browser: Browser) -> None:
    page = browser.open(poll.as_uri())
    left, _ = shown(page)
    with Image.open(poll.parent / "sprites" / f"{left}.png") as picture:
        sprite = np.array(picture.convert("RGBA"))
    x, y, width, height = (round(value) for value in page.box("#left img"))
    assert (width, height) == (256, 256)
    seen = page.screenshot()[y : y + 256, x : x + 256]
    scale = 256 // len(sprite)
    solid = sprite[..., 3] == 255
    assert solid.any()
    assert (seen[scale // 2 :: scale, scale // 2 :: scale][solid] == sprite[..., :3][solid]).all()


def test_without_its_ballot_the_page_says_what_is_missing(poll: Path, browser: Browser) -> None:
    (poll.parent / "ballot.js").unlink()
    page = browser.open(poll.as_uri())
    page.wait_for("!document.getElementById('broken').hidden")
    assert page.evaluate("document.getElementById('pair').hidden")
