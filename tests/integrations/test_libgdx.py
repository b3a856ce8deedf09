"""The target ``libgdx`` writes an atlas; tests/clients/test_libgdx.py reads it with a parser of the same format."""

from __future__ import annotations

from pathlib import Path

import pytest

from asset_gen.sheet import Delivery
from integrations.libgdx.writer import TARGET, write
from tests.integrations.deliveries import assert_golden, grid


def test_files_are_golden() -> None:
    assert_golden("libgdx", write(grid()))
    assert write(Delivery(())) == {"sprites.atlas": b""}


@pytest.mark.parametrize(
    ("name", "text", "found"),
    [
        ("build.gradle", 'implementation "com.badlogicgames.gdx:gdx:1.13.0"', True),
        ("core/build.gradle", "api 'com.badlogicgames.gdx:gdx:$gdxVersion'", True),
        ("build.gradle.kts", 'implementation("com.badlogicgames.gdx:gdx:1.13.0")', True),
        ("gradle.properties", "gdxVersion=1.13.0", True),
        ("build.gradle", "plugins { id 'java' }", False),
        ("pom.xml", "com.badlogicgames.gdx", False),
    ],
)
def test_a_gradle_file_speaks_of_libgdx(tmp_path: Path, name: str, text: str, found: bool) -> None:
    assert not TARGET.detect(tmp_path)
    (tmp_path / name).parent.mkdir(exist_ok=True)
    (tmp_path / name).write_text(text)
    assert TARGET.detect(tmp_path) is found
