"""``assetgen review``"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from asset_gen.errors import DeviceError, PartialError

if TYPE_CHECKING:
    from asset_gen.review.serve import Address

INTERRUPTED = 130


@click.command("review", context_settings={"auto_envvar_prefix": "ASSETGEN"})
@click.option("--project", type=click.Path(path_type=Path), default=".", show_default=True, help="The game's folder.")
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    help="Where to listen; the next free one where it is taken, 0: any.  [default: that of last time, or 8477]",
)
@click.option("--read-only", is_flag=True, help="Show everything, let nobody decide: for sharing a screen.")
@click.option(
    "--run",
    type=click.Path(path_type=Path),
    metavar="RUN",
    help="Show this training, too, while it goes on: curves, sample sheets, figures.",
)
@click.option("--no-browser", is_flag=True, help="Open no browser; open the address yourself.")
@click.option(
    "--export",
    "folder",
    envvar="ASSETGEN_EXPORT",
    type=click.Path(path_type=Path),
    metavar="FOLDER",
    help="Write the page as files instead, which open from disk or any web space.",
)
@click.option("--json", "as_json", envvar="ASSETGEN_JSON", is_flag=True, help="Print one JSON document.")
def command(
    project: Path,
    port: int | None,
    read_only: bool,
    run: Path | None,
    no_browser: bool,
    folder: Path | None,
    as_json: bool,
) -> int:
    """Open a page to look at candidates, keep, reject, and make more of them.

    Listens on this machine alone (127.0.0.1), and only for whoever has the address with its token. Decisions are
    written to assetgen.decisions.jsonl at once, as those of assetgen catalogue are; windows stay in step with each
    other and with an assetgen batch or watch beside them. Press ? on the page for its keys.

    With --export, nothing listens: FOLDER then holds the page for somebody without Python. What is decided there is
    saved as a JSON file, which assetgen catalogue import takes over.

    With --run, the page begins with a training: its curves, its sample sheets over time, and the nearest training
    sprites, anew whenever the training has written something.

    Ctrl+C ends it with exit code 130, SIGTERM with 0.

    \b
    Examples:
      assetgen review --project mygame
      assetgen review --project mygame --read-only --no-browser
      assetgen review --project mygame --run runs/mine
      assetgen review --project mygame --export wall
    """
    if folder is not None:
        return _export(project, folder, as_json)
    try:
        from asset_gen.review.serve import serve
    except ImportError as error:
        raise DeviceError(
            f"The review page needs Starlette and uvicorn ({error}). "
            f"Install them with pip install 'assetgen[studio,cpu]'."
        ) from None

    def say(address: Address) -> None:
        if as_json:
            click.echo(json.dumps({"project": str(project.resolve()), "port": address.port, "address": address.url}))
        else:
            click.echo(address.url)
            click.echo("Decisions are saved at once. Ctrl+C ends the studio.", err=True)

    return INTERRUPTED if serve(project, port, read_only, not no_browser, say, run) else 0


def _export(project: Path, folder: Path, as_json: bool) -> int:
    from asset_gen.cli.progress import bar
    from asset_gen.review.gallery import Gallery
    from asset_gen.review.twin import write_twin

    gallery = Gallery(project)
    with bar(show=not as_json) as progress:
        page, missing = write_twin(gallery, folder, progress)
    sprites = len(gallery.shown)
    if as_json:
        click.echo(json.dumps({"page": str(page), "sprites": sprites, "missing": missing}, indent=1))
    else:
        click.echo(f"{sprites} sprites: {page}")
        click.echo(f"  then: assetgen catalogue import decisions-{gallery.project.name}.json --project {project}")
    if missing:
        raise PartialError(f"{len(missing)} of {sprites} pictures aren't here: {', '.join(missing[:5])} …")
    return 0
