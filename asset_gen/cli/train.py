"""``assetgen train``"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from asset_gen.errors import DeviceError, PartialError, UsageError

if TYPE_CHECKING:
    from trainer.loop import Training
    from trainer.run import Limit

PRESET_NAMES = ("relativistic", "paper-dcgan")  # a test keeps this equal to trainer.presets, which needs torch


def parse_merge(pairs: tuple[str, ...]) -> dict[str, str]:
    """``unique=humanoid`` … as a table from → to."""
    merge: dict[str, str] = {}
    for pair in pairs:
        source, equals, target = (piece.strip() for piece in pair.partition("="))
        if not (source and equals and target) or source == target:
            raise UsageError(f"--merge {pair!r}: write FROM=TO, for example unique=humanoid.")
        merge[source] = target
    return merge


@click.command("train", context_settings={"auto_envvar_prefix": "ASSETGEN"})
@click.argument("sprites", type=click.Path(path_type=Path))
@click.option("--run", type=click.Path(path_type=Path), required=True, metavar="DIR", help="Folder for this training.")
@click.option(
    "--preset", type=click.Choice(PRESET_NAMES), default=PRESET_NAMES[0], show_default=True, help="The recipe."
)
@click.option(
    "--max-minutes", type=click.FloatRange(min=0, min_open=True), metavar="M", help="Stop after this much training."
)
@click.option("--steps", type=click.IntRange(min=1), metavar="N", help="Stop after this many steps.")
@click.option("--epochs", type=click.IntRange(min=1), metavar="E", help="Stop after this many passes over the set.")
@click.option(
    "--size", metavar="PX", default="auto", show_default=True, help="Side of a sprite; auto finds the art's own grid."
)
@click.option("--merge", multiple=True, metavar="FROM=TO", help="Count one type as another; repeatable.")
@click.option(
    "--background",
    type=click.Choice(["keep", "auto"]),
    default="keep",
    show_default=True,
    help="auto: make a uniform border colour transparent.",
)
@click.option(
    "--seed", type=click.IntRange(0, 2**63 - 1), default=0, show_default=True, help="Repeats a training exactly."
)
@click.option(
    "--width", type=click.FloatRange(0.25, 8), default=1.0, show_default=True, help="Multiplies the networks' channels."
)
@click.option("--batch-size", type=click.IntRange(2), metavar="N", help="Sprites a step.  [default: the preset's]")
@click.option(
    "--precision",
    type=click.Choice(["float32", "bfloat16"]),
    default="float32",
    show_default=True,
    help="bfloat16 is faster where the processor has it.",
)
@click.option(
    "--device", type=click.Choice(["auto", "cpu", "cuda"]), default="auto", show_default=True, help="Where to train."
)
@click.option("--resume", is_flag=True, help="Continue this run exactly where it stopped.")
@click.option("--json", is_flag=True, help="Print one JSON document.")
@click.option("-q", "--quiet", is_flag=True, help="No progress and no summary.")
def command(sprites: Path, run: Path, quiet: bool, **options: Any) -> int:
    """Train a generator and type classifier on a folder of sprites.

    SPRITES holds one folder of pictures per type, or a labels.csv (file,type1[,type2]). PNG, WebP, GIF and BMP are
    read; art stored enlarged is reduced to its own pixels. Sample sheets appear in DIR/samples while it trains.
    Interrupt it whenever you like: --resume goes on as if nothing had happened.

    \b
    Examples:
      assetgen train art/sprites --run runs/mine
      assetgen train art/sprites --run runs/mine --max-minutes 120 --resume
    """
    try:
        from trainer import classifier
        from trainer.loop import Settings
        from trainer.run import Config, device_named, open_run, resume_training, train
    except ImportError as error:
        raise DeviceError(
            f"Training needs PyTorch ({error}). Install it with pip install 'assetgen[train,cpu]'."
        ) from None
    device = device_named(options["device"])
    limit = _limit(options)
    settings = Settings(
        seed=options["seed"], batch=options["batch_size"], width=options["width"], precision=options["precision"]
    )
    config = Config(
        preset=options["preset"],
        sprites=str(sprites.resolve()),
        size=_size(options["size"]),
        merge=parse_merge(options["merge"]),
        background=options["background"] == "auto",
        settings=settings,
    )
    config, dataset = open_run(run, config, options["resume"])

    def say(text: str) -> None:
        if not quiet:
            click.echo(text, err=True)

    say(
        f"{len(dataset.files)} sprites of {len(dataset.types)} types at {dataset.size} px; "
        f"report in {run / 'data.json'}"
    )
    for notice in dataset.notices:
        say(f"  {notice}")
    for reason in dataset.refused.values():
        say(f"  refused: {reason}")
    if len(dataset.types) == 1:
        say("  one type only: sprites can't be scored by type, and the Inception Score isn't defined.")
    training, notices = resume_training(run, config, dataset, device)
    for notice in notices:
        say(f"  {notice}")
    with _progress(limit, show=not (quiet or options["json"])) as report:
        train(run, training, limit, report)
    say("training the type classifier …")
    figures = classifier.train_classifier(run, dataset, training.preset.alpha, settings.seed, device)
    summary = {
        "run": str(run),
        "steps": training.step,
        "kimg": training.sprites_seen / 1000,
        "minutes": round(training.seconds / 60, 1),
        "classifier": figures,
        "refused": dataset.refused,
    }
    if options["json"]:
        click.echo(json.dumps(summary, indent=1, ensure_ascii=False))
    elif not quiet:
        accuracy = figures["accuracy"]
        told = (
            "no held-out sprites" if accuracy is None else f"{accuracy:.2f} on {figures['held_out']} held-out sprites"
        )
        click.echo(
            f"{training.step} steps, {training.sprites_seen / 1000:.0f} thousand sprites; type classifier: {told}"
        )
        click.echo(f"  look at: {run / 'samples'}, {run / 'curves.png'}")
        click.echo(f"  next: assetgen export {run} --out models/{run.name}")
    if dataset.refused:
        raise PartialError(
            f"trained without {len(dataset.refused)} files that can't be used; they are listed in {run / 'data.json'}."
        )
    return 0


def _limit(options: dict[str, Any]) -> Limit:
    """What was asked for, or the preset's own length."""
    from trainer.presets import PRESETS
    from trainer.run import Limit, default_limit

    limit = Limit(minutes=options["max_minutes"], steps=options["steps"], epochs=options["epochs"])
    return default_limit(PRESETS[options["preset"]]) if limit == Limit() else limit


def _size(text: str) -> int | None:
    if text == "auto":
        return None
    if not re.fullmatch("[0-9]{1,9}", text):
        raise UsageError(f"--size {text!r}: give a number of pixels, or auto.")
    return int(text)


@contextmanager
def _progress(limit: Limit, show: bool) -> Iterator[Callable[[Training, dict[str, float]], None]]:
    """A bar over the whole training on stderr, where that is a terminal."""
    if not show or not sys.stderr.isatty():
        yield lambda training, figures: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

    columns = (
        TextColumn("training"),
        BarColumn(),
        TaskProgressColumn(),
        TimeRemainingColumn(),
        TextColumn("{task.description}"),
    )
    with Progress(*columns, console=Console(stderr=True)) as shown:
        task = shown.add_task("", total=1.0)

        def report(training: Training, figures: dict[str, float]) -> None:
            text = f"step {training.step}  G {figures['loss_g']:.2f}  D {figures['loss_d']:.2f}"
            shown.update(task, completed=limit.share(training), description=text)

        yield report
