"""docs/tutorial.md: every command of it, in its order, in a folder of its own."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.check_demo import check

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "tutorial.md"
LONG, SHORT = "--steps 300", "--steps 1"


def commands() -> list[str]:
    """The lines of all blocks of commands."""
    blocks = re.findall(r"^```sh\n(.*?)^```$", PAGE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    return [line for block in blocks for line in block.splitlines() if line.strip()]


def test_every_picture_of_the_tutorial_is_there() -> None:
    pictures = re.findall(r"!\[[^]]+\]\((.+?)\)", PAGE.read_text(encoding="utf-8"))
    assert len(pictures) == 6
    assert [name for name in pictures if not (PAGE.parent / name).is_file()] == []


@pytest.mark.skipif(sys.platform == "win32", reason="its commands are those of a POSIX shell")
def test_the_tutorial_ends_in_a_game(tmp_path: Path) -> None:
    (tmp_path / "examples").symlink_to(ROOT / "examples")
    shell = os.environ | {
        "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]]),
        "PYTHONPATH": str(ROOT),
        "ASSETGEN_CACHE": str(tmp_path / "cache"),
    }
    assert any(LONG in line for line in commands())
    for line in commands():
        done = subprocess.run(
            ["sh", "-c", line.replace(LONG, SHORT)],
            cwd=tmp_path,
            env=shell,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, f"{line}\n{done.stdout}{done.stderr}"
    assert check(tmp_path / "game", 160)
    assert (tmp_path / "game" / "index.html").is_file()
