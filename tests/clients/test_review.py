"""The studio in a real browser: by keys, mouse and touch, with ten thousand sprites, two windows, and a restart."""

from __future__ import annotations

import json
import shutil
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from PIL import Image

from asset_gen.candidates import FOLDER, CandidateWriter, Row, candidate_name
from asset_gen.catalogue import open_catalogue
from asset_gen.cli import run as run_command_line
from asset_gen.decisions import NAME, read_decisions
from asset_gen.review import wall as review_wall
from asset_gen.review.pages import STATIC
from tests.clients import web
from tests.clients.conftest import SHIFT
from tests.clients.studio_page import (
    OUT,
    Running,
    choose,
    current,
    labels,
    make_project,
    opened,
    running,
    text,
    violations,
)
from tests.creatures import KINDS, creature

if TYPE_CHECKING:
    from tests.clients.conftest import Browser, Client, Page

MANY = 10_000
FRAMES = 40
FRAME_MS = 1000 / 60
"""What the page's thread may work in a frame, so that 60 of them fit into a second."""


@pytest.fixture(scope="session")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A published project of twelve sprites and thirty-six candidates. Read only."""
    folder = tmp_path_factory.mktemp("studio") / "mygame"
    folder.mkdir()
    return make_project(folder)


@pytest.fixture
def project(drawn: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(drawn, tmp_path / "mygame"))


@pytest.fixture
def studio(project: Path) -> Iterator[Running]:
    with running(project) as found:
        yield found


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A studio of ten thousand candidates, in shards, which share few pictures."""
    project = tmp_path_factory.mktemp("large") / "large"
    writer = CandidateWriter(project / OUT / FOLDER / "0123456789abcdef", sharded=True)
    pictures = [creature(kind, 0) for kind in KINDS]
    chance = np.random.default_rng(0).random(MANY).tolist()
    rows = []
    for index, p in enumerate(chance):
        kind = KINDS[index % len(KINDS)]
        name = candidate_name(kind, index)
        writer.add(kind, name, pictures[index % len(KINDS)])
        rows.append(Row(name, kind, p, 0.5, False, 0, index, "not chosen by set", {"realism": p / 2}))
    choice = {"model": "m" * 64, "seed": 0, "oversample": 4, "scorer": "types", "filter": "set"}
    writer.finish(rows, {"run": "0123456789abcdef", "model_name": "creatures", "choice": choice})
    with running(project) as found:
        yield found


def saved(project: Path) -> list[tuple[str, float | None]]:
    return [(line.action, line.value) for line in read_decisions(project).lines]


def wait_saved(page: Page, project: Path, count: int) -> list[tuple[str, float | None]]:
    """The decisions of the file, once there are so many."""
    page.wait_for("globalThis.studio.waits() === 0")
    lines = saved(project)
    assert len(lines) == count, lines
    return lines


def test_keys_alone_decide_rate_and_take_back_and_a_reload_keeps_it(
    studio: Running, project: Path, browser: Browser
) -> None:
    page = opened(browser, studio)
    assert text(page, "#count") == "36 sprites · 0 kept · 0 rejected"
    for key in ("k", "r", "ArrowRight", "7", "k", "u"):
        page.press(key)
    assert wait_saved(page, project, 5) == [
        ("keep", None), ("reject", None), ("rate", 7.0), ("keep", None), ("restore", None)
    ]  # fmt: skip
    assert current(page) == 4, "where it was taken back"
    page.call("Page.reload")
    page.wait_for("globalThis.studio?.grid.sprites.length")
    told = labels(page)
    assert ["kept" in told[0], "rejected" in told[1], "rated 7" in told[3], "kept" in told[4]] == [True] * 3 + [False]
    for _ in range(4):
        page.press("u")  # nothing is left for the fourth
    assert wait_saved(page, project, 8)[5:] == [("rate", None), ("restore", None), ("restore", None)]
    assert text(page, "#count") == "36 sprites · 0 kept · 0 rejected"
    assert page.evaluate("document.getElementById('undo').disabled")
    assert {entry.state for entry in open_catalogue(project).entries} == {"published", "candidate"}


