"""An .aseprite file becomes the sprites that Aseprite would show; what can't be shown exactly is refused."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from asset_gen.errors import SpriteError
from asset_gen.images import read_rgba
from asset_gen.importers.aseprite import import_aseprite
from asset_gen.importers.aseprite_file import UnsupportedError, read_aseprite
from tests.asset_gen.aseprite_writer import aseprite, cel, chunk, layer, linked, palette, part, tags
from tests.conftest import Cli

PATH = Path("hero.aseprite")
RED = np.full((4, 4, 4), (200, 0, 0, 255), np.uint8)
BLUE = np.full((2, 2, 4), (0, 0, 200, 255), np.uint8)


def test_layers_lie_over_each_other_where_their_cels_are() -> None:
    data = aseprite([[layer(), layer(), cel(RED, 1, 2), cel(BLUE, 3, 3, of=1, packed=False)]])
    (frame,) = read_aseprite(PATH, data).frames
    assert frame.shape == (8, 8, 4)
    assert frame[2, 1].tolist() == [200, 0, 0, 255] and frame[3, 3].tolist() == [0, 0, 200, 255]
    assert np.count_nonzero(frame[..., 3]) == 16 and not frame[0].any()


def test_a_cel_may_hang_over_the_canvas_and_be_raised_above_others() -> None:
    data = aseprite([[layer(), layer(), cel(RED, -2, -2, order=5), cel(BLUE, 0, 0, of=1)]])
    (frame,) = read_aseprite(PATH, data).frames
    assert frame[:2, :2].reshape(-1, 4).tolist() == [[200, 0, 0, 255]] * 4 and np.count_nonzero(frame[..., 3]) == 4


def test_hidden_layers_hidden_groups_and_reference_layers_do_not_show() -> None:
    layers = [layer(flags=0), layer(kind=1, flags=0), layer(level=1), layer(flags=1 | 64), layer()]
    data = aseprite([[*layers, cel(RED, of=0), cel(RED, of=2), cel(RED, of=3), cel(BLUE, of=4)]])
    (frame,) = read_aseprite(PATH, data).frames
    assert np.count_nonzero(frame[..., 3]) == 4 and frame[0, 0].tolist() == [0, 0, 200, 255]


def test_opacities_of_layer_cel_and_group_multiply() -> None:
    layers = [layer(kind=1, opacity=128), layer(level=1, opacity=128)]
    (frame,) = read_aseprite(PATH, aseprite([[*layers, cel(RED, of=1, opacity=128)]])).frames
    assert frame[0, 0].tolist() == [200, 0, 0, round(255 * (128 / 255) ** 3)]
    (plain,) = read_aseprite(PATH, aseprite([[*layers, cel(RED, of=1)]], flags=0)).frames  # older files: no opacity
    assert plain[0, 0, 3] == 255


def test_indexed_and_grey_colours_are_looked_up() -> None:
    places = np.array([[0, 1], [2, 1]], np.uint8)[..., None]
    table = palette((9, 9, 9, 255), (10, 20, 30, 255), (40, 50, 60, 255))
    (frame,) = read_aseprite(PATH, aseprite([[table, layer(), cel(places)]], 2, 2, 8)).frames
    assert frame.tolist() == [[[0] * 4, [10, 20, 30, 255]], [[40, 50, 60, 255], [10, 20, 30, 255]]]
    (paper,) = read_aseprite(PATH, aseprite([[table, layer(flags=1 | 8), cel(places)]], 2, 2, 8)).frames
    assert paper[0, 0].tolist() == [9, 9, 9, 255]  # a background has no transparent colour
    grey = np.array([[[7, 255], [8, 0]]], np.uint8)
    (frame,) = read_aseprite(PATH, aseprite([[layer(), cel(grey)]], 2, 1, 16)).frames
    assert frame[0, 0].tolist() == [7, 7, 7, 255] and frame[0, 1, 3] == 0


def test_old_palettes_count_where_there_is_no_new_one() -> None:
    old = chunk(0x0004, bytes([1, 0, 0, 2, 1, 2, 3, 4, 5, 6]))
    six_bits = chunk(0x0011, bytes([1, 0, 0, 2, 0, 0, 0, 63, 0, 63]))
    place = np.full((1, 1, 1), 1, np.uint8)
    for chunks, colour in (
        ([old], (4, 5, 6)),
        ([six_bits], (255, 0, 255)),
        ([palette((0,) * 4, (7, 7, 7, 255)), old], (7,) * 3),
    ):
        (frame,) = read_aseprite(PATH, aseprite([[*chunks, layer(), cel(place)]], 1, 1, 8)).frames
        assert frame[0, 0].tolist() == [*colour, 255]


def test_tags_name_types_and_a_linked_cel_is_no_second_sprite(tmp_path: Path) -> None:
    path = tmp_path / "zoo.aseprite"
    spans = tags(("bat", 0, 1), ("cat", 2, 2))
    path.write_bytes(aseprite([[layer(), spans, cel(RED)], [linked(0)], [cel(BLUE)], [cel(RED, 4, 4)], []]))
    done = import_aseprite(path, tmp_path / "set")
    assert done.counts == {"bat": 1, "cat": 1, "zoo": 1}
    assert done.notes == ["1 empty frames were left out", "1 repeated frames were left out"]
    assert np.array_equal(read_rgba(tmp_path / "set" / "cat" / "cat_002.png")[:2, :2], BLUE)


def test_slices_cut_and_name_types(tmp_path: Path, cli: Cli) -> None:
    path = tmp_path / "items.aseprite"
    keys = part("sword 1", (0, 0, 0, 4, 4), (1, 0, 0, 0, 0)), part("shield", (0, 1, 1, 3, 2))
    path.write_bytes(aseprite([[layer(), cel(RED), *keys], [cel(RED)]]))
    done = cli("data", "aseprite", path, "--out", tmp_path / "set", "--json")
    assert done.code == 0 and json.loads(done.out)["types"] == {"shield": 1, "sword": 1}
    assert read_rgba(tmp_path / "set" / "sword" / "sword_1_0.png").shape == (4, 4, 4)
    assert cli("data", "aseprite", path, "--out", tmp_path / "one", "--type", "thing").code == 0
    assert (tmp_path / "one" / "thing").is_dir()
    whole = cli("data", "aseprite", path, "--out", tmp_path / "whole", "--frames", "--json")
    assert json.loads(whole.out)["types"] == {"items": 1}
    assert "--frames takes whole frames" in done.out and "--frames" not in whole.out


BEYOND = {
    "a newer chunk": ([chunk(0x2999, b"")], r"a part of a newer version \(chunk 0x2999\)"),
    "a tilemap": ([layer(kind=2)], "a tilemap"),
    "a newer layer": ([layer(kind=9)], "a layer of kind 9"),
    "a newer cel": ([layer(), chunk(0x2005, bytes([0] * 7 + [9] + [0] * 8))], "a cel of kind 9"),
    "multiply": ([layer(blend=1)], "the blend mode 1"),
}


@pytest.mark.parametrize("name", BEYOND)
def test_what_only_aseprite_can_draw_is_refused_with_a_way_out(
    name: str, tmp_path: Path, cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    chunks, words = BEYOND[name]
    with pytest.raises(UnsupportedError, match=words):
        read_aseprite(PATH, aseprite([chunks]))
    (tmp_path / "new.aseprite").write_bytes(aseprite([chunks]))
    done = cli("data", "aseprite", tmp_path / "new.aseprite", "--out", tmp_path / "set")
    assert done.code == 1 and "new.aseprite: holds" in done.err and "assetgen data sheet" in done.err
    assert not (tmp_path / "set").exists()


STAND_IN = """#!{python}
import json, shutil, sys
words = sys.argv[1:]
if "{fails}":
    sys.exit("{fails}")
