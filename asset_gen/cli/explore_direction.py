"""``assetgen explore direction``"""

from __future__ import annotations

import json

import click
import numpy as np

from asset_gen.cli.explore_options import CONTEXT, Options, deliver, opened, out_of, shared
from asset_gen.errors import UsageError


@click.command("direction", context_settings=CONTEXT)
@click.argument("direction", required=False)
@click.option("--like", "name", metavar="NAME", help="The sprite, or the file of an artist's picture.")
@click.option("--to", "last", type=click.FloatRange(0, 4), default=0.4, show_default=True, help="How far, each way.")
@click.option("-n", "--count", type=click.IntRange(2, 256), default=7, show_default=True, help="Steps.")
@shared("direction.png")
def direction(options: Options, direction: str | None, name: str | None, last: float, count: int) -> int:
    """Move a sprite along a direction: larger, lighter, redder …

    Without DIRECTION, lists those that the model has, with what each was measured to change. 'green_red' leads from
    green to red.

    \b
    Examples:
      assetgen explore direction
      assetgen explore direction lightness --like dragon_000003
    """
    from asset_gen.explore import direction_named, find_sprite, load_directions, moved

    out = out_of(options, "direction.png")
    space, project = opened(options)
    known = load_directions(space.bundle)
    if direction is None:
        from asset_gen.explore.directions import MEASURES

        rows = [
            {
                "name": one.name,
                "agreement": round(one.agreement, 3),
                "changes": dict(zip(MEASURES, np.round(one.effects.astype(float), 3).tolist(), strict=True)),
            }
            for one in known
        ]
        if options.as_json:
            click.echo(json.dumps({"directions": rows}, indent=1))
            return 0
        click.echo(f"{'':14}{''.join(f'{measure:>15}' for measure in MEASURES)}")
        for one in known:
            click.echo(f"{one.name:14}{''.join(f'{effect:+15.2f}' for effect in one.effects)}")
        return 0
    way = direction_named(known, direction)
    if name is None:
        raise UsageError(f"{direction}: of which sprite? Say so with --like NAME.")
    sprite = find_sprite(space, name, project, options.seed)
    origins = [moved(sprite, way, float(amount)) for amount in np.linspace(-last, last, count)]
    return deliver(options, space, project, origins, count, out, direction=direction)
