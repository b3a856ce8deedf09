"""``assetgen tag``"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from asset_gen.cli.importing import CONTEXT, json_option
from asset_gen.errors import DeviceError, PartialError, UsageError
from asset_gen.images import read_rgba
from asset_gen.importers.art import Art, read_art
from asset_gen.proposals import Proposal, check_table, move, write_table
from asset_gen.sprite_folder import list_sprites

if TYPE_CHECKING:
    from trainer.tagging import Judgement

MOST_SHOWN = 10


@click.command("tag", context_settings=CONTEXT)
@click.argument("folder", type=click.Path(path_type=Path))
@click.option(
    "--like",
    "typed",
    envvar="ASSETGEN_LIKE",
    type=click.Path(path_type=Path),
    required=True,
    metavar="SPRITES",
    help="Typed sprites to learn from: a folder per type, or a labels.csv.",
)
@click.option(
    "--out", type=click.Path(path_type=Path), metavar="FILE", help="Where the table goes.  [default: FOLDER/labels.csv]"
)
@click.option("--move", "moves", envvar="ASSETGEN_MOVE", is_flag=True, help="Also move files into a folder per type.")
@click.option(
    "--at-least",
    type=click.FloatRange(0, 1),
    default=0.0,
    show_default=True,
    metavar="P",
    help="Leave out guesses that are less sure.",
)
@click.option(
    "--no-pretrained", is_flag=True, help="Use no network trained by others, but one of our own: a minute more."
)
@click.option(
    "--no-names", is_flag=True, help="Find misfiled sprites by pictures alone, not also by numbers in file names."
)
@json_option
def command(
    folder: Path,
    typed: Path,
    out: Path | None,
    moves: bool,
    at_least: float,
    no_pretrained: bool,
    no_names: bool,
    as_json: bool,
) -> int:
    """Propose types for untyped art, and find misfiled sprites.

    Learns from SPRITES what each type looks like, and writes a labels.csv for the pictures in FOLDER with a
    type, how sure it is (0 to 1) and the next likely type; 'assetgen train' reads that table. Files stay where they
    are unless --move is given. Sprites in SPRITES that look like another type are listed; 'assetgen tag SPRITES --like
    SPRITES' does only that. For that list alone, types of sprites numbered one after another count, too.

    \b
    Examples:
      assetgen tag art/unsorted --like art/sprites
      assetgen tag art/unsorted --like art/sprites --at-least 0.6 --move
    """
    try:
        from trainer.tagging import judge
    except ImportError as error:
        raise DeviceError(
            f"Tagging needs PyTorch ({error}). Install it with pip install 'assetgen[train,cpu]'."
        ) from None

    same = folder.resolve() == typed.resolve()
    table = out or folder / "labels.csv"
    if not folder.is_dir():
        raise UsageError(f"{folder}: there is no such folder.")
    if not same:
        check_table(table)
    listed, _ = list_sprites(typed)
    files = [sprite.path.relative_to(typed).as_posix() for sprite in listed]
    art = Art({}) if same else read_art(folder)
    found = judge(
        [read_rgba(sprite.path) for sprite in listed],
        [sprite.types for sprite in listed],
        list(art.pictures.values()),
        not no_pretrained,
        None if no_names else [Path(file).stem for file in files],
    )
    every = _proposals(art, found)
    proposals = [one for one in every if one.confidence >= at_least]
    if not same:
        proposals = move(folder, proposals) if moves else proposals
        write_table(table, proposals, folder)
    misfiled = [
        {
            "file": files[one.row],
            "type": listed[one.row].types[0],
            "looks_like": found.types[one.instead],
            "given": round(one.given, 4),
            "likely": round(one.likely, 4),
        }
        for one in found.suspects
    ]
    if as_json:
        document = {
            "table": None if same else str(table),
            "accuracy": round(found.accuracy, 4),
            "proposals": [
                {
                    "file": str(one.file),
                    "type": one.label,
                    "confidence": round(one.confidence, 4),
                    "instead": one.instead,
                }
                for one in proposals
            ],
            "left_out": len(every) - len(proposals),
            "misfiled": misfiled,
            "refused": art.refused,
        }
        click.echo(json.dumps(document, indent=1, ensure_ascii=False))
    else:
        if not same:
            unsure = f", {len(every) - len(proposals)} left out as less sure" if len(every) > len(proposals) else ""
            click.echo(f"{len(proposals)} sprites typed in {table}{unsure}")
        click.echo(
            f"  {found.accuracy:.0%} of the sprites in {typed} are guessed right by models that hadn't seen them"
        )
        if misfiled:
            click.echo(f"  {len(misfiled)} of them may be misfiled:")
        for one in misfiled[:MOST_SHOWN]:
            click.echo(f"    {one['file']}: looks like {one['looks_like']} ({one['likely']:.2f})")
    if art.refused:
        raise PartialError("\n  ".join([f"{folder}: {len(art.refused)} pictures were left out:", *art.refused[:5]]))
    return 0


def _proposals(art: Art, found: Judgement) -> list[Proposal]:
    """A proposal for every picture, in name order."""
    proposals = []
    for file, chances in zip(art.pictures, found.probabilities, strict=True):
        best, second = chances.argsort()[::-1][:2]
        proposals.append(Proposal(file, found.types[best], float(chances[best]), found.types[second]))
    return proposals
