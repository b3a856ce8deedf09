"""``assetgen explore between``, ``variations`` and ``mix``: new sprites from others."""

from __future__ import annotations

from math import ceil, sqrt

import click

from asset_gen.cli.explore_options import CONTEXT, Options, deliver, opened, out_of, shared


@click.command("between", context_settings=CONTEXT)
@click.argument("first")
@click.argument("second")
@click.option("-n", "--count", type=click.IntRange(2, 256), default=9, show_default=True, help="Steps, both ends too.")
@click.option("--rows", type=click.IntRange(1, 64), default=4, show_default=True, help="Between types: pairs shown.")
@shared("between.png")
def between(options: Options, first: str, second: str, count: int, rows: int) -> int:
    """Go from one sprite to another, or from one type to another.

    FIRST and SECOND are two types of the model, or two sprites: slots or candidates of the project, picture files, or
    names like dragon_c000123, which the model draws. The way is round in the latents and straight between types. As
    .gif or .apng it goes there and back.

    \b
    Examples:
      assetgen explore between dragon demon --out morph.gif
      assetgen explore between dragon_000003 mine.png -n 12
    """
    from asset_gen.explore import between as steps
    from asset_gen.explore import drawn, find_sprite

    out = out_of(options, "between.png")
    space, project = opened(options)
    types = space.info.types if space.info.conditional else []
    if first in types and second in types:
        pairs = [
            (drawn(space, first, index, options.seed), drawn(space, second, index, options.seed))
            for index in range(rows)
        ]
    else:
        ends = [
            drawn(space, name, 0, options.seed) if name in types else find_sprite(space, name, project, options.seed)
            for name in (first, second)
        ]
        pairs = [(ends[0], ends[1])]
    ways = [steps(one, other, count) for one, other in pairs]
    if out.suffix.lower() != ".png":
        ways = [[*way, *way[-2:0:-1]] for way in ways]
    return deliver(options, space, project, [origin for way in ways for origin in way], count, out)


@click.command("variations", context_settings=CONTEXT)
@click.option("--like", "name", required=True, metavar="NAME", help="The sprite, or the file of an artist's picture.")
@click.option(
    "--strength",
    type=click.FloatRange(0, 1),
    default=0.2,
    show_default=True,
    help="From 0, the sprite itself, to 1, which has nothing to do with it.",
)
@click.option("-n", "--count", type=click.IntRange(1, 256), default=16, show_default=True, help="How many.")
@click.option("--from", "first", type=click.IntRange(0), default=0, show_default=True, help="Number of the first one.")
@shared("variations.png")
def variations(options: Options, name: str, strength: float, count: int, first: int) -> int:
    """Draw sprites like another one.

    NAME is a slot (dragon_000123, dragon:123) or candidate of the project, a picture file of the model's size, which is
    looked for in what the model can draw, or a name like dragon_c000123, which the model draws.

    \b
    Examples:
      assetgen explore variations --like dragon_000123 --strength 0.2 -n 16
      assetgen explore variations --like mine.png --strength 0.3 --add
    """
    from asset_gen.explore import find_sprite
    from asset_gen.explore import variations as vary

    out = out_of(options, "variations.png")
    space, project = opened(options)
    sprite = find_sprite(space, name, project, options.seed)
    origins = vary(sprite, strength, first + count, options.seed)[first:]
    return deliver(options, space, project, origins, ceil(sqrt(count)), out)


@click.command("mix", context_settings=CONTEXT)
@click.argument("shape")
@click.argument("colours")
@click.option(
    "--level",
    type=click.IntRange(1, 64),
    help="The first level that comes from the second sprite.  [default: tried out]",
)
@click.option(
    "--amount",
    type=click.FloatRange(0, 3),
    help="How far towards it: 1 is its own.  [default: tried out]",
)
@shared("mix.png")
def mix(options: Options, shape: str, colours: str, level: int | None, amount: float | None) -> int:
    """Give a sprite the colours of another.

    The coarse levels of the generator are fed with SHAPE, the fine ones with COLOURS. Shown are both and the mixture.

    \b
    Examples:
      assetgen explore mix dragon_000003 potion_000001
      assetgen explore mix mine.png dragon_c000017 --level 4
    """
    from asset_gen.explore import find_sprite
    from asset_gen.explore import mix as mixed

    out = out_of(options, "mix.png")
    space, project = opened(options)
    first, second = (find_sprite(space, name, project, options.seed) for name in (shape, colours))
    done = mixed(space, first, second, level, amount)
    told = {"shape_nearer": round(done.shape, 4), "colours_nearer": round(done.colours, 4)}
    return deliver(options, space, project, [first, second, done.origin], 3, out, **told)
