"""GameMaker and Unreal, which can't be had: what was published for them is cut here as their documentation says, and
compared with the manifest. This proves geometry and names, not that the engines agree.
"""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
from PIL import Image

from tests.clients import published

OUT = "assets/generated"


def test_gamemaker_would_cut_every_strip_into_the_sprites_that_the_script_names(tmp_path: Path) -> None:
    game = published.publish(tmp_path / "game", "gamemaker", OUT)
    script = (game.out / "assetgen_sprites.gml").read_text(encoding="utf-8")
    rows = {asset: re.findall(r'\["(\w+)", "(\w+)", ([\d.]+)\]', block) for asset, block in asset_blocks(script)}
    seen = set()
    for path in sorted(game.out.glob("*/*.png")):
        found = re.fullmatch(r"([A-Za-z_]\w*)_strip(\d+)", path.stem)
        assert found, f"{path.name} isn't a strip"
        strip = np.array(Image.open(path).convert("RGBA"))
        frames = np.split(strip, int(found[2]), axis=1)  # raises where the parts aren't equal
        assert len(frames) == len(rows[found[1]])
        for frame, (name, kind, score) in zip(frames, rows[found[1]], strict=True):
            sprite = game.sprites[name]
            assert (kind, float(score)) == (sprite.type, round(sprite.score, 4))
            np.testing.assert_array_equal(frame, sprite.pixels, name)
            seen.add(name)
    assert seen == game.sprites.keys()
    (types,) = re.findall(r"return \[(.*)\];", script)
    assert json.loads(f"[{types}]") == sorted({sprite.type for sprite in game.sprites.values()})


def asset_blocks(script: str) -> list[tuple[str, str]]:
    """The assets that a script names, each with the list of its frames."""
    return re.findall(r"__assetgen_add\(by_type, (\w+), .*?, \[\n(.*?)\n +\]\);", script, re.DOTALL)


def test_unreal_would_find_every_sprite_where_the_manifest_says(tmp_path: Path) -> None:
    game = published.publish(tmp_path / "game", "unreal", OUT)
    seen = set()
    for path in game.out.rglob("*.paper2dsprites"):
        document = json.loads(path.read_text(encoding="utf-8"))
        picture = np.array(Image.open(path.parent / document["meta"]["image"]).convert("RGBA"))
        assert document["meta"]["size"] == {"w": picture.shape[1], "h": picture.shape[0]}
        for name, frame in document["frames"].items():
            sprite = game.sprites[name]
            x, y, width, height = (frame["frame"][key] for key in "xywh")
            assert (frame["type"], frame["score"]) == (sprite.type, round(sprite.score, 4))
            np.testing.assert_array_equal(picture[y : y + height, x : x + width], sprite.pixels, name)
            seen.add(name)
    assert seen == game.sprites.keys()
