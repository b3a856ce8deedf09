"""``assetgen export``"""

from __future__ import annotations

from pathlib import Path

import click

from asset_gen.cli.bundling import encoder_option, features_option
from asset_gen.errors import DeviceError


@click.command("export", context_settings={"auto_envvar_prefix": "ASSETGEN"})
@click.argument("run", type=click.Path(path_type=Path))
@click.option("--out", type=click.Path(path_type=Path), required=True, metavar="BUNDLE", help="Folder to write.")
@click.option("--name", help="Name of the model.  [default: the bundle folder's name]")
@click.option("--licence", default="unstated", show_default=True, help="Licence of the model.")
@click.option("--data-name", help="Name of the training set.  [default: the sprite folder's name]")
@click.option("--data-licence", help="Licence of the training sprites.  [default: what credits.csv says of every one]")
@click.option("--half", is_flag=True, help="Store weights in 16 bits: half the size, at most one grey level off.")
@click.option("--tunable", is_flag=True, help="Carry the networks, too, so that 'train --from' can start from them.")
@click.option("--last", is_flag=True, help="Take the newest checkpoint even where an earlier one was judged better.")
@features_option
@click.option("--critic", is_flag=True, help="Carry the discriminator, too, to choose by: 'batch --filter critic'.")
@encoder_option
@click.option("--force", is_flag=True, help="Replace an existing bundle.")
def command(
    run: Path,
    out: Path,
    name: str | None,
    licence: str,
    data_name: str | None,
    data_licence: str | None,
    half: bool,
    tunable: bool,
    last: bool,
    features: str | None,
    critic: bool,
    minutes: float | None,
    force: bool,
) -> int:
    """Turn a training run into a model bundle.

    Writes generator and classifier as ONNX with the weights inside, after checking that ONNX Runtime draws what
    PyTorch draws, and what selection and the copy check need to know of the training sprites; of these themselves it
    holds nothing. The bundle is what 'assetgen batch --model' takes; it needs no PyTorch.

    \b
    Examples:
      assetgen export runs/mine --out models/mine --licence CC-BY-4.0
      assetgen export runs/mine --out models/mine --critic --encoder 20
    """
    try:
        from exporter.write_bundle import Form, Labelling, export_run
    except ImportError as error:
        raise DeviceError(
            f"Exporting needs PyTorch ({error}). Install it with pip install 'assetgen[train,cpu]'."
        ) from None
    labelling = Labelling(
        name=name or out.resolve().name, licence=licence, data_name=data_name, data_licence=data_licence
    )
    form = Form(
        half=half, tunable=tunable, last=last, features=features, critic=critic, encoder=minutes or 0, force=force
    )
    bundle = export_run(run, out, labelling, form, say=lambda notice: click.echo(f"  {notice}", err=True))
    click.echo(
        f"{out}: {bundle.info.name}, {len(bundle.info.types)} types at {bundle.info.size} px, "
        f"model {bundle.sha256[:16]}"
    )
    if bundle.info.encoder:
        met = bundle.info.encoder
        click.echo(f"  draws {met.held_out} sprites that its encoder never saw with an overlap of {met.overlap:.2f}")
    click.echo(f"  use it with: assetgen batch --model {out}")
    return 0
