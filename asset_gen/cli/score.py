"""``assetgen score``"""

from __future__ import annotations

import json
import shutil
import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from asset_gen.cli.progress import bar

if TYPE_CHECKING:
    from rich.table import Table

    from asset_gen.score.report import Floors, Report

SCORERS = ("types", "imagenet", "inception")
WIDTH = 132  # columns of a table that goes into a file
PERCENT = ("copies",)
SHARES = ("precision", "recall", "density", "coverage", "cas")


@click.command("score", context_settings={"auto_envvar_prefix": "ASSETGEN"})
@click.argument("source", type=click.Path(path_type=Path))
@click.option(
    "--against", type=click.Path(path_type=Path), metavar="SPRITES", help="Real sprites to compare with, of any source."
)
@click.option(
    "--metric",
    metavar="LIST",
    help="Some of is,fid,kid,prdc,copies,cas.  [default: is; with --against all but cas]",
)
@click.option(
    "--scorer",
    type=click.Choice(SCORERS),
    multiple=True,
    help="Network that judges; repeatable.  [default: types where the model is known, otherwise imagenet]",
)
@click.option(
    "--model",
    type=click.Path(path_type=Path),
    metavar="BUNDLE",
    help="Whose type classifier judges.  [default: the source's own]",
)
@click.option("--splits", type=click.IntRange(1, 1000), default=10, show_default=True, help="Parts of a score.")
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True, help="Of latents, splits and parts.")
@click.option(
    "--count",
    type=click.IntRange(1),
    help="Sprites: drawn by a bundle, or taken at random.  [default: 1000 of a bundle, otherwise all]",
)
@click.option(
    "--weights", type=click.Path(path_type=Path), metavar="FILE", help="Weights of inception, instead of a download."
)
@click.option(
    "--device",
    type=click.Choice(["auto", "cpu", "cuda"]),
    default="auto",
    show_default=True,
    help="Where networks run.",
)
@click.option("--json", "as_json", envvar="ASSETGEN_JSON", is_flag=True, help="Print one JSON document.")
def command(
    source: Path,
    against: Path | None,
    metric: str | None,
    scorer: tuple[str, ...],
    model: Path | None,
    splits: int,
    seed: int,
    count: int | None,
    weights: Path | None,
    device: str,
    as_json: bool,
) -> int:
    """Say how good a set of sprites is, in figures.

    SOURCE is a folder of sprites, a published output (with manifest.json), a candidate set (…/candidates~/<run>), or a
    bundle, which draws samples that nobody chose. Beside every figure stand the number of sprites and of splits, the
    seed and the network: without them it says nothing.

    is (Inception Score) looks at the set alone; fid, kid, prdc (precision, recall, density, coverage), copies and cas
    (classification accuracy score) compare it with real sprites. imagenet and inception are converted on first use,
    which needs PyTorch; the weights of inception are looked for where PyTorch keeps them, or downloaded (96 MB).

    \b
    Examples:
      assetgen score models/mine --against art/sprites
      assetgen score mygame/assets/generated --against art/sprites --scorer imagenet --json
      assetgen score art/sprites --scorer inception --splits 10
    """
    from asset_gen.score.report import Request, score

    metrics = tuple(name.strip() for name in metric.split(",")) if metric else ()
    request = Request(source, against, metrics, scorer, model, splits, seed, count, weights, device)
    with bar(show=not as_json) as progress:
        report = score(request, floors(), progress)
    if as_json:
        click.echo(json.dumps(_document(report), indent=1, ensure_ascii=False))
    else:
        _print(report)
    for notice in report.notices:
        click.echo(f"assetgen: {notice}", err=True)
    return 0


def floors() -> Floors:
    """What higher floors offer, where PyTorch is installed; each is imported when it is called."""
    from importlib.util import find_spec

    from asset_gen.score.report import Floors

    if find_spec("torch") is None:
        return Floors()

    def convert(name: str) -> Any:
        def call(weights: Path, out: Path) -> None:
            from exporter.scorers import CONVERTERS

            CONVERTERS[name](weights, out)

        return call

    def official(*arguments: Any) -> tuple[float, float]:
        from trainer.official import official_inception_score

        return official_inception_score(*arguments)

    def accuracy(*arguments: Any) -> Any:
        from trainer.cas import accuracy_score

        return accuracy_score(*arguments)

    return Floors(
        convert={name: convert(name) for name in ("imagenet", "inception")},
        official=official if find_spec("pytorch_gan_metrics") else None,
        accuracy=accuracy,
    )


def _print(report: Report) -> None:
    from rich.box import SIMPLE_HEAD
    from rich.console import Console
    from rich.table import Table

    table = Table(box=SIMPLE_HEAD, pad_edge=False, show_edge=False)
    for heading in ("figure", "set", "value", "n", "against", "splits", "seed", "network"):
        table.add_column(heading, justify="left" if heading in ("figure", "set", "network") else "right")
    notes: list[str] = []
    told = not report.paper
    for figure in report.figures:
        if not told and figure.set not in ("all", "kept"):
            _add_the_papers(table)
            told = True
        mark = ""
        if figure.note:
            if figure.note not in notes:
                notes.append(figure.note)
            mark = f" [{notes.index(figure.note) + 1}]"
        value = _value(figure.metric, figure.value)
        if figure.deviation is not None:
            value += f" ± {figure.deviation:.4f}"
        facts = (figure.n, figure.against, figure.splits, figure.seed)
        cells = (f"{fact:,}" if fact is not None else "–" for fact in facts)
        table.add_row(f"{figure.name}{mark}", figure.set, value, *cells, figure.network or "–")
    if not told:
        _add_the_papers(table)
    click.echo(f"{report.source.name}: {len(report.source):,} sprites of {report.source.size} px")
    if report.reference is not None:
        click.echo(f"against {report.reference.name}: {len(report.reference):,} sprites")
    width = max(shutil.get_terminal_size((WIDTH, 24)).columns, 80) if sys.stdout.isatty() else WIDTH
    console = Console(width=width, markup=False, highlight=False)
    with console.capture() as captured:
        console.print(table)
    click.echo("\n".join(line.rstrip() for line in captured.get().splitlines()))
    for number, note in enumerate(notes, 1):
        click.echo(f"[{number}] {note}")


def _add_the_papers(table: Table) -> None:
    """What the paper printed, for comparison."""
    from asset_gen.score.report import PAPER

    for name, (mean, deviation) in PAPER.items():
        network = "Inception v3, by pytorch_gan_metrics"
        table.add_row("Inception Score", f"the paper: {name}", f"{mean:.4f} ± {deviation:.4f}", *"––––", network)


def _value(metric: str, value: float) -> str:
    if metric in PERCENT:
        return f"{100 * value:.1f} %"
    if metric in SHARES:
        return f"{value:.3f}"
    return f"{value:.4f}" if metric == "is" else f"{value:.2f}"


def _document(report: Report) -> dict[str, Any]:
    from asset_gen.score.report import PAPER

    reference = report.reference
    return {
        "source": report.source.name,
        "kind": report.source.what,
        "sprites": len(report.source),
        "size": report.source.size,
        "against": reference and {"name": reference.name, "sprites": len(reference)},
        "figures": [asdict(figure) for figure in report.figures],
        "paper": {name: list(value) for name, value in PAPER.items()} if report.paper else None,
        "notices": report.notices,
    }
