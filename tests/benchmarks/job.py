"""The whole job beside a naive script: rows of the subject ``job``."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import time
from pathlib import Path

import onnx

from asset_gen.bundle import BUILT_IN
from tests.benchmarks.bench import batch, deflating_alone
from tests.benchmarks.floor import matrix_rate
from tests.benchmarks.harness import Row, fresh_folder
from tests.benchmarks.operations import operations

GOAL = 3
NAIVE = "a naive script"
CANDIDATES = 2000
NETWORKS = {"set": ("generator", "classifier", "features"), "is": ("generator", "classifier")}
"""Filter → what its candidates go through; ``none`` as ``is``."""


def timed(command: list[str]) -> tuple[float, float]:
    """(seconds by the clock, CPU seconds) of a process; fails when it does."""
    begun = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"{command[1:3]}: exit {process.returncode}")
    return time.perf_counter() - begun, usage.ru_utime + usage.ru_stime


def rows(runs: int) -> list[Row]:
    """Ours by three filters, each against the naive script."""
    times: dict[str, list[tuple[float, float]]] = {}
    rates, deflating = [], []
    for _ in range(runs):
        rates.append(matrix_rate())
        for strategy in ("set", "is", "none"):
            project = fresh_folder()
            times.setdefault(strategy, []).append(timed([*batch(500, project), "--filter", strategy]))
        deflating.append(deflating_alone(project))  # of the last filter; all write as many pictures
        naive = [sys.executable, str(Path(__file__).with_name("naive.py")), str(fresh_folder())]
        times.setdefault(NAIVE, []).append(timed(naive))
    found = {name: [statistics.median(column) for column in zip(*pairs, strict=True)] for name, pairs in times.items()}
    naive_clock, naive_cpu = found.pop(NAIVE)
    rows = []
    for strategy, (clock, cpu) in found.items():
        for what, ours, theirs in (("by the clock", clock, naive_clock), ("of CPU", cpu, naive_cpu)):
            ratio = theirs / ours
            judged = what == "by the clock"
            rows.append(
                Row(
                    f"`--filter {strategy}`, seconds {what}",
                    f"{ours:.2f} s: {ratio:.2f}× as fast",
                    f"{theirs:.2f} s, {NAIVE}",
                    f"≥ {GOAL}×" if judged else "–",
                    ratio >= GOAL if judged else None,
                    runs,
                )
            )
    rate = statistics.median(rates)
    for strategy, names in NETWORKS.items():
        count = CANDIDATES * sum(operations(onnx.load(str(BUILT_IN / f"{name}.onnx"))) for name in names)
        what = (
            f"floor of `--filter {strategy}`: its networks at the rate of NumPy's matrix product, seconds by the clock"
        )
        rows.append(Row(what, f"{count / rate:.2f} s", f"{naive_clock / GOAL:.2f} s, what the goal allows", runs=runs))
    what = "floor of encoding: the pixels of every picture that is written, by zlib at level 1, seconds of CPU"
    rows.append(Row(what, f"{statistics.median(deflating):.2f} s", runs=runs))
    return rows
