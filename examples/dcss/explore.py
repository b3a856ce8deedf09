"""What do the latent tools do? Measures what docs/explore.md says, on a bundle.

    python examples/dcss/explore.py truncation BUNDLE
    python examples/dcss/explore.py mixing BUNDLE [PAIRS]
    python examples/dcss/explore.py pictures BUNDLE SPRITES [COUNT]

``truncation`` compares in the features of the bundle's ``features.onnx``. ``pictures`` takes sprites that the bundle's
encoder was not trained on (the generator has seen all of them).
"""

from __future__ import annotations

import sys
import time
from hashlib import sha256
from pathlib import Path

import numpy as np

from asset_gen.bundle import FEATURES, load_bundle
from asset_gen.explore import Space, class_sheet, draw, drawn, mix, variations
from asset_gen.explore.mixing import palettes_apart
from asset_gen.explore.origins import codes_of, made
from asset_gen.explore.packed import pack
from asset_gen.explore.picture import find_codes
from asset_gen.explore.search import overlap
from asset_gen.manifest import Parameters
from asset_gen.metrics.copies import nearest_neighbours
from asset_gen.metrics.prdc import precision_recall
from asset_gen.pixels import as_drawn, harden, to_network
from asset_gen.runtime import open_session
from asset_gen.training_set import TrainingSet
from trainer.dataset import load_dataset

STEPS = (1.0, 0.9, 0.8, 0.7, 0.6)


def truncation(space: Space, each: int = 60) -> None:
    """Precision and recall at five steps, ``each`` sprites of every type at each."""
    training = TrainingSet.load(space.bundle)
    path = space.bundle.optional(FEATURES)
    assert training is not None
    assert path is not None
    network, real = open_session(path, "auto", space.bundle.memory), training.features.values
    print(f"{len(space.info.types) * each} sprites a step against {len(real)}, {space.info.features}")
    for step in STEPS:
        origins = class_sheet(space, space.info.types, each, 0, step)
        rgba, _ = space.pictures(codes_of(space, origins))
        fake = np.concatenate([network.run(rgba=rgba[n : n + 16]) for n in range(0, len(rgba), 16)])
        found = precision_recall(real, fake)
        print(f"{step:.1f}  precision {found.precision:.3f}  recall {found.recall:.3f}", flush=True)


def mixing(space: Space, pairs: int = 200) -> None:
    """How often a mixture's silhouette is nearer to the first, and its palette nearer to the second."""
    chance, kinds = np.random.default_rng(0), space.info.types
    picked = chance.integers(len(kinds), size=(pairs, 2))
    shape, colours = [], []
    for number, (one, other) in enumerate(picked):
        done = mix(space, drawn(space, kinds[one], 2 * number), drawn(space, kinds[other], 2 * number + 1))
        shape.append(done.shape > 0)
        colours.append(done.colours > 0)
    both = np.mean(np.logical_and(shape, colours))
    print(f"{pairs} pairs: silhouette {np.mean(shape):.1%}, palette {np.mean(colours):.1%}, both {both:.1%}")


def pictures(space: Space, folder: Path, count: int = 40) -> None:
    """Overlap of silhouettes, and whether the nearest training sprite of variations is the one that was looked for."""
    dataset = load_dataset(folder, space.info.size, {"unique": "humanoid"} if "dcss" in space.info.name else None)
    held = [row for row, file in enumerate(dataset.files) if sha256(file.encode()).digest()[0] % 5 == 0]
    rows = np.random.default_rng(0).permutation(held)[:count]
    targets = as_drawn(dataset.sprites[rows], space.info.alpha == "true")
    started = time.monotonic()
    codes = find_codes(space, targets, dataset.labels[rows].astype(np.float32))
    seconds = (time.monotonic() - started) / len(rows)
    latent, origins = space.info.latent, []
    for code, row in zip(codes, rows, strict=True):
        kind = list(dataset.types)[dataset.first_types[row]]
        told = Parameters(codes=pack(code[:, :latent]))
        origins.append(made(kind, "picture", told, model=space.bundle.sha256))
    found = draw(space, origins)
    met = overlap(to_network(found), targets)
    print(f"{len(rows)} held-out sprites of {len(held)}, {seconds:.1f} s each")
    print(f"overlap: mean {met.mean():.3f}, median {np.median(met):.3f}, at least 0.8: {(met >= 0.8).mean():.1%}")
    colours = [palettes_apart(a, dataset.sprites[row]) for a, row in zip(found, rows, strict=True)]
    print(f"palettes: mean {np.mean(colours):.3f}, greatest {np.max(colours):.3f} apart in OKLab")
    for strength in (0.02, 0.05, 0.1, 0.2):
        hits = []
        for origin, row in zip(origins, rows, strict=True):
            varied = harden(draw(space, variations(origin, strength, 8)))
            hits.append((nearest_neighbours(varied, dataset.sprites, 1).rows[:, 0] == row).mean())
        print(f"strength {strength}: source is the nearest training sprite of {np.mean(hits):.1%} of 8 variations")


if __name__ == "__main__":
    command, bundle, *rest = sys.argv[1:]
    latent_space = Space(load_bundle(Path(bundle)))
    if command == "truncation":
        truncation(latent_space)
    elif command == "mixing":
        mixing(latent_space, *map(int, rest))
    else:
        pictures(latent_space, Path(rest[0]), *map(int, rest[1:]))
