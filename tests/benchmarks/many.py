"""What does each further candidate cost, beside its networks? Candidate sets of up to a million: rows of the subject
``many``.

An engine without networks draws noise: posteriors, features, thumbnails, and one picture for all. All else is what a
batch does: blocks, shards, near-duplicates, filter, scores and contact sheet. Measured in a process a set.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Generator, Iterable
from functools import cached_property
from pathlib import Path
from types import SimpleNamespace

import numpy as np
from threadpoolctl import threadpool_limits

from asset_gen.bundle import BUILT_IN, load_bundle
from asset_gen.candidates import FOLDER, encode_png, read_rows
from asset_gen.draw import draw_candidates
from asset_gen.engines import ENGINES
from asset_gen.generate import BATCH, Wanted
from asset_gen.herding import Aim
from asset_gen.judge import Task
from asset_gen.manifest import Choice
from asset_gen.networks import Networks
from asset_gen.plan import Plan
from asset_gen.publish import Place
from asset_gen.staged import Part
from asset_gen.training_set import TrainingSet
from tests.benchmarks.harness import Row, fresh_folder

COUNTS = (20_000, 100_000, 1_000_000)
"""The first is the least of which blocks are as large as they get."""
FEATURES = 96
"""Of a sprite, as by a bundle's own classifier."""
MOST = 32
"""Bytes of memory that a candidate may cost."""


class Blind(Networks):
    """What the built-in model knows of its training sprites, and no networks."""

    def __init__(self) -> None:
        bundle = load_bundle(BUILT_IN)
        self.info, self.training = bundle.info, TrainingSet.load(bundle)
        self.generator = SimpleNamespace(provider="none")  # type: ignore[assignment]

    @cached_property
    def aim(self) -> Aim:
        """By some of the features."""
        assert self.training is not None
        return Aim.of(self.training.features.values[:, :FEATURES], self.training.kinds)

    def load_for(self, strategy: str) -> None:
        """There is nothing to load."""

    def rest(self) -> None:
        """There is nothing to give back."""


class Noise:
    """An engine that draws nothing."""

    def __init__(self, networks: Networks, task: Task) -> None:
        assert networks.training is not None
        self.provider = networks.generator.provider
        self.types, self.training, self.aim = len(networks.info.types), networks.training, networks.aim
        self.chance = np.random.default_rng(0)
        self.picture = encode_png(self.chance.integers(0, 4, (8, 8, 4), np.uint8))

    def draw(self, blocks: Iterable[Wanted | Part]) -> Generator[Part]:
        """See ``asset_gen.engines.Engine``."""
        for block in blocks:
            for start in range(0, len(block) if isinstance(block, Wanted) else 0, BATCH):
                assert isinstance(block, Wanted)
                yield self._part(block.part(slice(start, start + BATCH)))

    def close(self) -> None:
        """There is nothing to let go of."""

    def _part(self, wanted: Wanted) -> Part:
        count, chance = len(wanted), self.chance
        powers = np.exp(chance.standard_normal((count, self.types), np.float32))
        powers[np.arange(count), wanted.kinds] *= 20
        low, high = np.array([self.training.limits[name] for name in self.training.limits]).T
        measures = dict(
            zip(self.training.limits, chance.uniform(low, high, (count, 4)).astype(np.float32).T, strict=True)
        )
        points = self.aim.points_of(1.2 * chance.standard_normal((count, FEATURES), np.float32))
        arrays = {
            "p": powers / powers.sum(axis=1, keepdims=True),
            "kinds": wanted.kinds.copy(),  # no part of all that is wanted
            "indices": wanted.indices.copy(),
            "thumbs": chance.integers(0, 256, (count, 256), np.uint8),
            **measures,
            "nearest": chance.integers(0, len(self.training.names), (count, 3)),
            "distances": np.sort(chance.uniform(0.1, 0.5, (count, 3)).astype(np.float32)),
            "points": points.astype(np.float16),
        }
        return Part(arrays, [self.picture] * count, count)


def draw(count: int, folder: Path) -> None:
    """A candidate set of this many, a quarter of which is chosen."""
    networks = Blind()
    kinds = networks.info.types
    share, rest = divmod(count // 4, len(kinds))
    quotas = {kind: share + (place < rest) for place, kind in enumerate(kinds)}
    choice = Choice(model="none", seed=0, oversample=4, scorer="types", filter="set")
    kept = {kind: [] for kind in quotas}
    plan = Plan(
        quotas=quotas, choice=choice, old=None, kept=kept, run="run", draws=True, added=count, freed=0, question=None
    )
    place = Place(folder, folder / "out")
    place.out.mkdir()
    place.state.mkdir()
    ENGINES["noise"] = f"{__name__}:Noise"
    steps = [time.perf_counter()]
    with threadpool_limits(1, "blas"):
        draw_candidates(networks, plan, place, lambda what, done, _: steps.append(time.perf_counter()), "noise")
    print(f"drawn and twins {steps[-2] - steps[0]:.1f} s, chosen and written {steps[-1] - steps[-2]:.1f} s")
    found = sum(row.kept for row in read_rows(place.out / FOLDER / "run"))
    assert found == count // 4


def rows(runs: int) -> list[Row]:
    """Peak memory and time by the number of candidates; one run of each."""
    from tests.benchmarks.bench import measured

    found = []
    for count in COUNTS:
        command = [sys.executable, "-m", "tests.benchmarks.many", str(count), str(fresh_folder())]
        begun = time.perf_counter()
        _, memory = measured(command)
        found.append((count, time.perf_counter() - begun, memory))
    first = found[0]
    table = []
    for count, seconds, memory in found:
        each = (memory - first[2]) * 2**20 / (count - first[0]) if count > first[0] else 0.0
        grown = f", {each:.0f} bytes for each further candidate" if each else ""
        met = each <= MOST if each else None
        table.append(
            Row(
                f"{count:,} candidates",
                f"{memory:.0f} MiB{grown}; {seconds:.0f} s",
                goal=f"≤ {MOST} bytes" if each else "–",
                met=met,
            )
        )
    return table


if __name__ == "__main__":
    draw(int(sys.argv[1]), Path(sys.argv[2]))
