"""What is known about every candidate of a project? ``.assetgen/catalogue.sqlite``, a cache.

The truth lies in the manifests, ``assetgen.decisions.jsonl`` and the candidate sets. The catalogue remembers a stamp of
them, and is built anew, in one transaction, when they have changed, or when it is lost, damaged or of a later format.
"""

from __future__ import annotations

import csv
import json
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from hashlib import sha256
from math import isfinite
from pathlib import Path

import msgspec
from filelock import FileLock, Timeout

from asset_gen import decisions
from asset_gen.candidates import FOLDER, SPARE, read_rows
from asset_gen.decisions import Decision, Decisions, read_decisions
from asset_gen.errors import ProjectError, UsageError
from asset_gen.files import file_sha256
from asset_gen.manifest import NAME as MANIFEST
from asset_gen.manifest import Choice, Origin, read_manifest
from asset_gen.publish import STATE, make_state
from asset_gen.recipe import ProjectSet, project_sets
from asset_gen.spares import origin_of

NAME = "catalogue.sqlite"
STATES = ("published", "kept", "rejected", "candidate")
WAIT_SECONDS = 30.0
MIGRATIONS = (
    """
    CREATE TABLE candidates (
        part TEXT NOT NULL, model TEXT NOT NULL, seed INTEGER NOT NULL, type TEXT NOT NULL, number INTEGER NOT NULL,
        run TEXT NOT NULL, name TEXT NOT NULL, slot TEXT NOT NULL, state TEXT NOT NULL, reason TEXT NOT NULL,
        p_type REAL, entropy REAL, scores TEXT NOT NULL,
        PRIMARY KEY (part, model, seed, type, number)
    ) WITHOUT ROWID;
    CREATE TABLE stamps (stamp TEXT NOT NULL);
    """,
    """
    CREATE TABLE problems (told TEXT NOT NULL);
    CREATE INDEX by_state ON candidates (state, type);
    DELETE FROM stamps;
    """,
    """
    ALTER TABLE candidates ADD COLUMN verdict TEXT NOT NULL DEFAULT '';
    DELETE FROM stamps;
    """,
    """
    ALTER TABLE candidates ADD COLUMN explored TEXT NOT NULL DEFAULT '';
    DELETE FROM stamps;
    """,
)
"""From one ``user_version`` to the next."""
COLUMNS = "part, model, seed, type, number, run, name, slot, state, reason, verdict, p_type, entropy, explored, scores"


@dataclass(frozen=True, slots=True)
class Entry:
    """A candidate, and what became of it."""

    part: str
    """The recipe's set; empty where it has none."""
    origin: Origin
    run: str
    """Candidate set in which it lies; empty where that isn't here."""
    name: str
    """``dragon_c000123``; what the person called it where there is no candidate set."""
    slot: str
    """``dragon_000017`` where it is published; else empty."""
    state: str
    """One of ``STATES``: people's word, else whether it is published."""
    reason: str
    """Why people or the filter kept it or not."""
    p_type: float | None
    """p(type it stands for | sprite), 0–1."""
    entropy: float | None
    """Of the type posterior, in nats."""
    scores: dict[str, float] = field(default_factory=dict)
    """Further figures by name."""
    verdict: str = ""
    """Why the filter kept it or not, whatever people said since."""

    @property
    def subject(self) -> str:
        """What a decision about it calls it."""
        return self.slot or (f"{self.run}/{self.name}" if self.run else self.name)


@dataclass(frozen=True, slots=True)
class Catalogue:
    """All candidates of a project."""

    entries: list[Entry]
    """By set, type and index."""
    decided: Decisions
    problems: list[str]
    """Candidate sets that can't be read, and why."""
    rebuilt: bool
    """Whether the cache had to be built anew."""

    def find(self, name: str, part: str | None = None) -> Entry:
        """The candidate of this name: a slot (``dragon:17``, ``dragon_000017``) or a candidate, with its run or alone.

        Raises:
            UsageError: there is none, or there are several.
        """
        found = self._named(name, part)
        if not found:
            raise UsageError(
                f"{name}: there is no such slot or candidate. Write dragon:17, dragon_000017 or <run>/dragon_c000123; "
                f"assetgen catalogue list names them."
            )
        if len({entry.origin for entry in found}) > 1:
            several = ", ".join(f"{entry.subject} of set {entry.part!r}" for entry in found[:5])
            raise UsageError(f"{name}: may be {several}. Write the run before it, or say which --set.")
        return found[0]

    def decided_as(self, name: str, part: str | None = None) -> Entry:
        """The kept or rejected candidate of this name, which may have lost its slot since.

        Raises:
            UsageError: nothing of this name is kept or rejected.
        """
        slot = _slot_name(name)
        mine = [origin for origin, line in self.decided.standing.items() if line.subject in (slot, name)]
        mine = sorted(mine, key=lambda origin: self.decided.standing[origin].when)
        if mine:
            return next(entry for entry in self.entries if entry.origin == mine[-1])
        entry = self.find(name, part)
        if entry.origin not in self.decided.standing:
            raise UsageError(
                f"{name}: is neither kept nor rejected. assetgen catalogue list --state names those that are."
            )
        return entry

    def _named(self, name: str, part: str | None) -> list[Entry]:
        slot = _slot_name(name)
        run, _, alone = name.rpartition("/")
        if not alone:
            return []
        return [
            entry
            for entry in self.entries
            if (part is None or entry.part == part)
            and (entry.slot == slot or (entry.name == alone and (not run or entry.run == run)))
        ]


