"""Repeats Trần Quý Nam, "Applied GAN model into multimedia data generation" (2023), and goes on from there.

    python examples/paper/reproduce.py DATA OUT                    # hours on a CPU; interrupt it and give it again
    python examples/paper/reproduce.py DATA OUT --image-size 28    # the size as printed

DATA is what ``assetgen data veekun`` reads: an archive or folder of veekun.com's sprites, or a folder of
<species>.png. OUT gets the sprites, two trainings (the paper's, and ``relativistic`` for as many minutes), report.html
with the paper's figures and its table, and figures.json. It must lie outside this repository: neither the sprites nor
what is learnt from them belongs into it. Needs pip install 'assetgen[train,cpu,pretrained]'.
"""

from __future__ import annotations

import json
import shlex
import subprocess
import sys
from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import click
import numpy as np
import torch
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from asset_gen.bundle import Bundle, load_bundle
from asset_gen.errors import AssetgenError
from asset_gen.pixels import at_side
from asset_gen.proportions import rows_in_proportion
from asset_gen.runtime import open_session
from asset_gen.score.report import PAPER
from asset_gen.uncurated import draw_uncurated
from trainer import curves
from trainer.checkpoint import load_checkpoint
from trainer.config import load_config
from trainer.dataset import Dataset, load_dataset
from trainer.diary import LOG_EVERY
from trainer.evaluate import read_lines
from trainer.judge import CheckpointJudge, EfficientNetFeatures
from trainer.run import device_named, open_training

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE))
from scores import Row, find_scorer, judged, share_of_neighbours_of_one_type, type_score  # noqa: E402

PAPERS, BEYOND = "paper-dcgan", "relativistic"
BEYOND_WIDTH = 0.5  # a quarter of the time a step: in hours on a CPU, more steps teach more than more channels
SIZE = 64
SHOWN = 64  # sprites on figures 4 and 9
REPEATED = 20  # steps that are trained twice more
SEED = 1  # of the latents that are judged


def run(*command: str | Path) -> None:
    """Show a command, and run it."""
    words = [str(word) for word in command]
    click.echo("$ " + shlex.join(words), err=True)
    subprocess.run([sys.executable, "-c", "from asset_gen.cli import main; main()", *words[1:]], check=True)


def import_sprites(data: Path, out: Path, incomplete: bool) -> Path:
    """OUT/sprites: 801 sprites in 18 types."""
    sprites = out / "sprites"
    if not sprites.is_dir():
        try:
            run("assetgen", "data", "veekun", data, "--out", sprites)
        except subprocess.CalledProcessError as error:
            if error.returncode != 3:
                raise
            if not incomplete:
                raise click.ClickException(
                    f"{data}: not all of the paper's 801 sprites are there (see above). Give a more complete "
                    f"collection, or --incomplete to train on those in {sprites}."
                ) from None
    return sprites


def train(sprites: Path, folder: Path, *options: object) -> None:
    """A training without early end, from where it was interrupted."""
    resume = ["--resume"] if (folder / "config.json").is_file() else []
    run("assetgen", "train", sprites, "--run", folder, "--patience", "0", *map(str, options), *resume)


def trained(folder: Path) -> tuple[int, float]:
    """(steps, minutes) of a run."""
    saved, _ = load_checkpoint(folder)
    if saved is None:
        raise click.ClickException(f"{folder}: holds no checkpoint. Remove it, and start again.")
    return int(saved.state["step"]), float(saved.state["seconds"]) / 60


def export(folder: Path, bundle: Path) -> Bundle:
    """The newest generator of a run, with the type classifier."""
    run("assetgen", "export", folder, "--out", bundle, "--last", "--force", "--data-name", "veekun")
    return load_bundle(bundle)


def is_repeated(dataset: Dataset, folder: Path, device: torch.device) -> bool:
    """Whether a run's seed and configuration lead twice to the same weights, bit for bit."""
    return first_steps(dataset, folder, device) == first_steps(dataset, folder, device)


def first_steps(dataset: Dataset, folder: Path, device: torch.device) -> str:
    """sha256 of both networks after the first steps of a run, trained anew."""
    with TemporaryDirectory() as empty:
        training, _ = open_training(Path(empty), load_config(folder), dataset, device)
    while training.step < REPEATED:
        training.advance()
    state = sha256()
    for network in (training.generator, training.discriminator):
        for value in network.state_dict().values():
            state.update(value.cpu().numpy().tobytes())
    return state.hexdigest()


def draw_figures(dataset: Dataset, stats: Sequence[dict[str, Any]], papers: Bundle, out: Path) -> None:
    """The paper's figures 3, 4, 7, 8 and 9."""
    folder = out / "figures"
    folder.mkdir(exist_ok=True)
    curves.types_chart({dataset.types[slug]: n for slug, n in dataset.counts().items()}, folder / "3-types.png")
    some = np.random.default_rng(SEED).permutation(len(dataset.sprites))[:SHOWN]
    generated = draw_uncurated(papers, np.zeros(SHOWN, np.int64), SEED).sprites
    for name, sprites in (("4-real", dataset.sprites[some]), ("9-generated", generated)):
        curves.sample_sheet(sprites, 8).save(folder / f"{name}.png")
    charts = curves.charts_of(stats, ())
    if not charts:
        raise click.ClickException(f"--epochs: fewer than {LOG_EVERY} steps leave no curves to show. Give more.")
    for name, title in (("7-losses", "Losses"), ("8-beliefs", "What the discriminator believes")):
        curves.save_chart(charts[title], folder / f"{name}.png")


