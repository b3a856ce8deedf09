"""Reduced colours: read from a file or learnt, and every pixel takes the one that looks nearest."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image

from asset_gen import palette
from asset_gen.errors import UsageError
from asset_gen.finish import finish_sprites, read_palette_option, resolve_finish
from asset_gen.images import read_rgba
from asset_gen.manifest import Finish, Manifest
from asset_gen.palette_files import FORMATS, read_palette, write_palette
from asset_gen.plan import Request
from tests.conftest import Cli
from tests.creatures import KINDS, creature

STACK = np.stack([creature(kind, seed) for kind in KINDS for seed in range(3)])
COLOURS = st.lists(st.tuples(*[st.integers(0, 255)] * 3), min_size=1, max_size=20, unique=True)


@given(COLOURS)
def test_hexadecimal_colours_come_back(colours: list[tuple[int, int, int]]) -> None:
    table = np.array(colours, np.uint8)
    assert np.array_equal(palette.from_hex(palette.to_hex(table)), table)


@given(COLOURS)
def test_gpl_and_hex_files_give_their_colours_in_order(
    tmp_path_factory: pytest.TempPathFactory, colours: list[tuple[int, int, int]]
) -> None:
    folder = tmp_path_factory.mktemp("palette")
    lines = [f"{r:3} {g:3} {b:3}\tcolour {n}" for n, (r, g, b) in enumerate(colours)]
    (folder / "p.gpl").write_text("\n".join(["GIMP Palette", "Name: mine", "Columns: 4", "# a note", *lines]) + "\n")
    (folder / "p.hex").write_text("\n".join(palette.to_hex(np.array(colours, np.uint8))))
    for name in ("p.gpl", "p.hex"):
        assert [tuple(colour) for colour in read_palette(folder / name).tolist()] == colours


def test_a_colour_that_stands_twice_counts_once_and_a_hash_sign_is_optional(tmp_path: Path) -> None:
    (tmp_path / "p.hex").write_text("ff0000\n#008000\n\nFF0000\n")
    assert read_palette(tmp_path / "p.hex").tolist() == [[255, 0, 0], [0, 128, 0]]


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("bad.hex", "ff0000\nblue\n", r"bad\.hex, line 2: 'blue' is no colour"),
        ("bad.gpl", "GIMP Palette\nName: x\n1 2\n", r"bad\.gpl, line 3: '1 2' is no colour"),
        ("bad.gpl", "GIMP Palette\n1 2 256\n", r"bad\.gpl, line 2: .* larger than 255"),
        ("none.hex", "\n\n", "holds 0 colours; 1 to 256"),
        ("many.hex", "\n".join(f"{n:06x}" for n in range(257)), "holds 257 colours; 1 to 256"),
    ],
)
def test_a_damaged_palette_is_refused_with_its_line(name: str, text: str, message: str, tmp_path: Path) -> None:
    (tmp_path / name).write_text(text)
    with pytest.raises(UsageError, match=message):
        read_palette(tmp_path / name)


def test_the_option_takes_a_number_or_a_file(tmp_path: Path) -> None:
    (tmp_path / "p.hex").write_text("ff0000")
    given_colours, learn = read_palette_option(str(tmp_path / "p.hex"))
    assert given_colours is not None
    assert (given_colours.tolist(), learn) == ([[255, 0, 0]], 0)
    assert read_palette_option("16") == (None, 16)
    assert read_palette_option(None) == (None, 0)
    for wrong in ("1", "257", str(tmp_path / "none.gpl")):
        with pytest.raises(UsageError, match="--palette"):
            read_palette_option(wrong)


def test_oklab_has_its_published_values() -> None:
    assert palette.oklab(np.array([255, 255, 255], np.uint8)) == pytest.approx([1, 0, 0], abs=1e-4)
    assert palette.oklab(np.array([0, 0, 0], np.uint8)) == pytest.approx([0, 0, 0], abs=1e-4)
    assert palette.oklab(np.array([255, 0, 0], np.uint8)) == pytest.approx([0.62796, 0.22486, 0.12585], abs=1e-4)


@given(COLOURS, st.integers(0, 2**32 - 1))
def test_every_visible_pixel_takes_the_colour_nearest_in_oklab(colours: list[tuple[int, int, int]], seed: int) -> None:
    table = np.array(colours, np.uint8)
    sprite = np.random.default_rng(seed).integers(0, 256, (1, 4, 4, 4), np.uint8)
    sprite[0, 0, :, 3] = 0
    painted = palette.apply_palette(sprite, table)
    assert np.array_equal(painted[0, 0], sprite[0, 0])  # what doesn't show isn't touched
    assert np.array_equal(painted[..., 3], sprite[..., 3])
    for before, after in zip(sprite[0, 1:].reshape(-1, 4), painted[0, 1:].reshape(-1, 4), strict=True):
        if before[3]:
            far = ((palette.oklab(before[:3]) - palette.oklab(table)) ** 2).sum(axis=1)
            assert after[:3].tolist() == table[far.argmin()].tolist()


def test_a_blue_is_nearer_to_violet_than_to_a_green_of_the_same_rgb_distance() -> None:
    blue = np.full((1, 1, 1, 4), (0, 0, 255, 255), np.uint8)
    violet, teal = (120, 0, 255), (0, 120, 255)
    nearest = palette.apply_palette(blue, np.array([teal, violet], np.uint8))[0, 0, 0, :3]
    assert tuple(nearest.tolist()) == violet


def test_learnt_colours_are_few_sorted_and_those_that_were_drawn() -> None:
    colours = palette.learn_palette(STACK, 8)
    assert 2 <= len(colours) <= 8
    assert colours.tolist() == sorted(colours.tolist())
    flat = np.zeros((1, 4, 4, 4), np.uint8)
    flat[0, :2] = (10, 200, 30, 255)
    flat[0, 2] = (250, 5, 60, 255)
    assert palette.learn_palette(flat, 16).tolist() == [[10, 200, 30], [250, 5, 60]]
    assert palette.learn_palette(np.zeros_like(flat), 4).tolist() == [[0, 0, 0]]


def test_learnt_colours_stay_while_the_same_number_is_asked_for() -> None:
    def asked(colours: str | None) -> Request:
        return Request(project=Path("game"), model=Path("model"), palette=colours)

    learnt = resolve_finish(asked("6"), None, lambda: STACK)
    assert learnt.palette == palette.to_hex(palette.learn_palette(STACK, 6))
    assert learnt.palette_asked == "6"
    published = cast(Manifest, SimpleNamespace(finish=learnt))
    assert resolve_finish(asked("6"), published, pytest.fail) == learnt  # nothing is drawn to learn from
    assert resolve_finish(asked("4"), published, lambda: STACK).palette != learnt.palette
    assert resolve_finish(asked(None), published, pytest.fail).palette == []


def test_colours_of_a_file_are_kept_with_the_published_sprites(tmp_path: Path) -> None:
    (tmp_path / "p.hex").write_text("ff0000\n0000ff\n")
    request = Request(project=Path("game"), model=Path("model"), palette=str(tmp_path / "p.hex"), scale=2, alpha="soft")
    finish = resolve_finish(request, None, pytest.fail)
    assert finish.palette == ["#ff0000", "#0000ff"]
    assert (finish.alpha, finish.scale, finish.palette_asked) == ("soft", 2, str(tmp_path / "p.hex"))


def test_finishing_hardens_recolours_and_enlarges() -> None:
    soft = np.zeros((1, 4, 4, 4), np.uint8)
    soft[0, 1:3, 1:3] = (200, 10, 10, 200)
    finished = finish_sprites(soft, Finish(alpha="hard", scale=3, palette=["#ff0000", "#0000ff"], palette_asked="x"))
    assert finished.shape == (1, 12, 12, 4)
    assert finished[0, 3:9, 3:9].reshape(-1, 4).tolist() == [[255, 0, 0, 255]] * 36
    assert np.count_nonzero(finished[..., 3]) == 36
    kept = finish_sprites(soft, Finish(alpha="soft", scale=1, palette=[], palette_asked=""))
    assert kept[0, 1, 1].tolist() == [200, 10, 10, 200]


@given(COLOURS, st.sampled_from(sorted(FORMATS)))
def test_every_format_gives_back_what_was_written(
    tmp_path_factory: pytest.TempPathFactory, colours: list[tuple[int, int, int]], suffix: str
) -> None:
    path = tmp_path_factory.mktemp("palette") / f"mine{suffix}"
    write_palette(path, np.array(colours, np.uint8))
    assert [tuple(colour) for colour in read_palette(path).tolist()] == colours
    assert [file.name for file in path.parent.iterdir()] == [path.name]


def test_files_are_those_that_other_programs_write(tmp_path: Path) -> None:
    two = np.array([[255, 0, 0], [1, 2, 3]], np.uint8)
    for name, data in {
        "a.pal": b"JASC-PAL\r\n0100\r\n2\r\n255 0 0\r\n1 2 3\r\n",
        "a.hex": b"ff0000\n010203\n",
        "a.gpl": b"GIMP Palette\nName: a\nColumns: 8\n#\n255   0   0\tff0000\n  1   2   3\t010203\n",
    }.items():
        write_palette(tmp_path / name, two)
        assert (tmp_path / name).read_bytes() == data
    blocks = two[None].repeat(8, axis=0).repeat(8, axis=1)  # a strip of Lospec's: 8×8 pixels a colour
    Image.fromarray(blocks, "RGB").save(tmp_path / "b.png")
    assert read_palette(tmp_path / "b.png").tolist() == two.tolist()


def test_a_palette_of_another_kind_is_refused_with_the_cure(tmp_path: Path) -> None:
    (tmp_path / "windows.pal").write_bytes(b"RIFF\x14\x04\x00\x00PAL data\xff\xfe")
    with pytest.raises(UsageError, match=r"windows\.pal: is no JASC palette in text. Save it as JASC, \.gpl or \.hex"):
        read_palette(tmp_path / "windows.pal")
    (tmp_path / "photo.png").write_bytes(b"words")
    with pytest.raises(UsageError, match=r"--palette .*photo\.png: not a PNG"):
        read_palette(tmp_path / "photo.png")
    with pytest.raises(UsageError, match=r"written as \.gpl, \.hex, \.pal, \.png"):
        write_palette(tmp_path / "p.aco", np.zeros((1, 3), np.uint8))


def outlined(shade: int) -> NDArray[np.uint8]:
    """A 16×16 ball of many shades with an outline of one dark colour."""
    y, x = np.mgrid[:16, :16] - 7.5
    far = np.hypot(x, y)
    ball = np.zeros((16, 16, 4), np.uint8)
    ball[far < 7] = (200, 100, 60, 255)
    ball[..., 0] += (np.uint8(3) * (far < 7) * (shade + x.astype(np.int64) % 8).astype(np.uint8)).astype(np.uint8)
    ball[(far >= 6) & (far < 7)] = (24, 16, 30, 255)
    return ball


def test_outlines_keep_a_colour_of_their_own() -> None:
    balls = [outlined(shade) for shade in range(8)]
    assert palette.outline_colours(balls).tolist() == [[24, 16, 30]]
    learnt = palette.learn_palette(balls, 3)
    assert [24, 16, 30] in learnt.tolist() and len(learnt) == 3
    painted = palette.apply_palette(np.stack(balls), learnt)
    for before, after in zip(balls, painted, strict=True):
        edge = (before == (24, 16, 30, 255)).all(axis=2)
        assert np.array_equal(edge, (after == (24, 16, 30, 255)).all(axis=2))  # not one pixel more, not one less


def test_an_accent_is_not_drowned_by_an_area() -> None:
    sprite = np.full((1, 64, 64, 4), (40, 90, 160, 255), np.uint8)
    sprite[0, ..., 2] += np.arange(64, dtype=np.uint8)[None]
    sprite[0, 30:32, 30:32] = (250, 220, 40, 255)
    learnt = palette.learn_palette(sprite, 4)
    assert [250, 220, 40] in learnt.tolist()


def test_a_learnt_palette_is_nearer_than_median_cut() -> None:
    """Measured where the eye does: mean distance in OKLab, over thousands of colours."""
    noisy = STACK.copy()
    noise = np.random.default_rng(0).integers(-20, 21, noisy[..., :3].shape)
    noisy[..., :3] = np.clip(noisy[..., :3].astype(np.int64) + noise, 0, 255)

    def error(colours: NDArray[np.uint8]) -> float:
        seen = noisy[..., 3] > 0
        painted = palette.apply_palette(noisy, colours)
        difference = palette.oklab(noisy[seen][:, :3]) - palette.oklab(painted[seen][:, :3])
        return float(np.sqrt((difference**2).sum(axis=1)).mean())

    strip = Image.fromarray(noisy[noisy[..., 3] > 0][None, :, :3], "RGB").quantize(12, Image.Quantize.MEDIANCUT)
    cut = np.array(strip.getpalette(), np.uint8).reshape(-1, 3)[np.unique(np.array(strip))]
    learnt = palette.learn_palette(noisy, 12)
    assert len(learnt) <= 12 and error(learnt) < error(cut)
    drawn = {tuple(colour) for colour in noisy[noisy[..., 3] > 0][:, :3].tolist()}
    assert all(tuple(colour) in drawn for colour in learnt.tolist())


def test_dithering_alternates_between_colours_and_leaves_those_of_the_palette() -> None:
    grey = np.full((1, 8, 8, 4), (128, 128, 128, 255), np.uint8)
    two = np.array([[118, 118, 118], [138, 138, 138]], np.uint8)
    plain = palette.apply_palette(grey, two)
    assert len(np.unique(plain[..., 0])) == 1
    mixed = palette.apply_palette(grey, two, dither=True)
    assert set(np.unique(mixed[..., 0])) == {118, 138}
    flat = np.full((1, 8, 8, 4), (118, 118, 118, 255), np.uint8)
    assert np.array_equal(palette.apply_palette(flat, two, dither=True), flat)


def test_sprites_get_a_palette_and_no_pixel_is_off_it(cli: Cli, sprites: Path, tmp_path: Path) -> None:
    done = cli("palette", sprites, "-n", 8, "--out", tmp_path / "mine.gpl", "--apply", tmp_path / "eight", "--json")
    assert done.code == 0
    colours = palette.from_hex(json.loads(done.out)["colours"])
    assert len(colours) == 8 and json.loads(done.out)["recoloured"] == 40
    assert np.array_equal(read_palette(tmp_path / "mine.gpl"), colours)
    for path in sorted((tmp_path / "eight").rglob("*.png")):
        assert palette.off_palette(read_rgba(path), colours) == 0
        before = read_rgba(sprites / path.relative_to(tmp_path / "eight"))
        assert np.array_equal(read_rgba(path)[..., 3], before[..., 3])
    assert cli("palette", tmp_path / "mine.gpl", "--out", tmp_path / "mine.pal").out.split() == palette.to_hex(colours)
    assert np.array_equal(read_palette(tmp_path / "mine.pal"), colours)
    again = cli("palette", sprites, "--palette", tmp_path / "mine.pal", "--apply", tmp_path / "eight")
    assert again.code == 2 and "exists already" in again.err


@pytest.mark.parametrize("suffix", sorted(FORMATS))
def test_a_batch_takes_every_format_and_no_published_pixel_is_off_it(
    suffix: str, cli: Cli, bundle: Path, game: Path, tmp_path: Path
) -> None:
    colours = np.array([[20, 12, 28], [68, 36, 52], [210, 125, 44], [222, 238, 214]], np.uint8)
    write_palette(tmp_path / f"four{suffix}", colours)
    options = ["--count", 8, "--model", bundle, "--project", game, "--palette", tmp_path / f"four{suffix}", "-q"]
    assert cli("batch", *options).code == 0
    sheets = sorted((game / "assets" / "generated").glob("*/*.png"))
    assert sheets
    assert [palette.off_palette(read_rgba(sheet), colours) for sheet in sheets] == [0] * len(sheets)


def test_the_command_says_what_it_cannot_do(cli: Cli, sprites: Path, tmp_path: Path) -> None:
    write_palette(tmp_path / "p.hex", np.array([[1, 2, 3]], np.uint8))
    assert "learn colours, or give them" in cli("palette", sprites, "-n", 4, "--palette", tmp_path / "p.hex").err
    assert "is a palette already" in cli("palette", tmp_path / "p.hex", "-n", 4).err
    assert "there is no such file or folder" in cli("palette", tmp_path / "none").err
    (tmp_path / "art").mkdir()
    Image.fromarray(creature("flask", 1), "RGBA").save(tmp_path / "art" / "a.png")
    (tmp_path / "art" / "b.png").write_text("words")
    done = cli("palette", tmp_path / "art")
    assert done.code == 3 and "b.png: not a PNG" in done.err and done.out.startswith("#")