def open_catalogue(project: Path, rebuild: bool = False) -> Catalogue:
    """What is known of a project's candidates, up to date.

    Raises:
        ProjectError: manifest or decisions are damaged, or the cache can't be written.
        UsageError: the recipe is wrong, or there is no such project.
    """
    parts = project_sets(project)
    root = parts[0].place.project
    decided = read_decisions(root)
    stamp = _stamp(root, parts)
    path = root / STATE / NAME
    make_state(path.parent)
    lock = FileLock(path.parent / "catalogue.lock")
    try:
        with lock.acquire(timeout=WAIT_SECONDS):
            if rebuild:
                _remove(path)
            try:
                return _read(path, parts, decided, stamp)
            except sqlite3.DatabaseError as error:
                if isinstance(error, sqlite3.OperationalError) and not str(error).startswith("no such"):
                    raise
                _remove(path)
                return _read(path, parts, decided, stamp)
    except Timeout:
        raise ProjectError(f"{path}: another assetgen is reading it. Try again when it is done.") from None
    except sqlite3.Error as error:
        raise ProjectError(
            f"{path}: {error}. Check its permissions and the disk; it is a cache, and can be removed."
        ) from None


def _read(path: Path, parts: Sequence[ProjectSet], decided: Decisions, stamp: str) -> Catalogue:
    with _connected(path) as base:
        held = base.execute("SELECT stamp FROM stamps").fetchone()
        stale = held is None or held[0] != stamp
        if stale:
            entries, problems = _collect(parts, decided)
            with base:
                base.execute("BEGIN IMMEDIATE")
                for table in ("candidates", "problems", "stamps"):
                    base.execute(f"DELETE FROM {table}")
                places = ", ".join("?" * (COLUMNS.count(",") + 1))
                base.executemany(f"INSERT INTO candidates ({COLUMNS}) VALUES ({places})", map(_values, entries))
                base.executemany("INSERT INTO problems VALUES (?)", [(told,) for told in problems])
                base.execute("INSERT INTO stamps VALUES (?)", (stamp,))
        rows = base.execute(f"SELECT {COLUMNS} FROM candidates ORDER BY part, type, number, seed, model").fetchall()
        problems = [told for (told,) in base.execute("SELECT told FROM problems")]
    return Catalogue([_entry(row) for row in rows], decided, problems, stale)


@contextmanager
def _connected(path: Path) -> Iterator[sqlite3.Connection]:
    """The database, whole and of this format."""
    if path.is_symlink():
        path.unlink()  # what lies at its other end isn't ours
    base = sqlite3.connect(path, timeout=WAIT_SECONDS, isolation_level=None)
    try:
        base.execute("PRAGMA trusted_schema = OFF")
        base.execute("PRAGMA journal_mode = WAL")
        base.execute("PRAGMA synchronous = FULL")
        if base.execute("PRAGMA quick_check").fetchone() != ("ok",):
            raise sqlite3.DatabaseError("is damaged")
        (version,) = base.execute("PRAGMA user_version").fetchone()
        if version > len(MIGRATIONS):
            raise sqlite3.DatabaseError(f"is of format {version}")
        for number in range(version, len(MIGRATIONS)):
            base.executescript(f"BEGIN IMMEDIATE; {MIGRATIONS[number]} PRAGMA user_version = {number + 1}; COMMIT;")
        yield base
    finally:
        base.close()


def _remove(path: Path) -> None:
    for end in ("", "-wal", "-shm"):
        path.with_name(path.name + end).unlink(missing_ok=True)


