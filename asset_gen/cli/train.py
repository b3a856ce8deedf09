"""``assetgen train``"""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from asset_gen.bundle import BUILT_IN
from asset_gen.cli.training_view import training_view
from asset_gen.errors import DeviceError, PartialError, UsageError

if TYPE_CHECKING:
    from trainer.job import Job, Outcome

# tests keep these equal to the trainer's tables, which need torch
PRESET_NAMES = ("relativistic", "projected", "paper-dcgan")
LOSS_NAMES = ("minimax", "non-saturating", "hinge", "wgan-gp", "relativistic", "dragan")


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
    "--from",
    "source",
    envvar="ASSETGEN_FROM",
    type=click.Path(path_type=Path),
    metavar="MODEL",
    help="Start from a trained model: a run folder, a bundle exported with --tunable, or 'dcss', the built-in one.",
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
@click.option("--without", multiple=True, metavar="FILE", help="Leave out a sprite, by its path in SPRITES.")
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
@click.option("--width", type=click.FloatRange(0.25, 8), metavar="W", help="Multiplies the channels.  [default: 1]")
@click.option("--batch-size", type=click.IntRange(2), metavar="N", help="Sprites a step.  [default: the preset's]")
@click.option("--loss", type=click.Choice(LOSS_NAMES), help="Another loss than the preset's.")
@click.option(
    "--critic-steps",
    type=click.IntRange(1, 100),
    default=1,
    show_default=True,
    metavar="K",
    help="Updates of the discriminator for each of the generator.",
)
@click.option(
    "--set",
    "changes",
    envvar="ASSETGEN_SET",
    multiple=True,
    metavar="NAME=NUMBER",
    help="Change a number of the recipe (see --dry-run).",
)
@click.option(
    "--precision",
    type=click.Choice(["float32", "bfloat16"]),
    default="float32",
    show_default=True,
    help="bfloat16 is faster where the processor has it.",
)
@click.option(
    "--compile", "compiled", envvar="ASSETGEN_COMPILE", is_flag=True, help="Run the networks through torch.compile."
)
@click.option(
    "--device", type=click.Choice(["auto", "cpu", "cuda"]), default="auto", show_default=True, help="Where to train."
)
@click.option(
    "--no-pretrained", is_flag=True, help="Touch no network trained by others: checkpoints are judged by the run's own."
)
@click.option(
    "--evaluate-every",
    type=click.FloatRange(min=0, min_open=True),
    default=100.0,
    show_default=True,
    metavar="KIMG",
    help="Judge a checkpoint after so many thousand sprites.",
)
@click.option(
    "--patience",
    type=click.IntRange(0),
    default=3,
    show_default=True,
    metavar="N",
    help="Stop when sprites get worse N times in a row; 0: never.",
)
@click.option("--dry-run", is_flag=True, help="Say what would be trained and how long it would take; write nothing.")
@click.option("--resume", is_flag=True, help="Continue this run exactly where it stopped.")
@click.option("--json", is_flag=True, help="Print one JSON document.")
@click.option("-q", "--quiet", is_flag=True, help="No progress and no summary.")
def command(sprites: Path, run: Path, quiet: bool, **options: Any) -> int:
    """Train a generator and type classifier on a folder of sprites.

    SPRITES holds one folder of pictures per type, or a labels.csv (file,type1[,type2]). PNG, WebP, GIF and BMP are
    read; art stored enlarged is reduced to its own pixels. A credits.csv (file,author,licence,source,licensed) goes
    into the run's data card; files that it marks as not licensed are refused. Sample sheets appear in DIR/samples
    while it trains, and DIR/report.html shows everything in the end. Interrupt it whenever you like: --resume goes on
    as if nothing had happened.

    \b
    Examples:
      assetgen train art/sprites --run runs/mine
      assetgen train art/sprites --run runs/mine --max-minutes 120 --resume
      assetgen train art/sprites --run runs/mine --from dcss --max-minutes 20
    """
    os.environ.setdefault("OMP_WAIT_POLICY", "passive")  # threads that spin for each other starve a shared machine
    try:
        from trainer.job import rehearse_job, run_job
    except ImportError as error:
        raise DeviceError(
            f"Training needs PyTorch ({error}). Install it with pip install 'assetgen[train,cpu]'."
        ) from None
    job = _job(sprites, run, options)
    if options["dry_run"]:
        _show_rehearsal(rehearse_job(job), options["json"])
        return 0

    def say(text: str) -> None:
        if not quiet:
            click.echo(text, err=True)

    with training_view(job.limit, show=not quiet and os.environ.get("RANK", "0") == "0") as report:
        outcome = run_job(job, report, say)
    training, refused = outcome.training, outcome.dataset.refused
    if not training.group.leads:
        return 0
    summary = {
        "run": str(run),
        "steps": training.step,
        "kimg": training.sprites_seen / 1000,
        "minutes": round(training.seconds / 60, 1),
        "classifier": outcome.figures,
        "best": outcome.best,
        "refused": refused,
    }
    if options["json"]:
        click.echo(json.dumps(summary, indent=1, ensure_ascii=False))
    elif not quiet:
        _summarise(run, outcome)
    if refused:
        raise PartialError(
            f"trained without {len(refused)} files that can't be used; they are listed in {run / 'data.json'}."
        )
    return 0