def test_keys_go_everywhere_and_the_help_names_them(studio: Running, browser: Browser) -> None:
    page = opened(browser, studio)
    columns = page.evaluate("globalThis.studio.grid.columns")
    for key, place in (("ArrowDown", columns), ("ArrowRight", columns + 1), ("ArrowUp", 1), ("End", 35), ("Home", 0)):
        page.press(key)
        assert current(page) == place
    active = "document.getElementById(document.activeElement.getAttribute('aria-activedescendant'))"
    assert page.evaluate(f"{active}.classList.contains('current')")
    page.press("?")
    assert "undo, as often as you like" in text(page, "#help")
    page.press("k")
    page.press("Escape")
    assert text(page, "#count").endswith("0 kept · 0 rejected"), "no key decides behind a dialog"
    page.press(" ")
    page.press("ArrowRight")
    page.press("r")
    page.wait_for("document.querySelector('#large').open")
    assert text(page, "#large-state") == "candidate" or text(page, "#large-state") == "in the game"
    page.press(" ")
    assert not page.evaluate("document.querySelector('#large').open")
    assert "rejected" in labels(page)[1]
    page.press("/")
    page.call("Input.insertText", text="FLASK 00001")
    page.wait_for("globalThis.studio.grid.sprites.length < 36")
    assert {label.partition("_")[0] for label in labels(page)} == {"flask"}


def test_many_are_chosen_and_decided_at_once_and_taken_back_at_once(
    studio: Running, project: Path, browser: Browser
) -> None:
    page = opened(browser, studio)
    for _ in range(3):
        page.press("ArrowRight", SHIFT)
    assert text(page, "#chosen") == "4 chosen"
    page.press("r")
    assert wait_saved(page, project, 4) == [("reject", None)] * 4
    page.press("Escape")
    page.press("a")
    page.press("k")
    assert text(page, "#count") == "36 sprites · 36 kept · 0 rejected"
    page.press("u")
    assert text(page, "#count") == "36 sprites · 0 kept · 4 rejected"
    wait_saved(page, project, 4 + 36 + 36)


def test_a_finger_chooses_by_a_long_press_and_buttons_decide(studio: Running, project: Path, browser: Browser) -> None:
    page = opened(browser, studio, width=375, height=700)
    page.call("Emulation.setTouchEmulationEnabled", enabled=True)

    def touch(place: int, long: bool) -> None:
        x, y, width, height = page.box(f"[data-at='{place}']")
        page.call(
            "Input.dispatchTouchEvent", type="touchStart", touchPoints=[{"x": x + width / 2, "y": y + height / 2}]
        )
        if long:
            page.wait_for("globalThis.studio.grid.several")
        page.call("Input.dispatchTouchEvent", type="touchEnd", touchPoints=[])

    touch(1, long=True)
    touch(3, long=False)
    page.wait_for("document.getElementById('chosen').innerText === '2 chosen'")
    assert page.box("#keep")[3] >= 34
    page.click("#keep")
    assert wait_saved(page, project, 2) == [("keep", None)] * 2
    page.click("#undo")
    wait_saved(page, project, 4)
    assert page.evaluate("document.documentElement.scrollWidth") <= 375


def test_it_filters_and_orders_and_says_so_where_nothing_is_left(studio: Running, browser: Browser) -> None:
    page = opened(browser, studio)
    rows = [one.entry for one in studio.gallery.shown.values()]
    choose(page, "#type", "flask")
    choose(page, "#order", "-0")
    shown = page.evaluate("globalThis.studio.grid.sprites.map(sprite => sprite.name)")
    mine = sorted((entry for entry in rows if entry.origin.type == "flask"), key=lambda entry: -(entry.p_type or 0))
    assert shown == [entry.name for entry in mine]
    choose(page, "#state", "in")
    assert page.evaluate("globalThis.studio.grid.sprites.length") == sum(bool(entry.slot) for entry in mine)
    page.press("ArrowRight")
    choose(page, "#low", 2)
    page.wait_for("!document.getElementById('nothing').hidden")
    page.click("#all")
    assert page.evaluate("globalThis.studio.grid.sprites.length") == 36
    choose(page, "#backdrop", "#ffffff")
    assert (
        page.evaluate("getComputedStyle(document.querySelector('.tile img')).backgroundColor") == "rgb(255, 255, 255)"
    )
    choose(page, "#zoom", 8)
    assert page.box("[data-at='0'] img")[2:] == (128, 128)
    assert page.evaluate("getComputedStyle(document.querySelector('.tile img')).imageRendering") == "pixelated"


def test_the_panel_tells_what_is_known_of_a_sprite(studio: Running, browser: Browser) -> None:
    page = opened(browser, studio)
    page.press("k")
    page.press("ArrowLeft")
    page.wait_for("document.querySelector('#one .lines')")
    told = text(page, "#one")
    first = next(iter(studio.gallery.shown.values())).entry
    for words in (first.verdict, "p(type)", "seed", "kept it", str(first.origin.index)):
        assert words in told
    assert page.evaluate("document.querySelectorAll('#one .palette li').length") > 1
    page.press("Enter")
    assert page.evaluate("document.getElementById('one').hidden")


