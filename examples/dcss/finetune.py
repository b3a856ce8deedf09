"""How much does a trained model help a team with few sprites? The table of docs/training.md.

    python examples/dcss/finetune.py SPRITES STUDY

Six types are held out of a training on the other eleven; then 50, 100 and 200 of their sprites are trained on, from
scratch and from that model, for equally many steps. Each is judged by the kernel distance (KID) of 500 uncurated
samples, in training proportions, to all 205 sprites of the six types, in features of EfficientNet-Lite1. Needs
pip install 'assetgen[train,cpu,pretrained]'. A study that was interrupted goes on with the run it had begun.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import click
import numpy as np
import torch

from asset_gen import pixels
from asset_gen.metrics.kid import kernel_distance
from asset_gen.proportions import rows_in_proportion
from trainer.checkpoint import load_checkpoint
from trainer.config import load_config
from trainer.dataset import load_dataset
from trainer.judge import EfficientNetFeatures
from trainer.loop import draw, new_generator

HELD_OUT = ("demon", "dragon", "food", "gateway", "potion", "staff")
COUNTS = (50, 100, 200)
SAMPLES, SEED = 500, 1


def divide(sprites: Path, study: Path) -> None:
    """STUDY/base, STUDY/held, and STUDY/n50 … in STUDY/n200, each sprite in its type's folder."""
    held = [path for kind in HELD_OUT for path in sorted((sprites / kind).glob("*.png"))]
    if not held:
        raise click.ClickException(f"{sprites}: holds no sprites of {', '.join(HELD_OUT)}. Give the folder of dcss.")
    order = np.random.default_rng(0).permutation(len(held))
    sets = {f"n{count}": [held[row] for row in order[:count]] for count in COUNTS} | {"held": held}
    sets["base"] = [path for path in sorted(sprites.glob("*/*.png")) if path.parent.name not in HELD_OUT]
    for name, paths in sets.items():
        for path in paths:
            (study / name / path.parent.name).mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, study / name / path.parent.name / path.name)


def train(sprites: Path, run: Path, *options: str | Path) -> None:
    """``assetgen train``, shown before it runs; goes on where it was stopped."""
    more = ["--resume"] if (run / "config.json").is_file() else []
    words = ["train", sprites, "--run", run, "--size", "32", "--precision", "bfloat16", "-q", *options, *more]
    click.echo(f"$ assetgen {' '.join(map(str, words))}", err=True)
    subprocess.run([sys.executable, "-c", "from asset_gen.cli import main; main()", *map(str, words)], check=True)


def distance(run: Path, held: Path, judge: EfficientNetFeatures) -> float:
    """KID × 10³ of a run's newest generator."""
    real = load_dataset(held, 32)
    config = load_config(run)
    saved, _ = load_checkpoint(run)
    assert saved is not None
    generator = new_generator(config.preset, config.settings, len(real.types), 32)
    generator.load_state_dict(saved.part("average"))
    labels = torch.from_numpy(real.labels[rows_in_proportion(real.first_types, SAMPLES)])
    z = torch.randn(SAMPLES, 128, generator=torch.Generator().manual_seed(SEED))
    drawn = pixels.from_network(draw(generator, z, labels).numpy())
    return 1000 * kernel_distance(judge.features(drawn), judge.features(real.sprites))


@click.command()
@click.argument("sprites", type=click.Path(path_type=Path, exists=True))
@click.argument("study", type=click.Path(path_type=Path))
@click.option("--minutes", default=60.0, show_default=True, help="For the model to start from.")
@click.option("--steps", default=300, show_default=True, help="For each of the six trainings.")
def main(sprites: Path, study: Path, minutes: float, steps: int) -> None:
    """Divide SPRITES, train below STUDY, and print the table."""
    if not (study / "held").is_dir():
        divide(sprites, study)
    train(study / "base", study / "runs" / "base", "--merge", "unique=humanoid", "--max-minutes", str(minutes))
    judge = EfficientNetFeatures("lite1")
    click.echo("| sprites | from scratch | from the model |\n|---|---|---|")
    for count in COUNTS:
        cells = []
        for name, options in (("scratch", ()), ("tuned", ("--from", study / "runs" / "base"))):
            run = study / "runs" / f"{count}-{name}"
            train(study / f"n{count}", run, "--steps", str(steps), *options)
            cells.append(f"{distance(run, study / 'held', judge):.0f}")
        click.echo(f"| {count} | {' | '.join(cells)} |")


if __name__ == "__main__":
    main()
