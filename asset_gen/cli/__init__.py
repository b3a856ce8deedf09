"""What did the person ask for? One file a command, each a thin shell over one library call, loaded when called."""

from __future__ import annotations

import gc
import importlib
import io
import os
import signal
import sys
from typing import Any

import click

from asset_gen import __version__
from asset_gen.errors import AssetgenError
from asset_gen.names import nearest

COMMANDS = {  # in the order in which a newcomer needs them
    "batch": "Generate sprites into a game project.",
    "explore": "Look around in a model: variations, mixtures, ways between sprites.",
    "data": "Turn somebody's art into a set for assetgen train.",
    "tag": "Propose types for untyped art, and find misfiled sprites.",
    "palette": "Learn a palette from sprites, convert it, or give sprites its colours.",
    "train": "Train a generator and type classifier on a folder of sprites.",
    "forget": "List what has learnt from a sprite, and how to train without it.",
    "export": "Turn a training run into a model bundle.",
    "calibrate": "Let a bundle know the sprites that it was trained on.",
    "init": "Write an assetgen.toml for a game project.",
    "integrate": "Install or update what lives inside an engine.",
    "catalogue": "See every candidate; keep, reject, restore.",
    "review": "Open a page to look at candidates, keep, reject, and make more of them.",
    "score": "Say how good a set of sprites is, in figures.",
    "poll": "Ask players which sprites they like better, two by two.",
    "verify": "Check that what was published is whole.",
    "watch": "Keep a project as its recipe and decisions say.",
    "restore": "Go back to what was published before.",
    "audit": "Check that published sprites may be shipped.",
    "disclose": "Write what a store wants to be told about generated sprites.",
    "doctor": "Report versions, devices and installation trouble.",
}
ON_ONE_CORE = {"batch", "watch"}
"""Commands in which NumPy multiplies on one core (``asset_gen.blas``): its other threads are never needed."""
INTERRUPTED = 130


class LazyGroup(click.Group):
    """A group that knows its commands by name and imports one only when it is used."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        command: click.Command = importlib.import_module(f"asset_gen.cli.{cmd_name}").command
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args[0] not in COMMANDS and not args[0].startswith("-"):
            ctx.fail(f"No such command {args[0]!r}.{nearest(args[0], COMMANDS)}")
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, "-V", "--version", prog_name="assetgen")
def cli() -> None:
    """Typed, transparent sprite sheets in your own style.

    assetgen learns from a folder of your sprites and writes as many new ones as your game needs, as sprite sheets
    labelled by type that its engine simply loads. A model of dungeon creatures and items is built in:

        assetgen batch --count 500 --project path/to/game

    Exit codes: 0 done, 1 failure, 2 usage, 3 finished but some items failed, 4 device or runtime not available,
    5 model rejected, 6 quota not met, 130 interrupted.
    """


def main() -> None:
    """The console script: runs a command and turns every expected error into a sentence and an exit code."""
    if ON_ONE_CORE & set(sys.argv[1:2]):
        os.environ.setdefault("OPENBLAS_THREAD_TIMEOUT", "4")  # else NumPy's idle threads keep cores busy for 0.1 s
    signal.signal(signal.SIGTERM, _interrupt)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # a name or sign that the terminal can't show is no failure
    code = run(sys.argv[1:])
    gc.freeze()  # else Python looks through all that is left for cycles, which takes 0.04 s
    sys.exit(code)


def run(arguments: list[str]) -> int:
    """Run a command line and return its exit code."""
    try:
        result: Any = cli.main(args=arguments, prog_name="assetgen", standalone_mode=False)
    except AssetgenError as error:
        click.echo(f"assetgen: {error}", err=True)
        return error.exit_code
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except (click.Abort, KeyboardInterrupt) as error:
        kept = str(error.__cause__ or error)  # what the interrupted work says of itself
        click.echo(
            f"assetgen: interrupted; {kept}what was finished is whole, and {_continuation(arguments)}.",
            err=True,
        )
        return INTERRUPTED
    except BrokenPipeError:
        sys.stderr.close()  # the reader of our output has gone, which is its right
        return 1
    except OSError as error:
        reason = f"{error.filename}: {error.strerror}" if error.filename else str(error)
        click.echo(f"assetgen: {reason}. Check its permissions and the disk, and run the same command again.", err=True)
        return 1
    return result if isinstance(result, int) else 0


def _continuation(arguments: list[str]) -> str:
    """How an interrupted command is taken up: a rejection that was written down must not be made twice."""
    if any(word.split("=")[0] == "--reject" for word in arguments):
        return (
            "the same command without --reject goes on from there; if assetgen catalogue list --state rejected doesn't "
            "list the sprite yet, give --reject again"
        )
    if arguments[:1] == ["train"] and "--resume" not in arguments:
        return "the same command with --resume goes on from there"
    return "the same command goes on from there"


def _interrupt(number: int, frame: object) -> None:
    raise KeyboardInterrupt