def test_two_windows_and_a_terminal_stay_in_step(studio: Running, project: Path, browser: Browser) -> None:
    first, second = opened(browser, studio), opened(browser, studio)
    first.press("k")
    second.wait_for("document.getElementById('count').innerText.includes('1 kept')")
    second.press("u")  # undoes what was decided in that window, and there that is nothing
    slot = next(one.entry.slot for one in reversed(studio.gallery.shown.values()) if one.entry.slot)
    assert run_command_line(["catalogue", "reject", slot, "--project", str(project), "--who", "Ada"]) == 0
    for page in (first, second):
        page.wait_for("document.getElementById('count').innerText.includes('1 kept · 1 rejected')")
    assert run_command_line(["batch", "--project", str(project), "-q"]) == 0
    second.wait_for(f"globalThis.studio.grid.sprites.some(one => one.slot === '{slot}' && one.state === 'published')")


def test_publishing_shows_what_changes_changes_it_and_takes_it_back(
    studio: Running, project: Path, browser: Browser
) -> None:
    page = opened(browser, studio)
    manifest, before = project / OUT / "manifest.json", (project / OUT / "manifest.json").read_bytes()
    page.press("p")
    page.wait_for("document.getElementById('plan-body').innerText.includes('Nothing to change')")
    page.press("Escape")
    choose(page, "#state", "in")
    page.press("r")
    wait_saved(page, project, 1)
    rejected = read_decisions(project).lines[0].subject
    page.press("p")
    page.wait_for("document.querySelector('#plan .swaps')")
    assert rejected in text(page, "#plan")
    assert "12 stay" not in text(page, "#plan") and "1 replaced" in text(page, "#plan")
    page.wait_for("[...document.querySelectorAll('#plan .swaps img')].every(image => image.naturalWidth)")
    page.click("#publish-now")
    page.wait_for("document.getElementById('publish-done')?.innerText === 'Published.'")
    after = manifest.read_bytes()
    assert after != before
    page.wait_for(f"globalThis.studio.grid.sprites.some(one => one.slot === '{rejected}' && one.state === 'published')")
    page.click("#publish-back")
    page.wait_for("document.getElementById('publish-done')?.innerText === 'Gone back.'")
    assert manifest.read_bytes() == before
    page.press("Escape")
    (project / "assetgen.toml").write_text('model = "model"\ncount = 12\noversample = 3\nseed = 1\n')
    page.press("p")
    page.wait_for("document.querySelector('#plan .yes')")
    assert page.evaluate("document.getElementById('publish-now').disabled"), "a person has to say yes first"
    page.click("#plan .yes input")
    assert not page.evaluate("document.getElementById('publish-now').disabled")
    (project / "assetgen.toml").write_text('model = "away"\n')
    page.press("Escape")
    page.press("p")
    page.wait_for("document.getElementById('publish-why')?.innerText.includes('away')")


def test_a_restart_in_the_middle_loses_nothing(project: Path, browser: Browser) -> None:
    with ExitStack() as stack:
        with running(project) as first:
            page = opened(browser, first)
            page.press("k")
            wait_saved(page, project, 1)
        page.wait_for("!document.getElementById('banner').hidden")
        page.press("r")
        page.press("r")
        page.wait_for("document.getElementById('banner').innerText.includes('2 decisions wait')")
        assert len(saved(project)) == 1
        stack.enter_context(running(project, first.port))
        page.wait_for("document.getElementById('banner').hidden")
        assert wait_saved(page, project, 3) == [("keep", None), ("reject", None), ("reject", None)]
        assert "rejected" in labels(page)[1]


