"""``assetgen explore publish``"""

from __future__ import annotations

import json
from pathlib import Path

import click

from asset_gen.cli.explore_options import CONTEXT


@click.command("publish", context_settings=CONTEXT)
@click.argument("name")
@click.option("--into", "slot", required=True, metavar="TYPE:SLOT", help="The slot; what is in it is rejected.")
@click.option("--project", type=click.Path(path_type=Path), default=".", show_default=True, help="The game's folder.")
@click.option("--set", "part", envvar="ASSETGEN_SET", metavar="NAME", help="Only this one of the recipe's sets.")
@click.option(
    "--model", type=click.Path(path_type=Path), metavar="BUNDLE", help="A model bundle.  [default: the project's]"
)
@click.option("--who", envvar="ASSETGEN_WHO", metavar="NAME", help="Who decides.  [default: git's user.name]")
@click.option("--json", "as_json", envvar="ASSETGEN_JSON", is_flag=True, help="Print one JSON document.")
def publish(
    name: str, slot: str, project: Path, part: str | None, model: Path | None, who: str | None, as_json: bool
) -> int:
    """Put a candidate that was found into a slot of the game.

    NAME is one that 'assetgen explore … --add' told: <run>/dragon_c…, or without the run. It is kept, and takes the
    place of what is in the slot, which is rejected and never comes back (assetgen catalogue restore takes that back).
    Nothing else in the project changes.

    \b
    Example:
      assetgen explore publish dragon_c1000000000123 --into dragon:17
    """
    from asset_gen.explore import Project
    from asset_gen.explore.keep import publish as put
    from asset_gen.request import parse_slots

    (into,) = parse_slots([slot], "--into")
    outcome, entry = put(Project.of(project, part), name, into, model, who)
    written = outcome.files.written
    if as_json:
        document = {"candidate": entry.subject, "slot": f"{into[0]}_{into[1]:06d}", "written": written}
        click.echo(json.dumps(document, indent=1))
    else:
        click.echo(f"{entry.subject} is {into[0]}_{into[1]:06d} now; {len(written)} files were written")
    return 0
