"""``assetgen catalogue``"""

from __future__ import annotations

import json
from collections.abc import Callable
from math import inf
from pathlib import Path
from typing import Any

import click

from asset_gen.catalogue import STATES, Catalogue, Entry, open_catalogue
from asset_gen.decisions import Action, Decision
from asset_gen.errors import UsageError
from asset_gen.manifest import Origin
from asset_gen.names import nearest

SORTS = ("name", "p_type", "entropy")


def shared(function: Callable[..., int]) -> Callable[..., int]:
    """Options that every command has."""
    for option in (
        click.option("--json", "as_json", envvar="ASSETGEN_JSON", is_flag=True, help="Print one JSON document."),
        click.option(
            "--set", "part", envvar="ASSETGEN_SET", metavar="NAME", help="Only this one of the recipe's sets."
        ),
        click.option(
            "--project",
            envvar="ASSETGEN_PROJECT",
            type=click.Path(path_type=Path),
            default=".",
            show_default=True,
            help="The game's folder.",
        ),
    ):
        function = option(function)
    return function


def deciding(function: Callable[..., int]) -> Callable[..., int]:
    """Options of the commands that write decisions."""
    who = click.option("--who", envvar="ASSETGEN_WHO", metavar="NAME", help="Who decides.  [default: git's user.name]")
    return shared(click.option("--why", default="", metavar="TEXT", help="The reason, in a sentence.")(who(function)))


@click.group("catalogue")
def command() -> None:
    """See every candidate; keep, reject, restore.

    Decisions are lines of assetgen.decisions.jsonl in the project, which is committed and merges in git by itself. What
    they say of a published sprite is carried out by the next assetgen batch.

    A NAME is a slot (dragon:17 or dragon_000017) or a candidate (<run>/dragon_c000123, or without the run where that is
    enough).

    \b
    Examples:
      assetgen catalogue list --type dragon --state candidate --sort p_type --limit 20
      assetgen catalogue reject dragon:17 --why "two heads"
    """


@command.command("list")
@click.option("--type", "kind", metavar="TYPE", help="Only this type.")
@click.option("--state", type=click.Choice(STATES), help="Only these: people's word, else whether it is published.")
@click.option(
    "--sort", default="name", show_default=True, metavar="KEY", help="name, p_type, entropy or another score of theirs."
)
@click.option("--limit", type=click.IntRange(1), help="At most so many.")
@shared
def list_(
    project: Path, part: str | None, as_json: bool, kind: str | None, state: str | None, sort: str, limit: int | None
) -> int:
    """List candidates: by name, or by a score, the greatest first.

    \b
    Example:
      assetgen catalogue list --type dragon --state candidate --sort p_type --limit 20
    """
    catalogue = _opened(project)
    _check("--type", kind, {entry.origin.type for entry in catalogue.entries})
    entries = [
        entry
        for entry in _sorted(_of(catalogue, part), sort)
        if kind in (None, entry.origin.type) and state in (None, entry.state)
    ]
    entries = entries[:limit]
    if as_json:
        _print({"candidates": [_document(entry) for entry in entries]})
    else:
        for entry in entries:
            click.echo(_line(entry))
        if not entries:
            known = len(catalogue.entries)
            told = f"none of {known} candidates is so" if known else "no candidates yet; assetgen batch draws some"
            click.echo(f"assetgen: {told}.", err=True)
    return 0


@command.command("show")
@click.argument("name")
@shared
def show(project: Path, part: str | None, as_json: bool, name: str) -> int:
    """Tell all that is known of one, with everything that was decided about it."""
    catalogue = _opened(project)
    entry = catalogue.find(name, part)
    lines = catalogue.decided.about(entry.origin)
    if as_json:
        _print(_document(entry) | {"decisions": [_decision(line) for line in lines]})
        return 0
    click.echo(_line(entry))
    origin = entry.origin
    if origin.operation:
        parents = " and ".join(_named(parent) for parent in origin.parents) or "a picture"
        click.echo(f"  origin: model {origin.model[:16]}, {origin.operation} of {parents}")
    else:
        click.echo(f"  origin: model {origin.model[:16]}, seed {origin.seed}, type {origin.type}, index {origin.index}")
    for score, value in entry.scores.items():
        click.echo(f"  {score}: {value:.4f}")
    for line in lines:
        rating = "" if line.value is None else f" {line.value:g}"
        click.echo(f"  {line.when:%Y-%m-%d %H:%M} {line.who}: {line.action}{rating} {line.why}".rstrip())
    return 0


def _decides(action: Action, told: str, summary: str) -> None:
    """Add a command that writes one kind of decision."""

    @command.command(action, help=summary)
    @click.argument("names", nargs=-1, required=True, metavar="NAME...")
    @deciding
    def decides(
        project: Path, part: str | None, as_json: bool, names: tuple[str, ...], who: str | None, why: str
    ) -> int:
        return _decide(project, names, action, told, as_json, who=who, why=why, part=part)


