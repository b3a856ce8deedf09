"""``assetgen palette``"""

from __future__ import annotations

import json
from pathlib import Path

import click

from asset_gen import palette
from asset_gen.cli.importing import CONTEXT, json_option
from asset_gen.errors import PartialError, UsageError
from asset_gen.importers.art import read_art, visible
from asset_gen.palette_files import FORMATS, read_palette, write_palette
from asset_gen.recolour import recolour


@click.command("palette", context_settings=CONTEXT)
@click.argument("sprites", type=click.Path(path_type=Path))
@click.option(
    "-n",
    "--colours",
    "count",
    envvar="ASSETGEN_COLOURS",
    type=click.IntRange(2, palette.MAX_COLOURS),
    help="Colours to learn.  [default: 16]",
)
@click.option(
    "--palette",
    "given",
    envvar="ASSETGEN_PALETTE",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Take these colours instead.",
)
@click.option("--out", type=click.Path(path_type=Path), metavar="FILE", help="Write them: .gpl, .hex, .pal or .png.")
@click.option(
    "--apply",
    "target",
    envvar="ASSETGEN_APPLY",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="Write the sprites in these colours into a folder that isn't there yet.",
)
@click.option("--dither", is_flag=True, help="Let two colours alternate where one between them is missing.")
@json_option
def command(
    sprites: Path,
    count: int | None,
    given: Path | None,
    out: Path | None,
    target: Path | None,
    dither: bool,
    as_json: bool,
) -> int:
    """Learn a palette from sprites, convert it, or give sprites its colours.

    SPRITES is a folder or archive of pictures, a picture, or a palette file (.gpl, .hex, .pal) to convert. Colours are
    chosen where equal distances look equally far (OKLab), every one of them was drawn, and those of outlines keep
    entries of their own. Prints the colours; 'assetgen batch --palette FILE' takes every format.

    \b
    Examples:
      assetgen palette art/sprites -n 16 --out mine.gpl
      assetgen palette mine.gpl --out mine.pal
      assetgen palette art/sprites --palette pico8.hex --apply art/pico8
    """
    if given and count:
        raise UsageError("--colours and --palette: learn colours, or give them.")
    is_palette = sprites.is_file() and sprites.suffix.lower() in set(FORMATS) - {".png"}
    if is_palette and (given or count or target):
        raise UsageError(f"{sprites}: is a palette already. Give sprites, or only --out to convert it.")
    if is_palette:
        colours, art = read_palette(sprites), None
    else:
        art = read_art(sprites)
        colours = read_palette(given) if given else palette.learn_palette(visible(art), count or 16)
    if out:
        write_palette(out, colours)
    written = recolour(art, colours, target, dither) if art and target else 0
    names = palette.to_hex(colours)
    if as_json:
        document = {"colours": names, "out": str(out) if out else None, "recoloured": written}
        click.echo(json.dumps(document, indent=1))
    else:
        click.echo("\n".join(names))
        if out:
            click.echo(f"  {len(names)} colours in {out}", err=True)
        if target:
            click.echo(f"  {written} pictures in {target}, no pixel off the palette", err=True)
    if art and art.refused:
        raise PartialError("\n  ".join([f"{sprites}: {len(art.refused)} pictures were left out:", *art.refused[:5]]))
    return 0
