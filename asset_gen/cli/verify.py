"""``assetgen verify``"""

from __future__ import annotations

import json
from pathlib import Path

import click

from asset_gen.errors import PartialError
from asset_gen.verify import Verdict, verify


@click.command("verify", context_settings={"auto_envvar_prefix": "ASSETGEN"})
@click.option("--project", type=click.Path(path_type=Path), default=".", show_default=True, help="The game's folder.")
@click.option("--out", metavar="REL", help="Folder of generated assets inside it.  [default: as for batch]")
@click.option("--json", "as_json", envvar="ASSETGEN_JSON", is_flag=True, help="Print one JSON document.")
def command(project: Path, out: str | None, as_json: bool) -> int:
    """Check that what was published is whole.

    Reads every file that the manifest lists: missing files, pictures that break off in the middle, sheets that aren't
    those of the manifest, and sprites that lie outside their sheet end with exit code 3 or 1. Files that somebody
    edited are named, and are no failure. Changes nothing.

    \b
    Example:
      assetgen verify --project mygame
    """
    verdict = verify(project, out)
    click.echo(json.dumps(_document(verdict), indent=1, ensure_ascii=False) if as_json else _text(verdict))
    harmful = [finding for finding in verdict.findings if finding.harmful]
    if harmful:
        raise PartialError(f"{len(harmful)} of {verdict.files} files in {verdict.place.out} are not as published.")
    return 0


def _text(verdict: Verdict) -> str:
    lines = [f"{finding.kind}: {finding.path}: {finding.message}" for finding in verdict.findings]
    if not lines:
        lines = [f"{verdict.files} files with {verdict.sprites} sprites in {verdict.place.out} are as published."]
    return "\n".join(lines)


def _document(verdict: Verdict) -> dict[str, object]:
    return {
        "out": str(verdict.place.out),
        "files": verdict.files,
        "sprites": verdict.sprites,
        "findings": [
            {"path": finding.path, "kind": finding.kind, "message": finding.message} for finding in verdict.findings
        ],
    }
