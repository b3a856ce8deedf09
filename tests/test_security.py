"""SECURITY.md names tests that are there, and every file of attacks stands in it."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[1]


def test_every_promise_names_the_test_that_shows_it() -> None:
    text = (ROOT / "SECURITY.md").read_text(encoding="utf-8")
    named = set(re.findall(r"`(tests/[\w/]+\.py)`", text))
    for row in re.findall(r"^\| (?!from a stranger|---)(.+) \|$", text, re.MULTILINE):
        assert "`tests/" in row.split(" | ")[-1], row
    assert [name for name in sorted(named) if not (ROOT / name).is_file()] == []
    attacks = {path.relative_to(ROOT).as_posix() for path in (ROOT / "tests" / "attacks").glob("test_*.py")}
    assert sorted(attacks - named) == ["tests/attacks/test_batch_arguments.py"]  # those come from the keyboard
