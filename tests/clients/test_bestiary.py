"""Our page in a real browser, opened from disk: the example game, pixel for pixel."""

from __future__ import annotations

import json
import shutil
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from asset_gen.layout import columns_for, lay_out
from asset_gen.sheet import Delivery, paint
from integrations.generic.writer import write

if TYPE_CHECKING:
    from tests.clients.conftest import Browser, Page

BESTIARY = Path(__file__).parents[2] / "examples" / "bestiary"
GENERATED = Path("assets", "generated")
SIDE = 32  # pixels of a sprite
COUNTS = {"drake": 5, "gem": 130, "owl_bear": 9}  # 130 in one column don't fit on one sheet
LABELS = {"owl_bear": "Owl & Bear"}


def blob(seed: int) -> NDArray[np.uint8]:
    """A speckled disc of its own colours on transparency, alpha 0 or 255: uint8 [SIDE, SIDE, 4]."""
    random = np.random.default_rng(seed)
    y, x = np.mgrid[:SIDE, :SIDE] - SIDE / 2 + 0.5
    colour = random.integers(0, 256, 3) + random.integers(-40, 41, (SIDE, SIDE, 3))
    alpha = np.where(x**2 + y**2 < (SIDE / 2 - 1) ** 2, 255, 0)
    return np.dstack([colour.clip(0, 255), alpha]).astype(np.uint8)


def copy_page(folder: Path) -> Path:
    """The page alone, as it's committed."""
    folder.mkdir(parents=True)
    for name in ("index.html", "bestiary.css", "bestiary.js"):
        shutil.copy(BESTIARY / name, folder)
    return folder


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The page with sheets of ``COUNTS``. Read only."""
    folder = copy_page(tmp_path_factory.mktemp("drawn") / "a game's page")
    sheets = []
    for kind, count in COUNTS.items():
        columns = 1 if kind == "gem" else columns_for(count, SIDE)
        sheets += lay_out(kind, LABELS.get(kind, kind), [(slot, 0.9) for slot in range(count)], SIDE, columns)
    for number, sheet in enumerate(sheets):
        path = folder / GENERATED / sheet.image
        path.parent.mkdir(parents=True, exist_ok=True)
        picture = paint(sheet, [blob(1000 * number + region.slot) for region in sheet.regions])
        Image.fromarray(picture).save(path)
    for name, content in write(Delivery(tuple(sheets))).items():
        (folder / GENERATED / name).write_bytes(content)
    return folder


@pytest.fixture(scope="module")
def published(built_in_batch: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The page with what the command line has published. Read only."""
    folder = copy_page(tmp_path_factory.mktemp("published") / "bestiary")
    shutil.copytree(built_in_batch / GENERATED, folder / GENERATED)
    return folder


@pytest.fixture(params=["drawn", "published", *(["demo"] if (BESTIARY / GENERATED / "sheets.js").exists() else [])])
def book(request: pytest.FixtureRequest) -> Path:
    """``drawn``, ``published``, and what `make demo` has generated where it has run."""
    return BESTIARY if request.param == "demo" else Path(request.getfixturevalue(request.param))


@pytest.fixture
def own_book(drawn: Path, tmp_path: Path) -> Path:
    """A copy of ``drawn`` to damage."""
    return Path(shutil.copytree(drawn, tmp_path / "book"))


def open_book(browser: Browser, folder: Path, fragment: str = "", **window: Any) -> Page:
    page = browser.open((folder / "index.html").as_uri() + fragment, **window)
    page.wait_for("document.documentElement.dataset.state !== 'loading'")
    return page


def sheets_of(folder: Path) -> list[dict[str, Any]]:
    text = (folder / GENERATED / "sheets.js").read_text()
    return list(json.loads(text.removeprefix("globalThis.assetgenSheets = ").strip().removesuffix(";")))


def names_by_type(folder: Path) -> dict[str, list[str]]:
    names: dict[str, list[str]] = {}
    for sheet in sheets_of(folder):
        names.setdefault(sheet["type"], []).extend(sheet["data"]["frames"])
    return names


def pixels_of(folder: Path, name: str) -> NDArray[np.uint8]:
    """A sprite as it lies on its sheet: uint8 [h, w, 4]."""
    (sheet,) = [sheet for sheet in sheets_of(folder) if name in sheet["data"]["frames"]]
    x, y, width, height = (sheet["data"]["frames"][name]["frame"][key] for key in "xywh")
    with Image.open(folder / GENERATED / sheet["image"]) as picture:
        return np.array(picture.convert("RGBA").crop((x, y, x + width, y + height)))


