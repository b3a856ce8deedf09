"""How long does choosing take? 25,000 of 100,000 candidates of 17 types, by each filter.

    python tests/benchmarks/selection.py [CANDIDATES]

What is chosen from is random; it has 96 features, as by a bundle's own classifier. To beat: 10 s on two cores.
"""

from __future__ import annotations

import sys
import time

import numpy as np

from asset_gen.herding import Aim
from asset_gen.metrics.inception_score import score_of
from asset_gen.runtime import cores
from asset_gen.select import select

TYPES, REAL, FEATURES = 17, 1054, 96


def main(count: int) -> None:
    """Print a table."""
    chance = np.random.default_rng(0)
    powers = np.exp(2 * chance.standard_normal((count, TYPES), np.float32))
    p, kinds = powers / powers.sum(axis=1, keepdims=True), np.arange(count) % TYPES
    quotas = {kind: int((kinds == kind).sum()) // 4 for kind in range(TYPES)}
    aim = Aim.of(chance.standard_normal((REAL, FEATURES), np.float32), np.arange(REAL) % TYPES)
    drawn = 1.2 * chance.standard_normal((count, FEATURES), np.float32) + np.float32(0.3)
    print(
        f"{sum(quotas.values()):,} of {count:,} candidates, {cores()} cores\n\n| filter | seconds | IS |\n|---|---|---|"
    )
    for name in ("set", "is", "top-p"):
        start = time.perf_counter()
        points = aim.points_of(drawn)
        look = points, aim.likeness(points, quotas)
        chosen = select(p, kinds, quotas, name, look=look)
        print(f"| {name} | {time.perf_counter() - start:.1f} | {score_of(p[chosen]):.2f} |", flush=True)


if __name__ == "__main__":
    main(int(sys.argv[1]) if sys.argv[1:] else 100_000)
