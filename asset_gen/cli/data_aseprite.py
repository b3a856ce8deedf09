"""``assetgen data aseprite``"""

from __future__ import annotations

from pathlib import Path

import click

from asset_gen.cli.importing import CONTEXT, finish, frames_option, json_option, labels_option, out_option, set_folder
from asset_gen.importers.aseprite import import_aseprite


@click.command("aseprite", context_settings=CONTEXT)
@click.argument("path", metavar="FILE", type=click.Path(path_type=Path))
@out_option()
@labels_option("Type of all sprites.  [default: the slice's name, the tag's, or the file's]")
@frames_option
@json_option
def command(path: Path, out: Path | None, labels: tuple[str, ...], whole: bool, as_json: bool) -> int:
    """Take the frames and slices of an .aseprite file as a set.

    Every frame becomes a sprite of the type that its tag names; where the file has slices, what each cuts out of every
    frame, of the type that the slice is named after, unless --frames is given. Repeated and empty frames are left out.
    Aseprite needn't be installed, except for files with tilemaps, other blend modes than Normal, or parts of a newer
    version.

    \b
    Example:
      assetgen data aseprite bestiary.aseprite --out sprites/bestiary
    """
    return finish(import_aseprite(path, set_folder(out, path), labels, whole), path, as_json)