def _stamp(root: Path, parts: Sequence[ProjectSet]) -> str:
    """A hash of all that the catalogue is made from."""
    sources: list[object] = [len(MIGRATIONS), file_sha256(root / decisions.NAME)]
    for part in parts:
        sources += [part.name, str(part.place.out.relative_to(root)), file_sha256(part.place.out / MANIFEST)]
        for table in sorted((part.place.out / FOLDER).glob("*/scores.csv")):
            with suppress(OSError):
                told = table.stat()
                sources.append([table.parent.name, told.st_size, told.st_mtime_ns])
    return sha256(json.dumps(sources).encode()).hexdigest()


def _collect(parts: Sequence[ProjectSet], decided: Decisions) -> tuple[list[Entry], list[str]]:
    """Every candidate by the truth, and what couldn't be read."""
    entries: list[Entry] = []
    problems: list[str] = []
    for part in parts:
        own: dict[Origin, Entry] = {}
        for run in sorted(path.parent for path in (part.place.out / FOLDER).glob("*/scores.csv")):
            try:
                own |= _of_set(part.name, run)
            except (
                OSError,
                ValueError,
                LookupError,
                TypeError,
                RecursionError,
                csv.Error,
                msgspec.MsgspecError,
            ) as error:
                problems.append(f"{run}: is damaged and left out ({error!r}). Remove the folder.")
        manifest = read_manifest(part.place.out)
        for sprite in (sprite for sheet in manifest.sheets for sprite in sheet.sprites) if manifest else ():
            lost = Entry(part.name, sprite.origin, "", sprite.name, "", "", "its candidate set is not here", None, None)
            entry = own.get(sprite.origin, replace(lost, p_type=sprite.score))
            if entry.reason.startswith(SPARE):
                entry = replace(entry, reason="took a rejected one's place")
            own[sprite.origin] = replace(entry, slot=sprite.name, state="published")
        entries += own.values()
    known = {entry.origin for entry in entries}
    for origin, line in decided.standing.items():
        if origin not in known:  # decided about on another machine
            entries.append(Entry(parts[0].name, origin, "", line.subject, "", "", "", None, None))
    entries = [replace(entry, verdict=entry.reason) for entry in entries]
    return [judged(entry, decided.standing.get(entry.origin)) for entry in entries], problems


def _of_set(part: str, run: Path) -> dict[Origin, Entry]:
    """The candidates of one set."""
    document = json.loads((run / "run.json").read_text(encoding="utf-8"))
    choice = msgspec.convert(document["choice"], Choice)
    found = {}
    for row in read_rows(run):
        origin = origin_of(row, choice)
        found[origin] = Entry(
            part, origin, run.name, row.name, "", "candidate", row.reason, row.p_type, row.entropy, _finite(row.scores)
        )
    return found


def _finite(scores: Mapping[str, float]) -> dict[str, float]:
    return {name: value for name, value in scores.items() if isfinite(value)}


def judged(entry: Entry, line: Decision | None) -> Entry:
    """What an entry is when ``line`` is all that people say about its picture; None: they say nothing."""
    if line is None:
        state = "published" if entry.slot else "candidate" if entry.run else ""
        return replace(entry, state=state, reason=entry.verdict)
    told = f"{line.who}: {line.why}" if line.why else f"by {line.who}"
    return replace(entry, state="rejected" if line.action == "reject" else "kept", reason=told)


def _values(entry: Entry) -> tuple[object, ...]:
    origin = entry.origin
    whole = (entry.part, origin.model, origin.seed, origin.type, origin.index)
    words = (entry.run, entry.name, entry.slot, entry.state, entry.reason, entry.verdict)
    explored = msgspec.json.encode(origin).decode() if origin.operation else ""
    return (*whole, *words, entry.p_type, entry.entropy, explored, json.dumps(entry.scores))


def _entry(row: tuple[object, ...]) -> Entry:
    part, model, seed, kind, number, *rest, explored, scores = row
    try:
        if explored:
            origin = msgspec.json.decode(str(explored), type=Origin)
        else:
            origin = msgspec.convert({"model": model, "seed": seed, "type": kind, "index": number}, Origin)
        fields = {"part": part, "origin": origin, "scores": json.loads(str(scores))}
        names = ("run", "name", "slot", "state", "reason", "verdict", "p_type", "entropy")
        return msgspec.convert(fields | dict(zip(names, rest, strict=True)), Entry)
    except (ValueError, RecursionError, msgspec.MsgspecError) as error:
        raise sqlite3.DatabaseError(f"holds a row that can't be ({error})") from None


def _slot_name(name: str) -> str:
    """``dragon:17`` as ``dragon_000017``; other names as they are."""
    kind, colon, number = name.partition(":")
    return f"{kind}_{int(number):06d}" if colon and number.isdecimal() and len(number) < 10 else name
