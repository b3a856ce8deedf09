"""``assetgen audit``"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from asset_gen.errors import PartialError, UsageError

if TYPE_CHECKING:
    from asset_gen.audit import Audit
    from asset_gen.neighbours import Pictured

SHOWN = 30  # findings that are listed


@click.command("audit", context_settings={"auto_envvar_prefix": "ASSETGEN"})
@click.option("--project", type=click.Path(path_type=Path), default=".", show_default=True, help="The game's folder.")
@click.option("--out", metavar="REL", help="Folder of generated assets inside it.  [default: as for batch]")
@click.option(
    "--model",
    type=click.Path(path_type=Path),
    metavar="BUNDLE",
    help="Bundle whose training sprites are compared with.  [default: the recipe's, or the built-in one]",
)
@click.option(
    "--sprites",
    type=click.Path(path_type=Path),
    metavar="FOLDER",
    help="Compare with these training sprites instead, exactly.",
)
@click.option(
    "--report",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="With --sprites: also write a page that shows each sprite beside its nearest ones.",
)
@click.option("--strict", is_flag=True, help="Also fail for what couldn't be checked, and for pictures of others.")
@click.option("--json", "as_json", envvar="ASSETGEN_JSON", is_flag=True, help="Print one JSON document.")
@click.option("--sarif", type=click.Path(path_type=Path), metavar="FILE", help="Also write findings as SARIF 2.1.0.")
def command(
    project: Path,
    out: str | None,
    model: Path | None,
    sprites: Path | None,
    report: Path | None,
    strict: bool,
    as_json: bool,
    sarif: Path | None,
) -> int:
    """Check that published sprites may be shipped.

    Made for a game's CI. Every sprite has a record of its origin (model, seed, type, index, finishing, score). None is
    a copy of a training sprite, as far as the bundle remembers them. None was rejected, and where assetgen.toml says
    approval = "required", somebody has kept each. Palettes are exact, alpha is hard where it should be, and no sheet
    was changed by hand without a note. What breaks a rule is listed, and ends with exit code 3. Changes nothing in the
    project.

    \b
    Examples:
      assetgen audit --project mygame --strict
      assetgen audit --project mygame --sarif audit.sarif
    """
    from asset_gen.audit import audit, parts_of
    from asset_gen.neighbours import Known, recall

    if report is not None and sprites is None:
        raise UsageError("--report: shows training sprites, which a bundle doesn't hold. Give them with --sprites.")
    parts = parts_of(project, out)
    training = None if sprites is None else _pictured(sprites)
    if training is not None:
        known = Known(for_all=training)
    else:
        known = recall([model] if model else [part.model for part in parts], needed=model is not None)
    result = audit(parts, known, strict)
    if report is not None and training is not None:
        from asset_gen.audit_report import write_report

        write_report(report, parts[0].place.project, result, training)
    if sarif is not None:
        from asset_gen.sarif import to_sarif

        sarif.write_text(json.dumps(to_sarif(result), indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    click.echo(json.dumps(_document(result), indent=1, ensure_ascii=False) if as_json else _text(result))
    if failures := result.failures:
        count = f"{len(failures)} finding{'s' * (len(failures) > 1)}"
        raise PartialError(f"{count} in {len(result.sprites)} published sprites of {parts[0].place.project}.")
    return 0


def _pictured(folder: Path) -> Pictured:
    """Training sprites, read as a training reads them."""
    from asset_gen.neighbours import Pictured
    from trainer.dataset import load_dataset

    dataset = load_dataset(folder)
    return Pictured(dataset.files, dataset.sprites)


def _text(result: Audit) -> str:
    findings = [*result.failures, *(finding for finding in result.findings if finding.level == "note")]
    lines = [
        f"{finding.level}: {finding.rule}: {finding.sprite or finding.path}: {finding.message}."
        for finding in findings[:SHOWN]
    ]
    if len(findings) > SHOWN:
        lines.append(f"… and {len(findings) - SHOWN} more; --json lists them all.")
    compared = sum(sprite.nearest is not None for sprite in result.sprites)
    kept = sum(sprite.approver is not None for sprite in result.sprites)
    required = "required" if result.approval else "not required"
    lines.append(
        f"{len(result.sprites)} sprites: {compared} compared with training sprites, {kept} approved ({required}), "
        f"{len(result.edited)} sheets changed by hand, {len(result.failures)} findings."
    )
    return "\n".join(lines)


def _document(result: Audit) -> dict[str, Any]:
    import msgspec

    from asset_gen.audit import RULES

    return {
        "approval": "required" if result.approval else "off",
        "findings": [{**msgspec.to_builtins(finding), "cure": RULES[finding.rule].cure} for finding in result.findings],
        "edited": list(result.edited),
        "sprites": [msgspec.to_builtins(sprite) for sprite in result.sprites],
    }
