"""Which sets were published before the present one? The last three are kept, out of every engine's sight.

    .assetgen/history/000007.json       a set: where it lay, when it was replaced, its files
    .assetgen/history/files/<sha256>    their contents, each once

A set is kept when its manifest is about to be replaced. Files that are about to be replaced are linked, since nobody
can change them afterwards; the others are copied.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Collection, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import msgspec

from asset_gen.files import file_sha256, move_file, remove_file, sync_folder, write_file

FORMAT = 1
KEPT_SETS = 3
MANIFEST = "manifest.json"

Sha256 = Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{64}$")]


class PastSet(msgspec.Struct, frozen=True, kw_only=True):
    """A set that was published before."""

    format: int
    out: str
    """Its output folder, relative to the project."""
    replaced: datetime
    """When the next one took its place, UTC."""
    manifest: Sha256
    """sha256 of its manifest."""
    files: dict[str, Sha256]
    """Path relative to ``out`` → sha256, the manifest among them."""


class History:
    """The past sets of a project; use inside ``publish.opened``, unless it only reads."""

    def __init__(self, state: Path, out: str) -> None:
        self.folder = state / "history"
        self.contents = self.folder / "files"
        self.out = out

    def sets(self) -> list[PastSet]:
        """The sets of this output folder other than the present one, the last first.

        A record that can't be read is passed over: history is a comfort, and must not stand in anybody's way.
        """
        own = [past for _, past in self._records() if past is not None and past.out == self.out]
        return own[::-1]

    def content(self, digest: str) -> bytes | None:
        """What a file held, or None where it wasn't kept or isn't any more what it was."""
        path = self.contents / digest
        return path.read_bytes() if file_sha256(path) == digest else None

    def keep(self, folder: Path, found: Mapping[str, str], replaced: Collection[str]) -> None:
        """Keep the set in ``folder`` before it is replaced.

        ``found``: path → sha256 of what lies there; ``replaced``: those that the coming change replaces or removes.
        """
        manifest = file_sha256(folder / MANIFEST)
        if manifest is None:
            return
        self.contents.mkdir(parents=True, exist_ok=True)
        files = {**found, MANIFEST: manifest}
        for path, digest in files.items():
            self._keep_file(folder / path, digest, path in replaced)
        records = self._records()
        number = 1 + max((number for number, _ in records), default=0)
        now = datetime.now(UTC).replace(microsecond=0)
        past = PastSet(format=FORMAT, out=self.out, replaced=now, manifest=manifest, files=files)
        staged = self.folder / "record.tmp"
        write_file(staged, msgspec.json.format(msgspec.json.encode(past), indent=1) + b"\n")
        move_file(staged, self._record_path(number))
        sync_folder(self.contents)
        sync_folder(self.folder)

    def prune(self, manifest: str | None) -> None:
        """Forget what is older than the last three, what is present again (its ``manifest``), and what nobody lists."""
        if not self.folder.is_dir():
            return
        left: list[PastSet] = []
        seen = {manifest}
        for number, past in reversed(self._records()):
            if past is None:
                remove_file(self._record_path(number))
            elif past.out != self.out:
                left.append(past)
            elif past.manifest in seen or len(seen) > KEPT_SETS:
                remove_file(self._record_path(number))
            else:
                seen.add(past.manifest)
                left.append(past)
        wanted = {digest for past in left for digest in past.files.values()}
        for path in self.contents.iterdir() if self.contents.is_dir() else ():
            if path.name not in wanted:
                remove_file(path)

    def _keep_file(self, path: Path, digest: str, leaves: bool) -> None:
        kept = self.contents / digest
        if kept.exists():
            return
        if leaves:
            try:
                os.link(path, kept)
                return
            except OSError:  # a file system without links, or another one
                pass
        staged = self.contents / "file.tmp"
        shutil.copyfile(path, staged)
        move_file(staged, kept)

    def _record_path(self, number: int) -> Path:
        return self.folder / f"{number:06d}.json"

    def _records(self) -> list[tuple[int, PastSet | None]]:
        """(number, set or None where the record is damaged), the oldest first."""
        records: list[tuple[int, PastSet | None]] = []
        for path in sorted(self.folder.glob("[0-9]*.json")) if self.folder.is_dir() else []:
            if not path.stem.isdecimal():
                continue
            try:
                past = msgspec.json.decode(path.read_bytes(), type=PastSet)
            except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
                records.append((int(path.stem), None))
                continue
            records.append((int(path.stem), past if past.format == FORMAT else None))
        return sorted(records, key=lambda record: record[0])
