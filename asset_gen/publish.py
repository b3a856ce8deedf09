"""How do files appear in a game project whole, or not at all?

Everything is staged in ``<project>/.assetgen/stage`` (same file system, outside the engine's import folder) and
synced; then a journal is written, and from there on the change is as good as done: files are put in place by rename,
and a process killed in between is rolled forward by the next one. Without a journal, leftovers are swept.
"""

from __future__ import annotations

import shutil
import stat
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Annotated

import msgspec
from filelock import Timeout

from asset_gen.errors import ProjectError, UsageError
from asset_gen.files import file_sha256, move_file, remove_file, sync_folder, write_file
from asset_gen.history import MANIFEST, History
from asset_gen.lock import holder_of, holding

STATE = ".assetgen"
EDITED = "was edited by hand and"
LOCKED = "is read-only and"
LOCK_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Place:
    """A game project, and the folder in it that assetgen writes to."""

    project: Path
    """Absolute."""
    out: Path
    """Absolute, inside ``project``."""

    @property
    def state(self) -> Path:
        """Lock, journal and staging."""
        return self.project / STATE

    @property
    def stage(self) -> Path:
        """Files on their way."""
        return self.state / "stage"

    @property
    def candidates(self) -> Path:
        """The candidate set being drawn."""
        return self.state / "candidates"

    @property
    def journal(self) -> Path:
        """The list of moves of a change that has been decided."""
        return self.state / "journal.json"


class Journal(msgspec.Struct, frozen=True, kw_only=True):
    """A change that has been decided."""

    out: str
    """The output folder, relative to the project."""
    moves: list[tuple[Annotated[str, msgspec.Meta(pattern="^[0-9]{6,}$")], str]]
    """(name of a staged file, path relative to ``out``)."""
    removals: list[str]
    """Paths relative to ``out``."""


@dataclass(slots=True)
class Published:
    """What a change did, by path relative to the output folder."""

    written: list[str] = field(default_factory=list)
    unchanged: list[str] = field(default_factory=list)
    removed: list[str] = field(default_factory=list)
    kept: dict[str, str] = field(default_factory=dict)
    """Files that are left as they are, and why: ``was edited by hand``. Ours lies beside as ``<name>.new``."""


def locate(project: Path, out: str) -> Place:
    """Resolve project and output folder.

    Raises:
        UsageError: no such project folder, or an output folder outside it or hidden (``.git``).
    """
    if not project.is_dir():
        raise UsageError(f"--project {project}: there is no such folder. Create it, or give the game's own folder.")
    root = project.resolve()
    target = (root / out).resolve()
    if target == root or not target.is_relative_to(root):
        raise UsageError(f"--out {out}: must be a folder inside the project {root}.")
    if _hidden(target.relative_to(root)):
        raise UsageError(f"--out {out}: engines pass over hidden folders, and {STATE} is assetgen's own. Give another.")
    return Place(root, target)


@contextmanager
def opened(place: Place) -> Iterator[None]:
    """Hold the project's lock; finish what a killed process had decided, sweep what it had not.

    Raises:
        ProjectError: the project can't be written, or another assetgen holds it for longer than a minute; the
            message says which.
    """
    lock = place.state / "lock"
    with ExitStack() as held:
        try:
            make_state(place.state)
            held.enter_context(holding(lock, LOCK_SECONDS))
        except Timeout:
            raise ProjectError(
                f"{place.project}: {holder_of(lock)} is writing to it. Try again when it is done."
            ) from None
        except OSError as error:
            raise ProjectError(
                f"{place.project}: can't be written ({error.filename or lock}: {error.strerror or error}). Check its "
                f"permissions and the disk."
            ) from None
        try:
            recover(place)
            yield
        finally:
            _sweep(place)


def make_state(state: Path) -> None:
    """Make ``<project>/.assetgen``, which engines and git pass over.

    Raises:
        ProjectError: it is a link.
    """
    if state.is_symlink():  # sweeping would remove what lies at its other end
        raise ProjectError(f"{state}: is a link, and assetgen's state lies in the project itself. Remove it.")
    state.mkdir(exist_ok=True)
    for name, text in ((".gdignore", ""), (".gitignore", "*\n")):
        with suppress(FileExistsError), (state / name).open("x") as file:
            file.write(text)


