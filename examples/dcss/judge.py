"""Judges bundles against the sprites they were trained on, prints one table, and draws their uncurated samples.

    python examples/dcss/judge.py asset_gen/models/dcss [BUNDLE …] SPRITES --merge unique=humanoid --sheet samples.png

Needs pip install 'assetgen[train,cpu,pretrained]'. Types are drawn in training proportions; nothing is chosen. The last
row is the floor: one half of the real set against the other, mean over several random halves. The protocol is that of
``trainer.judge``; bundles of different sizes are brought to one side by enlarging whole pixels.
"""

from __future__ import annotations

import json
import math
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click
import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image

from asset_gen.bundle import Bundle, load_bundle
from asset_gen.cli.train import parse_merge
from asset_gen.errors import AssetgenError, UsageError
from asset_gen.pixels import at_side
from asset_gen.proportions import rows_in_proportion
from asset_gen.uncurated import Samples, draw_uncurated
from trainer.cas import AccuracyTest
from trainer.curves import sample_sheet
from trainer.dataset import Dataset, load_dataset
from trainer.judge import CheckpointJudge, EfficientNetFeatures, Verdict

SHEET_COLUMNS = 12
FIGURES = ("kid", "fid", "precision", "recall", "density", "coverage", "copies")
HEADINGS = ("KID × 10³", "FID", "precision", "recall", "density", "coverage", "copies")
FORMATS = ("{:.1f}", "{:.1f}", "{:.2f}", "{:.2f}", "{:.2f}", "{:.2f}", "{:.1%}")
NOT_DEFINED = "n/a"
START = time.monotonic()


def teaching(
    bundle: Bundle, drawn: Samples, kinds: NDArray[np.int64], dataset: Dataset, test: AccuracyTest | None
) -> dict[str, Any]:
    """Type agreement and classification accuracy score; None where no type can be asked for, or without ``test``."""
    if drawn.agreement is None:
        return {"type_agreement": None, "held_out_accuracy": None, "cas": None}
    labels = np.eye(len(dataset.types), dtype=np.float32)[kinds]
    return {
        "type_agreement": drawn.agreement,
        "held_out_accuracy": bundle.info.training["classifier"]["accuracy"],
        "cas": test and test.score(at_side(drawn.sprites, dataset.size), labels).as_dict(),
    }


def judged(
    bundle: Bundle, dataset: Dataset, judge: CheckpointJudge, test: AccuracyTest | None, samples: int, seed: int
) -> dict[str, Any]:
    """All figures of a bundle: a row of the table."""
    say(f"{bundle.path}: {samples} sprites")
    kinds = dataset.first_types[rows_in_proportion(dataset.first_types, samples)]
    drawn = draw_uncurated(bundle, kinds, seed)
    say(f"{bundle.path}: their features")
    verdict = judge.verdict(at_side(drawn.sprites, judge.training.shape[1])).as_dict()
    say(f"{bundle.path}: {verdict}")
    row = {"name": bundle.path.name, "sha256": bundle.sha256} | verdict
    return row | teaching(bundle, drawn, kinds, dataset, test)


def say(what: str) -> None:
    """Progress, beside the table rather than in it."""
    click.echo(f"[{time.monotonic() - START:5.0f} s] {what}", err=True)


def mean_of(verdicts: Sequence[Verdict]) -> dict[str, Any]:
    """The mean of every figure."""
    rows = [verdict.as_dict() for verdict in verdicts]
    return {"samples": rows[0]["samples"]} | {key: float(np.mean([row[key] for row in rows])) for key in FIGURES}


def markdown(document: dict[str, Any]) -> str:
    """The table, under a line that says how it was measured."""
    floor = document["floor"]
    lines = [
        f"{document['network']} features at {document['side']} px on white, {document['samples']} sprites a bundle, "
        f"seed {document['seed']}, against {document['real_sprites']} real ones.",
        "",
        "| | " + " | ".join(HEADINGS) + " | type agreement (classifier on held-out real) | CAS (of real) |",
        "|---" * (len(HEADINGS) + 3) + "|",
    ]
    for row in document["bundles"]:
        agreement = score = NOT_DEFINED
        if row["type_agreement"] is not None:
            accuracy = row["held_out_accuracy"]
            agreement = f"{row['type_agreement']:.2f} ({NOT_DEFINED if accuracy is None else f'{accuracy:.2f}'})"
        if row["cas"] is not None:
            score = f"{row['cas']['generated']:.2f} ({row['cas']['ratio']:.0%})"
        lines.append(f"| {row['name']} | {figures(row)} | {agreement} | {score} |")
    name = f"real: {floor['samples']} against the other {floor['others']}, mean of {floor['splits']} splits"
    real = document["real_accuracy"]
    score = NOT_DEFINED if real is None else f"{real:.2f} (100%)"
    lines.append(f"| {name} | {figures(floor)} | | {score} |")
    return "\n".join(lines)


