"""How fast are the scorers? Rows of the subject ``scoring``.

Seconds are wall-clock on all cores that this process may use; each ratio is the median over runs, and what is compared
is measured in turn on the same sprites, so that a machine whose speed drifts slows both sides. ``SPRITES`` is how
many the large networks see. Inception's weights are random (the published ones aren't needed to be fast), and both
packages must find the same score with them.
"""

from __future__ import annotations

import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from types import ModuleType

import numpy as np
from numpy.typing import NDArray

sys.modules.setdefault("torchvision._meta_registrations", ModuleType("no operators"))  # as tests/conftest.py explains

import torch  # noqa: E402

from asset_gen.bundle import BUILT_IN, load_bundle  # noqa: E402
from asset_gen.metrics.inception_score import inception_score  # noqa: E402
from asset_gen.runtime import cores  # noqa: E402
from asset_gen.score.pictures import network_pictures  # noqa: E402
from asset_gen.score.scorer import OUTSIDE, Opening, Scorer, open_scorer  # noqa: E402
from exporter.scorers import CONVERTERS  # noqa: E402
from tests.benchmarks.harness import Row  # noqa: E402
from tests.creatures import KINDS, creature  # noqa: E402
from tests.networks import outside_with, random_inception  # noqa: E402
from trainer.official import official_inception_score  # noqa: E402
from trainer.pretrained import load_efficientnet  # noqa: E402

SPLITS = 4
TOLERANCE = 1e-4
SMALL = 20_000  # sprites that the small classifier sees
SPRITES = 64
CPU = torch.device("cpu")


def seconds_of(action: Callable[[], object]) -> float:
    """Wall-clock seconds of an action."""
    begun = time.perf_counter()
    action()
    return time.perf_counter() - begun


def ratio(ours: Callable[[], object], theirs: Callable[[], object], runs: int) -> tuple[float, float, float]:
    """(how many times longer theirs takes, seconds of ours, seconds of theirs), medians; each warmed up before."""
    ours(), theirs()
    pairs = [(seconds_of(ours), seconds_of(theirs)) for _ in range(runs)]
    median = statistics.median
    return median(b / a for a, b in pairs), median(a for a, _ in pairs), median(b for _, b in pairs)


def sprites_of(count: int) -> NDArray[np.uint8]:
    """[count, 32, 32, 4]; some hundred different ones, repeated."""
    different = np.stack([creature(KINDS[seed % 4], seed) for seed in range(min(count, 256))])
    return different[np.arange(count) % len(different)]


def eager(network: torch.nn.Module, sprites: NDArray[np.uint8], scorer: Scorer, memory: torch.memory_format) -> None:
    """The same network in PyTorch on the same pictures, in batches of the same size."""
    outside = OUTSIDE[scorer.name]
    with torch.inference_mode():
        for start in range(0, len(sprites), scorer.batch):
            shown = network_pictures(sprites[start : start + scorer.batch], outside.side, outside.shown)
            network(torch.from_numpy(shown).to(memory_format=memory))


def rows(runs: int) -> list[Row]:
    """Speed and memory, each beside its peer."""
    found_rows: list[Row] = []

    def row(what: str, value: str, limit: str, met: bool | None, peer: str = "–", runs: int = runs) -> None:
        found_rows.append(Row(what, value, peer, limit, met, runs))

    torch.set_num_threads(cores())

    types = open_scorer("types", Opening(bundle=load_bundle(BUILT_IN), device="cpu"))
    many = sprites_of(SMALL)
    types.judge(many[:256])
    speed = SMALL / statistics.median(seconds_of(lambda: types.judge(many)) for _ in range(runs))
    row(f"`types`: sprites a second ({SMALL:,} of 32 px)", f"{speed:,.0f}", "≥ 2,000", speed >= 2000)

    some = sprites_of(SPRITES)
    with tempfile.TemporaryDirectory() as folder:
        os.environ["ASSETGEN_CACHE"] = str(Path(folder) / "cache")
        imagenet = open_scorer("imagenet", Opening(device="cpu", convert=CONVERTERS))
        for name, memory, limit in (
            ("eager", torch.contiguous_format, 5.0),
            ("eager, channels last", torch.channels_last, None),
        ):
            network = load_efficientnet("lite0").to(memory_format=memory)  # type: ignore[call-overload]
            times, ours, theirs = ratio(
                partial(imagenet.judge, some), partial(eager, network, some, imagenet, memory), runs
            )
            value, peer = f"{len(some) / ours:.0f}: {times:.1f}× as fast", f"{len(some) / theirs:.0f}, PyTorch, {name}"
            goal, met = (f"≥ {limit:.0f}×", times >= limit) if limit else ("–", None)
            row("`imagenet`: sprites a second", value, goal, met, peer)

        weights = Path(folder) / OUTSIDE["inception"].weights.file
        torch.save(random_inception(some[:32]), weights)
        opening = Opening(device="cpu", weights=weights, convert=CONVERTERS)
        inception = open_scorer("inception", opening, outside_with(weights))
        found: dict[str, tuple[float, float]] = {}

        def ours_scores() -> None:
            found["ours"] = inception_score(inception.judge(some).p, SPLITS)

        def theirs_scores() -> None:
            found["theirs"] = official_inception_score(some, weights, SPLITS, device=CPU)

        times, ours, theirs = ratio(ours_scores, theirs_scores, runs)
        value, peer = f"{len(some) / ours:.0f}: {times:.1f}× as fast", f"{len(some) / theirs:.0f}, pytorch_gan_metrics"
        row("`inception`: sprites a second", value, "≥ 2×", times >= 2, peer)
        difference = abs(found["ours"][0] - found["theirs"][0])
        value, peer = f"{found['ours'][0]:.6f}", f"{found['theirs'][0]:.6f}"
        row("`inception`: the score", value, f"within {TOLERANCE:.0e}", difference <= TOLERANCE, peer)
    return found_rows
