"""How much of what the machine can do do networks and encoding take? Rows of the subject ``floor``."""

from __future__ import annotations

import json
import statistics
import tempfile
import time
import zlib
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import onnx
import onnxruntime as ort
from threadpoolctl import threadpool_limits

from asset_gen.bundle import BUILT_IN, load_bundle
from asset_gen.generate import BATCH
from asset_gen.png import encode_sheet
from asset_gen.runtime import cores
from tests.benchmarks.harness import Row
from tests.benchmarks.operations import operations

SIDE = 1024
DRAWN, CALLS = 64, 4
"""Sprites that are drawn, so many times."""
GOAL = 0.5
PROFILED = 6
"""Operators that get a row."""


def rows(runs: int) -> list[Row]:
    """The generator's rate against that of a matrix product, its profile, and our encoder's against zlib's."""
    chance = np.random.default_rng(0)
    info = load_bundle(BUILT_IN).info
    z = chance.standard_normal((DRAWN, info.latent)).astype(np.float32)
    label = np.eye(len(info.types), dtype=np.float32)[np.arange(DRAWN) % len(info.types)]
    inputs = [
        {"z": z[start : start + BATCH], "label": label[start : start + BATCH]} for start in range(0, DRAWN, BATCH)
    ]
    path = BUILT_IN / "generator.onnx"
    session = ort.InferenceSession(str(path), _options(), providers=["CPUExecutionProvider"])
    count = operations(onnx.load(str(path)))
    pairs = []
    with ThreadPoolExecutor(cores()) as threads:  # a call on each core, as asset_gen.engines.local

        def drawn(times: int) -> np.ndarray:
            return np.concatenate([rgba for (rgba,) in threads.map(lambda one: session.run(None, one), times * inputs)])

        rgba = drawn(1)
        for _ in range(runs):
            begun = time.perf_counter()
            drawn(CALLS)
            pairs.append((CALLS * DRAWN * count / (time.perf_counter() - begun), matrix_rate()))
    ours, best = (statistics.median(column) for column in zip(*pairs, strict=True))
    share = statistics.median(a / b for a, b in pairs)
    found = [
        Row(
            f"generator: {count / 1e6:.0f} million operations a sprite; billions a second",
            f"{ours / 1e9:.0f}: {share:.0%}",
            f"{best / 1e9:.0f}, NumPy's matrix product",
            f"≥ {GOAL:.0%}",
            share >= GOAL,
            runs,
        )
    ]
    found += [Row(f"profile of the generator: {name}", f"{part:.0%}") for name, part in profile(path, inputs)]
    pixels = ((rgba.transpose(0, 2, 3, 1) + 1) * 127.5).astype(np.uint8)
    sheet = np.concatenate([np.concatenate(list(row), axis=1) for row in pixels.reshape(8, 8, *pixels.shape[1:])])
    raw, rates = sheet.tobytes(), []
    for _ in range(runs):
        begun = time.perf_counter()
        for _ in range(20):
            encode_sheet(sheet)
        middle = time.perf_counter()
        for _ in range(20):
            zlib.compress(raw, 1)
        rates.append((middle - begun, time.perf_counter() - middle))
    mine, floor = (20 * len(raw) / statistics.median(column) / 1e6 for column in zip(*rates, strict=True))
    found.append(
        Row("encoding a sheet, MB of pixels a second", f"{mine:.0f}", f"{floor:.0f}, zlib at level 1", runs=runs)
    )
    return found


def matrix_rate(calls: int = 40) -> float:
    """Operations a second of NumPy's float32 products, one at a time on each core: none waits for another core."""
    chance = np.random.default_rng(0)
    left, right = (chance.standard_normal((SIDE, SIDE)).astype(np.float32) for _ in range(2))
    with threadpool_limits(1, "blas"), ThreadPoolExecutor(cores()) as threads:
        list(threads.map(lambda _: left @ right, range(cores())))
        begun = time.perf_counter()
        for _ in threads.map(lambda _: left @ right, range(calls)):
            pass
        return calls * 2 * SIDE**3 / (time.perf_counter() - begun)


def _options() -> ort.SessionOptions:
    options = ort.SessionOptions()
    options.intra_op_num_threads = 1  # as asset_gen.networks
    return options


def profile(path: Path, inputs: list[dict[str, np.ndarray]]) -> list[tuple[str, float]]:
    """Operators and their share of the time, the slowest first."""
    with tempfile.TemporaryDirectory() as folder:
        options = _options()
        options.enable_profiling, options.profile_file_prefix = True, str(Path(folder) / "profile")
        session = ort.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
        for one in CALLS * inputs:
            session.run(None, one)
        events = json.loads(Path(session.end_profiling()).read_text(encoding="utf-8"))
    times: dict[str, float] = defaultdict(float)
    for event in events:
        if event.get("cat") == "Node" and event["name"].endswith("_kernel_time"):
            times[event["args"]["op_name"]] += event["dur"]
    whole = sum(times.values())
    return [(name, spent / whole) for name, spent in sorted(times.items(), key=lambda item: -item[1])[:PROFILED]]