def state(page: Page) -> str:
    return str(page.evaluate("document.documentElement.dataset.state"))


def text_of(page: Page, selector: str) -> str:
    """The text that a reader sees; nothing where it's hidden."""
    return str(page.evaluate(f"document.querySelector({json.dumps(selector)}).innerText"))


def shown(page: Page) -> list[str]:
    """Names of the sprites on the wall."""
    return list(page.evaluate("[...document.querySelectorAll('#sprite-wall [data-name]')].map(e => e.dataset.name)"))


def focused(page: Page) -> str:
    """Name or type of the item that has the focus."""
    return str(page.evaluate("document.activeElement.dataset.name ?? document.activeElement.dataset.type"))


def assert_on_screen(page: Page, selector: str, ratio: float, sprite: NDArray[np.uint8]) -> None:
    """An element shows a sprite [h, w, 4]: every opaque pixel is a square block of device pixels of its colour.

    Chromium may round the place of the element up or down; the blocks themselves must be exact.
    """
    x, y, width, height = (round(value * ratio) for value in page.box(selector))
    zoom = width // sprite.shape[1]
    assert zoom >= 1 and (width, height) == (sprite.shape[1] * zoom, sprite.shape[0] * zoom)
    expected = sprite.repeat(zoom, axis=0).repeat(zoom, axis=1)
    opaque = expected[..., 3] == 255
    assert opaque.any()
    screen = page.screenshot()
    shots = [screen[y + down :, x + right :][:height, :width] for down in (0, 1, -1) for right in (0, 1, -1)]
    assert any(np.array_equal(shot[opaque], expected[opaque, :3]) for shot in shots)


def test_every_type_and_every_sprite_of_the_sheets_is_shown(browser: Browser, book: Path) -> None:
    expected = names_by_type(book)
    page = open_book(browser, book)
    assert state(page) == "ready"
    tabs = page.evaluate(
        "[...document.querySelectorAll('#type-tabs [data-type]')].map("
        "t => [t.dataset.type, t.querySelector('.label').innerText, t.querySelector('.count').innerText])"
    )
    labels = {sheet["type"]: sheet["label"] for sheet in sheets_of(book)}
    assert tabs == [[kind, labels[kind], str(len(names))] for kind, names in expected.items()]
    for kind, names in expected.items():
        page.click(f"#type-tabs [data-type={kind}]")
        page.wait_for(f"document.querySelector('#sprite-wall [data-type={kind}]')")
        assert shown(page) == names


@pytest.mark.parametrize(
    ("browser", "width", "height"),
    [(1, 1280, 800), (1, 3840, 2160), (1.5, 1280, 720), (2, 820, 1180), (3, 360, 740)],
    indirect=["browser"],
)
def test_a_region_is_on_screen_pixel_for_pixel(browser: Browser, book: Path, width: int, height: int) -> None:
    names = names_by_type(book)
    kinds = list(names)
    for name in (names[kinds[0]][0], names[kinds[1]][-1], names[kinds[-1]][1]):
        page = open_book(browser, book, f"#{name}", width=width, height=height)
        sprite = pixels_of(book, name)
        assert_on_screen(page, f"[data-name={name}] canvas", browser.ratio, sprite)
        assert_on_screen(page, "#portrait", browser.ratio, sprite)


def test_arrow_keys_walk_over_the_wall(browser: Browser, drawn: Path) -> None:
    page = open_book(browser, drawn, "#gem_000000")
    top = "document.querySelectorAll('#sprite-wall button')"
    columns = page.evaluate(f"[...{top}].filter(e => e.offsetTop === {top}[0].offsetTop).length")
    page.evaluate("document.querySelector('#sprite-wall [aria-selected=true]').focus()")
    place = 0
    last = COUNTS["gem"] - 1
    for key, expected in [
        ("ArrowRight", 1),
        ("ArrowDown", 1 + columns),
        ("ArrowLeft", columns),
        ("ArrowUp", 0),
        ("ArrowLeft", 0),
        ("End", last),
        ("ArrowDown", last),
        ("Home", 0),
    ]:
        page.press(key)
        place = expected
        assert focused(page) == text_of(page, "#frame-name") == f"gem_{place:06d}", key
    page.press("ArrowRight")
    page.wait_for("location.hash === '#gem_000001'")  # so that the address can be shared


