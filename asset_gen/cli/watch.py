"""``assetgen watch``"""

from __future__ import annotations

import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click

from asset_gen.errors import UsageError
from asset_gen.plan import Request
from asset_gen.publish import Place
from asset_gen.recipe import NAME, project_sets
from asset_gen.request import requests_of
from asset_gen.watch.events import Event
from asset_gen.watch.loop import Retrainer, Tools, Watch

NOTABLE = ("error", "waiting", "rejected", "edited", "retraining", "retrained")
"""Events that stay on the terminal above the status line."""


@click.command("watch", context_settings={"auto_envvar_prefix": "ASSETGEN"})
@click.option("--project", type=click.Path(path_type=Path), default=".", show_default=True, help="The game's folder.")
@click.option("--once", is_flag=True, help="Put everything right, and end; the exit code tells.")
@click.option("--poll", is_flag=True, help="Look every second: for network drives, which tell of no changes.")
@click.option(
    "--retrain",
    "sprites",
    envvar="ASSETGEN_RETRAIN",
    type=click.Path(path_type=Path),
    metavar="SPRITES",
    help="Also watch these training sprites: where they change, training goes on and the model is replaced.",
)
@click.option("--run", type=click.Path(path_type=Path), metavar="DIR", help="The training that --retrain goes on from.")
@click.option(
    "--max-minutes",
    type=click.FloatRange(min=0, min_open=True),
    default=20.0,
    show_default=True,
    metavar="M",
    help="How long --retrain trains each time.",
)
@click.option(
    "--device",
    type=click.Choice(["auto", "cpu", "cuda"]),
    default="auto",
    show_default=True,
    help="Where networks run.",
)
@click.option("--yes", is_flag=True, help="Agree to another model or seed, which replaces published sprites.")
@click.option("--json", "as_json", envvar="ASSETGEN_JSON", is_flag=True, help="Print one JSON line for each event.")
@click.option("-q", "--quiet", is_flag=True, help="Say nothing but errors.")
def command(
    project: Path,
    once: bool,
    poll: bool,
    sprites: Path | None,
    run: Path | None,
    max_minutes: float,
    device: str,
    yes: bool,
    as_json: bool,
    quiet: bool,
) -> int:
    """Keep a project as its recipe and decisions say.

    Watches assetgen.toml, the decisions, the model and the published files, and makes again what is missing or has
    changed. A candidate or sprite that is moved to <out>/candidates~/reject is rejected: the next best takes its slot.
    Files you edit are left alone. A change of model or seed waits for --yes. With --retrain, new art trains the model
    that assetgen.toml names.

    Ctrl+C ends it with exit code 130, SIGTERM after what is being done with 0, and a project that is deleted with 1.

    \b
    Examples:
      assetgen watch --project mygame
      assetgen watch --once
      assetgen watch --retrain art/sprites --run runs/mine --max-minutes 20 --yes
    """
    if not project.is_dir():
        raise UsageError(f"--project {project}: there is no such folder. Create it, or give the game's own folder.")
    _need_recipe(project)
    retrain = _retrainer(project, sprites, run, max_minutes, device)
    with _teller(project, as_json, quiet) as say:
        tools = Tools(parts=_parts_of(project, device, yes), batch=_batches(), say=say, retrain=retrain)
        watch = Watch(project, tools, sprites)
        if once:
            watch.once()
            return 0
        from asset_gen.watch.observe import Ears

        with _sigterm(watch):
            watch.run(Ears(watch.bell, poll))
    return 0


def _need_recipe(project: Path) -> None:
    if not (project / NAME).is_file():
        raise UsageError(f"{project / NAME}: assetgen watch goes by it, and there is none. assetgen init writes one.")


def _parts_of(project: Path, device: str, yes: bool) -> Callable[[], list[tuple[Request, Place]]]:
    def parts() -> list[tuple[Request, Place]]:
        _need_recipe(project)
        places = [one.place for one in project_sets(project)]
        return list(zip(requests_of(project, device=device, yes=yes), places, strict=True))

    return parts


def _batches() -> Callable[..., Any]:
    """Batches that keep their models loaded."""
    from asset_gen.batch import run_batches
    from asset_gen.loaded import Models

    models = Models()
    return lambda request, ask: run_batches([request], ask, models=models)[0]


def _retrainer(project: Path, sprites: Path | None, run: Path | None, minutes: float, device: str) -> Retrainer | None:
    if sprites is None:
        if run is not None:
            raise UsageError(f"--run {run}: belongs to --retrain SPRITES. Give both, or neither.")
        return None
    if run is None:
        raise UsageError(f"--retrain {sprites}: say from which training to go on, with --run DIR.")
    if not sprites.is_dir():
        raise UsageError(f"--retrain {sprites}: there is no such folder.")
    models = {one.settings.model for one in project_sets(project)}
    model = models.pop() if len(models) == 1 else None
    if model is None:
        raise UsageError(
            f'--retrain {sprites}: {project / NAME} has to name the one model that is replaced: model = "models/mine".'
        )
    from asset_gen.cli.retraining import Rounds

    return Rounds(sprites, run, project / model, minutes, device)


@contextmanager
def _sigterm(watch: Watch) -> Iterator[None]:
    """SIGTERM ends the watch after what it is doing; a second one at once, as Ctrl+C does."""

    def stop(number: int, frame: object) -> None:
        signal.signal(signal.SIGTERM, former)
        watch.stop()

    former = signal.signal(signal.SIGTERM, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, former)


@contextmanager
def _teller(project: Path, as_json: bool, quiet: bool) -> Iterator[Callable[[Event], None]]:
    """How events are told: JSON lines on stdout, a status line on a terminal, or a line each in a log."""
    if as_json:
        import msgspec

        yield lambda event: click.echo(msgspec.json.encode(event))
        return
    if quiet or not sys.stderr.isatty():
        yield lambda event: None if quiet and event.event != "error" else click.echo(_line(event), err=True)
        return
    from rich.console import Console
    from rich.live import Live
    from rich.text import Text

    console = Console(stderr=True)
    with Live(Text(f"assetgen watches {project} …"), console=console, auto_refresh=False, transient=True) as live:

        def say(event: Event) -> None:
            if event.event in NOTABLE:
                live.console.print(Text(_line(event)))
            live.update(Text(_line(event), no_wrap=True, overflow="ellipsis"), refresh=True)

        yield say


def _line(event: Event) -> str:
    return f"{event.time.astimezone():%H:%M:%S}  {event.message}"
