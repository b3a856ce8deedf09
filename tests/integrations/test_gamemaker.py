"""The target ``gamemaker`` writes a script, and takes sheets that GameMaker would cut as they are meant: no
GameMaker runs here, so what is tested is geometry, and that the script's parts fit together.
"""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path
from typing import Any

import pytest

from asset_gen.sheet import Delivery
from integrations.gamemaker.writer import TARGET, check_strip, write
from tests.integrations.deliveries import assert_golden, grid, strips


def test_files_are_golden() -> None:
    assert_golden("gamemaker", write(strips()))


def test_every_sprite_is_a_frame_of_the_asset_that_its_strip_becomes() -> None:
    script = write(strips())["assetgen_sprites.gml"].decode()
    calls = re.findall(r"__assetgen_add\(by_type, (\w+), .*?, \[\n(.*?)\]\);", script, re.DOTALL)
    assert [(asset, re.findall(r'\["(\w+)"', rows)) for asset, rows in calls] == [
        ("spr_imp", ["imp_000000", "imp_000001", "imp_000002"]),
        ("spr_imp_2", ["imp_000003"]),
    ]
    assert all(script.count(bracket[0]) == script.count(bracket[1]) for bracket in ("()", "[]", "{}"))


def test_no_sprites_make_a_script_that_knows_no_types() -> None:
    assert b"return [];" in write(Delivery(()))["assetgen_sprites.gml"]


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"image": "imp/imp.png"}, "ends in _stripN"),
        ({"image": "imp/3imps_strip3.png"}, "ends in _stripN"),
        ({"image": "imp/spr_imp_strip4.png"}, "3 sprites, not 4"),
        ({"width": 26}, "26×8 isn't 3 × 8×8"),
        ({"height": 10}, "24×10 isn't"),
    ],
)
def test_a_sheet_that_would_be_cut_wrongly_is_refused(change: dict[str, Any], told: str) -> None:
    with pytest.raises(ValueError, match=told):
        check_strip(dataclasses.replace(strips().sheets[0], **change))


@pytest.mark.parametrize("change", [{"x": 9}, {"y": 1}, {"width": 7}, {"offset": (1, 0), "source": (8, 8)}])
def test_a_sprite_that_leaves_its_frame_is_refused(change: dict[str, Any]) -> None:
    strip = strips().sheets[0]
    wrong = (strip.regions[0], dataclasses.replace(strip.regions[1], **change), strip.regions[2])
    with pytest.raises(ValueError, match="imp_000001 doesn't fill part 1"):
        check_strip(dataclasses.replace(strip, regions=wrong))


def test_a_grid_is_refused() -> None:
    assert TARGET.strip
    with pytest.raises(ValueError, match=r"imp/imp\.png"):
        write(grid())


def test_a_project_has_a_yyp_file(tmp_path: Path) -> None:
    assert not TARGET.detect(tmp_path)
    (tmp_path / "game.yyp").write_text("{}")
    assert TARGET.detect(tmp_path)