def test_ten_thousand_scroll_fluently(large: Running, browser: Browser, record_property: Any) -> None:
    page = opened(browser, large)
    assert text(page, "#count").startswith("10,000 sprites")
    page.call("Performance.enable", timeDomain="threadTicks")  # the processor's time: others may be using it, too

    def busy() -> float:
        metrics = {one["name"]: one["value"] for one in page.call("Performance.getMetrics")["metrics"]}
        return float(metrics["TaskDuration"])

    before = busy()
    steps = page.evaluate(
        f"""new Promise(done => {{
          const wall = document.getElementById('wall'), steps = [];
          let last = performance.now(), left = {FRAMES};
          requestAnimationFrame(function step(now) {{
            steps.push(now - last); last = now;
            wall.scrollTop += 180;
            if (left--) requestAnimationFrame(step); else done(steps);
          }});
        }})"""
    )
    each = (busy() - before) / FRAMES * 1000
    told = f"{each:.1f} ms of processor a frame; {np.median(steps):.1f} ms between frames ({FRAMES} frames)"
    record_property("scrolling", told)
    assert each < FRAME_MS, told
    assert page.evaluate("document.querySelectorAll('.tile').length") < 400
    page.press("End")
    assert current(page) == MANY - 1
    page.wait_for(f"document.querySelector('[data-at=\"{MANY - 1}\"] img')?.naturalWidth")
    choose(page, "#order", "-0")
    page.press("Home")
    best = max(large.gallery.shown.values(), key=lambda one: one.entry.p_type or 0)
    page.wait_for(f"globalThis.studio.grid.sprites[0].id === '{best.id}'")


def test_sprites_lie_on_the_persons_own_screenshot(studio: Running, browser: Browser, tmp_path: Path) -> None:
    shot = tmp_path / "my game.png"
    Image.new("RGB", (64, 64), (250, 10, 200)).save(shot)
    page = opened(browser, studio)
    page.evaluate("document.getElementById('more').open = true")
    root = page.call("DOM.getDocument")["root"]["nodeId"]
    field = page.call("DOM.querySelector", nodeId=root, selector="#picture")["nodeId"]
    page.evaluate("document.getElementById('backdrop').value = 'picture'")
    page.call("DOM.setFileInputFiles", nodeId=field, files=[str(shot)])
    page.wait_for("getComputedStyle(document.querySelector('.tile img')).backgroundImage.startsWith('url(')")
    page.evaluate(
        "document.querySelectorAll('.tile img').forEach(one => { one.src = 'data:image/gif;base64,"
        "R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7' })"
    )  # a sprite of which nothing is seen
    page.wait_for("[...document.querySelectorAll('.tile img')].every(one => one.complete)")
    x, y, width, height = page.box(".tile img")
    seen = page.screenshot()[round(y + height / 2), round(x + width / 2)]
    assert seen.tolist() == [250, 10, 200]
    choose(page, "#backdrop", "#000000")
    page.wait_for("getComputedStyle(document.querySelector('.tile img')).backgroundImage === 'none'")