def replace_file(path: Path, data: bytes, state: Path) -> None:
    """Put one file that lies outside every output folder in place, whole: staged in ``state``, synced, renamed."""
    staged = state / f"{path.name}.tmp"
    write_file(staged, data)
    move_file(staged, path)
    sync_folder(path.parent)


def recover(place: Place) -> None:
    """Roll a decided change forward, or sweep what was only staged."""
    if place.journal.exists():
        _apply(place, _read_journal(place))
    _sweep(place)


def _read_journal(place: Place) -> Journal:
    """The journal, which may have come with a stranger's project.

    Raises:
        ProjectError: it is damaged, or names what assetgen would never have written.
    """
    cure = f"Remove {place.journal.parent}, and run the same command again."
    try:
        journal = msgspec.json.decode(place.journal.read_bytes(), type=Journal)
        out = locate(place.project, journal.out).out
    except (msgspec.MsgspecError, RecursionError, ValueError, UsageError) as error:
        raise ProjectError(f"{place.journal}: is not a journal of assetgen's ({error}). {cure}") from None
    for path in [*(path for _, path in journal.moves), *journal.removals]:
        if not _inside(out, path):
            raise ProjectError(f"{place.journal}: names a file outside {out}: {path!r}. {cure}")
    return journal


def _sweep(place: Place) -> None:
    """Remove what is staged, unless a journal waits for it."""
    if not place.journal.exists():
        shutil.rmtree(place.stage, ignore_errors=True)
        shutil.rmtree(place.candidates, ignore_errors=True)
        (place.state / "journal.tmp").unlink(missing_ok=True)


class Change:
    """A set of files that will appear together. Use inside ``opened``."""

    def __init__(self, place: Place, ours: Mapping[str, str]) -> None:
        self.place = place
        self.ours = ours
        """Path relative to the output folder → sha256 of what assetgen last wrote there."""
        self.result = Published()
        self.hashes: dict[str, str] = {}
        """sha256 of every file of the new state."""
        self.damaged: set[str] = set()
        """Paths whose file is no picture any more: damaged, not edited, and so replaced."""
        self._found: dict[str, str] = {}
        """sha256 of what lay at each path before."""
        self._stamps: dict[str, tuple[int, int] | None] = {}
        """Size and time of the same files: an edit in the meantime must not be replaced."""
        self._moves: list[tuple[str, str]] = []
        self._removals: list[str] = []
        shutil.rmtree(place.stage, ignore_errors=True)
        place.stage.mkdir(parents=True)

    def put(
        self,
        path: str,
        data: bytes,
        merged: bool = False,
        unclear: str | None = None,
        patched: Callable[[], bytes | None] | None = None,
    ) -> None:
        """The file at ``path`` (relative to the output folder) shall hold ``data``.

        ``merged``: ``data`` keeps what others wrote there, so that nobody's edit is lost. ``unclear``: why what others
        wrote there couldn't be understood, where that was tried. ``patched``: asked for where somebody edited the file:
        their file with only that changed which a person asked for by name; it stays an edited one.
        """
        target = self.place.out / path
        digest = sha256(data).hexdigest()
        self.hashes[path] = digest
        found = self._look(path)
        if found == digest:
            self.result.unchanged.append(path)
            return
        reason = None
        if _locked(target):
            reason = LOCKED
        elif not (merged or path in self.damaged) and found not in (None, self.ours.get(path)):
            reason = f"can't be merged: {unclear.rstrip('.')}; it" if unclear else EDITED
        theirs = patched() if patched is not None and reason == EDITED else None
        if reason is None or theirs is not None:
            self.result.written.append(path)
            self._stage(path, data if theirs is None else theirs)
            return
        self.result.kept[path] = reason
        beside = f"{path}.new"
        news = digest != self.ours.get(path)  # what we wrote last needn't be offered again
        if news and file_sha256(self.place.out / beside) != digest:
            self._stage(beside, data)

    def put_own(self, path: str, data: bytes) -> None:
        """Like ``put``, for a file that is ours alone and listed nowhere: the manifest."""
        if file_sha256(self.place.out / path) == sha256(data).hexdigest():
            self.result.unchanged.append(path)
            return
        self.result.written.append(path)
        self._stage(path, data)

    def remove(self, path: str) -> None:
        """The file at ``path`` shall be gone, unless somebody edited it."""
        found = self._look(path)
        if found is None:
            return
        if found != self.ours.get(path) or _locked(self.place.out / path):
            self.result.kept[path] = LOCKED if _locked(self.place.out / path) else EDITED
            return
        self._removals.append(path)
        self.result.removed.append(path)

    def commit(self) -> Published:
        """Put everything in place, in the order of ``put``; then remove what shall be gone.

        For the project itself (``out`` is ``project``) no journal is kept, since one that may touch any file of a
        project could not be trusted: a killed change is then completed by repeating it.

        Raises:
            ProjectError: a path leads out of the output folder by a link, or a file was changed in the meantime;
                nothing was changed.
        """
        for path in [*(path for _, path in self._moves), *self._removals]:
            if not _inside(self.place.out, path):
                raise ProjectError(f"{self.place.out / path}: a link leads out of {self.place.out}. Remove the link.")
        for path, stamp in self._stamps.items():
            if _stamp(self.place.out / path) != stamp:
                raise ProjectError(
                    f"{self.place.out / path}: was changed while assetgen was working. Nothing was replaced; "
                    f"run the same command again."
                )
        if not (self._moves or self._removals):
            return self.result
        out = self.place.out.relative_to(self.place.project).as_posix()
        journal = Journal(out=out, moves=self._moves, removals=self._removals)
        sync_folder(self.place.stage)
        if self.place.out == self.place.project:
            _apply(self.place, journal)
            return self.result
        past = History(self.place.state, out)
        leaving = {*(path for _, path in self._moves), *self._removals}
        if MANIFEST in leaving:
            past.keep(self.place.out, self._present(leaving), leaving)
        staged = self.place.state / "journal.tmp"
        write_file(staged, msgspec.json.encode(journal))
        move_file(staged, self.place.journal)
        sync_folder(self.place.state)
        _apply(self.place, journal)
        if MANIFEST in leaving:
            past.prune(file_sha256(self.place.out / MANIFEST))
        return self.result

    def _look(self, path: str) -> str | None:
        """sha256 of what lies at a path now."""
        self._stamps[path] = _stamp(self.place.out / path)
        found = file_sha256(self.place.out / path)
        if found is not None:
            self._found[path] = found
        return found

    def _present(self, leaving: Collection[str]) -> dict[str, str]:
        """The published set as it lies there, without what is damaged and what people made of it and keep."""
        ours = {path: found for path, found in self._found.items() if path in self.ours and path not in self.damaged}
        return {path: found for path, found in ours.items() if path in leaving or found == self.ours[path]}

    def _stage(self, path: str, data: bytes) -> None:
        name = f"{len(self._moves):06d}"
        write_file(self.place.stage / name, data)
        self._moves.append((name, path))


