"""The target ``love`` writes tables; tests/clients/test_love.py loads them in LÖVE."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from integrations.love.writer import TARGET, quote, write
from tests.integrations.deliveries import assert_golden, grid


def test_files_are_golden() -> None:
    assert_golden("love", write(grid()))


def test_a_change_of_one_type_touches_the_files_of_that_type_alone() -> None:
    before, fewer = grid(), grid().sheets[1:]
    after = write(type(before)(sheets=fewer, base=before.base))
    assert all(after[path] == data for path, data in write(before).items() if path in after and path != "sprites.lua")


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_a_string_ends_where_it_should(text: str) -> None:
    """Read back by Lua's rules: a backslash takes a quote, a backslash, or three digits."""
    literal, read, place = quote(text), "", 1
    while (c := literal[place]) != '"':
        assert c != "\n"
        if c == "\\" and literal[place + 1].isdigit():
            read, place = read + chr(int(literal[place + 1 : place + 4])), place + 4
        elif c == "\\":
            read, place = read + literal[place + 1], place + 2
        else:
            read, place = read + c, place + 1
    assert place == len(literal) - 1
    assert read == text


@pytest.mark.parametrize(
    ("name", "text", "found"),
    [
        ("main.lua", "function love.draw() end\n", True),
        ("conf.lua", "function love.conf(t) end\n", True),
        ("main.lua", "print('hello')\n", False),
        ("other.lua", "love.event.quit()\n", False),
    ],
)
def test_a_game_speaks_to_love(tmp_path: Path, name: str, text: str, found: bool) -> None:
    (tmp_path / name).write_text(text)
    assert TARGET.detect(tmp_path) is found


def test_a_folder_called_main_lua_is_no_game(tmp_path: Path) -> None:
    (tmp_path / "main.lua").mkdir()
    assert not TARGET.detect(tmp_path)
