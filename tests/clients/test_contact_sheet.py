"""A candidate set's page in a real browser, from disk: sorted, filtered, by keys, and fluid with 10,000 sprites."""

from __future__ import annotations

import csv
from dataclasses import replace
from math import nan
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from asset_gen.candidates import CandidateWriter, Near, Row, candidate_name
from tests.clients import web
from tests.creatures import KINDS, creature

if TYPE_CHECKING:
    from tests.clients.conftest import Browser, Client, Page

TEMPLATES = Path(__file__).parents[2] / "asset_gen" / "templates"
SIDE = 32
EACH = 12
MANY = 10_000
RUN: dict[str, Any] = {
    "run": "0123456789abcdef",
    "model_name": "creatures",
    "choice": {"model": "m" * 64, "seed": 7, "oversample": 4, "scorer": "types", "filter": "set"},
}


def candidate(kind: str, index: int) -> Row:
    """Every third is kept; realism grows with the index, but isn't known of the first."""
    reasons = ("chosen by set", f"copy of {kind}/<b>{index}.png", f"coverage 0.{index:02d} is too small")
    return Row(
        name=candidate_name(kind, index),
        type=kind,
        p_type=(index * 7 % EACH) / EACH,
        entropy=0.5,
        kept=index % 3 == 0,
        seed=7,
        index=index,
        reason=reasons[index % 3],
        scores={"realism": nan if index == 0 else index / 10, "critic": nan},
        nearest=(Near(f"{kind}/<b>{index}.png", 0.03), Near(f"{kind}/other.png", 0.05)),
    )


ROWS = [candidate(kind, index) for kind in KINDS for index in range(EACH)]


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The address of a set of 48 candidates."""
    folder = tmp_path_factory.mktemp("sets") / "a set"
    writer = CandidateWriter(folder, sharded=False)
    for row in ROWS:
        writer.add(row.type, row.name, creature(row.type, row.index, SIDE))
    writer.finish(ROWS, RUN)
    return (folder / "index.html").as_uri()


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The address of a set of ten thousand candidates, which share few pictures."""
    folder = tmp_path_factory.mktemp("sets") / "large"
    writer = CandidateWriter(folder, sharded=False)
    chance = np.random.default_rng(0).random((MANY, 2))
    picture = creature("flask", 0, SIDE)
    rows = []
    for index, (p, realism) in enumerate(chance.tolist()):
        row = replace(candidate("flask", index), p_type=p, scores={"realism": realism})
        writer.add(row.type, row.name, picture)
        rows.append(row)
    writer.finish(rows, RUN)
    return (folder / "index.html").as_uri()


def choose(page: Page, control: str, value: object) -> None:
    """What a person does with a select or a number."""
    field = f"document.querySelector({control!r})"
    page.evaluate(f"{field}.value = '{value}'")
    page.evaluate(f"['input', 'change'].forEach(kind => {field}.dispatchEvent(new Event(kind)))")


def names(page: Page) -> list[str]:
    """The candidates that are drawn, in order."""
    page.wait_for("![...document.querySelectorAll('.chunk')].some(chunk => !chunk.children.length)")
    labels = page.evaluate("[...document.querySelectorAll('.tile')].map(tile => tile.getAttribute('aria-label'))")
    return [str(label).partition(",")[0] for label in labels]


def text(page: Page, selector: str) -> str:
    return str(page.evaluate(f"document.querySelector({selector!r}).innerText"))


def test_it_shows_every_candidate_of_a_batch_and_those_that_were_kept(browser: Browser, built_in_batch: Path) -> None:
    (path,) = (built_in_batch / "assets/generated/candidates~").glob("*/index.html")
    with (path.parent / "scores.csv").open() as file:
        kept = [row["kept"] == "1" for row in csv.DictReader(file)]
    page = browser.open(path.as_uri(), height=12_000)
    assert len(names(page)) == len(kept)
    assert page.evaluate("document.querySelectorAll('.tile.kept').length") == sum(kept)
    picture = "document.querySelector('.tile img')"
    assert page.evaluate(f"{picture}.decode().then(() => {picture}.naturalWidth)") == SIDE
    assert page.evaluate(f"getComputedStyle({picture}).imageRendering") == "pixelated"
    choose(page, "#state", 1)
    assert len(names(page)) == sum(kept)


def test_it_sorts_by_every_score_with_what_is_not_known_last(browser: Browser, small: str) -> None:
    page = browser.open(small, height=2000)
    assert names(page) == [row.name for row in ROWS]
    labels = page.evaluate("[...document.querySelectorAll('#order option')].map(option => option.textContent)")
    scores = [f"{score}, {end} first" for score in ("p(type)", "entropy", "realism") for end in ("highest", "lowest")]
    assert labels == ["name", *scores]
    choose(page, "#kind", KINDS[1])
    choose(page, "#order", "-0")
    assert names(page) == [row.name for row in sorted(ROWS[EACH : 2 * EACH], key=lambda row: -row.p_type)]
    choose(page, "#order", "+2")
    assert [name[-2:] for name in names(page)] == [*(f"{index:02d}" for index in range(1, EACH)), "00"]


def test_without_types_one_order_goes_through_all(browser: Browser, small: str) -> None:
    page = browser.open(small, height=2000)
    assert page.evaluate("document.querySelectorAll('h2').length") == 1 + len(KINDS)
    page.click("#grouped")
    choose(page, "#order", "-2")
    assert [name[-2:] for name in names(page)[:5]] == ["11"] * len(KINDS) + ["10"]


