"""What the commands of ``assetgen data`` share: where the set goes, and what is said in the end."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from asset_gen.errors import PartialError
from asset_gen.importers.sprite_set import SetImport

MOST_NAMED = 5  # reasons that are printed
CONTEXT = {"auto_envvar_prefix": "ASSETGEN"}
Decorated = TypeVar("Decorated", bound=Callable[..., Any])


def out_option(default: str | None = None, shown: str = "sprites/<its name>") -> Callable[[Decorated], Decorated]:
    """``--out``."""
    return click.option(
        "--out",
        type=click.Path(path_type=Path),
        default=default,
        metavar="DIR",
        help=f"A folder that isn't there yet.  [default: {default or shown}]",
    )


def json_option(command: Decorated) -> Decorated:
    """``--json``."""
    return click.option("--json", "as_json", envvar="ASSETGEN_JSON", is_flag=True, help="Print one JSON document.")(
        command
    )


def labels_option(text: str) -> Callable[[Decorated], Decorated]:
    """``--type``."""
    return click.option("--type", "labels", envvar="ASSETGEN_TYPE", multiple=True, metavar="NAME", help=text)


def frames_option(command: Decorated) -> Decorated:
    """``--frames``."""
    return click.option("--frames", "whole", is_flag=True, help="Take whole frames, even where there are slices.")(
        command
    )


def finish(done: SetImport, source: Path | str, as_json: bool) -> int:
    """Say what became of an import.

    Raises:
        PartialError: something was left out that shouldn't have been.
    """
    if as_json:
        document = {
            "out": str(done.out),
            "sprites": sum(done.counts.values()),
            "types": done.counts,
            "notes": done.notes,
            "refused": done.refused,
        }
        click.echo(json.dumps(document, indent=1, ensure_ascii=False))
    else:
        types = ", ".join(f"{kind} {count}" for kind, count in done.counts.items())
        click.echo(f"{sum(done.counts.values())} sprites of {len(done.counts)} types in {done.out}\n  {types}")
        for note in done.notes:
            click.echo(f"  {note}", err=True)
    if done.refused:
        more = len(done.refused) - MOST_NAMED
        reasons = "".join(f"\n  {reason}" for reason in done.refused[:MOST_NAMED])
        raise PartialError(
            f"{source}: {len(done.refused)} pictures were left out:{reasons}"
            + (f"\n  and {more} more" if more > 0 else "")
        )
    return 0


def set_folder(out: Path | None, source: Path) -> Path:
    """Where a set goes that nobody gave a place: ``sprites/<the source's name>``."""
    return out or Path("sprites") / (source.resolve().name.split(".")[0] or "set")
