"""``assetgen poll``"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from asset_gen.errors import PartialError, UsageError

if TYPE_CHECKING:
    from asset_gen.poll.ballot import CandidateSet

SHOWN = 5  # ratings of a type that the summary names


@click.command("poll", context_settings={"auto_envvar_prefix": "ASSETGEN"})
@click.argument("candidates", type=click.Path(path_type=Path))
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    required=True,
    help="Folder to write the page into; with --import, the file of ratings.",
)
@click.option(
    "--import",
    "votes",
    envvar="ASSETGEN_IMPORT",
    multiple=True,
    type=click.Path(path_type=Path),
    metavar="VOTES",
    help="Make ratings from saved votes: a JSON file, or a folder of them; repeatable.",
)
@click.option("--types", metavar="LIST", help="Only these types: a,b.")
@click.option("--per-type", type=click.IntRange(2, 1000), default=24, show_default=True, help="Candidates of a type.")
@click.option(
    "--comparisons", type=click.IntRange(1, 10_000), default=40, show_default=True, help="Pairs that a visitor sees."
)
@click.option("--title", default="Which do you like better?", show_default=True, help="Heading of the page.")
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True, help="Which candidates are drawn.")
@click.option("--json", "as_json", envvar="ASSETGEN_JSON", is_flag=True, help="Print one JSON document.")
def command(
    candidates: Path,
    out: Path,
    votes: tuple[Path, ...],
    types: str | None,
    per_type: int,
    comparisons: int,
    title: str,
    seed: int,
    as_json: bool,
) -> int:
    """Ask players which sprites they like better, two by two.

    CANDIDATES is a candidate set of assetgen batch (…/candidates~/<run>). Without --import, writes a page that compares
    sprites of one type, by keyboard or touch, without a word about where they come from, in another order for every
    visitor. It works from any web space or from disk; visitors save their votes as a file and send it back.

    With --import, turns such files into ratings with 95 % intervals (Bradley–Terry), for batch --filter.

    \b
    Examples:
      assetgen poll mygame/assets/generated/candidates~/4f0c… --out poll
      assetgen poll mygame/assets/generated/candidates~/4f0c… --import votes --out ratings.json
      assetgen batch --project mygame --filter ratings.json
    """
    from asset_gen.poll.ballot import choose, read_candidates, write_poll

    found = read_candidates(candidates)
    if votes:
        return _import(found, votes, out, as_json)
    kinds = tuple(kind.strip() for kind in types.split(",")) if types else ()
    rows = choose(found, per_type, kinds, seed)
    page = write_poll(found, rows, out, title, comparisons)
    shown = len({row.type for row in rows})
    if as_json:
        click.echo(json.dumps({"page": str(page), "sprites": len(rows), "types": shown}, indent=1))
    else:
        click.echo(f"{len(rows)} sprites of {shown} types, {comparisons} comparisons a visitor: {page}")
        click.echo(f"  then: assetgen poll {candidates} --import votes-….json --out ratings.json")
    return 0


def _import(candidates: CandidateSet, paths: tuple[Path, ...], out: Path, as_json: bool) -> int:
    """Vote files → the file of ratings, and a summary."""
    import msgspec

    from asset_gen.poll.votes import count_votes, rate

    files = [file for path in paths for file in (sorted(path.glob("*.json")) if path.is_dir() else [path])]
    if out.is_dir():
        raise UsageError(f"--out {out}: is a folder. With --import, name the file of ratings to write.")
    counted = count_votes(candidates, files)
    for path, reason in counted.refused.items():
        click.echo(f"assetgen: {path}: left out: {reason}.", err=True)
    ratings = rate(candidates, counted)
    stage = out.with_name(f".{out.name}.part")
    stage.write_bytes(msgspec.json.format(msgspec.json.encode(ratings), indent=1) + b"\n")
    stage.replace(out)
    if as_json:
        click.echo(out.read_text(encoding="utf-8"), nl=False)
    else:
        click.echo(f"{ratings.votes} comparisons by {ratings.voters} people, {len(ratings.ratings)} sprites: {out}")
        for kind in sorted({rating.type for rating in ratings.ratings}):
            best = [rating for rating in ratings.ratings if rating.type == kind][:SHOWN]
            told = ", ".join(f"{one.name} {one.rating:+.2f} [{one.low:+.2f}, {one.high:+.2f}]" for one in best)
            click.echo(f"  {kind}: {told}")
    if counted.refused:
        raise PartialError(f"{len(counted.refused)} of {len(files)} files of votes were left out.")
    return 0