_decides(
    "keep", "is kept", "Keep sprites: they aren't freed or replaced without a yes, and come first as replacements."
)
_decides(
    "reject", "is rejected", "Reject sprites: the next batch replaces them in their slots, and they never come back."
)
_decides("restore", "is neither kept nor rejected any more", "Take back what was decided: keep or reject.")
_decides("note", "has a note", "Note something about sprites, with --why.")


@command.command("rate")
@click.argument("value", type=float)
@click.argument("names", nargs=-1, required=True, metavar="NAME...")
@deciding
def rate(
    project: Path, part: str | None, as_json: bool, value: float, names: tuple[str, ...], who: str | None, why: str
) -> int:
    """Rate sprites: more is better."""
    return _decide(project, names, "rate", f"is rated {value:g}", as_json, who=who, why=why, value=value, part=part)


@command.command("rebuild")
@shared
def rebuild(project: Path, part: str | None, as_json: bool) -> int:
    """Build the cache anew from manifests, decisions and candidate sets; needed by nobody, harms nothing."""
    catalogue = _opened(project, rebuild=True)
    entries = _of(catalogue, part)
    states = {state: sum(entry.state == state for entry in entries) for state in STATES}
    if as_json:
        _print({"candidates": len(entries), "states": states, "problems": catalogue.problems})
    else:
        click.echo(f"{len(entries)} candidates: {', '.join(f'{n} {state}' for state, n in states.items())}")
    return 0


@command.command("import")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--who", envvar="ASSETGEN_WHO", metavar="NAME", help="Who decided, where the file doesn't say.")
@shared
def import_(project: Path, part: str | None, as_json: bool, file: Path, who: str | None) -> int:
    """Take over decisions from a FILE of others: all of them, or none.

    FILE is another project's assetgen.decisions.jsonl, or JSON as a review page saves it: a list, or an object with the
    list decisions, of {"subject": NAME, "action": "keep", "why": TEXT}; one a line is fine, too.
    """
    from asset_gen.deciding import import_decisions

    lines = import_decisions(project, file, who, part)
    if as_json:
        _print({"decisions": [_decision(line) for line in lines]})
    else:
        click.echo(f"{len(lines)} new decisions from {file}.")
    return 0


def _decide(project: Path, names: tuple[str, ...], action: Action, told: str, as_json: bool, **further: Any) -> int:
    from asset_gen.deciding import decide_about

    done = decide_about(project, names, action, **further)
    if as_json:
        _print({"decisions": [_decision(line) for _, line in done]})
        return 0
    for entry, line in done:
        after = "; the next assetgen batch replaces it" if action == "reject" and entry.slot else ""
        click.echo(f"{line.subject} {told}{after}.")
    return 0


def _opened(project: Path, rebuild: bool = False) -> Catalogue:
    catalogue = open_catalogue(project, rebuild)
    for told in catalogue.problems:
        click.echo(f"assetgen: {told}", err=True)
    return catalogue


def _of(catalogue: Catalogue, part: str | None) -> list[Entry]:
    """The candidates of a set, or all."""
    _check("--set", part, {entry.part for entry in catalogue.entries})
    return [entry for entry in catalogue.entries if part in (None, entry.part)]


def _check(flag: str, value: str | None, known: set[str]) -> None:
    if value is not None and value not in known:
        raise UsageError(f"{flag} {value}: there are {', '.join(sorted(known)) or 'none'}.{nearest(value, known)}")


def _sorted(entries: list[Entry], key: str) -> list[Entry]:
    if key == "name":
        return entries
    known = {*SORTS, *(name for entry in entries for name in entry.scores)}
    if key not in known:
        raise UsageError(f"--sort {key}: there are {', '.join(sorted(known))}.{nearest(key, known)}")

    def figure(entry: Entry) -> float:
        value = getattr(entry, key) if key in SORTS else entry.scores.get(key)
        return inf if value is None else -value

    return sorted(entries, key=figure)


def _line(entry: Entry) -> str:
    score = "" if entry.p_type is None else f"{entry.p_type:.3f}"
    name = f"{entry.run}/{entry.name}" if entry.run else entry.name
    told = [
        f"{entry.state:<9}",
        f"{score:<5}",
        name,
        entry.slot and f"in {entry.slot}",
        entry.part and f"({entry.part})",
    ]
    return "  ".join(part for part in told if part) + (f"  {entry.reason}" if entry.reason else "")


def _named(origin: Origin) -> str:
    """A parent, for people."""
    return f"{origin.operation or origin.type} {origin.index}" if origin.operation != "picture" else "a picture"


def _document(entry: Entry) -> dict[str, Any]:
    import msgspec

    document: dict[str, Any] = msgspec.to_builtins(entry)
    document["set"] = document.pop("part")
    return document


def _decision(line: Decision) -> dict[str, Any]:
    import msgspec

    document: dict[str, Any] = msgspec.to_builtins(line)
    return document


def _print(document: dict[str, Any]) -> None:
    click.echo(json.dumps(document, indent=1, ensure_ascii=False))
