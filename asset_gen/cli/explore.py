"""``assetgen explore``"""

from __future__ import annotations

import click

from asset_gen.cli import explore_changes, explore_direction, explore_publish, explore_sheets


@click.group("explore")
def command() -> None:
    """Look around in a model: variations, mixtures, ways between sprites.

    Works on any bundle, and draws with ONNX Runtime alone. What is found can be added to a project's candidates (--add)
    and published; each such sprite's origin says how to make it again.

    \b
    Examples:
      assetgen explore sheet -n 12
      assetgen explore variations --like dragon_000123 --strength 0.2 -n 16
      assetgen explore between dragon demon --out morph.gif
    """


for part in (
    explore_sheets.sheet,
    explore_changes.between,
    explore_changes.variations,
    explore_changes.mix,
    explore_direction.direction,
    explore_sheets.truncate,
    explore_publish.publish,
):
    command.add_command(part)
