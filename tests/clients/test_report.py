"""A run's report in a real browser, opened from disk."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

from tests.creatures import KINDS, creature, write_set
from trainer.config import Config, open_run
from trainer.curves import SHEET_COLUMNS, sample_sheet
from trainer.report import write_report

if TYPE_CHECKING:
    from tests.clients.conftest import Browser, Page

STEPS = (100, 200, 300)
CELL = 34  # pixels of a sprite of 32 and its border


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run folder of four types with three sample sheets and three evaluations, and its report. Read only."""
    folder = tmp_path_factory.mktemp("runs") / "creatures"
    art = write_set(folder.parent / "art")
    _, dataset = open_run(folder, Config(preset="relativistic", sprites=str(art), size=32), False)
    figures = {"loss_d": 0.5, "loss_g": 0.7, "d_real": 0.6, "d_fake": 0.4}
    judged = dict.fromkeys(("fid", "precision", "recall", "density", "coverage", "copies"), 0.25)
    (folder / "samples").mkdir()
    stats, evaluations = "", ""
    for number, step in enumerate(STEPS):
        place = {"step": step, "kimg": step * 0.064, "seconds": step / 2}
        stats += json.dumps(place | figures) + "\n"
        evaluations += json.dumps(place | judged | {"judge": "Lite1", "samples": 50, "kid": 30 - number}) + "\n"
        drawn = np.stack([creature(kind, step + seed) for kind in KINDS for seed in range(SHEET_COLUMNS)])
        sample_sheet(drawn, SHEET_COLUMNS, names=KINDS).save(folder / "samples" / f"{step:09d}.png")
    (folder / "stats.jsonl").write_text(stats)
    (folder / "evaluations.jsonl").write_text(evaluations)
    kinds = np.repeat(np.arange(4), 4)
    sprites = np.stack([creature(KINDS[kind], 100 + seed) for seed, kind in enumerate(kinds)])
    classifier = {"accuracy": None, "held_out": 0}
    write_report(folder, dataset, sprites, kinds, step=300, device="CPU", classifier=classifier)
    return folder


def open_report(browser: Browser, run: Path, width: int, dark: bool = False) -> Page:
    return browser.open((run / "report.html").as_uri(), width=width, height=900, dark=dark)


def visible_sheets(page: Page) -> list[int]:
    """Steps of the sample sheets that can be seen."""
    alts = page.evaluate(
        "[...document.querySelectorAll('#sheets img')].filter(e => getComputedStyle(e).visibility === 'visible')"
        ".map(e => e.alt)"
    )
    return [int(alt.split()[-1]) for alt in alts]


def test_the_slider_goes_through_time_by_keys(browser: Browser, run: Path) -> None:
    page = open_report(browser, run, 1280)
    assert visible_sheets(page) == [300]
    page.evaluate("document.getElementById('time').focus()")
    page.press("ArrowLeft")
    page.wait_for("document.getElementById('when').textContent.endsWith('step 200')")
    assert visible_sheets(page) == [200]
    page.press("Home")
    page.wait_for("document.getElementById('when').textContent.endsWith('step 100')")
    assert visible_sheets(page) == [100]


@pytest.mark.parametrize(("width", "zoom"), [(1280, 3), (800, 2), (390, 1)])
def test_sheets_are_shown_in_whole_pixels_that_fit(browser: Browser, run: Path, width: int, zoom: int) -> None:
    page = open_report(browser, run, width)
    left, top, shown, height = page.box("#sheets", scroll=True)
    assert (shown, height) == (SHEET_COLUMNS * CELL * zoom, len(KINDS) * CELL * zoom)
    first = creature(KINDS[0], STEPS[-1])
    x, y = int(left + 0.5) + zoom, int(top + 0.5) + zoom  # pixels begin where a browser rounds to
    crop = page.screenshot()[y : y + 32 * zoom : zoom, x : x + 32 * zoom : zoom]
    visible = first[..., 3] > 0
    assert np.array_equal(crop[visible], first[visible][:, :3])


@pytest.mark.parametrize("width", [1280, 390])
def test_names_stand_beside_their_rows(browser: Browser, run: Path, width: int) -> None:
    page = open_report(browser, run, width)
    _, top, _, height = page.box("#sheets")
    for row in range(len(KINDS)):
        _, y, _, own = page.box(f".names li:nth-child({row + 1})")
        assert y + own / 2 == pytest.approx(top + (row + 0.5) * height / len(KINDS), abs=1)


@pytest.mark.parametrize("width", [320, 390, 1280])
def test_no_width_makes_the_page_scroll_sideways(browser: Browser, run: Path, width: int) -> None:
    page = open_report(browser, run, width)
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_every_picture_is_there_and_charts_suit_a_dark_page(browser: Browser, run: Path) -> None:
    for dark in (False, True):
        page = open_report(browser, run, 1280, dark)
        assert page.evaluate("[...document.images].every(e => e.complete && e.naturalWidth > 0)")
        chosen = page.evaluate("[...document.querySelectorAll('picture')].map(e => e.lastElementChild.currentSrc)")
        sources = page.evaluate("[...document.querySelectorAll('source')].map(e => e.srcset)")
        assert (chosen == sources) == dark
        assert len(chosen) == 3
        assert (page.screenshot().mean() < 100) == dark