def test_it_filters_by_reason_and_by_limits_of_a_score(browser: Browser, small: str) -> None:
    page = browser.open(small, height=3000)
    reasons = page.evaluate("[...document.querySelectorAll('#reason option')].slice(1).map(option => option.value)")
    assert sorted(reasons) == ["chosen by set", "copy of", "coverage"]
    choose(page, "#reason", "copy of")
    assert names(page) == [row.name for row in ROWS if row.index % 3 == 1]
    page.click("#reset")
    assert len(names(page)) == len(ROWS)
    page.click("summary")
    choose(page, "[data-score=realism][data-end=from]", 0.4)
    choose(page, "[data-score=realism][data-end=to]", 0.5)
    assert names(page) == [row.name for row in ROWS if row.index in (4, 5)]
    assert text(page, "#count") == "8 of 48 shown, 0 kept"
    choose(page, "[data-score=realism][data-end=from]", 9)
    assert "No candidate is like that" in text(page, "main")


def test_histograms_say_in_words_what_they_draw(browser: Browser, small: str) -> None:
    page = browser.open(small)
    page.click("summary")
    told = page.evaluate("[...document.querySelectorAll('#histograms svg')].map(one => one.getAttribute('aria-label'))")
    assert told[2].startswith("realism, from 0.1 to 1.1; median of the kept about ")
    assert text(page, "#histograms figure:last-child").split("\n")[-1] == "not known of any candidate"
    assert page.evaluate("document.querySelectorAll('#histograms path.kept, #histograms path.rest').length") == 6


def test_keys_go_through_the_sprites_and_open_one_with_its_neighbours(browser: Browser, small: str) -> None:
    page = browser.open(small)
    names(page)
    assert page.evaluate("document.querySelectorAll('.tile[tabindex=\"0\"]').length") == 1
    page.evaluate("document.querySelector('.tile[tabindex=\"0\"]').focus()")
    for key, place in (("ArrowRight", 1), ("ArrowRight", 2), ("ArrowLeft", 1), ("End", 47), ("Home", 0)):
        page.press(key)
        assert page.evaluate("document.activeElement.dataset.place") == str(place)
    page.press("ArrowRight")
    page.press("Enter")
    page.wait_for("document.querySelector('dialog').open")
    assert text(page, "#one-name") == "beetle_c000001"
    assert text(page, "#one-reason") == "Not kept: copy of beetle/<b>1.png"
    assert text(page, "#one-near tbody").split() == [
        "beetle/<b>1.png",
        "0.03",
        "(a",
        "copy)",
        "beetle/other.png",
        "0.05",
    ]
    page.press("ArrowRight")
    assert text(page, "#one-name") == "beetle_c000002"
    page.press("Escape")
    page.wait_for("!document.querySelector('dialog').open")
    page.wait_for("document.activeElement.dataset.place === '2'")  # the dialog tells that it closed a moment later


def test_ten_thousand_are_drawn_only_where_somebody_looks(browser: Browser, large: str) -> None:
    page = browser.open(large)
    drawn = "document.querySelectorAll('.tile').length"
    page.wait_for("document.querySelector('.tile')")
    assert text(page, "#count").startswith("10000 of 10000 shown")
    height = page.evaluate("document.documentElement.scrollHeight")
    last = "document.querySelector('.chunk:last-child')"
    assert page.evaluate(drawn) < 700
    page.evaluate("scrollTo(0, document.documentElement.scrollHeight)")
    page.wait_for(f"{last}.children.length")
    page.wait_for("!document.querySelector('.chunk').children.length")
    assert page.evaluate(drawn) < 700
    assert page.evaluate("document.documentElement.scrollHeight") == height, "places are kept for what isn't drawn"
    choose(page, "#order", "-0")
    page.evaluate("document.querySelector('.tile').focus()")
    page.press("End")
    page.wait_for("document.activeElement.dataset.place === '9999'")
    assert 0 < page.evaluate("document.activeElement.getBoundingClientRect().top") < 800


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("width", [360, 1280])
def test_it_fits_every_width_and_both_schemes(browser: Browser, small: str, width: int, dark: bool) -> None:
    page = browser.open(small, width=width, dark=dark)
    names(page)
    page.click("summary")
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert (page.screenshot().mean() < 100) == dark
    page.click(".tile")
    page.wait_for("document.querySelector('dialog').open")
    x, _, wide, _ = page.box("dialog")
    assert 0 <= x <= x + wide <= width


def test_without_its_data_the_page_says_what_is_missing(browser: Browser, tmp_path: Path) -> None:
    CandidateWriter(tmp_path / "set", sharded=False).finish(ROWS, RUN)
    (tmp_path / "set" / "candidates.js").unlink()
    page = browser.open((tmp_path / "set" / "index.html").as_uri())
    assert "candidates.js" in text(page, "#broken")


def test_the_script_is_typed(client: Client, tmp_path: Path) -> None:
    packages = web.find_packages(client)
    (tmp_path / "contact_sheet.js").write_bytes((TEMPLATES / "contact_sheet.js").read_bytes())
    assert not web.compile_types(packages, tmp_path, ["contact_sheet.js"], "--allowJs", "--checkJs", "--noEmit")
