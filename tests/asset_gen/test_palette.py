"""Reduced colours: read from a file or learnt, and every pixel takes the one that looks nearest."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import cast

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from asset_gen import palette
from asset_gen.errors import UsageError
from asset_gen.finish import finish_sprites, read_palette_option, resolve_finish
from asset_gen.manifest import Finish, Manifest
from asset_gen.plan import Request
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
        assert [tuple(colour) for colour in palette.read_palette(folder / name).tolist()] == colours


def test_a_colour_that_stands_twice_counts_once_and_a_hash_sign_is_optional(tmp_path: Path) -> None:
    (tmp_path / "p.hex").write_text("ff0000\n#008000\n\nFF0000\n")
    assert palette.read_palette(tmp_path / "p.hex").tolist() == [[255, 0, 0], [0, 128, 0]]


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
        palette.read_palette(tmp_path / name)


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
