"""``assetgen explore sheet`` and ``truncate``: what a model draws, and what it draws at its surest."""

from __future__ import annotations

import click
import numpy as np

from asset_gen.cli.explore_options import CONTEXT, Options, deliver, opened, out_of, shared, types_of


@click.command("sheet", context_settings=CONTEXT)
@click.option("--types", "kinds", metavar="LIST", help="Only these: a,b.  [default: all of the model]")
@click.option("-n", "--count", type=click.IntRange(1, 256), default=8, show_default=True, help="Sprites of each type.")
@click.option(
    "--truncation",
    type=click.FloatRange(0, 1),
    default=1,
    show_default=True,
    help="Nearer to each type's mean: surer, and more alike.",
)
@shared("sheet.png")
def sheet(options: Options, kinds: str | None, count: int, truncation: float) -> int:
    """Draw a sheet of all types: a row each, nothing chosen.

    \b
    Examples:
      assetgen explore sheet -n 12
      assetgen explore sheet --types dragon,potion --truncation 0.7 --out sure.png
    """
    from asset_gen.explore import class_sheet

    out = out_of(options, "sheet.png")
    space, project = opened(options)
    names = types_of(space, kinds) if space.info.conditional else space.info.types[:1]
    origins = class_sheet(space, names, count, options.seed, truncation)
    return deliver(options, space, project, origins, count, out, types=names)


@click.command("truncate", context_settings=CONTEXT)
@click.argument("name")
@click.option("--to", "last", type=click.FloatRange(0, 1), default=0, show_default=True, help="The last step.")
@click.option("-n", "--count", type=click.IntRange(2, 256), default=6, show_default=True, help="Steps, from 1 down.")
@shared("truncated.png")
def truncate(options: Options, name: str, last: float, count: int) -> int:
    """Bring a sprite nearer to the mean of its type, step by step.

    At 1 it is itself, at 0 what the model draws for its type when nothing is left to chance. NAME is a slot or
    candidate of the project, a picture file, or dragon_c000123, which the model draws.

    \b
    Example:
      assetgen explore truncate dragon_000017
    """
    from asset_gen.explore import find_sprite, truncated

    out = out_of(options, "truncated.png")
    space, project = opened(options)
    sprite = find_sprite(space, name, project, options.seed)
    origins = [truncated(sprite, float(step)) for step in np.linspace(1, last, count)]
    return deliver(options, space, project, origins, count, out)
