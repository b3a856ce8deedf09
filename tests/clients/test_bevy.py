"""What assetgen publishes for Bevy, read by the crates ``ron`` and ``serde`` into structs that are like Bevy's. No Bevy
runs here: neither it nor a crate that Debian doesn't package can be had.
"""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from PIL import Image

from integrations.bevy.writer import write
from tests.clients import published
from tests.clients.published import require
from tests.integrations.deliveries import LABEL, grid

if TYPE_CHECKING:
    from tests.clients.conftest import Client
    from tests.clients.published import Published

HERE = Path(__file__).parent / "bevy"
CRATES = Path("/usr/share/cargo/registry")
"""Where Debian puts the sources of crates."""
CONFIG = f"""\
[source.crates-io]
replace-with = "debian"
[source.debian]
directory = "{CRATES}"
"""
OUT = "assets/generated"


@pytest.fixture(scope="module")
def probe(client: Client, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The program of ``HERE``, built without a network."""
    require(any(CRATES.glob("ron-0.7.*")), "librust-ron-dev")
    folder = tmp_path_factory.mktemp("bevy") / "probe"
    shutil.copytree(HERE, folder)
    (folder / ".cargo").mkdir()
    (folder / ".cargo" / "config.toml").write_text(CONFIG)
    command = [str(client("cargo")), "build", "--offline", "--quiet"]
    result = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=600)
    assert result.returncode == 0, result.stderr
    return folder / "target" / "debug" / "assetgen-probe"


def read(probe: Path, project: Path) -> subprocess.CompletedProcess[str]:
    command = [str(probe), str(project / "assets"), str(project / OUT / "sprites.ron")]
    return subprocess.run(command, capture_output=True, text=True, encoding="utf-8", timeout=60)


def test_every_sprite_has_its_name_type_score_and_pixels(probe: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    game: Published = published.publish(tmp_path_factory.mktemp("bevy") / "game", "bevy", OUT)
    result = read(probe, game.project)
    assert result.returncode == 0, result.stderr
    rows = [line.split("\t") for line in result.stdout.splitlines()]
    assert [row[0] for row in rows] == list(game.sprites)
    for name, kind, score, image, _, place, trim in rows:
        sprite = game.sprites[name]
        assert (kind, float(score), trim) == (sprite.type, pytest.approx(sprite.score, abs=1e-4), "None")
        picture = np.array(Image.open(game.project / "assets" / image).convert("RGBA"))
        left, top, right, bottom = map(int, place.split())
        np.testing.assert_array_equal(picture[top:bottom, left:right], sprite.pixels, name)


def test_labels_and_trimmed_sprites_are_read(probe: Path, tmp_path: Path) -> None:
    for path, data in write(grid()).items():
        (tmp_path / OUT / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / OUT / path).write_bytes(data)
    rows = {line.split("\t")[0]: line.split("\t")[1:] for line in read(probe, tmp_path).stdout.splitlines()}
    assert rows["imp_000000"] == ["imp", "0.5", "generated/imp/imp.png", LABEL, "2 2 10 10", "None"]
    assert rows["orb_000000"][-2:] == ["2 2 7 8", "Some((1, 2, 8, 8))"]
    assert len(rows) == 8


def test_a_cut_list_is_refused(probe: Path, tmp_path: Path) -> None:
    """So that the tests above mean something: this reader doesn't take just anything."""
    (tmp_path / OUT).mkdir(parents=True)
    (tmp_path / OUT / "sprites.ron").write_bytes(write(grid())["sprites.ron"][:-4])
    result = read(probe, tmp_path)
    assert result.returncode == 1
    assert "sprites.ron" in result.stderr
