"""Judges a bundle against the sprites it was trained on, and draws its uncurated samples.

    python examples/dcss/judge.py asset_gen/models/dcss SPRITES --merge unique=humanoid --sheet samples.png

Needs pip install 'assetgen[train,cpu,pretrained]'. Types are drawn in training proportions; nothing is chosen. Prints
a table in Markdown: the bundle, and, as the floor that no generator can beat, one half of the real set against the
other.
"""

from __future__ import annotations

from pathlib import Path

import click
import numpy as np

from asset_gen.bundle import Bundle, load_bundle
from asset_gen.cli.train import parse_merge
from asset_gen.generate import Wanted, generate
from asset_gen.metrics.fid import frechet_distance
from asset_gen.metrics.kid import kernel_distance
from asset_gen.runtime import open_session
from asset_gen.score.types import type_probabilities
from trainer.curves import sample_sheet
from trainer.dataset import load_dataset
from trainer.judge import Judge

SHEET_COLUMNS = 12


def draw(bundle: Bundle, kinds: np.ndarray, seed: int) -> tuple[np.ndarray, float]:
    """(sprites [n, s, s, 4] of these types, share that the bundle's classifier takes for the type asked for)."""
    indices = np.concatenate([np.arange(n) for n in np.bincount(kinds, minlength=len(bundle.info.types))])
    generator, classifier = open_session(bundle.generator), open_session(bundle.classifier)
    sprites, hits = [], 0
    for drawn in generate(generator, bundle.info, seed, Wanted(kinds, indices)):
        sprites.append(drawn.sprites)
        hits += int((type_probabilities(classifier, drawn.rgba).argmax(axis=1) == kinds[drawn.rows]).sum())
    return np.concatenate(sprites), hits / len(kinds)


@click.command()
@click.argument("bundle", type=click.Path(path_type=Path))
@click.argument("sprites", type=click.Path(path_type=Path))
@click.option("--merge", multiple=True, metavar="FROM=TO")
@click.option("--samples", default=1000, show_default=True)
@click.option("--seed", default=1, show_default=True)
@click.option("--network", type=click.Choice(["lite1", "lite2"]), default="lite2", show_default=True)
@click.option("--sheet", type=click.Path(path_type=Path), help="Write the first samples of every type as a picture.")
def main(
    bundle: Path, sprites: Path, merge: tuple[str, ...], samples: int, seed: int, network: str, sheet: Path | None
) -> None:
    """Judge BUNDLE against the folder SPRITES it was trained on."""
    loaded = load_bundle(bundle)
    dataset = load_dataset(sprites, loaded.info.size, parse_merge(merge))
    counts = np.array([dataset.counts()[kind] for kind in loaded.info.types])
    if sheet:
        each, _ = draw(loaded, np.repeat(np.arange(len(counts)), SHEET_COLUMNS), seed)
        sample_sheet(each, SHEET_COLUMNS).save(sheet)
    shares = np.round(counts / counts.sum() * samples).astype(int)
    drawn, agreement = draw(loaded, np.repeat(np.arange(len(counts)), shares), seed)
    judge = Judge(network)
    verdict = judge.verdict(drawn, dataset.sprites)
    order = np.random.default_rng(0).permutation(len(dataset.sprites))
    halves = np.array_split(judge.features(dataset.sprites)[order], 2)
    accuracy = loaded.info.training["classifier"]["accuracy"]
    print(f"{judge.name} features, {verdict.samples} sprites, seed {seed}\n")
    print("| | KID × 10³ | FID | precision | recall | density | coverage | copies | type agreement |")
    print("|---|---|---|---|---|---|---|---|---|")
    print(
        f"| {loaded.info.name} | {verdict.kid:.1f} | {verdict.fid:.1f} | {verdict.precision:.2f} "
        f"| {verdict.recall:.2f} | {verdict.density:.2f} | {verdict.coverage:.2f} | {verdict.copies:.1%} "
        f"| {agreement:.2f} |"
    )
    floor = 1000 * kernel_distance(*halves), frechet_distance(*halves)
    print(f"| real half against half | {floor[0]:.1f} | {floor[1]:.1f} | | | | | | {accuracy:.2f} (held out) |")


if __name__ == "__main__":
    main()
