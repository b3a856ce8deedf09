"""``assetgen restore``"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from asset_gen.cli.options import one_place
from asset_gen.errors import AssetgenError, PartialError
from asset_gen.publish import Place
from asset_gen.restore import history_of, manifest_of, restore


@click.command("restore", context_settings={"auto_envvar_prefix": "ASSETGEN"})
@click.argument("number", type=click.IntRange(min=1), default=1)
@click.option(
    "--list", "listing", envvar="ASSETGEN_LIST", is_flag=True, help="Show the earlier sets, and change nothing."
)
@click.option("--project", type=click.Path(path_type=Path), default=".", show_default=True, help="The game's folder.")
@click.option("--out", metavar="REL", help="Folder of generated assets inside it.  [default: as for batch]")
@click.option("--set", "part", envvar="ASSETGEN_SET", metavar="NAME", help="This one of the recipe's sets.")
@click.option("--json", "as_json", envvar="ASSETGEN_JSON", is_flag=True, help="Print one JSON document.")
def command(number: int, listing: bool, project: Path, out: str | None, part: str | None, as_json: bool) -> int:
    """Go back to what was published before.

    The last three sets are kept in .assetgen/history; NUMBER 1 is the one before the present one. Going back is a
    change like any other: running it again goes forward, and files you edited are left alone. assetgen.toml and the
    decisions stay as they are, and the command says what the next assetgen batch would make of them.

    \b
    Examples:
      assetgen restore --project mygame
      assetgen restore --list
      assetgen restore 2
    """
    place = one_place(project, out, part)
    if listing:
        rows = [_row(place, at) for at in range(1, len(history_of(place).sets()) + 1)]
        click.echo(json.dumps(rows, indent=1, ensure_ascii=False) if as_json else _table(place, rows))
        return 0
    done = restore(place, number)
    coming = _next_batch(project, place)
    if as_json:
        document = {
            "out": str(place.out),
            "replaced": done.past.replaced.isoformat(),
            "sprites": done.sprites,
            "written": done.files.written,
            "removed": done.files.removed,
            "edited": list(done.files.kept),
            "lost": done.lost,
            "next_batch": coming,
        }
        click.echo(json.dumps(document, indent=1, ensure_ascii=False))
    else:
        click.echo(
            f"{done.sprites} sprites in {place.out}, as they were until {done.past.replaced:%Y-%m-%d %H:%M} UTC: "
            f"{len(done.files.written)} files written, {len(done.files.removed)} removed.\n  {coming}"
        )
    for path, reason in done.files.kept.items():
        click.echo(f"assetgen: {place.out / path} {reason} is left as it is.", err=True)
    if done.lost:
        raise PartialError(f"{', '.join(done.lost)}: not kept; assetgen batch makes such files again.")
    return 0


def _row(place: Place, number: int) -> dict[str, Any]:
    past = history_of(place).sets()[number - 1]
    row: dict[str, Any] = {"number": number, "replaced": past.replaced.isoformat(), "files": len(past.files)}
    try:
        manifest = manifest_of(place, past)
    except AssetgenError:
        return row | {"sprites": None, "model": None, "seed": None}
    sprites = sum(len(sheet.sprites) for sheet in manifest.sheets)
    return row | {"sprites": sprites, "model": ", ".join(m.name for m in manifest.models), "seed": manifest.seed}


def _table(place: Place, rows: list[dict[str, Any]]) -> str:
    if not rows:
        return f"No earlier set of {place.out} is kept."
    lines = [f"Earlier sets of {place.out}:"]
    for row in rows:
        what = "damaged" if row["sprites"] is None else f"{row['sprites']} sprites, {row['model']}, seed {row['seed']}"
        lines.append(f"  {row['number']}  until {row['replaced'][:16].replace('T', ' ')} UTC: {what}")
    return "\n".join(lines)


def _next_batch(project: Path, place: Place) -> str:
    """What ``assetgen batch`` would make of the recipe and the decisions now."""
    from asset_gen.batch import preview
    from asset_gen.request import requests_of

    try:
        plans = [plan for found, plan in map(preview, requests_of(project)) if found.out == place.out]
    except AssetgenError as error:
        return f"The next assetgen batch says: {error}"
    if not plans:
        return "No assetgen batch by the recipe writes to this folder."
    (plan,) = plans
    if plan.question:
        return f"The next assetgen batch asks first: {plan.question}"
    if plan.draws or plan.freed:
        stay = sum(map(len, plan.kept.values()))
        return f"The next assetgen batch keeps {stay} of them, adds {plan.added}, frees {plan.freed}."
    return "The next assetgen batch changes nothing."
