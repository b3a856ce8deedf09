"""How fast are the scorers? Rows of the subject ``scoring``.

Seconds are wall-clock on all cores that this process may use; each ratio is the median over runs, and what is compared
is measured in turn on the same sprites, so that a machine whose speed drifts slows both sides. ``SPRITES`` is how
many the large networks see, in batches of the same size. Inception's weights are random (the published ones aren't
needed to be fast), one file for all packages, which must find the same score with them. Every network is loaded
before; the peers' functions would load theirs in each call, for almost a second.
"""

from __future__ import annotations

import os
import statistics
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from types import ModuleType
from unittest.mock import patch

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
from tests.benchmarks.harness import Row, fresh_folder  # noqa: E402
from tests.creatures import KINDS, creature  # noqa: E402
from tests.networks import Pictures, as_torch_fidelity_shows, outside_with, random_inception  # noqa: E402
from trainer.official import shuffled_on_white  # noqa: E402
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


def sprites_of(count: int, side: int = 32) -> NDArray[np.uint8]:
    """[count, side, side, 4]; some hundred different ones, repeated."""
    different = np.stack([creature(KINDS[seed % 4], seed, side) for seed in range(min(count, 256))])
    return different[np.arange(count) % len(different)]


def eager(network: torch.nn.Module, sprites: NDArray[np.uint8], scorer: Scorer, memory: torch.memory_format) -> None:
    """The same network in PyTorch on the same pictures, in batches of the same size."""
    outside = OUTSIDE[scorer.name]
    with torch.inference_mode():
        for start in range(0, len(sprites), scorer.batch):
            shown = network_pictures(sprites[start : start + scorer.batch], outside.side, outside.shown)
            network(torch.from_numpy(shown).to(memory_format=memory))


Score = Callable[[NDArray[np.uint8]], float]
"""Sprites [n, s, s, 4] → Inception Score over ``SPLITS``, of the order by which ``inception_score`` takes them."""


def gan_metrics_score(weights: Path, batch: int) -> Score:
    """pytorch_gan_metrics, with its network loaded once; it looks for ``weights`` where PyTorch keeps its downloads."""
    from pytorch_gan_metrics import core, get_inception_score

    os.environ["TORCH_HOME"] = str(weights.parents[2])
    blocks = core.InceptionV3.BLOCK_INDEX_BY_DIM
    network = core.InceptionV3([blocks[1008]])

    def score(sprites: NDArray[np.uint8]) -> float:
        white = torch.from_numpy(shuffled_on_white(sprites)).permute(0, 3, 1, 2).float() / 255
        with patch.object(core, "InceptionV3", return_value=network, BLOCK_INDEX_BY_DIM=blocks):
            mean, _ = get_inception_score(white, splits=SPLITS, device=CPU, batch_size=batch)
        return float(mean)

    return score


def fidelity_score(weights: Path, batch: int) -> Score:
    """torch-fidelity, likewise; without the processes that read files, since its pictures lie in memory."""
    from torch_fidelity.metric_isc import KEY_METRIC_ISC_MEAN, isc_input_id_to_metric
    from torch_fidelity.utils import create_feature_extractor

    moved, layer = weights.with_name("torch-fidelity.pth"), "logits_unbiased"
    torch.save(as_torch_fidelity_shows(torch.load(weights, weights_only=True)), moved)
    options: dict[str, object] = {
        "isc_splits": SPLITS,
        "samples_shuffle": False,
        "batch_size": batch,
        "cuda": False,
        "cache": False,
        "save_cpu_ram": True,
        "verbose": False,
        "feature_extractor_weights_path": str(moved),
    }
    network = create_feature_extractor("inception-v3-compat", [layer], **options)

    def score(sprites: NDArray[np.uint8]) -> float:
        found = isc_input_id_to_metric(1, network, layer, input1=Pictures(shuffled_on_white(sprites)), **options)
        return float(found[KEY_METRIC_ISC_MEAN])

    return score


def inception_rows(runs: int, folder: Path) -> list[Row]:
    """Ours against both packages: sprites a second, and the score.

    torch-fidelity enlarges small pictures as TensorFlow 1 did, by other places between pixels, which gives another
    score; so it is compared on pictures of the side that Inception sees, which nobody enlarges.
    """
    outside = OUTSIDE["inception"]
    weights = folder / "hub" / "checkpoints" / outside.weights.file
    weights.parent.mkdir(parents=True)
    torch.save(random_inception(sprites_of(32)), weights)
    opening = Opening(device="cpu", weights=weights, convert=CONVERTERS)
    inception = open_scorer("inception", opening, outside_with(weights))
    peers = {
        "pytorch_gan_metrics": (gan_metrics_score, 32, "≥ 2×", 2.0),
        "torch-fidelity": (fidelity_score, outside.side, "faster", 1.0),
    }
    scores: dict[str, float] = {}

    def our_score(sprites: NDArray[np.uint8]) -> float:
        return inception_score(inception.judge(sprites).p, SPLITS)[0]

    def keep(whose: str, score: Score, sprites: NDArray[np.uint8]) -> None:
        scores[whose] = score(sprites)

    rows = []
    for name, (load, side, goal, least) in peers.items():
        sprites, theirs = sprites_of(SPRITES, side), load(weights, inception.batch)
        times, mine, other = ratio(
            partial(keep, "ours", our_score, sprites), partial(keep, "theirs", theirs, sprites), runs
        )
        what = f"`inception`, {SPRITES} sprites of {side} px"
        value, peer = f"{SPRITES / mine:.0f}: {times:.1f}× as fast", f"{SPRITES / other:.0f}, {name}"
        rows.append(Row(f"{what}: sprites a second", value, peer, goal, times >= least, runs))
        value, peer = f"{scores['ours']:.6f}", f"{scores['theirs']:.6f}, {name}"
        apart = abs(scores["ours"] - scores["theirs"])
        rows.append(Row(f"{what}: the score", value, peer, f"within {TOLERANCE:.0e}", apart <= TOLERANCE, runs))
    return rows


def rows(runs: int) -> list[Row]:
    """Speed and scores, each beside its peer."""
    found_rows: list[Row] = []

    def row(what: str, value: str, limit: str, met: bool | None, peer: str = "–", runs: int = runs) -> None:
        found_rows.append(Row(what, value, peer, limit, met, runs))

    torch.set_num_threads(cores())

    types = open_scorer("types", Opening(bundle=load_bundle(BUILT_IN), device="cpu"))
    many = sprites_of(SMALL)
    types.judge(many[:256])
    speed = SMALL / statistics.median(seconds_of(lambda: types.judge(many)) for _ in range(runs))
    row(f"`types`: sprites a second ({SMALL:,} of 32 px)", f"{speed:,.0f}", "≥ 2,000", speed >= 2000)

    some, folder = sprites_of(SPRITES), fresh_folder()
    os.environ["ASSETGEN_CACHE"] = str(folder / "cache")
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
    return found_rows + inception_rows(runs, folder)
