"""``assetgen integrate``"""

from __future__ import annotations

import json
from pathlib import Path

import click

from asset_gen.integrate import integrate


@click.command("integrate", context_settings={"auto_envvar_prefix": "ASSETGEN"})
@click.argument("engine")
@click.option("--project", type=click.Path(path_type=Path), default=".", show_default=True, help="The game's folder.")
@click.option("--json", "as_json", envvar="ASSETGEN_JSON", is_flag=True, help="Print one JSON document.")
def command(engine: str, project: Path, as_json: bool) -> int:
    """Install or update what lives inside an engine.

    ENGINE is a target of assetgen batch: godot gets an editor add-on, unity editor scripts, love and pygame a loader,
    and so on. A file that you changed is left alone, and the new one written beside it as <name>.new. What was
    installed is listed in assetgen.integrations.json; commit it with the rest.

    \b
    Examples:
      assetgen integrate godot --project mygame
      assetgen integrate unity
    """
    done, next_step = integrate(engine, project)
    if as_json:
        document = {
            "written": done.written,
            "unchanged": done.unchanged,
            "removed": done.removed,
            "edited": list(done.kept),
        }
        click.echo(json.dumps(document | {"next": next_step}, indent=1, ensure_ascii=False))
    else:
        for verb, paths in (("written", done.written), ("removed", done.removed)):
            for path in paths:
                click.echo(f"{verb}: {path}")
        if not (done.written or done.removed or done.kept):
            click.echo("Nothing to change.")
        elif next_step:
            click.echo(next_step)
    for path, reason in done.kept.items():
        click.echo(f"assetgen: {project / path} {reason} is left as it is.", err=True)
    return 0