def test_while_it_loads_nothing_is_shown_that_would_move(
    studio: Running, browser: Browser, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    web.find_packages(client)
    goes_on = threading.Event()
    whole = review_wall.wall

    def slow(gallery: Any) -> dict[str, Any]:
        assert goes_on.wait(60)
        return whole(gallery)

    monkeypatch.setattr(review_wall, "wall", slow)
    try:
        page = browser.open(studio.url)
        page.wait_for("document.body.classList.contains('new')")
        shown = (
            "[...document.querySelectorAll('body *')].filter(one => one.checkVisibility({visibilityProperty: true}))"
        )
        assert page.evaluate(f"{shown}.map(one => one.innerText).filter(Boolean).join('|')") == "|".join(
            ["Reading the candidates …"] * 2
        )
        levels = "{runOnly: ['wcag2a', 'wcag2aa', 'wcag21aa']}"  # headings come with the rest of the page
        assert not violations(page, levels)
        background, ink = page.screenshot()[10, 10], page.screenshot().reshape(-1, 3)
        assert len(np.unique(ink, axis=0)) > 2 and (ink == background).all(axis=1).mean() > 0.95
    finally:
        goes_on.set()
    page.wait_for("globalThis.studio?.grid.sprites.length")
    assert not page.evaluate("document.body.classList.contains('new')")


def test_an_empty_project_a_wrong_token_and_a_studio_that_only_shows(
    project: Path, browser: Browser, tmp_path: Path
) -> None:
    (tmp_path / "new").mkdir()
    with running(tmp_path / "new") as empty:
        page = browser.open(empty.url)
        page.wait_for("!document.getElementById('empty').hidden")
        assert "assetgen batch" in text(page, "#empty")
        stranger = browser.open(f"http://127.0.0.1:{empty.port}/")
        assert "Open the address that assetgen review printed" in text(stranger, "body")
    with running(project, read_only=True) as shown:
        page = opened(browser, shown)
        page.press("k")
        page.press("1")
        assert page.evaluate("document.getElementById('keep').hidden")
        assert not (project / NAME).exists()


def test_a_foreign_page_in_the_same_browser_gets_nothing(studio: Running, project: Path, browser: Browser) -> None:
    page = opened(browser, studio)
    name = page.evaluate("globalThis.studio.grid.sprites[0].id")
    (project / "evil.html").write_text("<!doctype html><title>evil</title>")
    with web.serve(project) as elsewhere:
        page.call("Page.navigate", url=f"{elsewhere}/evil.html")
        page.wait_for("document.title === 'evil'")
        wishes = json.dumps({"wishes": [{"id": name, "action": "reject"}]})
        for options in (
            {"method": "POST", "mode": "no-cors", "credentials": "include", "body": wishes},
            {
                "method": "POST",
                "credentials": "include",
                "body": wishes,
                "headers": {"Content-Type": "application/json"},
            },
            {"credentials": "include"},
        ):
            path = "/api/decisions" if "method" in options else "/api/wall"
            asked = f"fetch('http://127.0.0.1:{studio.port}{path}', {json.dumps(options)})"
            assert page.evaluate(f"{asked}.then(answer => answer.type, () => 'refused')") in ("refused", "opaque")
        image = f"http://127.0.0.1:{studio.port}/sprites/{name}.png"
        ends = "const i = new Image(); i.onload = i.onerror = event => done(event.type)"
        assert page.evaluate(f"new Promise(done => {{{ends}; i.src = '{image}'}})") == "error"
    assert not (project / NAME).exists()


@pytest.mark.parametrize(("width", "dark"), [(360, True), (1280, False), (1280, True)])
def test_everybody_can_use_it(studio: Running, browser: Browser, client: Client, width: int, dark: bool) -> None:
    web.find_packages(client)
    page = opened(browser, studio, width=width, dark=dark)
    page.evaluate("document.getElementById('more').open = true")
    for key in ("k", "r", "5", "ArrowLeft"):
        page.press(key)
    page.wait_for("document.getElementById('one').hidden || document.querySelector('#one table')")
    for state in ("", "?", " "):
        if state:
            page.press(state)
        assert not violations(page), state
        if state:
            page.press("Escape")
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_nothing_on_the_page_moves_by_itself(studio: Running, browser: Browser) -> None:
    page = opened(browser, studio)
    shift = page.evaluate(
        "new Promise(done => {let sum = 0; new PerformanceObserver(list => {for (const one of list.getEntries())"
        " if (!one.hadRecentInput) sum += one.value}).observe({type: 'layout-shift', buffered: true});"
        " setTimeout(() => done(sum), 300)})"
    )
    assert shift < 0.05


def test_the_scripts_are_typed(client: Client, tmp_path: Path) -> None:
    packages = web.find_packages(client)
    for path in STATIC.values():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    names = sorted(path.name for path in tmp_path.glob("*.js"))
    assert not web.compile_types(packages, tmp_path, names, "--allowJs", "--checkJs", "--noEmit")


def test_the_twin_on_disk_decides_and_its_file_is_taken_over(project: Path, browser: Browser, tmp_path: Path) -> None:
    assert run_command_line(["review", "--project", str(project), "--export", str(tmp_path / "a wall")]) == 0
    page = browser.open((tmp_path / "a wall" / "index.html").as_uri())
    page.wait_for("globalThis.studio?.grid.sprites.length && document.querySelector('.tile img')?.naturalWidth")
    for key in ("k", "r", "7", "r", "u"):
        page.press(key)
    page.evaluate("document.getElementById('who').focus()")
    page.call("Input.insertText", text="Grace")
    page.call("Page.reload")
    page.wait_for("globalThis.studio?.grid.sprites.length")
    assert text(page, "#count") == "36 sprites · 1 kept · 1 rejected"
    if page.evaluate("document.getElementById('one').hidden"):
        page.press("Enter")
    page.wait_for("document.querySelector('#one table')")
    (tmp_path / "saved").mkdir()
    page.call("Page.setDownloadBehavior", behavior="allow", downloadPath=str(tmp_path / "saved"))
    page.click("#save")
    deadline = time.monotonic() + 20
    while not (found := list((tmp_path / "saved").glob("decisions-*.json"))) or not found[0].stat().st_size:
        assert time.monotonic() < deadline, "nothing was saved"
        time.sleep(0.05)
    for _ in range(2):  # the second time it is known
        assert run_command_line(["catalogue", "import", str(found[0]), "--project", str(project)]) == 0
    lines = read_decisions(project).lines
    assert {(line.action, line.value, line.who) for line in lines} == {
        ("keep", None, "Grace"), ("reject", None, "Grace"), ("rate", 7.0, "Grace")
    }  # fmt: skip
    assert sorted(entry.state for entry in open_catalogue(project).entries if entry.state in ("kept", "rejected")) == [
        "kept", "rejected"
    ]  # fmt: skip
