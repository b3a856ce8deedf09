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

    It names the engines that were found from the project's files, and lists every setting of assetgen batch with a
    comment; then `assetgen batch` alone does what it says. A file that is there already is left alone.

    In git, a .gitattributes lets two artists' decisions (assetgen.decisions.jsonl) merge by themselves; where there is
    one, init prints the line to add.

    \b
    Example:
      assetgen init --project mygame
    """
    path, engines = write_recipe(project)
    click.echo(f"written: {path} ({', '.join(engines) or 'no engine found: generic'})")
    if told := offer_merging(project):
        click.echo(told)
    return 0
