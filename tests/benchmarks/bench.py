"""What processes and training steps cost: rows of the subjects ``batch``, ``memory``, ``score-memory`` …"""

from __future__ import annotations

import io
import os
import statistics
import subprocess
import sys
import time
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image

from asset_gen.generate import BATCH
from tests.benchmarks.harness import Row, fresh_folder

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


def batch(count: int, project: Path) -> list[str]:
    """The command for a project whose folder is new, as ``fresh_folder`` makes one, or isn't there yet.

    Raises:
        ValueError: something lies in it.
    """
    project.mkdir(parents=True, exist_ok=True)
    if any(project.iterdir()):
        raise ValueError(f"{project} isn't empty; every measured run has a folder of its own")
    return [*ASSETGEN, "batch", "--count", str(count), "--project", str(project), "--device", "cpu", "-q"]


def networks_alone(count: int) -> float:
    """CPU seconds of ONNX Runtime alone: every network of a batch on ``count`` sprites, as many a call as assetgen's.

    One core works on a call, as in assetgen: several would wait for each other. The generator draws whole batches, so
    that a sprite is the same alone and among others; what is too many of the last one isn't looked at.
    """
    import onnxruntime as ort

    from asset_gen.bundle import BUILT_IN, load_bundle

    batch, info = BATCH, load_bundle(BUILT_IN).info
    options = ort.SessionOptions()
    options.intra_op_num_threads = 1
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    generator, classifier, features = (
        ort.InferenceSession(str(BUILT_IN / f"{name}.onnx"), options, providers=["CPUExecutionProvider"])
        for name in ("generator", "classifier", "features")
    )
    z = np.random.default_rng(0).standard_normal((batch, info.latent), np.float32)
    label = np.eye(len(info.types), dtype=np.float32)[np.arange(batch) % len(info.types)]
    begun = time.process_time()
    for start in range(0, count, batch):
        (rgba,) = generator.run(None, {"z": z, "label": label})
        rgba = rgba[: count - start]
        classifier.run(None, {"rgba": rgba})
        features.run(None, {"rgba": rgba})
    return time.process_time() - begun


def encoding_alone(project: Path) -> float:
    """CPU seconds of Pillow at level 1 for every picture that a batch wrote."""
    pictures = _pictures(project)
    begun = time.process_time()
    for picture in pictures:
        picture.save(io.BytesIO(), "PNG", compress_level=1)
    return time.process_time() - begun


def deflating_alone(project: Path) -> float:
    """CPU seconds of zlib at level 1 for the pixels of every picture that a batch wrote."""
    pixels = [picture.tobytes() for picture in _pictures(project)]
    begun = time.process_time()
    for raw in pixels:
        zlib.compress(raw, 1)
    return time.process_time() - begun


def _pictures(project: Path) -> list[Image.Image]:
    pictures = []
    for path in project.rglob("*.png"):
        with Image.open(path) as image:
            pictures.append(image.convert("RGBA"))
    return pictures


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


def batch_rows(runs: int) -> list[Row]:
    """What starting costs, and a batch of 500 against its networks and its encoding alone."""
    median = statistics.median
    cpu = median(measured([*ASSETGEN, "--help"])[0] for _ in range(runs))
    rows = [Row("`assetgen --help`, CPU", f"{cpu:.2f} s", goal="≤ 0.2 s", met=cpu <= 0.2, runs=runs)]
    starts, ratios, costs, floors = [], [], [], []
    networks_alone(64)
    for _ in range(runs):
        starts.append(measured(batch(1, fresh_folder()))[0] - networks_alone(4))
        project = fresh_folder()
        cost, _ = measured(batch(500, project))
        floor = networks_alone(2000) + encoding_alone(project)
        ratios.append(cost / floor)
        costs.append(cost)
        floors.append(floor)
    start, ratio = median(starts), median(ratios)
    what = f"`batch --count 1`, CPU outside its networks (which draw {BATCH} candidates and look at 4)"
    rows.append(Row(what, f"{start:.2f} s", goal="< 0.5 s", met=start < 0.5, runs=runs))
    what, against = "`batch --count 500`, CPU", f"{median(floors):.1f} s, networks and encoding alone"
    rows.append(Row(what, f"{median(costs):.1f} s: {ratio:.2f}×", against, "≤ 1.3×", ratio <= 1.3, runs))
    return rows


def memory_rows(runs: int) -> list[Row]:
    """Ten times as many sprites; one run, since it takes minutes."""
    small, large = (measured(batch(count, fresh_folder()))[1] for count in (500, 5000))
    growth = large / small - 1
    small, large = small * 1.048576, large * 1.048576  # MB, as the goal
    # measured here, where this process is small: a child's peak is at least its parent's at that moment
    first = Row("peak memory at `--count 500`", f"{small:.0f} MB", goal="≤ 600 MB", met=small <= 600)
    what, peer = "peak memory at `--count 5000`", f"{small:.0f} MB at `--count 500`"
    return [first, Row(what, f"{large:.0f} MB ({growth:+.0%})", peer, "≤ +15 %", growth <= 0.15)]


def score_memory_rows(runs: int) -> list[Row]:
    """Peak memory of ``assetgen score``; one run, since it takes minutes, and here, where this process is small."""
    from asset_gen.bundle import BUILT_IN
    from tests.creatures import write_set

    few, many = 6_000, 20_000  # few: more than the command holds in memory
    art = str(write_set(fresh_folder(), each=100))
    command = [*ASSETGEN, "score", str(BUILT_IN), "--against", art, "--device", "cpu", "--json", "--count"]
    small, large = (measured([*command, str(count)])[1] for count in (few, many))
    value, peer = f"{large:.0f} MiB ({large / small - 1:+.0%})", f"{small:.0f} MiB at {few:,}"
    return [Row(f"peak memory at {many:,} sprites", value, peer, "≤ +15 %", large <= 1.15 * small)]


def linear_rows(runs: int) -> list[Row]:
    """50,000 candidates against a quarter of them, by the clock; one run."""
    times = []
    for count in (3125, 12_500):
        command = batch(count, fresh_folder())
        begun = time.perf_counter()
        measured(command)
        times.append(time.perf_counter() - begun)
    ratio = times[1] / times[0] / 4
    what, value = "50,000 candidates, seconds by the clock", f"{times[1]:.0f} s: {ratio:.2f}×"
    return [Row(what, value, f"4 × {times[0]:.0f} s for 12,500", "≤ 1.1×", ratio <= 1.1)]


def training_rows(runs: int) -> list[Row]:
    """A step of two presets against a bare loop; of eight steps, whatever ``runs`` says."""
    rows = []
    for preset in ("relativistic", "paper-dcgan"):
        steps = 16  # eight to warm up, and eight, of which one has the penalty; a step takes seconds
        ours, bare = step_ratio(preset, steps)
        what, against = f"step of `{preset}`, CPU", f"{bare:.2f} s, a bare PyTorch loop"
        rows.append(Row(what, f"{ours:.2f} s: {ours / bare:.2f}×", against, "≤ 1.1×", ours / bare <= 1.1, steps - 8))
    return rows
