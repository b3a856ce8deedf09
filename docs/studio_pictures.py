"""Photographs the review studio in Debian's Chromium: python docs/studio_pictures.py PROJECT RUN FOLDER

PROJECT is a published game with candidates, as of ``assetgen batch --project PROJECT --count 68``; it is copied first.
RUN is a training's folder.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from PIL import Image

sys.path.insert(0, str(Path(__file__).parents[1]))

from tests.clients.conftest import Browser, Page
from tests.clients.studio_page import Running, choose, opened, running

WIDTH, HEIGHT = 1180, 820


def wall(browser: Browser, studio: Running) -> Page:
    """Candidate potions, some kept and rejected, with all that is known of one."""
    return _potions(opened(browser, studio, width=WIDTH, height=HEIGHT))


def phone(browser: Browser, studio: Running) -> Page:
    """The same on a phone, dark."""
    page = opened(browser, studio, width=390, height=760, dark=True)
    page.wait_for("[...document.querySelectorAll('.tile img')].every(one => one.complete && one.naturalWidth)")
    return page


def publish(browser: Browser, studio: Running) -> Page:
    """What publishing would change, after seven sprites of the game were rejected."""
    page = opened(browser, studio, width=WIDTH, height=HEIGHT)
    choose(page, "#state", "in")
    for _ in range(7):
        page.press("r")
    page.wait_for("globalThis.studio.waits() === 0")
    page.press("p")
    page.wait_for("document.querySelectorAll('.swaps img').length >= 7")
    page.wait_for("[...document.querySelectorAll('.swaps img')].every(one => one.naturalWidth)")
    return page


def _potions(page: Page) -> Page:
    choose(page, "#type", "potion")
    for key in ("k", "k", "ArrowRight", "r", "k", "ArrowLeft"):
        page.press(key)
    page.wait_for("globalThis.studio.waits() === 0 && document.querySelector('.facts table')")
    page.wait_for("[...document.querySelectorAll('.tile img')].every(one => one.complete)")
    return page


def making(browser: Browser, studio: Running) -> Page:
    """Variations of a potion, two of them chosen."""
    page = opened(browser, studio, width=WIDTH, height=HEIGHT)
    choose(page, "#type", "potion")
    page.evaluate("document.getElementById('one').hidden && globalThis.studio.grid.does.opened()")
    page.wait_for("document.querySelector('#making .ways button')?.disabled === false")
    for _ in range(5):
        page.press("ArrowRight")
    page.press("l")
    page.wait_for("document.querySelectorAll('.made img').length === 8")
    for number in (1, 4):
        page.evaluate(f"document.querySelectorAll('.made button')[{number}].click()")
    page.evaluate("document.getElementById('add').scrollIntoView({block: 'end'})")
    return page


def lab(browser: Browser, studio: Running) -> Page:
    """A potion on its way to a tome."""
    page = browser.open(studio.url.replace("/?", "/lab?"), width=WIDTH, height=1060)
    page.wait_for("globalThis.lab && document.getElementById('sprite').dataset.took")

    page.evaluate("Math.random = () => 0.19")
    choose(page, "#type", "potion")
    page.click("#mark-A")
    choose(page, "#towards", "tome")
    for name, value in (("far", "0.2"), ("move-green_red", "0.5"), ("move-size", "0.3")):
        page.evaluate("delete document.getElementById('sprite').dataset.took")
        choose(page, f"#{name}", value)
        page.wait_for("document.getElementById('sprite').dataset.took")
    page.click("#mark-B")
    return page


def training(browser: Browser, studio: Running) -> Page:
    """Curves and figures of a run."""
    page = browser.open(studio.url.replace("/?", "/training?"), width=WIDTH, height=HEIGHT)
    page.wait_for("document.getElementById('sheet').naturalWidth")
    page.evaluate("document.getElementById('curves-title').scrollIntoView()")
    return page


PICTURES: dict[str, Callable[[Browser, Running], Page]] = {
    "review.png": wall,
    "review-phone.png": phone,
    "review-making.png": making,
    "review-lab.png": lab,
    "review-training.png": training,
    "review-publish.png": publish,
}


def main() -> None:
    """Write all of them."""
    project, run, out = (Path(argument) for argument in sys.argv[1:4])
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(shutil.copytree(project, Path(folder) / "mygame"))
        for command in (["init", "-q"], ["config", "user.name", "Ada"]):  # who decides
            subprocess.run(["git", "-C", copy, *command], check=True)
        browser = Browser(Path(shutil.which("chromium") or "chromium"), Path(folder) / "profile")
        try:
            with running(copy, run=run) as studio:
                for name, take in PICTURES.items():
                    Image.fromarray(take(browser, studio).screenshot()).quantize(256).save(out / name, optimize=True)
        finally:
            browser.close()


if __name__ == "__main__":
    main()
