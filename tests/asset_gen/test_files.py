"""A file is put in place whole, also where Windows lets others hold it for a moment."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from asset_gen import files
from asset_gen.files import file_sha256, move_file, remove_file, sync_folder, write_file


def held(times: int, code: int | None, monkeypatch: pytest.MonkeyPatch, call: str = "replace") -> list[float]:
    """Let a file be held open, as on Windows, for so many attempts; returns the waits between them."""
    waits: list[float] = []
    real = getattr(Path, call)

    def refuse(self: Path, *arguments: object, **options: object) -> object:
        if len(waits) < times:
            error = PermissionError(13, "held by another process", str(self))
            error.winerror = code  # type: ignore[attr-defined]
            raise error
        return real(self, *arguments, **options)

    monkeypatch.setattr(Path, call, refuse)
    monkeypatch.setattr("time.sleep", waits.append)
    return waits


@pytest.fixture
def pair(tmp_path: Path) -> tuple[Path, Path]:
    """A new file and the old one that it shall replace."""
    new, old = tmp_path / "new", tmp_path / "old"
    new.write_bytes(b"new")
    old.write_bytes(b"old")
    return new, old


@pytest.mark.parametrize("code", [5, 32])
def test_replacing_waits_for_whoever_holds_the_file(
    pair: tuple[Path, Path], code: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    waits = held(3, code, monkeypatch)
    move_file(*pair)
    assert pair[1].read_bytes() == b"new"
    assert waits == [0.02, 0.04, 0.08]


def test_replacing_gives_up_in_the_end_and_names_the_file(
    pair: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    waits = held(1000, 32, monkeypatch)
    with pytest.raises(PermissionError) as caught:
        move_file(*pair)
    assert caught.value.filename == str(pair[0])
    assert sum(waits) < 3
    assert pair[1].read_bytes() == b"old"


def test_a_missing_permission_is_told_at_once(pair: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    waits = held(1, None, monkeypatch)
    with pytest.raises(PermissionError):
        move_file(*pair)
    assert waits == []


def test_removing_waits_too(pair: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    waits = held(2, 5, monkeypatch, "unlink")
    remove_file(pair[1])
    assert not pair[1].exists()
    assert len(waits) == 2


def test_windows_folders_are_not_synced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[object] = []
    monkeypatch.setattr(files, "SYNCS_FOLDERS", False)
    monkeypatch.setattr(os, "open", lambda path, *_: opened.append(path))
    sync_folder(tmp_path)
    assert opened == []


def test_a_file_that_was_cut_short_is_not_taken_for_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "fsync", lambda handle: os.ftruncate(handle, 1))  # a disk that lies
    with pytest.raises(OSError, match="wrote 1 of 4 bytes") as caught:
        write_file(tmp_path / "file", b"four")
    assert caught.value.filename == str(tmp_path / "file")


def test_no_file_has_no_hash(tmp_path: Path) -> None:
    assert file_sha256(tmp_path / "none") is None
    (tmp_path / "file").touch()
    assert file_sha256(tmp_path / "file" / "below") is None
