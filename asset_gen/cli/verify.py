"""``assetgen verify``"""

from __future__ import annotations

import json
from pathlib import Path

import click

from asset_gen.cli.options import places
from asset_gen.errors import PartialError
from asset_gen.plan import Request
from asset_gen.publish import Place
from asset_gen.verify import Verdict, harmful, verify


@click.command("verify", context_settings={"auto_envvar_prefix": "ASSETGEN"})
@click.option("--project", type=click.Path(path_type=Path), default=".", show_default=True, help="The game's folder.")
@click.option("--out", metavar="REL", help="Folder of generated assets inside it.  [default: as for batch]")
@click.option("--set", "part", envvar="ASSETGEN_SET", metavar="NAME", help="Only this one of the recipe's sets.")
@click.option("--fix", is_flag=True, help="Restore what is missing or broken; edited files stay as they are.")
@click.option("--json", "as_json", envvar="ASSETGEN_JSON", is_flag=True, help="Print one JSON document.")
def command(project: Path, out: str | None, part: str | None, fix: bool, as_json: bool) -> int:
    """Check that what was published is whole.

    Reads every file that the manifest lists: missing files, pictures that break off in the middle, sheets that aren't
    those of the manifest, sprites that somebody rejected, engine files that don't fit the sheets, and sprites that lie
    outside their sheet end with exit code 3 or 1. Files that somebody edited, and files that assetgen doesn't know,
    are named, and are no failure. Changes nothing without --fix.

    \b
    Examples:
      assetgen verify --project mygame
      assetgen verify --fix
    """
    found = places(project, out, part)
    restored: list[str] = []
    reasons: list[str] = []
    if fix:
        for place in found:
            paths, reason = _mend(project, place)
            restored += [str(place.out / path) for path in paths]
            reasons += [reason] if reason else []
    verdicts = [verify(place) for place in found]
    if as_json:
        documents = [_document(verdict) for verdict in verdicts]
        together = documents[0] if len(documents) == 1 else {"sets": documents}
        click.echo(json.dumps(together | ({"restored": restored} if fix else {}), indent=1, ensure_ascii=False))
    else:
        for path in restored:
            click.echo(f"restored: {path}")
        click.echo("\n".join(_text(verdict) for verdict in verdicts))
    if wrong := harmful(verdicts):
        files = sum(verdict.files for verdict in verdicts)
        where = verdicts[0].place.out if len(verdicts) == 1 else project
        raise PartialError(" ".join([f"{len(wrong)} of {files} files in {where} are not as published.", *reasons]))
    return 0


def _mend(project: Path, place: Place) -> tuple[list[str], str | None]:
    from asset_gen.mend import mend
    from asset_gen.recipe import project_sets
    from asset_gen.request import requests_of

    def request() -> Request | None:
        by_place = zip(project_sets(project), requests_of(project), strict=True)
        return next((request for one, request in by_place if one.place == place), None)

    return mend(place, request)


def _text(verdict: Verdict) -> str:
    lines = [f"{finding.kind}: {finding.path}: {finding.message}" for finding in verdict.findings]
    if not any(finding.kind != "foreign" for finding in verdict.findings):
        lines.append(f"{verdict.files} files with {verdict.sprites} sprites in {verdict.place.out} are as published.")
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