def test_tab_reaches_types_wall_and_button_and_arrows_change_the_type(browser: Browser, drawn: Path) -> None:
    page = open_book(browser, drawn)
    page.press("Tab")
    assert focused(page) == "drake"
    page.press("ArrowDown")
    assert focused(page) == "gem"
    assert len(shown(page)) == COUNTS["gem"]
    page.press("Tab")
    assert focused(page) == "gem_000000"
    page.press("Tab")
    assert page.evaluate("document.activeElement.id") == "encounter"
    page.press("Enter")
    assert "appears!" in text_of(page, "#announcement")


def test_an_encounter_meets_random_sprites_of_the_chosen_type(browser: Browser, drawn: Path) -> None:
    page = open_book(browser, drawn, "#owl_bear")
    names = [text_of(page, "#frame-name")]
    for _ in range(12):
        page.click("#encounter")
        names.append(text_of(page, "#frame-name"))
    assert all(name.startswith("owl_bear_") for name in names)
    assert all(one != next_one for one, next_one in pairwise(names))
    assert len(set(names)) > 2
    assert text_of(page, "#met-tally") == f"{len(set(names[1:]))} of {COUNTS['owl_bear']} met"
    page.wait_for(f"location.hash === '#{names[-1]}'")


def test_a_link_opens_a_sprite_and_always_tells_the_same_of_it(browser: Browser, drawn: Path) -> None:
    page = open_book(browser, drawn, "#gem_000125")
    told = text_of(page, "#entry-card")
    assert "gem_000125" in told and "on gem/gem_2.png" in told
    assert shown(page) == names_by_type(drawn)["gem"]
    page.evaluate("location.hash = 'drake_000001'")
    page.wait_for("document.querySelector('#entry-card').dataset.name === 'drake_000001'")
    assert text_of(page, "#entry-card") != told
    page.evaluate("history.back()")
    page.wait_for("document.querySelector('#entry-card').dataset.name === 'gem_000125'")
    assert text_of(page, "#entry-card") == told


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("width", [360, 740, 1280, 3840])
def test_it_fits_every_window_and_nothing_moves_while_it_opens(
    browser: Browser, published: Path, width: int, dark: bool
) -> None:
    page = open_book(browser, published, width=width, dark=dark)
    assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")
    shifts = page.evaluate(
        "new Promise(done => { const found = []; new PerformanceObserver(list => found.push(...list.getEntries()))"
        ".observe({type: 'layout-shift', buffered: true}); setTimeout(() => done(found.length), 200) })"
    )
    assert shifts == 0
    assert (page.screenshot()[0, 0].max() < 64) == dark


def test_it_asks_for_nothing_but_its_own_files(browser: Browser, drawn: Path) -> None:
    page = open_book(browser, drawn)
    asked = page.evaluate("performance.getEntriesByType('resource').map(entry => entry.name)")
    assert all(address.startswith(drawn.as_uri()) for address in asked)


def test_without_sheets_it_says_how_to_make_them(browser: Browser, tmp_path: Path) -> None:
    page = open_book(browser, copy_page(tmp_path / "empty"))
    assert state(page) == "empty"
    told = text_of(page, "body")
    assert "make demo" in told
    assert "assetgen batch --count 500" in told and "--project examples/bestiary" in told
    assert "Encounter" not in told


@pytest.mark.parametrize("damage", ["missing", "cut"])
def test_an_unreadable_sheet_is_named_and_the_rest_is_shown(browser: Browser, own_book: Path, damage: str) -> None:
    sheet = own_book / GENERATED / "gem" / "gem.png"
    sheet.unlink() if damage == "missing" else sheet.write_bytes(sheet.read_bytes()[:20])
    page = open_book(browser, own_book)
    assert state(page) == "broken"
    assert "assets/generated/gem/gem.png" in text_of(page, "[role=alert]")
    assert shown(page) == names_by_type(own_book)["drake"]
    page.evaluate("location.hash = 'gem'")
    page.wait_for("document.querySelector('#sprite-wall [data-type=gem]')")
    assert len(shown(page)) == 10, "what is on the second sheet"


def test_with_no_readable_sheet_it_names_every_one(browser: Browser, own_book: Path) -> None:
    for sheet in (own_book / GENERATED).rglob("*.png"):
        sheet.unlink()
    page = open_book(browser, own_book)
    assert state(page) == "broken"
    told = text_of(page, "body")
    assert all(f"assets/generated/{sheet['image']}" in told for sheet in sheets_of(own_book))
    assert "Encounter" not in told
