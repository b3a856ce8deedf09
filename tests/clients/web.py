"""Web games in Chromium: a folder of a game with npm packages, served as any static server would."""

from __future__ import annotations

import base64
import os
import shutil
import subprocess
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from asset_gen.sheet import Delivery, Sheet, Writer, paint
from tests.clients.pictures import colours
from tests.integrations.deliveries import CELL, grid, region

if TYPE_CHECKING:
    from tests.clients.conftest import Browser, Client

LOCK = Path(__file__).parent / "npm" / "package-lock.json"
"""Versions and hashes of the packages; ``npm ci`` compares the latter."""
INSTALLED = Path(os.environ.get("ASSETGEN_CLIENTS", Path.home() / ".cache" / "assetgen-clients")) / "npm"
OUT = "assets/generated"
ZOOM = 2
"""How much the probes enlarge sprites: a filter would blur them."""
STRICT = (
    *("--ignoreConfig", "--strict", "--noUncheckedIndexedAccess", "--exactOptionalPropertyTypes"),
    *("--module", "esnext", "--moduleResolution", "bundler", "--target", "es2022", "--lib", "es2023,dom"),
    *("--skipLibCheck", "--types", ""),
)


@dataclass(frozen=True)
class Drawn:
    """What a probe has found of a sprite, and drawn of it."""

    type: str
    label: str
    score: float
    pixels: NDArray[np.uint8]
    """RGBA [h, w, 4], without what was trimmed, at its own size."""


def find_packages(client: Client) -> Path:
    """The folder ``node_modules``; skips or fails where it isn't what the lock says."""
    installed = INSTALLED / "node_modules"
    whole = installed.is_dir() and (INSTALLED / "package-lock.json").read_bytes() == LOCK.read_bytes()
    return installed if whole else client(f"{installed} (npm packages)")


def game_of(folder: Path, packages: Path, *parts: Path) -> Path:
    """A game's folder with these packages and the contents of these folders."""
    for part in parts:
        shutil.copytree(part, folder, dirs_exist_ok=True, ignore=shutil.ignore_patterns("candidates~", "node_modules"))
    (folder / "node_modules").symlink_to(packages)
    return folder


class _Handler(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        """Nothing: the test says what went wrong."""


@contextmanager
def serve(folder: Path) -> Iterator[str]:
    """The address of a folder on a static server, until the block ends."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Handler, directory=str(folder)))
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def delivery() -> Delivery:
    """All that a delivery may hold: also two names for the same pixels."""
    twins = (region("gem", 0, 2, 2), region("gem", 1, 2, 2))
    return Delivery((*grid().sheets, Sheet("gem", "Gem", "gem/gem.png", 12, 12, (CELL, CELL), 1, twins)))


def deliver(folder: Path, write: Writer) -> Path:
    """A game's folder with ``delivery()`` and what a target writes for it."""
    out = folder / OUT
    for path, data in write(delivery()).items():
        (out / path).parent.mkdir(parents=True, exist_ok=True)
        (out / path).write_bytes(data)
    for sheet in delivery().sheets:
        sprites = [colours(f"{sheet.image} {part.x} {part.y}", part.width, part.height) for part in sheet.regions]
        (out / sheet.image).parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(paint(sheet, sprites), "RGBA").save(out / sheet.image)
    return folder


def delivered() -> dict[str, NDArray[np.uint8]]:
    """Name → what a player should see of a sprite of ``deliver``: [h, w, 4], trimmed ones back in their place."""
    sprites = {}
    for sheet in delivery().sheets:
        for part in sheet.regions:
            width, height = part.source or (part.width, part.height)
            (left, top), pixels = part.offset, np.zeros((height, width, 4), np.uint8)
            own = colours(f"{sheet.image} {part.x} {part.y}", part.width, part.height)
            pixels[top : top + part.height, left : left + part.width] = own
            sprites[part.name] = pixels
    return sprites


def probe(browser: Browser, address: str) -> Mapping[str, Any]:
    """What a probe's page has put into ``seen``."""
    page = browser.open(address)
    page.wait_for("globalThis.seen")
    return dict(page.evaluate("seen"))


def sprites_of(seen: Mapping[str, Any]) -> dict[str, Drawn]:
    """The sprites that a probe lists, cut out of the picture of its canvas."""
    assert "error" not in seen, seen["error"]
    picture = picture_of(seen["picture"])
    sprites = {}
    for sprite in seen["sprites"]:
        x, y, width, height = sprite["rect"]
        pixels = picture[y : y + height * ZOOM, x : x + width * ZOOM]
        small = pixels[::ZOOM, ::ZOOM]
        np.testing.assert_array_equal(pixels, small.repeat(ZOOM, 0).repeat(ZOOM, 1), f"blurred: {sprite['name']}")
        sprites[sprite["name"]] = Drawn(sprite["type"], sprite["label"], sprite["score"], small)
    return sprites


def picture_of(address: str) -> NDArray[np.uint8]:
    """The pixels of a data URL, RGBA [h, w, 4]."""
    data = base64.b64decode(address.partition(",")[2])
    return np.array(Image.open(BytesIO(data)).convert("RGBA"))


def visible(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Opaque pixels as they are, others as nothing: a canvas keeps no colour where alpha is 0."""
    assert set(np.unique(pixels[..., 3])) <= {0, 255} and pixels[..., 3].any()
    return np.where(pixels[..., 3:] == 255, pixels, 0).astype(np.uint8)


def compile_types(packages: Path, folder: Path, files: Sequence[str], *options: str) -> str:
    """What TypeScript complains of in the files of a folder; empty where all is well."""
    command = ["node", packages / "typescript" / "bin" / "tsc", *STRICT, *options, *files]
    result = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=120)
    assert (result.returncode == 0) == (not result.stdout), result.stdout + result.stderr
    return result.stdout
