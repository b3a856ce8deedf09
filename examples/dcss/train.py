"""Trains every preset on the dungeon tiles, exports and judges them: the study behind the built-in model.

    python examples/dcss/train.py SPRITES STUDY                    # on a GPU where there is one, else on the CPU
    python examples/dcss/train.py SPRITES STUDY --minutes 9        # a sitting of nine minutes a preset; repeat to go on
    python examples/dcss/train.py SPRITES STUDY --only projected

Needs pip install 'assetgen[train,cpu,pretrained]'. Every command is printed before it is run, so any of them can be
repeated by hand. STUDY holds runs/<preset>, bundles/<preset>, samples.png and table.md. A run that was interrupted goes
on where it stopped.
"""

from __future__ import annotations

import shlex
import subprocess
import sys
from pathlib import Path

import click

JUDGE = Path(__file__).with_name("judge.py")
COMMON = ("--merge", "unique=humanoid")
RECIPES = {  # in this order: on a CPU, `projected` goes on from what `relativistic` has learnt
    "paper-dcgan": {"cuda": ("--epochs", "500"), "cpu": ("--epochs", "500", "--precision", "bfloat16")},
    "relativistic": {
        "cuda": ("--width", "2", "--precision", "bfloat16", "--steps", "47000"),
        "cpu": ("--precision", "bfloat16", "--steps", "12000"),
    },
    "projected": {
        "cuda": ("--precision", "bfloat16", "--steps", "47000"),
        "cpu": ("--precision", "bfloat16", "--steps", "5000", "--set", "shown_side=96", "--from", "relativistic"),
    },
}
"""47,000 steps of 64 are 3,000 thousand sprites; a training stops earlier when KID rises three times in a row."""


def run(*command: str | Path) -> None:
    """Show a command, and run it."""
    words = [str(word) for word in command]
    click.echo("$ " + shlex.join(words), err=True)
    subprocess.run([sys.executable, "-c", "from asset_gen.cli import main; main()", *words[1:]], check=True)


def train(preset: str, recipe: tuple[str, ...], sprites: Path, study: Path, minutes: float | None) -> None:
    """Train a preset to the end of its recipe, or for so many minutes more."""
    folder = study / "runs" / preset
    options = [str(study / "runs" / word) if word in RECIPES else word for word in recipe]
    begun = (folder / "config.json").is_file()
    if minutes is not None:
        options += ["--max-minutes", f"{minutes + _minutes_so_far(folder):.2f}"]
    run("assetgen", "train", sprites, "--run", folder, "--preset", preset, *COMMON, *options, *["--resume"] * begun)


def _minutes_so_far(folder: Path) -> float:
    """Minutes that a run has been trained, by its newest checkpoint."""
    from trainer.checkpoint import load_checkpoint

    saved, _ = load_checkpoint(folder)
    return float(saved.state["seconds"]) / 60 if saved else 0.0


@click.command()
@click.argument("sprites", type=click.Path(path_type=Path, exists=True))
@click.argument("study", type=click.Path(path_type=Path))
@click.option("--only", multiple=True, type=click.Choice(list(RECIPES)), help="Train these presets; repeatable.")
@click.option("--device", type=click.Choice(["cpu", "cuda"]), help="Which recipes to follow.  [default: found]")
@click.option("--minutes", type=float, help="Train each preset for so many minutes more, then judge.")
@click.option("--samples", default=5000, show_default=True, help="Sprites to judge a bundle by.")
def main(
    sprites: Path, study: Path, only: tuple[str, ...], device: str | None, minutes: float | None, samples: int
) -> None:
    """Train, export and judge on SPRITES; everything is written below STUDY."""
    import torch

    device = device or ("cuda" if torch.cuda.is_available() else "cpu")
    for preset, recipe in RECIPES.items():
        if only and preset not in only:
            continue
        train(preset, recipe[device], sprites, study, minutes)
        bundle = study / "bundles" / preset
        run("assetgen", "export", study / "runs" / preset, "--out", bundle, "--tunable", "--force",
            "--name", preset, "--licence", "CC0-1.0", "--data-name", "dcss", "--data-licence", "CC0-1.0")  # fmt: skip
    bundles = [study / "bundles" / preset for preset in RECIPES if (study / "bundles" / preset).is_dir()]
    command = [sys.executable, JUDGE, *bundles, sprites, *COMMON, "--samples", samples, "--device", device]
    words = [str(word) for word in [*command, "--sheet", study / "samples.png"]]
    click.echo("$ " + shlex.join(words), err=True)
    table = subprocess.run(words, check=True, stdout=subprocess.PIPE, text=True).stdout
    (study / "table.md").write_text(table, encoding="utf-8")
    click.echo(table)


if __name__ == "__main__":
    main()
