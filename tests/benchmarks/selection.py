"""How long does choosing take? 25,000 of 100,000 candidates of 17 types, by each filter: rows of the subject
``selection``.

What is chosen from is random; it has 96 features, as by a bundle's own classifier.
"""

from __future__ import annotations

import statistics
import time

import numpy as np

from asset_gen.herding import Aim
from asset_gen.select import select
from tests.benchmarks.harness import Row

COUNT, TYPES, REAL, FEATURES = 100_000, 17, 1054, 96
GOAL = 10


def rows(runs: int) -> list[Row]:
    """Seconds by filter."""
    chance = np.random.default_rng(0)
    powers = np.exp(2 * chance.standard_normal((COUNT, TYPES), np.float32))
    p, kinds = powers / powers.sum(axis=1, keepdims=True), np.arange(COUNT) % TYPES
    quotas = {kind: int((kinds == kind).sum()) // 4 for kind in range(TYPES)}
    aim = Aim.of(chance.standard_normal((REAL, FEATURES), np.float32), np.arange(REAL) % TYPES)
    drawn = 1.2 * chance.standard_normal((COUNT, FEATURES), np.float32) + np.float32(0.3)
    times: dict[str, list[float]] = {"set": [], "is": [], "top-p": []}
    for _ in range(runs):
        for name, spent in times.items():
            start = time.perf_counter()
            points = aim.points_of(drawn)
            select(p, kinds, quotas, name, look=(points, aim.likeness(points, quotas)))
            spent.append(time.perf_counter() - start)
    found = {name: statistics.median(spent) for name, spent in times.items()}
    return [
        Row(f"`{name}`", f"{spent:.1f} s", goal=f"≤ {GOAL} s", met=spent <= GOAL, runs=runs)
        for name, spent in found.items()
    ]
