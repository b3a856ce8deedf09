"""``assetgen disclose``"""

from __future__ import annotations

import json
from pathlib import Path

import click


@click.command("disclose", context_settings={"auto_envvar_prefix": "ASSETGEN"})
@click.option("--steam", "form", flag_value="steam", help="For Steam's content survey.")
@click.option("--itch", "form", flag_value="itch", help="For a page on itch.io.")
@click.option("--plain", "form", flag_value="plain", default=True, help="All that is known.  [default]")
@click.option("--project", type=click.Path(path_type=Path), default=".", show_default=True, help="The game's folder.")
@click.option("--out", metavar="REL", help="Folder of generated assets inside it.  [default: as for batch]")
@click.option("--json", "as_json", envvar="ASSETGEN_JSON", is_flag=True, help="Print one JSON document.")
def command(form: str, project: Path, out: str | None, as_json: bool) -> int:
    """Write what a store wants to be told about generated sprites.

    Says what was generated, by which model, what that was trained on under which licence, which networks of others took
    part, and what people decided and changed: what is on record (manifest, provenance, decisions), and no more. Read it
    before you paste it.

    \b
    Example:
      assetgen disclose --steam --project mygame
    """
    import msgspec

    from asset_gen.audit import parts_of
    from asset_gen.disclose import FORMS, disclosure, facts_of

    facts = facts_of(parts_of(project, out))
    text = disclosure(facts, form)
    if as_json:
        document = {"form": form, "text": text, "facts": msgspec.to_builtins(facts)}
        click.echo(json.dumps(document, indent=1, ensure_ascii=False))
    else:
        click.echo(text)
        click.echo(f"assetgen: {FORMS[form].where}", err=True)
    return 0
