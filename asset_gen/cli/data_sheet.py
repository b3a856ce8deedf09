"""``assetgen data sheet``"""

from __future__ import annotations

from pathlib import Path

import click

from asset_gen.cli.importing import CONTEXT, finish, frames_option, json_option, labels_option, out_option, set_folder
from asset_gen.importers.cut import parse_grid
from asset_gen.importers.sheet import import_sheet


@click.command("sheet", context_settings=CONTEXT)
@click.argument("path", metavar="FILE", type=click.Path(path_type=Path))
@out_option()
@click.option("--grid", metavar="WxH[+P]", help="Cut into cells of W×H pixels, P pixels apart.")
@labels_option(
    "Type of all sprites; given once for every row: of that row.  [default: from the JSON or the file's name]"
)
@click.option(
    "--background",
    default="auto",
    show_default=True,
    metavar="auto|keep|#RRGGBB",
    help="What becomes transparent: a uniform border colour as far as it reaches in; nothing; a colour everywhere.",
)
@click.option(
    "--gap",
    type=click.IntRange(0, 64),
    default=1,
    show_default=True,
    metavar="PX",
    help="Transparent pixels that may part one figure.",
)
@frames_option
@json_option
def command(
    path: Path,
    out: Path | None,
    grid: str | None,
    labels: tuple[str, ...],
    background: str,
    gap: int,
    whole: bool,
    as_json: bool,
) -> int:
    """Cut a sprite sheet into a set.

    FILE is a picture, or the JSON of TexturePacker or Aseprite (hash or array) beside one. Where such a JSON has the
    picture's name, it says what lies where, and its tags, slices, folders and names say the types; what
    slices cut out is taken instead of whole frames, unless --frames is given. Otherwise
    --grid cuts, or every figure that transparent pixels surround becomes a sprite.

    \b
    Examples:
      assetgen data sheet heroes.png --grid 32x32+2 --type knight --type mage
      assetgen data sheet items.json --out sprites/items
      assetgen data sheet mixed.png --background '#ff00ff'
    """
    cells = parse_grid(grid) if grid else None
    done = import_sheet(path, set_folder(out, path), cells, labels, background, gap, whole)
    return finish(done, path, as_json)
