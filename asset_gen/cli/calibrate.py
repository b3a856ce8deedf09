"""``assetgen calibrate``"""

from __future__ import annotations

from pathlib import Path

import click

from asset_gen.cli.bundling import encoder_option, features_option
from asset_gen.cli.train import parse_merge
from asset_gen.errors import DeviceError, UsageError


@click.command("calibrate", context_settings={"auto_envvar_prefix": "ASSETGEN"})
@click.argument("bundle", type=click.Path(path_type=Path))
@click.argument("sprites", type=click.Path(path_type=Path), required=False)
@click.option("--merge", multiple=True, metavar="FROM=TO", help="Join two types, as in training; repeatable.")
@click.option(
    "--background",
    type=click.Choice(["keep", "auto"]),
    default="keep",
    show_default=True,
    help="What was done with uniform border colours in training.",
)
@features_option
@click.option(
    "--critic", is_flag=True, help="Add the discriminator, too, of a bundle that carries its networks (--tunable)."
)
@encoder_option
@click.option("--directions", is_flag=True, help="Only find the directions of its latent space; needs no SPRITES.")
def command(
    bundle: Path,
    sprites: Path | None,
    merge: tuple[str, ...],
    background: str,
    features: str | None,
    critic: bool,
    minutes: float | None,
    directions: bool,
) -> int:
    """Let a bundle know the sprites that it was trained on.

    Adds to BUNDLE what 'assetgen export' writes by itself today: features and fingerprints of the training sprites, by
    which 'assetgen batch' chooses sets that look like the training set and finds copies, and the directions of its
    latent space that 'assetgen explore direction' knows. Of the sprites themselves the bundle holds nothing. The model
    stays the same, and so does what was published with it.

    With --critic it also gets critic.onnx, the discriminator of its training, for 'assetgen batch --filter critic';
    features that it has already stay as they are. The preset relativistic has none to give: its discriminator compares
    sprites with each other.

    \b
    Examples:
      assetgen calibrate models/mine sprites --merge unique=humanoid
      assetgen calibrate models/mine sprites --critic
      assetgen calibrate models/mine --directions
      assetgen calibrate models/mine sprites --encoder 20
    """
    try:
        from exporter.calibrate import calibrate, give_directions
    except ImportError as error:
        raise DeviceError(
            f"Calibrating needs PyTorch ({error}). Install it with pip install 'assetgen[train,cpu]'."
        ) from None
    if directions and (sprites or minutes or critic):
        raise UsageError("--directions: needs no SPRITES and finds no encoder. Leave it out to add all.")
    if directions:
        from asset_gen.explore import load_directions

        found = load_directions(give_directions(bundle))
        click.echo(f"{bundle}: knows the directions {', '.join(one.name for one in found) or 'none'}")
        return 0
    if sprites is None:
        raise UsageError("SPRITES: give the sprites that the model was trained on, or --directions alone.")
    done = calibrate(bundle, sprites, parse_merge(merge), background == "auto", features, critic, minutes or 0, _say)
    assert done.info.features is not None
    if minutes and done.info.encoder:
        met = done.info.encoder
        click.echo(
            f"{bundle}: draws {met.held_out} sprites that its encoder never saw with an overlap of {met.overlap:.2f}"
        )
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


def _say(notice: str) -> None:
    click.echo(f"assetgen: {notice}", err=True)