def judge_all(dataset: Dataset, bundles: dict[str, Bundle], runs: Path, device: torch.device) -> dict[str, Any]:
    """The table: real sprites first, then as many of every bundle."""
    scorer = find_scorer(device)
    judge = CheckpointJudge(dataset.sprites, EfficientNetFeatures("lite2", device))
    classifier = open_session(bundles[PAPERS].classifier)
    kinds = dataset.first_types[rows_in_proportion(dataset.first_types, len(dataset.sprites))]
    floor = judge.halves(1)[0]
    rows = [
        Row(
            "real sprites",
            len(dataset.sprites),
            scorer.score(dataset.sprites),
            type_score(classifier, dataset.sprites),
            kid=floor.kid,
            fid=floor.fid,
            precision=floor.precision,
            recall=floor.recall,
            copies=floor.copies,
        )
    ]
    for name, bundle in bundles.items():
        click.echo(f"judging {name}", err=True)
        sprites = at_side(draw_uncurated(bundle, kinds, SEED).sprites, dataset.size)
        steps, minutes = trained(runs / name)
        scores = {"inception": scorer.score(sprites), "types": type_score(classifier, sprites)}
        rows.append(judged(name, sprites, judge, **scores, steps=steps, minutes=minutes))
    return {
        "heading": scorer.heading,
        "note": scorer.note,
        "splits": 10,
        "seed": SEED,
        "judge": judge.network.name,
        "paper": PAPER,
        "rows": [row.as_dict() for row in rows],
        "chance": float((np.bincount(dataset.first_types) ** 2).sum() / len(dataset.first_types) ** 2),
        "neighbours_of_one_type": share_of_neighbours_of_one_type(judge.real, dataset.first_types),
    }


def write_report(figures: dict[str, Any], out: Path) -> Path:
    """figures.json and report.html."""
    (out / "figures.json").write_text(json.dumps(figures, indent=1), encoding="utf-8")
    pages = Environment(loader=FileSystemLoader(HERE), autoescape=True, undefined=StrictUndefined)
    page = out / "report.html"
    page.write_text(pages.get_template("report.html.j2").render(figures), encoding="utf-8")
    return page


@click.command()
@click.argument("data", type=click.Path(path_type=Path, exists=True))
@click.argument("out", type=click.Path(path_type=Path))
@click.option("--image-size", type=click.Choice(["64", "28"]), default="64", show_default=True, help="In pixels.")
@click.option("--epochs", default=500, show_default=True, help="Of the paper's training.")
@click.option("--seed", default=0, show_default=True, help="Of both trainings.")
@click.option("--beyond/--no-beyond", default=True, show_default=True, help="Train relativistic for as long, too.")
@click.option("--incomplete", is_flag=True, help="Go on where some of the 801 sprites are missing.")
@click.option("--device", type=click.Choice(["auto", "cpu", "cuda"]), default="auto", show_default=True)
@click.option(
    "--precision",
    type=click.Choice(["float32", "bfloat16"]),
    default="float32",
    show_default=True,
    help="Of the convolutions in the paper's training; relativistic always takes bfloat16.",
)
def main(
    data: Path,
    out: Path,
    image_size: str,
    epochs: int,
    seed: int,
    beyond: bool,
    incomplete: bool,
    device: str,
    precision: str,
) -> None:
    """Repeat the paper on the sprites in DATA, and write the report into OUT."""
    if out.resolve().is_relative_to(HERE.parents[1]):
        raise click.ClickException(f"{out}: lies in the repository. Give a folder outside it.")
    size = int(image_size)
    out.mkdir(parents=True, exist_ok=True)
    try:
        sprites = import_sprites(data, out, incomplete)
        common = ("--device", device, "--seed", seed)
        runs = out / "runs"
        options: tuple[object, ...] = ("--preset", PAPERS, "--size", size, "--precision", precision, "--epochs", epochs)
        train(sprites, runs / PAPERS, *options, *common)
        bundles = {PAPERS: export(runs / PAPERS, out / "bundles" / PAPERS)}
        if beyond and size == SIZE:
            _, minutes = trained(runs / PAPERS)
            options = ("--preset", BEYOND, "--size", size, "--width", BEYOND_WIDTH, "--precision", "bfloat16")
            train(sprites, runs / BEYOND, *options, "--max-minutes", f"{minutes:.2f}", *common)
            bundles[BEYOND] = export(runs / BEYOND, out / "bundles" / BEYOND)
        dataset = load_dataset(sprites, size)
        draw_figures(dataset, read_lines(runs / PAPERS / "stats.jsonl"), bundles[PAPERS], out)
        place = device_named(device)
        figures = judge_all(dataset, bundles, runs, place)
        click.echo(f"training the first {REPEATED} steps twice more", err=True)
        repeated = is_repeated(dataset, runs / PAPERS, place)
    except AssetgenError as error:
        raise click.ClickException(str(error)) from None
    except subprocess.CalledProcessError as error:
        raise click.exceptions.Exit(error.returncode) from None  # it has said why
    figures |= {"size": size, "epochs": epochs, "types": len(dataset.types), "repeated": repeated, "steps": REPEATED}
    click.echo(f"look at: {write_report(figures, out)}")


if __name__ == "__main__":
    main()
