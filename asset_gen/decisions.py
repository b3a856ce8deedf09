"""What did people decide about sprites? ``assetgen.decisions.jsonl`` in the project, committed, only ever added to.

One line a decision. Each speaks of an origin, from which a picture can be made again alone, so that a later picture in
the same slot isn't judged by an old line. The order of lines means nothing (time does), and a line that stands twice
counts once: whatever git's ``merge=union`` makes of two artists' files says what both of them said.
"""

from __future__ import annotations

import getpass
import os
import re
import stat
import subprocess
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import Annotated, Literal

import msgspec
from filelock import FileLock, Timeout

from asset_gen.errors import ProjectError
from asset_gen.manifest import Origin
from asset_gen.publish import STATE, make_state, replace_file

NAME = "assetgen.decisions.jsonl"
ATTRIBUTE = f"{NAME} merge=union"
"""The line of ``.gitattributes`` with which git merges two artists' decisions by itself."""
LOCK_SECONDS = 30.0
LAST_YEAR = 9000
"""Later decisions are no decisions: nothing could be dated after them."""
_MARKER = re.compile(rb"(<{7}|\|{7}|={7}|>{7})( |$)")

Action = Literal["keep", "reject", "restore", "rate", "note"]


class Decision(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A line of ``assetgen.decisions.jsonl``."""

    subject: Annotated[str, msgspec.Meta(min_length=1, max_length=300)]
    """What the person called it: a slot, ``dragon_000017``, or a candidate, ``<run>/dragon_c000123``."""
    action: Action
    """``keep`` and ``reject`` replace each other, ``restore`` takes either back; ``rate`` and ``note`` only tell."""
    origin: Origin
    """The picture that was decided about."""
    value: float | None = None
    """Of a rating: more is better."""
    who: Annotated[str, msgspec.Meta(min_length=1, max_length=200)]
    when: Annotated[datetime, msgspec.Meta(tz=True)]
    """UTC; of two decisions about a picture the later one counts."""
    why: Annotated[str, msgspec.Meta(max_length=10_000)] = ""


@dataclass(frozen=True)
class Decisions:
    """All that was decided in a project."""

    lines: tuple[Decision, ...] = field(default=())
    """By time, then content; each once."""

    @cached_property
    def standing(self) -> dict[Origin, Decision]:
        """What counts for each picture that is kept or rejected: the last such line about it."""
        last = {line.origin: line for line in self.lines if line.action in ("keep", "reject", "restore")}
        return {origin: line for origin, line in last.items() if line.action != "restore"}

    @cached_property
    def kept(self) -> frozenset[Origin]:
        """Pictures that somebody wants to stay."""
        return frozenset(origin for origin, line in self.standing.items() if line.action == "keep")

    @cached_property
    def rejected(self) -> frozenset[Origin]:
        """Pictures that must not be published any more, in any slot."""
        return frozenset(origin for origin, line in self.standing.items() if line.action == "reject")

    def about(self, origin: Origin) -> list[Decision]:
        """Every line about a picture, by time."""
        return [line for line in self.lines if line.origin == origin]

    def with_lines(self, lines: Iterable[Decision]) -> Decisions:
        """These decisions and further ones."""
        return Decisions(_ordered([*self.lines, *lines]))


def read_decisions(project: Path) -> Decisions:
    """What was decided in a project; nothing where it has no such file.

    Raises:
        ProjectError: a line that is no decision, or one that git left while merging; the message names the line.
    """
    return Decisions(_ordered(_parse(project / NAME, _content(project / NAME))))


def record(project: Path, lines: Sequence[Decision], dated: bool = False) -> list[Decision]:
    """Add decisions to a project's file: all of them, or none.

    A line is dated after all that the file holds, so that the last word counts even where a clock was put back;
    ``dated``: unless its time is to stay, since it was decided elsewhere.

    Returns: the lines as they were written.

    Raises:
        ProjectError: the file is damaged, read-only or a link out of the project, or another process holds it for
            half a minute.
    """
    path, state = project / NAME, project / STATE
    if not path.resolve().is_relative_to(project.resolve()):
        raise ProjectError(f"{path}: is a link that leads out of the project. Remove it.")
    make_state(state)
    lock = FileLock(state / "decisions.lock")
    try:
        lock.acquire(timeout=LOCK_SECONDS)
    except Timeout:
        raise ProjectError(f"{path}: another assetgen is writing to it. Try again when it is done.") from None
    try:
        held = _content(path)
        latest = max((line.when for line in _parse(path, held)), default=None)
        written = []
        for line in lines:
            if latest is not None and line.when <= latest and not dated:
                line = msgspec.structs.replace(line, when=latest + timedelta(microseconds=1))
            latest = line.when
            written.append(line)
        if path.exists() and not path.stat().st_mode & stat.S_IWUSR:
            raise ProjectError(f"{path}: is read-only. Check it out of version control, and run the same again.")
        if held and not held.endswith(b"\n"):
            held += b"\n"
        added = b"".join(msgspec.json.encode(line) + b"\n" for line in written)
        if added:
            replace_file(path.resolve(), held + added, state)
    except OSError as error:
        raise ProjectError(
            f"{path}: {error.strerror or error}. No decision was lost or half-written; mend the permissions or make "
            f"room, and run the same again."
        ) from error
    finally:
        lock.release()
    return written


def decide(
    subject: str, action: Action, origin: Origin, who: str, why: str = "", value: float | None = None
) -> Decision:
    """A decision of now."""
    return Decision(
        subject=subject, action=action, origin=origin, value=value, who=who, when=datetime.now(UTC), why=why
    )


def person(project: Path) -> str:
    """Who decides, where nobody says so: git's ``user.name``, else the name of the account."""
    try:
        command = ["git", "config", "user.name"]
        found = subprocess.run(command, cwd=project, capture_output=True, text=True, timeout=10, check=False)
        name = found.stdout.strip()
    except (OSError, subprocess.SubprocessError, UnicodeDecodeError):
        name = ""
    try:
        return (name or getpass.getuser())[:200]
    except (OSError, KeyError):  # an account without a name, as in a container
        return f"user {os.getuid()}" if hasattr(os, "getuid") else "somebody"


def offer_merging(project: Path) -> str:
    """Let git merge two artists' decisions by itself: writes ``.gitattributes`` where a project in git has none.

    Returns: what was done, or what a person has to add to their own file; empty where there is nothing to say.
    """
    root = project.resolve()
    path = root / ".gitattributes"
    if not any((folder / ".git").exists() for folder in (root, *root.parents)):
        return ""
    try:
        with path.open("x", encoding="utf-8", newline="\n") as file:
            file.write(f"{ATTRIBUTE}\n")
        return f"written: {path} (git merges two artists' decisions by itself)"
    except FileExistsError:
        held = path.read_text(encoding="utf-8", errors="replace").splitlines()
        if any(line.split() == ATTRIBUTE.split() for line in held):
            return ""
        return f"add this line to {path}, and git merges two artists' decisions by itself:\n{ATTRIBUTE}"


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        return b""
    except OSError as error:
        raise ProjectError(f"{path}: {error.strerror or error}. Check its permissions.") from error


def _parse(path: Path, content: bytes) -> list[Decision]:
    decoder = msgspec.json.Decoder(Decision)
    decisions = []
    for number, line in enumerate(content.split(b"\n"), 1):
        line = line.strip()
        if not line:
            continue
        if _MARKER.match(line):
            raise ProjectError(
                f"{path}, line {number}: git left a conflict here. Keep the lines of both sides, and remove the lines "
                f"of {line[:7].decode()}; with {ATTRIBUTE!r} in .gitattributes git does so itself."
            )
        try:
            decision = decoder.decode(line)
            decisions.append(msgspec.structs.replace(decision, when=_utc(decision.when)))
        except (msgspec.MsgspecError, ValueError, RecursionError, OverflowError) as error:
            raise ProjectError(
                f"{path}, line {number}: is no decision ({error}). Restore the line from version control, or remove it."
            ) from None
    return decisions


def _utc(when: datetime) -> datetime:
    if when.year > LAST_YEAR:
        raise ValueError(f"the year {when.year} is out of reach")
    return when.astimezone(UTC)


def _ordered(lines: Iterable[Decision]) -> tuple[Decision, ...]:
    """By time, then content, so that no two readers of the same lines differ; each once."""
    content = {msgspec.json.encode(line): line for line in lines}
    return tuple(line for _, line in sorted(content.items(), key=lambda entry: (entry[1].when, entry[0])))
