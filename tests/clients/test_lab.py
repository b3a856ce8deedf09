"""The lab in a real browser: WebAssembly draws there what is drawn here, and without it the studio draws."""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from asset_gen.catalogue import open_catalogue
from asset_gen.review.lab import Sliders, Way
from tests.clients import web
from tests.clients.studio_page import Running, choose, make_project, running, text, violations

if TYPE_CHECKING:
    from tests.clients.conftest import Browser, Client, Page

GREY_LEVEL, SHARE = 1, 0.999
"""How far pixels may differ, and how many of them must differ no farther."""


@pytest.fixture(scope="module")
def real(built_in_batch: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A studio of sprites of the built-in model."""
    project = shutil.copytree(built_in_batch, tmp_path_factory.mktemp("lab") / "mygame")
    with running(project) as found:
        yield found


def opened(browser: Browser, studio: Running, query: str = "", script: str = "", **window: Any) -> Page:
    """The lab, once it has drawn; ``script`` runs before the page's own."""
    page = browser.open(studio.url, **window)
    if script:
        page.call("Page.addScriptToEvaluateOnNewDocument", source=script)
    page.call("Page.navigate", url=f"http://127.0.0.1:{studio.port}/lab{query}")
    page.wait_for("globalThis.lab && document.getElementById('sprite').dataset.took")
    return page


def drawn_there(page: Page, sliders: Sliders) -> NDArray[np.uint8]:
    told = json.dumps(msgspec.to_builtins(sliders))
    pixels = page.evaluate(f"globalThis.lab.generator.draw({told}).then(({{data}}) => [...data])")
    side = round((len(pixels) / 4) ** 0.5)
    return np.array(pixels, np.uint8).reshape(side, side, 4)


def assert_alike(there: NDArray[np.uint8], here: NDArray[np.uint8]) -> None:
    """Within a grey level, but for colour that nobody sees."""
    there, here = there * (there[..., 3:] > 0), here * (here[..., 3:] > 0)
    apart = np.abs(there.astype(int) - here.astype(int))
    assert (apart <= GREY_LEVEL).mean() >= SHARE, apart.max()


def slide(page: Page, slider: str, value: float) -> None:
    """Move a slider, and wait until that is drawn."""
    page.evaluate("delete document.getElementById('sprite').dataset.took")
    choose(page, f"#{slider}", value)
    page.wait_for("document.getElementById('sprite').dataset.took")


def test_the_browser_draws_what_is_drawn_here(real: Running, browser: Browser, record_property: Any) -> None:
    page = opened(browser, real)
    assert page.evaluate("document.body.dataset.engine") == "browser"
    shown = next(iter(real.gallery.shown.values()))
    lab = real.server.studio.lab
    for sliders, origin in (
        (Sliders(type="dragon", seed=3), None),
        (Sliders(type="potion", seed=5, index=2, towards="tome", far=0.4), None),
        (Sliders(type="altar", seed=1, moves={"size": -0.7, "lightness": 0.5}, truncation=0.6), None),
        (Sliders(sprite=shown.id, moves={"green_red": 1.0}), shown.entry.origin),
    ):
        assert_alike(drawn_there(page, sliders), lab.draw("", sliders, origin).sprites[0])
    first, second = Sliders(type="staff", seed=1), Sliders(type="tome", seed=2, moves={"lightness": 0.5})
    told = [json.dumps(msgspec.to_builtins(one)) for one in (first, second)]
    frames = page.evaluate(
        f"globalThis.lab.generator.way({told[0]}, {told[1]}, 5).then(all => all.map(({{data}}) => [...data]))"
    )
    here = lab.way("", Way(first, second, 5), (None, None)).sprites
    assert len(frames) == 5
    for there, sprite in zip(frames, here, strict=True):
        assert_alike(np.array(there, np.uint8).reshape(sprite.shape), sprite)
    took = []
    for number in range(12):
        slide(page, "move-lightness", number / 10)
        took.append(float(page.evaluate("document.getElementById('sprite').dataset.took")))
    print("milliseconds from a slider to its picture", took, "to load", page.evaluate("document.body.dataset.loaded"))
    record_property("milliseconds from a slider to its picture", took)
    assert sorted(took)[len(took) // 2] < 1000, took  # on a quiet machine 10 to 25


def test_without_webassembly_the_studio_draws(real: Running, browser: Browser) -> None:
    page = opened(browser, real, script="delete globalThis.WebAssembly")
    assert page.evaluate("document.body.dataset.engine") == "server"
    sliders = Sliders(type="dragon", seed=3, moves={"size": 0.5})
    here = real.server.studio.lab.draw("", sliders, None).sprites[0]
    assert_alike(drawn_there(page, sliders), here)
    slide(page, "truncation", 0.2)
    assert text(page, "#told").startswith("Drawn by the studio in ")
    page.click("#mark-A")
    slide(page, "truncation", 1)
    page.click("#mark-B")
    page.wait_for("!document.getElementById('play').disabled")
    page.click("#play")
    page.wait_for("document.getElementById('play').getAttribute('aria-pressed') === 'true'")


def test_what_the_sliders_show_is_kept_saved_and_played(real: Running, browser: Browser, tmp_path: Path) -> None:
    name = next(iter(real.gallery.shown))
    page = opened(browser, real, f"?sprite={name}")
    page.call("Page.setDownloadBehavior", behavior="allow", downloadPath=str(tmp_path))
    assert text(page, "#type").startswith("the sprite of the wall")
    start = page.evaluate("document.getElementById('sprite').toDataURL()")
    page.click("#mark-A")
    choose(page, "#towards", "tome")
    slide(page, "far", 0.8)
    slide(page, "move-size", 0.6)
    assert page.evaluate("document.getElementById('sprite').toDataURL()") != start
    page.click("#mark-B")
    before = len(open_catalogue(real.gallery.project).entries)
    page.click("#keep")
    page.wait_for("document.getElementById('told').textContent.includes('among the candidates')")
    entries = open_catalogue(real.gallery.project).entries
    assert len(entries) == before + 1
    (kept,) = [entry for entry in entries if entry.origin.operation == "direction"]
    assert kept.origin.type == "tome" and kept.origin.parents[0].operation == "interpolation"
    page.wait_for("!document.getElementById('play').disabled")
    page.click("#play")
    page.wait_for("document.getElementById('position').value > 2")
    page.click("#play")
    for kind, frames in (("apng", 30), ("gif", 30), ("png", 1)):
        choose(page, "#format", kind)
        page.click("#save")
        path = tmp_path / f"morph.{kind}"
        deadline = time.monotonic() + 30
        while not path.is_file():
            assert time.monotonic() < deadline, f"{path} never came"
            time.sleep(0.05)
        with Image.open(path) as image:
            assert getattr(image, "n_frames", 1) == frames


def test_a_model_without_directions_says_how_to_get_them_and_one_that_is_gone_why(
    tmp_path: Path, browser: Browser
) -> None:
    project = tmp_path / "mygame"
    project.mkdir()
    make_project(project)
    with running(project) as studio:
        page = opened(browser, studio)
        assert "assetgen calibrate" in text(page, "#without")
        choose(page, "#towards", "mushroom")
        slide(page, "far", 0.5)
        shutil.rmtree(project / "model")
        page = browser.open(studio.url.replace("/?", "/lab?"))
        page.wait_for("document.getElementById('told').textContent.includes('model')")
        assert page.evaluate("document.getElementById('controls').disabled")


@pytest.mark.parametrize(("width", "dark"), [(360, True), (1280, False), (2560, True)])
def test_everybody_can_use_it(real: Running, browser: Browser, client: Client, width: int, dark: bool) -> None:
    web.find_packages(client)
    page = opened(browser, real, width=width, dark=dark)
    choose(page, "#towards", "tome")
    slide(page, "far", 0.5)
    page.click("#mark-A")
    assert not violations(page)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.evaluate("document.getElementById('fresh').focus()")
    before = page.evaluate("document.getElementById('sprite').toDataURL()")
    page.press("Enter")
    page.wait_for(f"document.getElementById('sprite').toDataURL() !== {json.dumps(before)}")
