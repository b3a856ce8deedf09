"""The same sprites by our runtime, by PyTorch, and by a peer: rows of the subject ``generation``."""

from __future__ import annotations

import importlib
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import ModuleType
from unittest.mock import patch

import numpy as np
import torch

from asset_gen.bundle import BUILT_IN, load_bundle
from asset_gen.generate import BATCH as OURS
from asset_gen.generate import Wanted, generate
from asset_gen.latents import latents
from asset_gen.networks import Networks
from asset_gen.runtime import cores
from tests.benchmarks.harness import Row
from trainer.finetune import load_source
from trainer.loop import Settings, new_generator

COUNT = 512
BATCH = 64
"""Sprites of a peer's call; assetgen's has fewer, on one core."""
CACHE = Path.home() / ".cache/assetgen-clients/lightweight-gan"
PEER = ["lightweight-gan==1.2.1", "einops==0.8.2", "kornia==0.9.0", "kornia-rs==0.2.0", "adabelief-pytorch==0.2.1",
        "tqdm==4.70.1", "colorama==0.4.6", "tabulate==0.10.0"]  # fmt: skip
"""With what its import needs; not with what it declares, which would bring another PyTorch."""


def peer(size: int) -> torch.nn.Module:
    """lightweight-gan's generator, random; fetched once."""
    if not (CACHE / "lightweight_gan").is_dir():
        install = [sys.executable, "-m", "pip", "install", "-q", "--no-deps", "--target", str(CACHE), *PEER]
        subprocess.run(install, check=True)
    sys.modules.setdefault("torchvision._meta_registrations", ModuleType("no operators"))  # as tests/conftest.py says
    sys.path.append(str(CACHE))
    with patch.object(torch.cuda, "is_available", lambda: True):  # asked once, when it is imported
        module = importlib.import_module("lightweight_gan.lightweight_gan")
    network: torch.nn.Module = module.Generator(image_size=size, transparent=True).eval()  # its own 256 latents
    return network


def rows(runs: int) -> list[Row]:
    """Ours against PyTorch as it is, and lightweight-gan."""
    return _rows(runs, compiled=False)


def compiled_rows(runs: int) -> list[Row]:
    """Ours against torch.compile, which takes minutes on a busy machine, or fails without a compiler."""
    return _rows(runs, compiled=True)


def _rows(runs: int, compiled: bool) -> list[Row]:
    """Ours against each of the others; one that can't be had has a row that says why."""
    torch.set_num_threads(cores())
    bundle, source = load_bundle(BUILT_IN), load_source(BUILT_IN)
    info, types = bundle.info, len(bundle.info.types)
    network = new_generator(source.lineage.generator, Settings(width=source.lineage.width), types, info.size).eval()
    network.load_state_dict(source.weights.part("average"))
    session = Networks(bundle, "cpu").generator
    threads = ThreadPoolExecutor(cores())
    wanted = Wanted(np.zeros(COUNT, np.int64), np.arange(COUNT))
    z = torch.from_numpy(latents(0, info.types[0], np.arange(COUNT), info.latent))
    label = torch.zeros(BATCH, types)
    label[:, 0] = 1

    def ours() -> np.ndarray:
        parts = [wanted.part(slice(start, start + OURS)) for start in range(0, COUNT, OURS)]
        drawn = threads.map(lambda part: next(generate(session, info, 0, part)), parts)  # as asset_gen.engines.local
        return np.concatenate([part.rgba for part in drawn])

    def by(network: Callable[..., torch.Tensor]) -> Callable[[], np.ndarray]:
        def draw() -> np.ndarray:
            with torch.inference_mode():
                return np.concatenate([network(part, label).numpy() for part in z.split(BATCH)])

        return draw

    def random_draw(count: int = COUNT) -> object:
        with torch.inference_mode():
            return [other(torch.randn(BATCH, 256)).numpy() for _ in range(count // BATCH)]

    others: dict[str, Callable[[], object]] = {}
    missing: dict[str, str] = {}
    if not compiled:
        others["PyTorch, eager"] = by(network)
    name = "PyTorch, torch.compile" if compiled else "lightweight-gan 1.2.1"
    try:
        if compiled:
            compiled_draw = by(torch.compile(network))
            compiled_draw()
            others[name] = compiled_draw
        else:
            other = peer(info.size)
            random_draw(BATCH)
            others[name] = random_draw
    except Exception as error:  # no compiler, no network, or a package that has changed
        missing[name] = (str(error).splitlines() or [type(error).__name__])[0][:120]
    found = []
    for name, draw in others.items():
        reference, same = ours(), ""
        if name.startswith("PyTorch"):
            apart = float(np.abs(np.asarray(draw()) - reference).max())
            if apart > 1e-3:
                raise SystemExit(f"{name}: other pictures, apart by {apart}")
            same = f"; apart by {apart:.0e}"
        pairs = [(_seconds(ours), _seconds(draw)) for _ in range(runs)]
        mine, theirs = (statistics.median(column) for column in zip(*pairs, strict=True))
        found.append(
            Row(
                f"sprites a second, against {name}",
                f"{COUNT / mine:.0f}: {theirs / mine:.2f}× as fast{same}",
                f"{COUNT / theirs:.1f}, {name}",
                "faster",
                mine < theirs,
                runs,
            )
        )
    what = "sprites a second, against"
    return found + [Row(f"{what} {name}", "–", f"not available: {why}", "faster") for name, why in missing.items()]


def _seconds(action: Callable[[], object]) -> float:
    begun = time.perf_counter()
    action()
    return time.perf_counter() - begun