def _job(sprites: Path, run: Path, options: dict[str, Any]) -> Job:
    """The options as the library takes them."""
    from trainer.config import OWN_JUDGE, Config
    from trainer.job import Job
    from trainer.loop import Settings
    from trainer.presets import PRESETS
    from trainer.run import Limit, Rhythm, default_limit

    source: Path | None = options["source"]
    if source == Path(BUILT_IN.name) and not source.exists():
        source = BUILT_IN
    if source and options["width"]:
        raise UsageError("--width: the model of --from has its own. Leave it out.")
    settings = Settings(
        seed=options["seed"],
        batch=options["batch_size"],
        width=options["width"] or 1.0,
        precision=options["precision"],
        loss=options["loss"],
        critic_steps=options["critic_steps"],
        changes=_changes(options["changes"]),
    )
    config = Config(
        preset=options["preset"],
        sprites=str(sprites.resolve()),
        size=_size(options["size"]),
        merge=parse_merge(options["merge"]),
        background=options["background"] == "auto",
        without=sorted(options["without"]),
        settings=settings,
        judge=OWN_JUDGE if options["no_pretrained"] else "",
    )
    limit = Limit(minutes=options["max_minutes"], steps=options["steps"], epochs=options["epochs"])
    return Job(
        run=run,
        config=config,
        limit=default_limit(PRESETS[options["preset"]]) if limit == Limit() else limit,
        resume=options["resume"],
        source=source,
        device=options["device"],
        compiled=options["compiled"],
        rhythm=Rhythm(evaluate_kimg=options["evaluate_every"], patience=options["patience"]),
    )


def _show_rehearsal(found: dict[str, Any], as_json: bool) -> None:
    """What a training would be and cost."""
    if as_json:
        click.echo(json.dumps(found, indent=1, ensure_ascii=False))
        return
    sprites, parameters = found["sprites"], found["parameters"]
    rows = {
        "preset": f"{found['preset']}, loss {found['loss']}",
        "sprites": f"{sprites['read']} of {len(sprites['types'])} types at {sprites['size']} px",
        "outside networks": ", ".join(found["outside_networks"]) or "none",
        "settings": "  ".join(f"{name}={value}" for name, value in found["settings"].items()),
        "numbers for --set": "  ".join(
            f"{name}={'its own' if value is None else format(value, 'g')}" for name, value in found["recipe"].items()
        ),
        "parameters": ", ".join(f"{name} {count / 1e6:.2f} M" for name, count in parameters.items()),
        "device": f"{found['device']}, {found['processes']} process(es), {found['memory_mib']:,} MiB at most",
        "a step": f"{found['seconds_per_step']:.3f} s for {found['batch']} sprites",
        "the whole": f"{found['steps']:,} steps, {found['kimg']:,.0f} thousand sprites, {found['hours']:.2f} h",
    }
    for name, value in rows.items():
        click.echo(f"{name:<18}{value}")


def _summarise(run: Path, outcome: Outcome) -> None:
    """The end of a training, for people."""
    training, accuracy = outcome.training, outcome.figures["accuracy"]
    told = (
        "no held-out sprites"
        if accuracy is None
        else f"{accuracy:.2f} on {outcome.figures['held_out']} held-out sprites"
    )
    click.echo(f"{training.step} steps, {training.sprites_seen / 1000:.0f} thousand sprites; type classifier: {told}")
    if best := outcome.best:
        click.echo(f"  best checkpoint: step {best['step']}, KID {best['kid']:.1f} × 10⁻³ ({best['judge']})")
    click.echo(f"  look at: {run / 'report.html'}, {run / 'samples'}")
    click.echo(f"  next: assetgen export {run} --out models/{run.name}")


def _changes(pairs: tuple[str, ...]) -> dict[str, float]:
    """``gamma=0.2`` … as a table."""
    changes: dict[str, float] = {}
    for pair in pairs:
        name, _, value = (piece.strip() for piece in pair.partition("="))
        try:
            changes[name] = float(value)
        except ValueError:
            raise UsageError(f"--set {pair!r}: write NAME=NUMBER, for example gamma=0.2.") from None
    return changes


def _size(text: str) -> int | None:
    if text == "auto":
        return None
    if not re.fullmatch("[0-9]{1,9}", text):
        raise UsageError(f"--size {text!r}: give a number of pixels, or auto.")
    return int(text)