def _locked(path: Path) -> bool:
    """Whether a file was made read-only, as version control systems with locks do until it is checked out."""
    try:
        return not path.stat().st_mode & stat.S_IWUSR
    except (FileNotFoundError, NotADirectoryError):
        return False


def _stamp(path: Path) -> tuple[int, int] | None:
    """Size and time of a file, or None where there is none."""
    try:
        status = path.stat()
    except (FileNotFoundError, NotADirectoryError):
        return None
    return status.st_size, status.st_mtime_ns


def _hidden(path: Path) -> bool:
    return any(part.startswith(".") for part in path.parts)


def _inside(out: Path, path: str) -> bool:
    """Whether a path relative to ``out`` stays inside it, wherever links lead, and isn't hidden."""
    if "\0" in path:
        return False
    target = (out / path).resolve()
    return target != out and target.is_relative_to(out) and not _hidden(target.relative_to(out))


def _apply(place: Place, journal: Journal) -> None:
    """Carry out a checked journal; what was done already is passed over, so it can be repeated after a kill."""
    out = place.project / journal.out
    folders = set()
    for name, path in journal.moves:
        target = out / path
        target.parent.mkdir(parents=True, exist_ok=True)
        if (place.stage / name).exists():
            move_file(place.stage / name, target)
        folders.add(target.parent)
    for folder in sorted(folders):
        sync_folder(folder)
    for path in journal.removals:
        remove_file(out / path)
        with suppress(OSError):  # it isn't empty, or it has gone already
            (out / path).parent.rmdir()
    remove_file(place.journal)
    sync_folder(place.state)
