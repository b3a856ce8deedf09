"""``assetgen calibrate``"""

from __future__ import annotations

from pathlib import Path

import click

from asset_gen.cli.train import parse_merge
from asset_gen.errors import DeviceError


@click.command("calibrate", context_settings={"auto_envvar_prefix": "ASSETGEN"})
@click.argument("bundle", type=click.Path(path_type=Path))
@click.argument("sprites", type=click.Path(path_type=Path))
@click.option("--merge", multiple=True, metavar="FROM=TO", help="Join two types, as in training; repeatable.")
@click.option(
    "--background",
    type=click.Choice(["keep", "auto"]),
    default="keep",
    show_default=True,
    help="What was done with uniform border colours in training.",
)
@click.option(
    "--features",
    type=click.Choice(["own", "lite0"]),
    help="Network that compares candidates with the training sprites: the own classifier or EfficientNet-Lite0.  "
    "[default: lite0 where outside networks took part in training, otherwise own]",
)
@click.option(
    "--critic", is_flag=True, help="Add the discriminator, too, of a bundle that carries its networks (--tunable)."
)
def command(
    bundle: Path, sprites: Path, merge: tuple[str, ...], background: str, features: str | None, critic: bool
) -> int:
    """Let a bundle know the sprites that it was trained on.

    Adds to BUNDLE what 'assetgen export' writes by itself today: features and fingerprints of the training sprites, by
    which 'assetgen batch' chooses sets that look like the training set and finds copies. Of the sprites themselves the
    bundle holds nothing. The model stays the same, and so does what was published with it.

    With --critic it also gets critic.onnx, the discriminator of its training, for 'assetgen batch --filter critic';
    features that it has already stay as they are. The preset relativistic has none to give: its discriminator compares
    sprites with each other.

    \b
    Examples:
      assetgen calibrate models/mine sprites --merge unique=humanoid
      assetgen calibrate models/mine sprites --critic
    """
    try:
        from exporter.calibrate import calibrate
    except ImportError as error:
        raise DeviceError(
            f"Calibrating needs PyTorch ({error}). Install it with pip install 'assetgen[train,cpu]'."
        ) from None
    done = calibrate(bundle, sprites, parse_merge(merge), background == "auto", features, critic)
    assert done.info.features is not None
    click.echo(
        f"{bundle}: knows {done.info.data.sprites} training sprites by {done.info.features.network}; "
        f"model {done.sha256[:16]}, as before"
    )
    if critic:
        assert done.info.critic is not None
        click.echo(
            f"  and its critic, which takes {done.info.critic.told_apart:.0%} of real and generated for what they are"
        )
    return 0
