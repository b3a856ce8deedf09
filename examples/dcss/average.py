"""Averages the generators of two runs of one lineage into a third run, ready for export.

    python examples/dcss/average.py RUN ANCESTOR OUT --share 0.2

OUT is a copy of RUN whose best checkpoint has, of every weight of the generator and its moving average, the share of
ANCESTOR's. Networks of which one was fine-tuned from the other can be averaged like this (Wortsman et al. 2022, "Model
soups", arXiv:2203.05482): here it gives back types that the fine-tuning had blurred.
"""

from __future__ import annotations

import shutil
from pathlib import Path

import click
from torch import Tensor

from asset_gen.errors import AssetgenError
from trainer.checkpoint import BEST, LAST, Checkpoint, load_best, save_checkpoint


def averaged(ours: Checkpoint, theirs: Checkpoint, share: float) -> Checkpoint:
    """``ours``, with ``share`` of ``theirs`` in every weight of ``generator`` and ``average``."""

    def mix(name: str, value: Tensor) -> Tensor:
        if name.split(".")[0] not in ("generator", "average") or not value.is_floating_point():
            return value
        return value.lerp(theirs.tensors[name], share)

    return Checkpoint({name: mix(name, value) for name, value in ours.tensors.items()}, ours.state)


@click.command()
@click.argument("run", type=click.Path(path_type=Path))
@click.argument("ancestor", type=click.Path(path_type=Path))
@click.argument("out", type=click.Path(path_type=Path))
@click.option("--share", type=click.FloatRange(0, 1), default=0.2, show_default=True, help="Of ANCESTOR in the result.")
def main(run: Path, ancestor: Path, out: Path, share: float) -> None:
    """Write OUT: RUN, averaged with ANCESTOR."""
    if out.exists():
        raise click.ClickException(f"{out}: exists already. Give another folder.")
    try:
        (ours, _), (theirs, _) = load_best(run), load_best(ancestor)
    except AssetgenError as error:
        raise click.ClickException(str(error)) from None
    if ours is None or theirs is None:
        raise click.ClickException(f"{run if ours is None else ancestor}: has no checkpoint yet.")
    shutil.copytree(run, out, ignore=shutil.ignore_patterns(BEST, LAST, "lock", "*.jsonl", "events", "samples"))
    mixed = averaged(ours, theirs, share)
    for folder in (LAST, BEST):
        save_checkpoint(out, mixed, keep=1, folder=folder)
    click.echo(f"{out}: {1 - share:.0%} of step {ours.state['step']}, {share:.0%} of step {theirs.state['step']}")


if __name__ == "__main__":
    main()
