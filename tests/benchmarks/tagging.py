"""How well are types guessed, planted errors found? ``python tests/benchmarks/tagging.py [SET …] [--own] [--seeds=5]``.

A table in Markdown: top-1 by five-fold cross-validation beside colour histogram + logistic regression, and how many
of 5 % swapped labels are among the first 10 % of the sprites listed. ``--own`` measures the network of our own, too,
which takes some minutes more.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from asset_gen.images import Rgba, read_rgba
from asset_gen.sprite_folder import list_sprites
from tests.conftest import REAL_SETS
from trainer.tagging import (
    Model,
    colour_features,
    out_of_fold,
    own_network,
    pretrained_features,
    pretrained_model,
    ranked,
    regression,
    targets_of,
    with_names,
)

PLANTED, LISTED = 0.05, 0.10
SEEDS = next((int(word[8:]) for word in sys.argv if word.startswith("--seeds=")), 5)
HISTOGRAM_DECAYS = (1e-4, 1e-3, 1e-2)  # the baseline gets its best


def planted(labels: NDArray[np.int64], types: int, seed: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Labels of which 5 % are swapped for another type, drawn evenly; and the rows of these."""
    chance = np.random.default_rng(seed)
    rows = chance.choice(len(labels), round(PLANTED * len(labels)), replace=False)
    wrong = labels.copy()
    wrong[rows] = (labels[rows] + chance.integers(1, types, len(rows))) % types
    return wrong, rows


def found(
    build: Callable[[NDArray[np.int64]], Model], labels: NDArray[np.int64], types: int, seeds: int
) -> list[float]:
    """Share of planted errors among the first tenth of the list, for each of ``seeds``."""
    shares = []
    for seed in range(seeds):
        wrong, rows = planted(labels, types, seed)
        first = ranked(out_of_fold(build(wrong), wrong, types), wrong)[: round(LISTED * len(labels))]
        shares.append(float(np.isin(rows, first).mean()))
    return shares


def colour_histogram(picture: Rgba) -> NDArray[np.float32]:
    """The baseline's features: shares of 4×4×4 colours among visible pixels, [64]."""
    seen = picture[picture[..., 3] > 0][:, :3]
    counts = np.bincount((seen >> 6).astype(np.int64) @ np.array([16, 4, 1]), minlength=64)
    return np.asarray(counts / max(1, len(seen)), np.float32)


def measure(name: str, folder: Path, own: bool) -> list[str]:
    """A set's rows of both tables."""
    listed, _ = list_sprites(folder)
    kinds = sorted({sprite.types[0] for sprite in listed})
    labels = np.array([kinds.index(sprite.types[0]) for sprite in listed], np.int64)
    second = np.array([kinds.index(sprite.types[-1]) for sprite in listed], np.int64)
    pictures: list[Rgba] = [read_rgba(sprite.path) for sprite in listed]
    types = len(kinds)
    histogram = np.stack([colour_histogram(picture) for picture in pictures])
    start = time.process_time()
    network, colours = pretrained_features(pictures), colour_features(pictures)
    seen = time.process_time() - start
    start = time.process_time()

    def shares(given: NDArray[np.int64]) -> NDArray[np.float32]:
        """A sprite's second type, where it has one, isn't swapped with the first."""
        return targets_of(given, types, np.where(second == labels, given, second))

    builders: dict[str, tuple[Callable[[NDArray[np.int64]], Model], int]] = {
        f"colour histogram + logistic regression (L2 {decay:g})": (
            lambda given, decay=decay: regression(histogram, targets_of(given, types), decay),
            1,
        )
        for decay in HISTOGRAM_DECAYS
    }
    names = [sprite.path.stem for sprite in listed]
    mixed = [names[place] for place in np.random.default_rng(0).permutation(len(names))]

    def named(given: NDArray[np.int64], called: list[str]) -> Model:
        return with_names(pretrained_model(network, colours, shares(given)), called, shares(given), given)

    builders["assetgen tag --no-names"] = (lambda given: pretrained_model(network, colours, shares(given)), SEEDS)
    builders["assetgen tag"] = (lambda given: named(given, names), SEEDS)
    builders["assetgen tag, the same names dealt out anew"] = (lambda given: named(given, mixed), SEEDS)
    if own:
        builders["assetgen tag --no-pretrained"] = (lambda given: own_network(pictures, shares(given)), 1)
    rows = []
    for title, (build, seeds) in builders.items():
        accuracy = float((out_of_fold(build(labels), labels, types).argmax(axis=1) == labels).mean())
        each = found(build, labels, types, seeds)
        spread = f" ({min(each):.0%} to {max(each):.0%})" if seeds > 1 else ""
        rows.append(f"| {name} | {title} | {accuracy:.3f} | {np.mean(each):.0%}{spread} |")
        print(rows[-1], flush=True)
    rest = time.process_time() - start
    print(f"  {name}: {seen:.0f} s of CPU for the features of {len(pictures)} sprites, {rest:.0f} s for the rest")
    return rows


if __name__ == "__main__":
    words = [word for word in sys.argv[1:] if not word.startswith("-")]
    print("| set | method | top-1, five folds | planted errors among the first 10 % |")
    print("|---|---|---|---|")
    for word in words or ["veekun", "dcss"]:
        measure(word, REAL_SETS / word, "--own" in sys.argv)