def figures(row: dict[str, Any]) -> str:
    """The figures of a row as cells."""
    return " | ".join(form.format(row[key]).replace("-", "−") for key, form in zip(FIGURES, FORMATS, strict=True))


def draw_sheets(bundles: Sequence[Bundle], seed: int, path: Path) -> None:
    """The first samples of every bundle, side by side; rows are types where the bundle has them."""
    side = math.lcm(*(bundle.info.size for bundle in bundles))
    sheets = []
    for bundle in bundles:
        kinds = np.repeat(np.arange(len(bundle.info.types)), SHEET_COLUMNS)
        sprites = at_side(draw_uncurated(bundle, kinds, seed).sprites, side)
        sheets.append(np.array(sample_sheet(sprites, SHEET_COLUMNS, zoom=2 if side < 64 else 1)))
    gap = np.full((sheets[0].shape[0], 16, 3), 255, np.uint8)
    parts = [part for sheet in sheets for part in (gap, sheet)][1:]
    Image.fromarray(np.concatenate(parts, axis=1), "RGB").save(path)


@click.command()
@click.argument("bundles", type=click.Path(path_type=Path), nargs=-1, required=True)
@click.argument("sprites", type=click.Path(path_type=Path))
@click.option("--merge", multiple=True, metavar="FROM=TO")
@click.option("--samples", default=5000, show_default=True, help="Sprites to draw from each bundle.")
@click.option("--seed", default=1, show_default=True, help="Of the latents.")
@click.option("--splits", default=5, show_default=True, help="Random halves of the real set for the floor.")
@click.option("--network", type=click.Choice(["lite1", "lite2"]), default="lite2", show_default=True)
@click.option("--cas/--no-cas", default=True, show_default=True, help="Train the type classifiers (minutes on a CPU).")
@click.option("--device", default="cpu", show_default=True, help="Where PyTorch computes features: cpu or cuda.")
@click.option("--sheet", type=click.Path(path_type=Path), help="Draw each bundle's first samples, side by side.")
@click.option("--json", "as_json", is_flag=True, help="Print the same figures as one JSON document.")
def main(
    bundles: tuple[Path, ...],
    sprites: Path,
    merge: tuple[str, ...],
    samples: int,
    seed: int,
    splits: int,
    network: str,
    cas: bool,
    device: str,
    sheet: Path | None,
    as_json: bool,
) -> None:
    """Judge BUNDLES against the folder SPRITES they were trained on."""
    try:
        loaded = [load_bundle(path) for path in bundles]
        dataset = load_dataset(sprites, None, parse_merge(merge))  # as drawn; the classifiers learn at this size
        for bundle in loaded:
            if bundle.info.conditional and list(bundle.info.types) != list(dataset.types):
                raise UsageError(f"{bundle.path}: its types aren't those of {sprites}. Give --merge as in training.")
        side = math.lcm(64, dataset.size, *(bundle.info.size for bundle in loaded))
        if sheet:
            draw_sheets(loaded, seed, sheet)
        say(f"features of {len(dataset.sprites)} real sprites")
        place = torch.device(device)
        judge = CheckpointJudge(at_side(dataset.sprites, side), EfficientNetFeatures(network, place))
        test = AccuracyTest(dataset, device=place) if cas else None
        rows = [judged(bundle, dataset, judge, test, samples, seed) for bundle in loaded]
    except AssetgenError as error:
        raise click.ClickException(str(error)) from None
    say("the real halves")
    document = {
        "network": judge.network.name,
        "side": side,
        "samples": samples,
        "seed": seed,
        "real_sprites": len(dataset.sprites),
        "real_sha256": dataset.digest(),
        "bundles": rows,
        "floor": mean_of(judge.halves(splits)) | {"others": len(dataset.sprites) // 2, "splits": splits},
        "real_accuracy": test.real if test else None,
    }
    say("done")
    click.echo(json.dumps(document, indent=1) if as_json else markdown(document))


if __name__ == "__main__":
    main()
