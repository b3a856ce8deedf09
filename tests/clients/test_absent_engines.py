"""Unreal, which can't be had: what was published for it is cut here as its documentation says, and compared with the
manifest. This proves geometry and names, not that the engine agrees.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
from PIL import Image

from tests.clients import published

OUT = "assets/generated"


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
