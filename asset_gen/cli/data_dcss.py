"""``assetgen data dcss``"""

from __future__ import annotations

from pathlib import Path

import click

from asset_gen.cli.importing import CONTEXT, finish, json_option, out_option
from asset_gen.cli.train import parse_merge
from asset_gen.importers.dcss import URL, import_dcss


@click.command("dcss", context_settings=CONTEXT)
@click.argument("path", required=False, type=click.Path(path_type=Path))
@out_option("sprites/dcss")
@click.option("--merge", multiple=True, metavar="FROM=TO", help="Count one type as another, as in unique=humanoid.")
@click.option(
    "--cache",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="Where the download is kept.  [default: the user's cache]",
)
@json_option
def command(path: Path | None, out: Path, merge: tuple[str, ...], cache: Path | None, as_json: bool) -> int:
    """The tiles that the built-in model was trained on.

    They are 1,054 tiles of 18 types of Dungeon Crawl Stone Soup that their artists released as CC0 1.0. Downloads the
    public archive crawl/tiles once, or reads PATH, a copy of it; checks the pixels of every tile. Tiles that are
    missing or differ are listed, with exit code 3.

    \b
    Examples:
      assetgen data dcss --merge unique=humanoid
      assetgen data dcss tiles-a6ea165.zip --out sprites/dcss
    """
    if path is None and cache is None:
        import platformdirs

        cache = Path(platformdirs.user_cache_dir("assetgen"))
    return finish(import_dcss(out, cache or Path(), path, parse_merge(merge)), path or URL, as_json)
