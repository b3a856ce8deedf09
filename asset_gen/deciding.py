"""How does a person's word about a named sprite become a line in ``assetgen.decisions.jsonl``?"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

from asset_gen.catalogue import Catalogue, Entry, open_catalogue
from asset_gen.decisions import Action, Decision, decide, person, record
from asset_gen.errors import UsageError

TOLD = 5  # faults of a file that are named


class Wish(msgspec.Struct, frozen=True, kw_only=True):
    """A decision as a review page or a colleague's list may hold it: the sprite by its name."""

    subject: str
    action: Action
    value: float | None = None
    who: str = ""
    why: str = ""


def decide_about(
    project: Path,
    names: Sequence[str],
    action: Action,
    who: str | None = None,
    why: str = "",
    value: float | None = None,
    part: str | None = None,
) -> list[tuple[Entry, Decision]]:
    """Write down what somebody decided about slots and candidates: about all of them, or none.

    Args:
        project: the game's folder.
        names: as ``Catalogue.find`` takes them.
        action: what was decided.
        who: by whom; None: as git and the account say.
        why: in a sentence.
        value: of a rating.
        part: the recipe's set in which they are.

    Raises:
        UsageError: a name that isn't known, or one to restore that isn't rejected or kept.
        ProjectError: the file of decisions can't be read or written.
    """
    catalogue = open_catalogue(project)
    entries = [_found(catalogue, name, action, part) for name in dict.fromkeys(names)]
    by = who or person(project)
    lines = [
        decide(_subject(entry, name, action), action, entry.origin, by, why, value)
        for entry, name in zip(entries, dict.fromkeys(names), strict=True)
    ]
    return list(zip(entries, record(project, lines), strict=True))


def import_decisions(project: Path, path: Path, who: str | None = None, part: str | None = None) -> list[Decision]:
    """Take over decisions from a file: JSON (a list, or ``{"decisions": [...]}``) or one JSON document a line.

    Lines that carry origin and time are taken as they are, each once; of others ``who`` decides now.

    Returns: what was new.

    Raises:
        UsageError: the file isn't one, or names sprites that aren't known; nothing is taken then.
        ProjectError: the project's own file can't be read or written.
    """
    catalogue = open_catalogue(project)
    by = who or person(project)
    lines: list[Decision] = []
    faults: list[str] = []
    for where, document in _documents(path):
        try:
            if isinstance(document, dict) and "name" in document:
                document = {"subject": document["name"], **document}
            if isinstance(document, dict) and {"origin", "when"} <= document.keys():
                lines.append(msgspec.convert(document, Decision))
                continue
            wish = msgspec.convert(document, Wish)
            entry = _found(catalogue, wish.subject, wish.action, part)
            subject = _subject(entry, wish.subject, wish.action)
            lines.append(decide(subject, wish.action, entry.origin, wish.who or by, wish.why, wish.value))
        except (msgspec.MsgspecError, UsageError) as error:
            faults.append(f"{where}: {error}")
    if faults:
        more = f" And {len(faults) - TOLD} more." if len(faults) > TOLD else ""
        raise UsageError(f"{path}: nothing was taken over. {' '.join(faults[:TOLD])}{more}")
    held = catalogue.decided
    news = [line for line in lines if len(held.with_lines([line]).lines) > len(held.lines)]
    record(project, news, dated=True)
    return news


def _found(catalogue: Catalogue, name: str, action: Action, part: str | None) -> Entry:
    return catalogue.decided_as(name, part) if action == "restore" else catalogue.find(name, part)


def _subject(entry: Entry, name: str, action: Action) -> str:
    """What the line calls it: where a decision is taken back, as that decision did."""
    return entry.subject if action != "restore" or entry.slot else name


def _documents(path: Path) -> list[tuple[str, Any]]:
    """(where it stands, document) of everything in a file."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{path}: can't be read ({error}). Give a JSON file of decisions.") from None
    try:
        whole = json.loads(text)
    except (ValueError, RecursionError):
        return [_document(path, number, line) for number, line in enumerate(text.split("\n"), 1) if line.strip()]
    if isinstance(whole, Mapping) and isinstance(whole.get("decisions"), list):
        whole = whole["decisions"]
    entries = whole if isinstance(whole, list) else [whole]
    return [(f"entry {number}", entry) for number, entry in enumerate(entries, 1)]


def _document(path: Path, number: int, line: str) -> tuple[str, Any]:
    try:
        return f"line {number}", json.loads(line)
    except (ValueError, RecursionError) as error:
        raise UsageError(
            f"{path}, line {number}: is no JSON ({error}). Give a JSON list of decisions, or one a line."
        ) from None
