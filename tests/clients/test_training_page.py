"""The training page in a real browser, while a real training goes on beside it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from asset_gen.cli import run as run_command_line
from tests.clients import web
from tests.clients.studio_page import Running, running, text, violations
from tests.creatures import write_set

if TYPE_CHECKING:
    from tests.clients.conftest import Browser, Client, Page

SMALL = ["--width", "0.25", "--batch-size", "8", "--no-pretrained", "-q"]


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A studio beside a training of forty steps."""
    folder = tmp_path_factory.mktemp("trained")
    art, run, game = write_set(folder / "art", each=8), folder / "runs" / "mine", folder / "mygame"
    game.mkdir()
    assert run_command_line(["train", str(art), "--run", str(run), "--steps", "40", *SMALL]) == 0
    first = run / "samples" / f"{20:09d}.png"
    first.write_bytes(next((run / "samples").glob("*.png")).read_bytes())
    with running(game, run=run) as found:
        yield found


def opened(browser: Browser, studio: Running, **window: int | bool) -> Page:
    page = browser.open(studio.url.replace("/?", "/training?"), **window)  # type: ignore[arg-type]
    page.wait_for("document.getElementById('sheet').naturalWidth")
    return page


def test_sheets_curves_and_neighbours_are_shown(finished: Running, browser: Browser) -> None:
    page = opened(browser, finished)
    assert text(page, "h1") == "mine"
    assert text(page, "#when") == "step 40"
    page.evaluate("document.getElementById('time').focus()")
    page.press("ArrowLeft")
    page.wait_for("document.getElementById('when').textContent === 'step 20'")
    assert "D(x)" in text(page, "#charts") and "generator" in text(page, "#charts")
    before = text(page, "#charts .values")
    x, y, width, height = page.box("#charts svg", scroll=True)
    page.call("Input.dispatchMouseEvent", type="mouseMoved", x=x + width * 0.2, y=y + height / 2)
    page.wait_for(f"document.querySelector('#charts .values').innerText !== {json.dumps(before)}")
    page.click("#look")
    page.wait_for("document.querySelectorAll('#near figure img').length >= 4")
    assert page.evaluate("document.querySelector('#near .one img').alt").endswith(".png")


def test_it_goes_on_with_the_training(tmp_path: Path, browser: Browser) -> None:
    art, run, game = write_set(tmp_path / "art", each=8), tmp_path / "run", tmp_path / "mygame"
    game.mkdir()
    command = [
        str(Path(sys.executable).with_name("assetgen")),
        "train",
        str(art),
        "--run",
        str(run),
        "--steps",
        "5000",
        *SMALL,
    ]
    training = subprocess.Popen(command, stderr=subprocess.DEVNULL, env={**os.environ, "OMP_NUM_THREADS": "1"})
    try:
        deadline = time.monotonic() + 60
        while not (run / "config.json").is_file():
            assert time.monotonic() < deadline and training.poll() is None
            time.sleep(0.05)
        with running(game, run=run) as studio:
            page = browser.open(studio.url.replace("/?", "/training?"))
            page.wait_for("!document.getElementById('content').hidden")
            page.wait_for("document.querySelector('.line')")
            points = "document.querySelector('.line').getAttribute('points').split(' ').length"
            begun = page.evaluate(points)
            page.wait_for(f"{points} > {begun}")
    finally:
        training.send_signal(signal.SIGTERM)
        training.wait(60)


@pytest.mark.parametrize(("width", "dark"), [(360, True), (1280, False)])
def test_everybody_can_use_it(finished: Running, browser: Browser, client: Client, width: int, dark: bool) -> None:
    web.find_packages(client)
    page = opened(browser, finished, width=width, dark=dark)
    page.click("#look")
    page.wait_for("document.querySelector('#near figure')")
    assert not violations(page)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
