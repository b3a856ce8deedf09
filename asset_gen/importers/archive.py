"""What does a stranger's archive or folder hold? Read without ever unpacking it to a disk.

A name that leads outside, a link, a device, and more data than art has are refused: whoever sends such an archive means
harm, or it is damaged.
"""

from __future__ import annotations

import os
import stat
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from io import BytesIO
from pathlib import Path, PurePosixPath
from typing import IO

from asset_gen.errors import SpriteError

MAX_FILE = 64 * 1024 * 1024  # bytes of one member, unpacked
MAX_ALL = 1024**3  # bytes of all members, unpacked
MAX_MEMBERS = 200_000


@dataclass(frozen=True, slots=True)
class Member:
    """A file in an archive or a folder."""

    path: PurePosixPath
    """Relative to the archive's or folder's root."""
    size: int
    """In bytes, as the archive says; no more is ever read."""
    open: Callable[[], IO[bytes]]

    def read(self) -> bytes:
        """All of its bytes.

        Raises:
            SpriteError: it is damaged, or holds more than the archive says.
        """
        try:
            with self.open() as file:
                data = file.read(self.size + 1)
        except (OSError, EOFError, zlib.error, zipfile.BadZipFile, tarfile.TarError, NotImplementedError) as error:
            raise SpriteError(f"{self.path}: can't be read ({error}). Get the archive again.") from None
        except RuntimeError as error:  # zipfile's own for a password
            raise SpriteError(f"{self.path}: can't be read ({error}). Unpack the archive yourself.") from None
        if len(data) != self.size:
            raise SpriteError(f"{self.path}: doesn't hold the {self.size} bytes it should. Get the archive again.")
        return data


@contextmanager
def opened(path: Path) -> Iterator[list[Member]]:
    """The files of a folder, a ZIP or a TAR (also .gz, .bz2, .xz), in name order, until the block ends.

    Raises:
        SpriteError: none of these, damaged, or a member that no honest archive has; the message names it.
    """
    if path.is_dir():
        yield _checked(path, list(_in_folder(path)))
    elif not path.is_file():
        raise SpriteError(f"{path}: there is no such file or folder. Give an archive, or a folder of pictures.")
    elif zipfile.is_zipfile(path):
        try:
            with zipfile.ZipFile(path) as archive:
                yield _checked(path, list(_in_zip(path, archive)))
        except zipfile.BadZipFile as error:
            raise SpriteError(f"{path}: a damaged ZIP file ({error}). Get it again.") from None
    else:
        with _open_tar(path) as tar:
            yield _checked(path, list(_in_tar(path, tar)))


@contextmanager
def _open_tar(path: Path) -> Iterator[tarfile.TarFile]:
    try:
        archive = tarfile.open(path)  # noqa: SIM115 (closed below; a generator can't tell whose error it sees)
    except PermissionError:
        raise SpriteError(f"{path}: no permission to read it. Change its mode.") from None
    except (tarfile.TarError, OSError, EOFError, zlib.error) as error:
        raise SpriteError(f"{path}: neither a folder nor a ZIP or TAR archive ({error}). Get it again.") from None
    with archive:
        yield archive


def _checked(path: Path, members: list[Member]) -> list[Member]:
    """The members, in name order, if they are no more than art has."""
    if sum(member.size for member in members) > MAX_ALL:
        raise SpriteError(f"{path}: would unpack to more than {MAX_ALL // 1024**3} GiB. That's no archive of sprites.")
    return sorted(members, key=lambda member: member.path)


def _in_folder(folder: Path) -> Iterator[Member]:
    for root, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if not name.startswith(".")]
        for name in (*folders, *names):
            found = Path(root, name)
            relative = PurePosixPath(found.relative_to(folder).as_posix())
            status = found.lstat()
            if name.startswith("."):
                continue
            if stat.S_ISLNK(status.st_mode):
                _refuse_link(folder, relative)
            if stat.S_ISREG(status.st_mode):
                yield Member(relative, _within(folder, relative, status.st_size), partial(_open, found))


def _in_zip(path: Path, archive: zipfile.ZipFile) -> Iterator[Member]:
    entries = archive.infolist()
    if len(entries) > MAX_MEMBERS:
        raise SpriteError(f"{path}: {len(entries)} files are more than an archive of sprites has.")
    for entry in entries:
        relative = _inside(path, entry.filename)
        if stat.S_ISLNK(entry.external_attr >> 16):
            _refuse_link(path, relative)
        if not entry.is_dir():
            size = _within(path, relative, entry.file_size)
            yield Member(relative, size, partial(archive.open, entry))


def _in_tar(path: Path, archive: tarfile.TarFile) -> Iterator[Member]:
    """Every file's bytes are kept: a compressed TAR can only be read from front to back."""
    count = unpacked = 0
    try:
        for entry in archive:
            count += 1
            unpacked += entry.size
            if count > MAX_MEMBERS or unpacked > MAX_ALL:
                raise SpriteError(f"{path}: holds more than an archive of sprites has.")
            relative = _inside(path, entry.name)
            if entry.issym() or entry.islnk():
                _refuse_link(path, relative)
            if entry.isdir():
                continue
            if not entry.isfile():
                raise SpriteError(f"{path}: {relative} is a device or a pipe. That's no archive of sprites.")
            size = _within(path, relative, entry.size)
            file = archive.extractfile(entry)
            data = file.read(size) if file else b""
            yield Member(relative, size, partial(BytesIO, data))
    except (tarfile.TarError, OSError, EOFError, zlib.error) as error:
        raise SpriteError(f"{path}: a damaged TAR archive ({error}). Get it again.") from None


def _open(path: Path) -> IO[bytes]:
    return path.open("rb")


def _inside(path: Path, name: str) -> PurePosixPath:
    relative = PurePosixPath(name.replace("\\", "/"))
    parts = relative.parts
    if not parts or relative.is_absolute() or ".." in parts or ":" in parts[0] or "\0" in name:
        raise SpriteError(f"{path}: the name {name[:80]!r} in it leads outside. Don't use this archive.")
    return relative


def _refuse_link(path: Path, relative: PurePosixPath) -> None:
    raise SpriteError(f"{path}: {relative} is a link. Put the file itself there.")


def _within(path: Path, relative: PurePosixPath, size: int) -> int:
    if size > MAX_FILE:
        raise SpriteError(f"{path}: {relative} unpacks to {size // 1024**2} MiB. That's no sprite.")
    return size
