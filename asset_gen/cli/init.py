"""``assetgen init``"""

from __future__ import annotations

from pathlib import Path

import click

from asset_gen.decisions import offer_merging
from asset_gen.recipe import write_recipe


@click.command("init", context_settings={"auto_envvar_prefix": "ASSETGEN"})
@click.option("--project", type=click.Path(path_type=Path), default=".", show_default=True, help="The game's folder.")
def command(project: Path) -> int:
    """Write an assetgen.toml for a game project.

    It names the engines that were found from the project's files, takes over the settings of what is published, and
    lists every setting of assetgen batch with a comment; then `assetgen batch` alone does what it says. A file that is
    there already is left alone.

    In git, a .gitattributes lets two artists' decisions (assetgen.decisions.jsonl) merge by themselves; where there is
    one, init prints the line to add.

    \b
    Example:
      assetgen init --project mygame
    """
    path, engines, published = write_recipe(project)
    click.echo(f"written: {path} ({', '.join(engines) or 'no engine found: generic'})")
    if published is not None:
        from asset_gen.bundle import BUILT_IN, load_bundle  # loads what networks need

        click.echo("  with the settings of what is published")
        if published.choice.model != load_bundle(BUILT_IN).sha256:
            click.echo(
                f"  but for the model, which a person must name there: that is the bundle {published.models[0].name}"
            )
    if told := offer_merging(project):
        click.echo(told)
    return 0
