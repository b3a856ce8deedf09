"""A sheet is cut back into the sprites that were laid on it: by grid, by JSON, or by looking."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image

from asset_gen.errors import SpriteError, UsageError
from asset_gen.images import read_rgba
from asset_gen.importers.cut import MIN_AREA, Box, Grid, border_area, figures, parse_grid
from asset_gen.importers.sheet import import_sheet
from asset_gen.importers.sheet_json import label_in
from asset_gen.pixels import key_out
from asset_gen.sheet import Region, Sheet
from integrations.generic.writer import texture_packer
from tests.conftest import Cli
from tests.creatures import KINDS, creature

SPRITES = [creature(kind, seed) for kind in KINDS for seed in range(3)]


def save(path: Path, sheet: NDArray[np.uint8]) -> Path:
    Image.fromarray(sheet, "RGBA").save(path)
    return path


def laid_out(columns: int, padding: int, margin: int) -> NDArray[np.uint8]:
    """All sprites on a grid of 32×32 cells."""
    rows = -(-len(SPRITES) // columns)
    sheet = np.zeros((2 * margin - padding + rows * (32 + padding), 2 * margin - padding + columns * (32 + padding), 4),
                     np.uint8)  # fmt: skip
    for place, sprite in enumerate(SPRITES):
        y, x = (margin + (32 + padding) * index for index in divmod(place, columns))
        sheet[y : y + 32, x : x + 32] = sprite
    return sheet


def read_set(folder: Path) -> dict[str, NDArray[np.uint8]]:
    """File → picture of a set, in the order of labels.csv."""
    with (folder / "labels.csv").open(newline="", encoding="utf-8") as file:
        return {row["file"]: read_rgba(folder / row["file"]) for row in csv.DictReader(file)}


@pytest.mark.parametrize(("padding", "margin"), [(0, 0), (2, 0), (2, 2)])
def test_a_grid_gives_every_cell_back(padding: int, margin: int, tmp_path: Path) -> None:
    sheet = save(tmp_path / "all.png", laid_out(3, padding, margin))
    done = import_sheet(sheet, tmp_path / "set", Grid(32, 32, padding), labels=KINDS)
    assert done.counts == dict.fromkeys(KINDS, 3)
    for number, (file, picture) in enumerate(read_set(tmp_path / "set").items()):
        assert file == f"{KINDS[number // 3]}/all_{number:03}.png"
        assert np.array_equal(picture, SPRITES[number])


def test_empty_cells_are_no_sprites_and_rows_must_have_a_type_each(tmp_path: Path) -> None:
    sheet = laid_out(3, 0, 0)
    sheet[:32, 32:64] = 0
    path = save(tmp_path / "all.png", sheet)
    with pytest.raises(UsageError, match="2 types for 4 rows"):
        import_sheet(path, tmp_path / "set", Grid(32, 32), labels=("a", "b"))
    assert import_sheet(path, tmp_path / "set", Grid(32, 32)).counts == {"all": 11}
    with pytest.raises(UsageError, match="96×128 pixels, too few for one cell"):
        import_sheet(path, tmp_path / "other", Grid(100, 32))


@pytest.mark.parametrize("text", ["32", "32x", "0x8", "8x8+", "8*8", "99999x1", ""])
def test_what_is_no_grid_is_said_to_be_none(text: str) -> None:
    with pytest.raises(UsageError, match="for example 32x32"):
        parse_grid(text)
    assert parse_grid("16x24+1") == Grid(16, 24, 1)


def test_figures_are_found_by_what_is_between_them(tmp_path: Path) -> None:
    sheet = save(tmp_path / "mixed.png", laid_out(4, 6, 3))
    done = import_sheet(sheet, tmp_path / "set", labels=["thing"], gap=2)
    found = list(read_set(tmp_path / "set").values())
    assert done.counts == {"thing": len(SPRITES)} == {"thing": len(found)}
    for picture, sprite in zip(found, SPRITES, strict=True):  # in reading order
        assert np.array_equal(picture[picture[..., 3] > 0], sprite[sprite[..., 3] > 0])


BOXES = st.lists(
    st.tuples(st.integers(0, 5), st.integers(0, 5), st.integers(2, 6), st.integers(2, 6)), unique_by=lambda b: b[:2]
)


@given(BOXES)
def test_separate_rectangles_are_found_as_they_are(cells: list[tuple[int, int, int, int]]) -> None:
    sheet = np.zeros((60, 60, 4), np.uint8)
    boxes = [Box(column * 10 + 1, row * 10 + 1, width, height) for column, row, width, height in cells]
    for box in boxes:
        sheet[box.y : box.y + box.height, box.x : box.x + box.width] = 255
    assert {box for box, _ in figures(sheet, gap=1)} == set(boxes)


def test_a_figures_parts_stay_together_and_dust_goes() -> None:
    sheet = np.zeros((20, 40, 4), np.uint8)
    sheet[5:10, 5:10] = sheet[2:4, 6:8] = 255  # a head, a pixel above its body
    sheet[10:12, 10:12] = 255  # touches at a corner
    sheet[15, 30] = 255
    assert [box for box, _ in figures(sheet, gap=1)] == [Box(5, 2, 7, 10)]
    assert len(figures(sheet, gap=0)) == 2
    assert MIN_AREA > 1


@given(st.integers(0, 2**32 - 1))
def test_the_area_at_the_border_is_the_one_that_key_out_finds(seed: int) -> None:
    mask = np.random.default_rng(seed).random((9, 12)) < 0.6
    picture = np.where(mask[..., None], np.uint8(255), np.uint8(0)).repeat(4, axis=2)
    picture[..., 3] = 255
    assert np.array_equal(border_area(mask), key_out(picture[None], tolerance=0)[0, ..., 3] == 0)


def test_a_background_goes_from_the_border_inwards_or_everywhere(tmp_path: Path) -> None:
    sheet = np.full((16, 16, 4), (255, 0, 255, 255), np.uint8)
    sheet[4:12, 4:12] = (10, 20, 30, 255)
    sheet[7:9, 7:9] = (255, 0, 255, 255)  # an eye
    path = save(tmp_path / "one.png", sheet)
    for background, visible in (("auto", 64), ("#ff00ff", 60), ("keep", 256)):
        import_sheet(path, tmp_path / background, background=background)
        (picture,) = read_set(tmp_path / background).values()
        assert np.count_nonzero(picture[..., 3]) == visible
    with pytest.raises(UsageError, match="--background 'pink'"):
        import_sheet(path, tmp_path / "pink", background="pink")


def packed(tmp_path: Path, **meta: Any) -> tuple[Path, dict[str, Any]]:
    """A TexturePacker sheet: one sprite plain, one trimmed, one rotated and trimmed; and its JSON."""
    sheet = np.zeros((64, 96, 4), np.uint8)
    frames = {}
    for number, sprite in enumerate(SPRITES[:3]):
        rows, columns = (np.flatnonzero(sprite[..., 3].any(axis=axis)) for axis in (1, 0))
        top, left, height, width = rows[0], columns[0], rows[-1] + 1 - rows[0], columns[-1] + 1 - columns[0]
        x, rotated = 32 * number, number == 2
        if number == 0:
            top, left, height, width = 0, 0, 32, 32
        cut = sprite[top : top + height, left : left + width]
        cut = np.rot90(cut, -1) if rotated else cut  # TexturePacker turns clockwise
        sheet[: cut.shape[0], x : x + cut.shape[1]] = cut
        frames[f"beetle/beetle{number}.png"] = {
            "frame": {"x": x, "y": 0, "w": int(width), "h": int(height)},
            "rotated": rotated,
            "trimmed": number > 0,
            "spriteSourceSize": {"x": int(left), "y": int(top), "w": int(width), "h": int(height)},
            "sourceSize": {"w": 32, "h": 32},
        }
    save(tmp_path / "pack.png", sheet)
    document = {"frames": frames, "meta": {"app": "texturepacker", "image": "pack.png"} | meta}
    (tmp_path / "pack.json").write_text(json.dumps(document))
    return tmp_path / "pack.json", document


@pytest.mark.parametrize("form", ["hash", "array"])
@pytest.mark.parametrize("given", ["pack.json", "pack.png"])
def test_texturepackers_frames_come_back_turned_and_untrimmed(form: str, given: str, tmp_path: Path) -> None:
    path, document = packed(tmp_path)
    if form == "array":
        document["frames"] = [{"filename": name, **frame} for name, frame in document["frames"].items()]
        path.write_text(json.dumps(document))
    done = import_sheet(tmp_path / given, tmp_path / "set")
    assert done.counts == {"beetle": 3}
    found = read_set(tmp_path / "set")
    assert list(found) == ["beetle/beetle0.png", "beetle/beetle1.png", "beetle/beetle2.png"]
    for picture, sprite in zip(found.values(), SPRITES, strict=False):
        assert np.array_equal(picture, sprite)


def test_tags_name_types_slices_cut_and_repeated_frames_count_once(tmp_path: Path) -> None:
    sheet = np.concatenate([SPRITES[0], SPRITES[3], SPRITES[3]], axis=1)
    save(tmp_path / "anim.png", sheet)
    frames = [
        {"filename": f"anim {n}.aseprite", "frame": {"x": 32 * n, "y": 0, "w": 32, "h": 32}, "duration": 100}
        for n in range(3)
    ]
    tags = [{"name": "Beetle", "from": 0, "to": 0}, {"name": "Crystal", "from": 1, "to": 2}]
    meta: dict[str, Any] = {"image": "anim.png", "frameTags": tags}
    (tmp_path / "anim.json").write_text(json.dumps({"frames": frames, "meta": meta}))
    done = import_sheet(tmp_path / "anim.png", tmp_path / "set")
    assert (done.counts, done.notes) == ({"Beetle": 1, "Crystal": 1}, ["1 repeated frames were left out"])
    meta["slices"] = [
        {"name": "head 2", "keys": [{"frame": 0, "bounds": {"x": 8, "y": 16, "w": 16, "h": 16}}]},
        {"name": "foot", "keys": [{"frame": 1, "bounds": {"x": 0, "y": 8, "w": 32, "h": 24}}]},
    ]
    (tmp_path / "anim.json").write_text(json.dumps({"frames": frames, "meta": meta}))
    assert import_sheet(tmp_path / "anim.png", tmp_path / "parts").counts == {"foot": 1, "head": 2}
    assert np.array_equal(read_set(tmp_path / "parts")["foot/foot_1.png"], SPRITES[3][8:])


@pytest.mark.parametrize(
    ("names", "types"),
    [
        (("walk 0", "walk 1", "eat 0"), {"walk": 2, "eat": 1}),
        (("hero 0.aseprite", "hero 1.aseprite", "frog 0.aseprite"), {"hero": 2, "frog": 1}),
        (("hero 0.aseprite", "hero 1.aseprite", "hero 2.aseprite"), {"eat": 1, "walk": 1, "hero": 1}),
    ],
    ids=["names tell", "tags of two drawings overlap", "tags of one drawing overlap"],
)
def test_tags_of_several_drawings_in_one_sheet_are_not_mixed_up(
    names: tuple[str, ...], types: dict[str, int], tmp_path: Path
) -> None:
    save(tmp_path / "both.png", np.arange(4 * 12 * 4, dtype=np.uint8).reshape(4, 12, 4) | 1)
    frames = [{"filename": name, "frame": {"x": 4 * place, "y": 0, "w": 4, "h": 4}} for place, name in enumerate(names)]
    tags = [{"name": "walk", "from": 0, "to": 1}, {"name": "eat", "from": 0, "to": 0}]
    document = {"frames": frames, "meta": {"image": "both.png", "frameTags": tags}}
    (tmp_path / "both.json").write_text(json.dumps(document))
    assert import_sheet(tmp_path / "both.json", tmp_path / "set", background="keep").counts == types


def test_a_sheet_as_assetgen_writes_it_comes_back(tmp_path: Path) -> None:
    save(tmp_path / "imp.png", np.concatenate(SPRITES[:2], axis=1))
    regions = tuple(
        Region(name=f"imp_{n:06}", type="imp", slot=n, x=32 * n, y=0, width=32, height=32, score=1.0) for n in range(2)
    )
    sheet = Sheet(
        type="imp", label="Imp", image="imp/imp.png", width=64, height=32, cell=(32, 32), columns=2, regions=regions
    )
    (tmp_path / "imp.json").write_text(json.dumps(texture_packer(sheet)))
    assert import_sheet(tmp_path / "imp.json", tmp_path / "set").counts == {"imp": 2}
    found = read_set(tmp_path / "set")
    assert list(found) == ["imp/imp_000000.png", "imp/imp_000001.png"]
    assert all(np.array_equal(picture, sprite) for picture, sprite in zip(found.values(), SPRITES, strict=False))


@pytest.mark.parametrize(
    ("name", "label"),
    [
        ("dragon/red.png", "dragon"),
        ("a/dragon/red.png", "dragon"),
        ("dragon_017", "dragon"),
        ("hero 3.aseprite", "hero"),
        ("v1.2-fire12.png", "v1.2-fire"),
        ("012.png", ""),
    ],
)
def test_a_name_tells_the_type(name: str, label: str) -> None:
    assert label_in(name) == label


def spoil(document: dict[str, Any], **changes: Any) -> dict[str, Any]:
    """The document with its first frame changed."""
    name = next(iter(document["frames"]))
    document["frames"][name] |= changes
    return document


BROKEN: dict[str, tuple[Any, str]] = {
    "outside": (lambda d: spoil(d, frame={"x": 80, "y": 0, "w": 32, "h": 32}), "doesn't lie on the sheet of 96×64"),
    "negative": (lambda d: spoil(d, frame={"x": -1, "y": 0, "w": 32, "h": 32}), "doesn't lie on the sheet"),
    "empty": (lambda d: spoil(d, frame={"x": 0, "y": 0, "w": 0, "h": 0}), "doesn't lie on the sheet"),
    "words": (lambda d: spoil(d, frame={"x": "left", "y": 0, "w": 1, "h": 1}), "got `str`"),
    "huge": (lambda d: spoil(d, trimmed=True, sourceSize={"w": 10**9, "h": 10**9}), "untrimmed size"),
    "larger": (lambda d: spoil(d, trimmed=True, sourceSize={"w": 8, "h": 8}), "untrimmed size"),
    "list": (lambda d: [d], "Expected `object`"),
    "no frames": (lambda d: {"meta": d["meta"]}, "`frames`"),
    "climb": (lambda d: d | {"meta": {"image": "../../secret.png"}}, "lies elsewhere"),
    "absolute": (lambda d: d | {"meta": {"image": "/etc/passwd"}}, "lies elsewhere"),
    "windows": (lambda d: d | {"meta": {"image": "..\\secret.png"}}, "lies elsewhere"),
    "no image": (lambda d: d | {"meta": {}}, "names no picture"),
    "absent": (lambda d: d | {"meta": {"image": "none.png"}}, "there is no such file"),
    "tag": (lambda d: d | {"meta": d["meta"] | {"frameTags": [{"name": "t", "from": 0, "to": 9}]}}, "spans frames 0–9"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_json_that_lies_is_refused_and_nothing_is_written(name: str, tmp_path: Path, cli: Cli) -> None:
    path, document = packed(tmp_path)
    change, words = BROKEN[name]
    path.write_text(json.dumps(change(document)))
    done = cli("data", "sheet", path, "--out", tmp_path / "set")
    assert done.code == 1 and words in done.err
    assert ("none.png" if name == "absent" else "pack.json") in done.err
    assert not (tmp_path / "set").exists()


@pytest.mark.parametrize("text", ["", "{", "[" * 100_000, "null", '{"frames": 3}'])
def test_what_is_no_json_is_refused(text: str, tmp_path: Path) -> None:
    path, _ = packed(tmp_path)
    path.write_text(text)
    with pytest.raises(SpriteError, match=r"pack\.json: is no JSON of TexturePacker or Aseprite"):
        import_sheet(tmp_path / "pack.png", tmp_path / "set")


def test_a_sheet_of_noise_or_of_nothing_is_refused(tmp_path: Path) -> None:
    noise = np.zeros((400, 400, 4), np.uint8)
    noise[::2, ::2] = 255
    with pytest.raises(SpriteError, match="40000 separate figures"):
        import_sheet(save(tmp_path / "noise.png", noise), tmp_path / "set")
    with pytest.raises(SpriteError, match="nothing in it can be seen"):
        import_sheet(save(tmp_path / "clear.png", np.zeros((32, 32, 4), np.uint8)), tmp_path / "set")
