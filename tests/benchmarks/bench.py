"""The figures of the README, measured: python tests/benchmarks/bench.py [--runs N] [--json FILE]

CPU seconds are user + system of whole processes, as the kernel counts them; each figure is the median over runs, and
what is compared is measured in turn, so that a machine whose speed drifts slows both sides.
"""

from __future__ import annotations

import argparse
import io
import json
import os
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image

ASSETGEN = [sys.executable, "-c", "from asset_gen.cli import main; main()"]


def measured(arguments: list[str]) -> tuple[float, float]:
    """(CPU seconds, peak memory in MiB) of a process; fails when it does."""
    process = subprocess.Popen(arguments, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    assert process.stderr is not None
    errors = process.stderr.read()
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"{arguments[2:]}: {errors.decode()}")
    return usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024


def batch(count: int, folder: Path) -> list[str]:
    """The command for a fresh project."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return [*ASSETGEN, "batch", "--count", str(count), "--project", str(folder), "--device", "cpu", "-q"]


def networks_alone(count: int) -> float:
    """CPU seconds of ONNX Runtime alone: every network of a batch on ``count`` sprites, 64 at a time."""
    import onnxruntime as ort

    from asset_gen.bundle import BUILT_IN, load_bundle
    from asset_gen.runtime import cores

    info = load_bundle(BUILT_IN).info
    options = ort.SessionOptions()
    options.intra_op_num_threads = cores()
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    generator, classifier, features = (
        ort.InferenceSession(str(BUILT_IN / f"{name}.onnx"), options, providers=["CPUExecutionProvider"])
        for name in ("generator", "classifier", "features")
    )
    z = np.random.default_rng(0).standard_normal((64, info.latent), np.float32)
    label = np.eye(len(info.types), dtype=np.float32)[np.arange(64) % len(info.types)]
    begun = time.process_time()
    for _ in range(-(-count // 64)):
        (rgba,) = generator.run(None, {"z": z, "label": label})
        classifier.run(None, {"rgba": rgba})
        features.run(None, {"rgba": rgba})
    return time.process_time() - begun


def encoding_alone(project: Path) -> float:
    """CPU seconds of Pillow at level 1 for every picture that a batch wrote."""
    pictures = []
    for path in project.rglob("*.png"):
        with Image.open(path) as image:
            pictures.append(image.convert("RGBA"))
    begun = time.process_time()
    for picture in pictures:
        picture.save(io.BytesIO(), "PNG", compress_level=1)
    return time.process_time() - begun


def step_ratio(preset_name: str, steps: int) -> tuple[float, float]:
    """(CPU seconds of our training step, of the same networks and losses in a bare PyTorch loop), on random sprites."""
    import torch

    from trainer.dataset import Dataset
    from trainer.loop import Settings, Training
    from trainer.losses import squared_slope
    from trainer.presets import PRESETS

    preset = PRESETS[preset_name]
    size = preset.default_size or 32
    chance = np.random.default_rng(0)
    sprites = chance.integers(0, 256, (256, size, size, 4), np.uint8)
    kinds = np.arange(256) % 17
    types = {f"t{n:02d}": f"t{n:02d}" for n in range(17)}
    labels = np.eye(17, dtype=np.float32)[kinds]
    dataset = Dataset(sprites, labels, kinds, types, [str(n) for n in range(256)])
    training = Training(preset, dataset, Settings(), torch.device("cpu"))
    bare = Training(preset, dataset, Settings(), torch.device("cpu"))  # only its networks and optimisers are used
    real = torch.rand(preset.batch, 4 if preset.alpha else 3, size, size) * 2 - 1
    label = torch.from_numpy(labels[: preset.batch])

    def bare_step(number: int) -> None:
        with torch.no_grad():
            fake = bare.generator(torch.randn(preset.batch, preset.latent), label)
        loss = bare.loss.discriminator(bare.discriminator(real, label), bare.discriminator(fake, label))
        if bare.loss.penalty and number % bare.loss.every == 0:
            both = torch.cat([real, fake]).requires_grad_()
            slopes = squared_slope(bare.discriminator(both, label.repeat(2, 1)), both)
            loss = loss + bare.gamma * bare.loss.every * slopes.mean()  # R1 and R2, half of each
        bare.optimisers["discriminator"].zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        bare.optimisers["discriminator"].step()
        bare.discriminator.requires_grad_(False)
        d_fake = bare.discriminator(bare.generator(torch.randn(preset.batch, preset.latent), label), label)
        with torch.no_grad():
            d_real = bare.discriminator(real, label)
        bare.optimisers["generator"].zero_grad(set_to_none=True)
        bare.loss.generator(d_real, d_fake).backward()
        bare.optimisers["generator"].step()
        bare.discriminator.requires_grad_(True)

    def cpu_of(action: Callable[[], object]) -> float:
        begun = time.process_time()
        action()
        return time.process_time() - begun

    ours, theirs = [], []
    for number in range(steps):
        ours.append(cpu_of(training.advance))
        theirs.append(cpu_of(lambda number=number: bare_step(number)))  # type: ignore[misc]
    skip = max(8, bare.loss.every)  # the first steps warm up
    return statistics.mean(ours[skip:]), statistics.mean(theirs[skip:])


def main() -> None:
    """Measure, print the table, and write it as JSON where asked."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    rows: list[tuple[str, str, str, bool]] = []

    def row(what: str, value: str, limit: str, met: bool) -> None:
        rows.append((what, value, limit, met))
        print(f"{what:<62} {value:>26}   {limit:<16} {'met' if met else 'MISSED'}", flush=True)

    machine = platform.processor() or platform.machine()
    print(f"{machine}, {len(os.sched_getaffinity(0))} cores, Python {platform.python_version()}")
    median = statistics.median
    cpu = median(measured([*ASSETGEN, "--help"])[0] for _ in range(options.runs))
    row("assetgen --help", f"{cpu:.2f} s of CPU", "≤ 0.2 s", cpu <= 0.2)
    with tempfile.TemporaryDirectory() as folder:
        project = Path(folder) / "game"
        ratios, costs, small = [], [], []
        for _ in range(options.runs):
            cost, memory = measured(batch(500, project))
            floor = networks_alone(2000) + encoding_alone(project)
            ratios.append(cost / floor)
            costs.append(cost)
            small.append(memory)
        what = "batch --count 500: CPU against networks + encoding alone"
        row(what, f"{median(ratios):.2f}× ({median(costs):.1f} s)", "≤ 1.5×", median(ratios) <= 1.5)
        large = [measured(batch(5000, project))[1] for _ in range(max(1, options.runs // 2))]
        growth = median(large) / median(small) - 1
        what = "peak memory at --count 5000 against 500"
        row(what, f"{median(large):.0f} / {median(small):.0f} MiB ({growth:+.0%})", "≤ +15 %", growth <= 0.15)
    for preset in ("relativistic", "paper-dcgan"):
        ours, bare = step_ratio(preset, 8 * (1 + options.runs))
        what = f"training step, {preset}: against a bare PyTorch loop"
        row(what, f"{ours / bare:.2f}× ({ours:.2f} s)", "≤ 1.1×", ours / bare <= 1.1)
    if options.json:
        keys = ("figure", "measured", "limit", "met")
        options.json.write_text(json.dumps([dict(zip(keys, values, strict=True)) for values in rows], indent=1))
    if not all(met for *_, met in rows):
        sys.exit(1)


if __name__ == "__main__":
    main()