assert words[0] == "--batch" and words[words.index("--format") + 1] == "json-array"
shutil.copy("{sheet}", words[words.index("--sheet") + 1])
frame = {{"filename": "zoo 0.aseprite", "frame": {{"x": 0, "y": 0, "w": 4, "h": 4}}}}
meta = {{"image": "sheet.png", "frameTags": [{{"name": "bat", "from": 0, "to": 0}}], "slices": []}}
open(words[words.index("--data") + 1], "w").write(json.dumps({{"frames": [frame], "meta": meta}}))
"""


@pytest.mark.skipif(os.name == "nt", reason="the stand-in for Aseprite is a script with a #! line")
@pytest.mark.parametrize("fails", ["", "Error loading file"])
def test_aseprite_itself_draws_the_rest_where_it_is_installed(
    fails: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from PIL import Image

    Image.fromarray(RED, "RGBA").save(tmp_path / "sheet.png")
    program = tmp_path / "aseprite"
    program.write_text(STAND_IN.format(python=sys.executable, sheet=tmp_path / "sheet.png", fails=fails))
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    (tmp_path / "zoo.aseprite").write_bytes(aseprite([[layer(blend=3)]]))
    if fails:
        with pytest.raises(SpriteError, match=r"zoo\.aseprite: Aseprite couldn't export it \(Error loading file\)"):
            import_aseprite(tmp_path / "zoo.aseprite", tmp_path / "set")
    else:
        assert import_aseprite(tmp_path / "zoo.aseprite", tmp_path / "set").counts == {"bat": 1}


WHOLE = aseprite(
    [[layer(), tags(("bat", 0, 0)), part("a", (0, 0, 0, 2, 2)), palette((1, 2, 3, 4)), cel(RED)], [linked(0)]]
)


@given(st.integers(0, len(WHOLE) - 1), st.integers(0, 255))
def test_a_changed_byte_is_refused_or_harmless(place: int, value: int) -> None:
    data = bytearray(WHOLE)
    data[place] = value
    try:
        drawing = read_aseprite(PATH, bytes(data))
    except SpriteError as error:
        assert "hero.aseprite" in str(error)
    else:
        assert all(frame.shape == (drawing.height, drawing.width, 4) for frame in drawing.frames)


@given(st.integers(0, len(WHOLE) - 1))
def test_a_file_cut_short_is_refused(size: int) -> None:
    with pytest.raises(SpriteError, match=r"hero\.aseprite"):
        read_aseprite(PATH, WHOLE[:size])


def test_tags_and_slices_that_lie_outside_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "bad.aseprite"
    for chunks, words in (
        ([tags(("t", 0, 9))], "the tag 't' spans"),
        ([part("s", (0, 5, 5, 9, 9))], "the slice 's' lies outside"),
    ):
        path.write_bytes(aseprite([[layer(), cel(RED), *chunks]]))
        with pytest.raises(SpriteError, match=words):
            import_aseprite(path, tmp_path / "set")
