"""``assetgen forget``"""

from __future__ import annotations

import json
from pathlib import Path

import click

from asset_gen.cli.importing import CONTEXT, json_option

MOST_NAMED = 10


@click.command("forget", context_settings=CONTEXT)
@click.argument("files", metavar="FILE…", nargs=-1, required=True)
@click.option(
    "--runs", type=click.Path(path_type=Path), multiple=True, metavar="DIR", help="A run, or a folder of runs."
)
@click.option(
    "--bundles", type=click.Path(path_type=Path), multiple=True, metavar="DIR", help="A bundle, or a folder of bundles."
)
@click.option("--project", type=click.Path(path_type=Path), multiple=True, metavar="DIR", help="A game project.")
@json_option
def command(
    files: tuple[str, ...], runs: tuple[Path, ...], bundles: tuple[Path, ...], project: tuple[Path, ...], as_json: bool
) -> int:
    """List what has learnt from a sprite, and how to train without it.

    FILE is a sprite, or the sha256 of one that is gone. Runs and bundles that saw it are listed by their data cards,
    published sprites by the models they come from (give these with --bundles), and for every run the command that
    trains it again without the file. Changes nothing: what has been learnt can't be taken out of a model, only left out
    of the next.

    \b
    Example:
      assetgen forget art/sprites/dragon/borrowed.png --runs runs --bundles models --project mygame
    """
    from asset_gen.errors import UsageError
    from asset_gen.forget import digests_of, forget
    from asset_gen.recipe import project_sets

    if not (runs or bundles or project):
        raise UsageError("give --runs, --bundles or --project: where shall be looked?")
    digests = digests_of(files)
    outputs = [part.place.out for game in project for part in project_sets(game)]
    found = forget(digests, runs, bundles, outputs)
    if as_json:
        document = {
            "files": {file: digest for digest, file in digests.items()},
            "runs": [{"run": str(one.path), "saw": one.saw, "command": one.command} for one in found.runs],
            "bundles": [{"bundle": str(one.path), "saw": one.saw} for one in found.bundles],
            "sprites": found.sprites,
            "unknown": found.unknown,
        }
        click.echo(json.dumps(document, indent=1, ensure_ascii=False))
        return 0
    for what, witnesses in (("run", found.runs), ("bundle", found.bundles)):
        for one in witnesses:
            click.echo(f"{what} {one.path} saw {', '.join(one.saw[:MOST_NAMED])}")
            if one.command:
                click.echo(f"  without: {one.command}")
    for out, names in found.sprites.items():
        more = f" and {len(names) - MOST_NAMED} more" if len(names) > MOST_NAMED else ""
        click.echo(f"{len(names)} published sprites in {out}: {', '.join(names[:MOST_NAMED])}{more}")
    if not (found.runs or found.bundles or found.sprites):
        click.echo("nothing that was looked through saw it" + (", as far as is known" if found.unknown else ""))
    for reason in found.unknown:
        click.echo(f"  unknown: {reason}", err=True)
    return 0
