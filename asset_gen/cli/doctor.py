"""``assetgen doctor``"""

from __future__ import annotations

import json
from typing import Any

import click

from asset_gen.doctor import examine


@click.command("doctor", context_settings={"auto_envvar_prefix": "ASSETGEN"})
@click.option("--json", "as_json", envvar="ASSETGEN_JSON", is_flag=True, help="Print one JSON document.")
def command(as_json: bool) -> int:
    """Report versions, devices and installation trouble.

    Loads the built-in model on every device that ONNX Runtime offers and reports the one that really ran it; finds
    two ONNX Runtimes installed over each other and foreign packages that hide ours. Exit code 4 if the built-in
    model can't be run, 3 if something else needs attention.

    \b
    Example:
      assetgen doctor --json
    """
    report = examine()
    if as_json:
        click.echo(json.dumps(report, indent=1))
    else:
        _print(report)
    if not report["runs_on"]:
        return 4
    return 3 if report["trouble"] else 0


def _print(report: dict[str, Any]) -> None:
    width = max(map(len, report["versions"]))
    for name, version in report["versions"].items():
        click.echo(f"{name:<{width}}  {version or 'not installed'}")
    for device, provider in report["devices"].items():
        click.echo(f"{'device ' + device:<{width}}  {provider}")
    for trouble in report["trouble"]:
        click.echo(f"\n{trouble}")
    if not report["trouble"]:
        click.echo("\nAll is well.")
