"""Crawl's public tiles: fetched once, checked tile by tile, typed by the table in the package."""

from __future__ import annotations

import shutil
import zipfile
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from asset_gen.data_card import read_credits
from asset_gen.errors import DownloadError, SpriteError
from asset_gen.importers import dcss as importer
from asset_gen.importers.dcss import COMMIT, ROOT, Tile, import_dcss, look_of, tiles
from tests.asset_gen.servers import Server
from tests.conftest import Cli, files_of
from tests.creatures import creature


def test_the_table_has_the_tiles_of_the_built_in_model() -> None:
    counts = Counter(tile.type for tile in tiles())
    assert len(tiles()) == 1054 and len(counts) == 18
    assert (counts["humanoid"], counts["unique"], counts["dragon"]) == (137, 72, 19)
    assert len({tile.source for tile in tiles()}) == 1054 and len({tile.look for tile in tiles()}) == 1054
    assert not any(tile.source.is_absolute() or ".." in tile.source.parts for tile in tiles())


def test_the_real_tiles_are_recognised_however_they_are_stored(dcss: Path, tmp_path: Path) -> None:
    """From the real set the archive is laid out as it is published; what no pixel shows may differ."""
    archive = tmp_path / "unpacked" / f"tiles-{COMMIT}" / ROOT
    for tile in tiles()[:40]:
        (archive / tile.source).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(dcss / tile.type / f"{tile.name}.png", archive / tile.source)
    first = archive / tiles()[0].source
    with Image.open(first) as image:
        pixels = np.array(image)
    pixels[pixels[..., 3] == 0] = (9, 9, 9, 0)
    Image.fromarray(pixels, "RGBA").save(first, compress_level=1)
    done = import_dcss(tmp_path / "set", tmp_path, tmp_path / "unpacked")
    assert sum(done.counts.values()) == 40 and len(done.refused) == 1014
    assert all("isn't in" in reason for reason in done.refused)


@pytest.fixture
def archive(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A small archive of three tiles, and a table of them."""
    small = []
    with zipfile.ZipFile(tmp_path / "tiles.zip", "w") as made:
        for number, kind in enumerate(("dragon", "humanoid", "unique")):
            picture = creature("beetle", number)
            Image.fromarray(picture, "RGBA").save(tmp_path / "tile.png")
            source = f"mon/{kind}.png"
            made.write(tmp_path / "tile.png", f"tiles-{COMMIT}/{ROOT}/{source}")
            small.append(Tile("one", kind, importer.PurePosixPath(source), look_of(picture)))
    (tmp_path / "tile.png").unlink()
    monkeypatch.setattr(importer, "tiles", lambda: tuple(small))
    return tmp_path / "tiles.zip"


def test_it_is_fetched_once_and_then_kept(archive: Path, tmp_path: Path) -> None:
    with Server(archive.read_bytes()) as server:
        done = import_dcss(tmp_path / "set", tmp_path / "cache", url=server.url)
        import_dcss(tmp_path / "again", tmp_path / "cache", url=server.url)
        assert server.asked == 1
    assert (done.counts, done.refused) == ({"dragon": 1, "humanoid": 1, "unique": 1}, [])
    assert files_of(tmp_path / "set") == files_of(tmp_path / "again")
    assert "CC0 1.0" in (tmp_path / "set" / "README.txt").read_text()
    credited = read_credits(tmp_path / "set")
    assert len(credited) == 3 and {(one.licence, one.licensed) for one in credited.values()} == {("CC0-1.0", "yes")}


def test_named_individuals_can_count_as_humanoids(archive: Path, tmp_path: Path, cli: Cli) -> None:
    done = cli("data", "dcss", archive, "--merge", "unique=humanoid", "--out", tmp_path / "set")
    assert done.code == 0 and "dragon 1, humanoid 2" in done.out
    assert {"humanoid/one.png", "humanoid/one_2.png"} < set(files_of(tmp_path / "set"))
    assert "no type 'uniqe'" in cli("data", "dcss", archive, "--merge", "uniqe=humanoid", "--out", tmp_path / "s").err


def test_a_tile_that_differs_is_left_out_and_listed(archive: Path, tmp_path: Path, cli: Cli) -> None:
    with zipfile.ZipFile(archive) as old, zipfile.ZipFile(tmp_path / "other.zip", "w") as new:
        for entry in old.infolist():
            name = entry.filename.replace("dragon", "other")
            new.writestr(name, old.read(entry))
        Image.fromarray(creature("flask", 1), "RGBA").save(tmp_path / "tile.png")
        new.write(tmp_path / "tile.png", f"tiles/{ROOT}/mon/dragon.png")
    done = cli("data", "dcss", tmp_path / "other.zip", "--out", tmp_path / "set")
    assert done.code == 3 and "mon/dragon.png: isn't the picture that the table describes" in done.err
    assert "2 sprites of 2 types" in done.out


def test_a_download_that_is_no_archive_is_not_kept(archive: Path, tmp_path: Path) -> None:
    with (
        Server(b"<html>please log in</html>") as server,
        pytest.raises(SpriteError, match="neither a folder nor a ZIP"),
    ):
        import_dcss(tmp_path / "set", tmp_path / "cache", url=server.url)
    with Server(archive.read_bytes()) as server:
        assert import_dcss(tmp_path / "set", tmp_path / "cache", url=server.url).refused == []


def test_a_failed_download_says_what_to_do(tmp_path: Path) -> None:
    with Server(b"", status=404) as server, pytest.raises(DownloadError, match=r"answers 404 .* give its path"):
        import_dcss(tmp_path / "set", tmp_path / "cache", url=server.url)
    assert not (tmp_path / "set").exists()
