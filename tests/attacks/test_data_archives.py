"""Archives from strangers: what leads outside, links, or unpacks to far too much is refused; nothing is written."""

from __future__ import annotations

import io
import shutil
import tarfile
import tempfile
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from asset_gen.importers import archive
from tests.attacks.hostile import as_stranger, assert_refused, sprite
from tests.conftest import Cli

GOOD = "pokemon/main-sprites/black-white/1.png"


def zip_of(path: Path, *entries: tuple[zipfile.ZipInfo | str, bytes]) -> None:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as made:
        for entry, data in entries:
            made.writestr(entry, data)


def tar_of(path: Path, **fields: object) -> None:
    """A TAR of one entry with these fields."""
    entry = tarfile.TarInfo(GOOD)
    for name, value in fields.items():
        setattr(entry, name, value)
    with tarfile.open(path, "w:gz") as tar:
        tar.addfile(entry, io.BytesIO(bytes(entry.size)) if entry.isfile() else None)


def zip_link(path: Path) -> None:
    entry = zipfile.ZipInfo(GOOD)
    entry.external_attr = 0o120777 << 16
    zip_of(path, (entry, b"/etc/passwd"))


def zip_that_lies(path: Path) -> None:
    """Its directory says 10 bytes, and a megabyte follows."""
    zip_of(path, (GOOD, bytes(1_000_000)))
    data = bytearray(path.read_bytes())
    for place in (data.index(b"PK\x03\x04") + 22, data.index(b"PK\x01\x02") + 24):
        data[place : place + 4] = (10).to_bytes(4, "little")
    path.write_bytes(data)


def cut_short(path: Path) -> None:
    tar_of(path, size=1_000_000)
    path.write_bytes(path.read_bytes()[:-40])


def encrypted(path: Path) -> None:
    zip_of(path, (GOOD, b"secret"))
    data = bytearray(path.read_bytes())
    for place in (data.index(b"PK\x03\x04") + 6, data.index(b"PK\x01\x02") + 8):
        data[place] |= 1
    path.write_bytes(data)


ATTACKS: dict[str, tuple[Callable[[Path], object], str]] = {
    "climb.zip": (lambda path: zip_of(path, ("../../1.png", b"")), "leads outside"),
    "windows.zip": (lambda path: zip_of(path, ("..\\..\\1.png", b"")), "leads outside"),
    "drive.zip": (lambda path: zip_of(path, ("C:/1.png", b"")), "leads outside"),
    "absolute.tar.gz": (lambda path: tar_of(path, name="/etc/1.png"), "leads outside"),
    "climb.tar.gz": (lambda path: tar_of(path, name="a/../../1.png"), "leads outside"),
    "link.zip": (zip_link, "is a link"),
    "link.tar.gz": (lambda path: tar_of(path, type=tarfile.SYMTYPE, linkname="/etc/passwd"), "is a link"),
    "hard.tar.gz": (lambda path: tar_of(path, type=tarfile.LNKTYPE, linkname="/etc/passwd"), "is a link"),
    "device.tar.gz": (lambda path: tar_of(path, type=tarfile.CHRTYPE), "a device or a pipe"),
    "pipe.tar.gz": (lambda path: tar_of(path, type=tarfile.FIFOTYPE), "a device or a pipe"),
    "bomb.zip": (lambda path: zip_of(path, (GOOD, bytes(archive.MAX_FILE + 1))), "That's no sprite"),
    "bomb.tar.gz": (lambda path: tar_of(path, size=archive.MAX_FILE + 1), "That's no sprite"),
    "lies.zip": (zip_that_lies, GOOD),
    "short.tar.gz": (cut_short, "damaged TAR"),
    "password.zip": (encrypted, "Unpack the archive yourself"),
    "words.tar.gz": (lambda path: path.write_text("words"), "neither a folder nor a ZIP or TAR"),
    "empty.zip": (lambda path: path.touch(), "neither a folder nor a ZIP or TAR"),
    "nowhere.zip": (lambda path: None, "there is no such file or folder"),
}


@pytest.mark.parametrize("name", ATTACKS)
def test_it_is_refused_and_nothing_is_written(name: str, cli: Cli, tmp_path: Path) -> None:
    make, words = ATTACKS[name]
    make(tmp_path / name)
    before = sorted(tmp_path.iterdir())
    assert_refused(cli("data", "veekun", tmp_path / name, "--out", tmp_path / "set"), 1, words)
    assert sorted(tmp_path.iterdir()) == before


@pytest.mark.parametrize("command", ["folder", "dcss"])
@pytest.mark.parametrize("name", ["climb.zip", "link.tar.gz", "bomb.zip"])
def test_every_importer_of_archives_refuses_them(name: str, command: str, cli: Cli, tmp_path: Path) -> None:
    make, words = ATTACKS[name]
    make(tmp_path / name)
    assert_refused(cli("data", command, tmp_path / name, "--out", tmp_path / "set"), 1, words)
    assert [path.name for path in tmp_path.iterdir()] == [name]


@pytest.mark.parametrize("limit", ["MAX_ALL", "MAX_MEMBERS"])
@pytest.mark.parametrize("name", ["many.zip", "many.tar.gz"])
def test_many_small_files_are_a_bomb_too(
    limit: str, name: str, cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(archive, limit, 3)
    if name.endswith("zip"):
        zip_of(tmp_path / name, *((f"{n}.png", b"x") for n in range(1, 6)))
    else:
        with tarfile.open(tmp_path / name, "w:gz") as tar:
            for n in range(1, 6):
                entry = tarfile.TarInfo(f"{n}.png")
                entry.size = 1
                tar.addfile(entry, io.BytesIO(b"x"))
    assert_refused(cli("data", "veekun", tmp_path / name, "--out", tmp_path / "set"), 1, name)


@pytest.mark.parametrize("what", ["file", "folder"])
def test_links_in_a_folder_are_refused(what: str, cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "1.png").write_bytes(b"secret")
    (tmp_path / "all").mkdir()
    link = tmp_path / "all" / ("1.png" if what == "file" else "more")
    link.symlink_to(tmp_path / "elsewhere" / ("1.png" if what == "file" else ""))
    done = cli("data", "veekun", tmp_path / "all", "--out", tmp_path / "set")
    assert_refused(done, 1, f"{link.name} is a link")


@pytest.fixture
def public() -> Iterator[Path]:
    """A folder that everybody may enter, with a readable archive and a folder that nobody may write to."""
    folder = Path(tempfile.mkdtemp())
    folder.chmod(0o755)
    file = io.BytesIO()
    sprite().save(file, "PNG")
    zip_of(folder / "all.zip", (GOOD, file.getvalue()))
    (folder / "shut").mkdir(mode=0o555)
    yield folder
    shutil.rmtree(folder)


def test_a_folder_that_must_not_be_written_is_named(cli: Cli, public: Path) -> None:
    with as_stranger():
        done = cli("data", "veekun", public / "all.zip", "--out", public / "shut" / "set")
    assert_refused(done, 1, public / "shut" / "set", "Permission denied", "mend the permissions")
    assert list((public / "shut").iterdir()) == []


def test_an_archive_that_must_not_be_read_is_named(cli: Cli, public: Path) -> None:
    (public / "all.zip").chmod(0)
    with as_stranger():
        done = cli("data", "veekun", public / "all.zip", "--out", public / "set")
    assert_refused(done, 1, public / "all.zip", "no permission to read it")
