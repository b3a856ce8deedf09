"""What assetgen publishes for libGDX, read by the parser of Spine's runtime: the same format, by the same author.

libGDX itself, which is Java, isn't run here.
"""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from PIL import Image

from asset_gen.cli import run as run_command_line
from tests.clients import published, web

if TYPE_CHECKING:
    from tests.clients.conftest import Client

OUT = "assets/generated"
READER = Path(__file__).parent / "libgdx" / "read_atlas.mjs"
NEAREST = 9728  # GL_NEAREST


@pytest.mark.parametrize(
    "options", [(), ("--trim",), ("--combined", "--trim", "--extrude", "1"), ("--max-side", "256")]
)
def test_every_region_is_found_by_type_and_slot(client: Client, tmp_path: Path, options: tuple[str, ...]) -> None:
    core = web.find_packages(client) / "@esotericsoftware" / "spine-core"
    arguments = ["--count", "60", "--scale", "2", "--target", "libgdx", "--project", str(tmp_path), "-q", *options]
    assert run_command_line(["batch", *arguments]) == 0
    game = published.read(tmp_path, tmp_path / OUT)
    command = [str(client("node")), str(READER), str(core), str(game.out / "sprites.atlas")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    regions: list[dict[str, Any]] = json.loads(done.stdout)
    entries = {
        sprite["name"]: sprite
        for sheet in json.loads((game.out / "manifest.json").read_text())["sheets"]
        for sprite in sheet["sprites"]
    }
    seen = set()
    for region in regions:
        name = f"{region['name']}_{region['index']:06d}"
        sprite, entry = game.sprites[name], entries[name]
        assert (region["name"], region["page"]) == (sprite.type, sprite.image)
        assert (region["turned"], region["filter"]) == (0, [NEAREST, NEAREST])
        picture = np.array(Image.open(game.out / region["page"]).convert("RGBA"))
        assert region["size"] == [picture.shape[1], picture.shape[0]]
        x, y, width, height = region["rect"]
        np.testing.assert_array_equal(picture[y : y + height, x : x + width], sprite.pixels, name)
        left, top = entry.get("offset", (0, 0))
        assert region["whole"] == [64, 64]
        assert region["offset"] == [left, 64 - top - height]  # counted upwards
        seen.add(name)
    assert seen == game.sprites.keys()
