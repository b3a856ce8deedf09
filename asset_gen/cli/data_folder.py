"""``assetgen data folder``"""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import click

from asset_gen.cli.importing import CONTEXT, finish, json_option, out_option, set_folder
from asset_gen.importers.folder import import_folders


@click.command("folder", context_settings=CONTEXT)
@click.argument("paths", metavar="PATH…", type=click.Path(path_type=Path), nargs=-1, required=True)
@out_option()
@click.option(
    "--types-from",
    type=click.Choice(["last", "first"]),
    default="last",
    show_default=True,
    help="Which folder names a picture's type: the one it lies in, or the first below PATH.",
)
@click.option("--type", "label", envvar="ASSETGEN_TYPE", metavar="NAME", help="Type of all that no labels.csv lists.")
@json_option
def command(
    paths: tuple[Path, ...], out: Path | None, types_from: Literal["first", "last"], label: str | None, as_json: bool
) -> int:
    """Bring folders or archives of pictures together in one set.

    PATH is a folder, a ZIP or a TAR, however deep its folders are. A labels.csv in it (file,type1 and perhaps type2)
    decides for what it lists. Equal pictures count once; where folders disagree on a picture's type, it is left out
    and listed, with exit code 3.

    \b
    Examples:
      assetgen data folder art/old art/new.zip --out sprites/mine
      assetgen data folder pack --types-from first --out sprites/pack
    """
    return finish(import_folders(paths, set_folder(out, paths[0]), types_from, label), paths[0], as_json)
