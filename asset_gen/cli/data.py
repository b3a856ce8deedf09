"""``assetgen data``"""

from __future__ import annotations

import json
from pathlib import Path

import click

from asset_gen.cli import data_aseprite, data_dcss, data_folder, data_sheet
from asset_gen.errors import PartialError
from asset_gen.importers.veekun import Imported, import_veekun

MOST_NAMED = 5  # reasons that are printed


@click.group("data")
def command() -> None:
    """Turn somebody's art into a set for assetgen train.

    A set is a folder of pictures per type with a labels.csv. Files of pictures are copied as they are; what is cut out
    of a sheet or a drawing becomes a PNG.

    \b
    Examples:
      assetgen data folder art/old art/new.zip --out sprites/mine
      assetgen data sheet heroes.png --grid 32x32+2 --type knight --type mage
      assetgen data veekun generation-5.tar.gz --out sprites/veekun
    """


for part in (data_folder, data_sheet, data_aseprite, data_dcss):
    command.add_command(part.command)


@command.command("veekun", context_settings={"auto_envvar_prefix": "ASSETGEN"})
@click.argument("path", type=click.Path(path_type=Path))
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    default="sprites/veekun",
    show_default=True,
    metavar="DIR",
    help="A folder that isn't there yet.",
)
@click.option("--game", metavar="NAME", help="Whose sprites, e.g. platinum.  [default: of which there are most]")
@click.option("--json", "as_json", envvar="ASSETGEN_JSON", is_flag=True, help="Print one JSON document.")
def veekun(path: Path, out: Path, game: str | None, as_json: bool) -> int:
    """The 801 Pokémon of 18 types that the paper was trained on.

    PATH is a sprite or artwork archive of veekun.com/dex/downloads (.tar.gz, .zip), the same unpacked, or a folder of
    <species>.png. Taken are front pictures in usual colours of default forms, with both types of each species. What is
    missing is listed, and ends with exit code 3.

    The pictures are © The Pokémon Company: study them, but publish neither them nor what was trained on them.

    \b
    Examples:
      assetgen data veekun generation-5.tar.gz --out sprites/veekun
      assetgen data veekun generation-4.tar.gz --game platinum --out sprites/platinum
    """
    done = import_veekun(path, out, game)
    click.echo(json.dumps(_document(done), indent=1) if as_json else _summary(done))
    if done.missing or done.refused:
        reasons = "".join(f"\n  {reason}" for reason in list(done.refused.values())[:MOST_NAMED])
        absent = f"Missing species: {ranges(done.missing)}. " if done.missing else ""
        bad = f"{len(done.refused)} pictures can't be read:{reasons}" if done.refused else ""
        raise PartialError(f"{path}: {absent}{bad}".rstrip())
    return 0


def ranges(numbers: list[int]) -> str:
    """Sorted numbers, runs of them joined: ``3, 650–801``."""
    runs: list[list[int]] = []
    for number in numbers:
        if runs and number == runs[-1][-1] + 1:
            runs[-1].append(number)
        else:
            runs.append([number])
    return ", ".join(f"{run[0]}–{run[-1]}" if len(run) > 1 else f"{run[0]}" for run in runs)


def _summary(done: Imported) -> str:
    types = ", ".join(f"{kind} {count}" for kind, count in done.counts.items())
    where = "" if done.source == "." else f" from {done.source}"
    return f"{sum(done.counts.values())} sprites of {len(done.counts)} types in {done.out}{where}\n  {types}"


def _document(done: Imported) -> dict[str, object]:
    return {
        "out": str(done.out),
        "source": done.source,
        "sprites": sum(done.counts.values()),
        "types": done.counts,
        "missing": done.missing,
        "refused": {str(species): reason for species, reason in done.refused.items()},
    }
