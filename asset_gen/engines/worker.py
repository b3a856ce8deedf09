"""What does a process that draws for another one do? It says what it is, and draws whole blocks."""

from __future__ import annotations

import platform
import tempfile
from dataclasses import dataclass
from pathlib import Path

import PIL

from asset_gen import __version__, runtime
from asset_gen.blas import on_one_core
from asset_gen.bundle import load_bundle
from asset_gen.engines.local import Local
from asset_gen.errors import DeviceError
from asset_gen.generate import Wanted
from asset_gen.judge import Task
from asset_gen.networks import Networks
from asset_gen.staged import Part

PROVIDERS = {"cpu": "CPUExecutionProvider", "cuda": "CUDAExecutionProvider"}
"""Device → what ONNX Runtime calls it."""


@dataclass(frozen=True, slots=True)
class Versions:
    """What must be the same everywhere for candidates to be the same."""

    host: str
    assetgen: str
    onnxruntime: str
    pillow: str
    provider: str


def versions_of(provider: str) -> Versions:
    """Of this process, whose networks run on ``provider``."""
    ort = runtime.import_onnxruntime()
    return Versions(platform.node(), __version__, ort.__version__, PIL.__version__, provider)


def refuse_others(mine: Versions, theirs: Versions) -> None:
    """
    Raises:
        DeviceError: a worker has another assetgen, ONNX Runtime, Pillow or execution provider than is wanted here.
    """
    for what in ("assetgen", "onnxruntime", "pillow", "provider"):
        here, there = getattr(mine, what), getattr(theirs, what)
        if here != there:
            raise DeviceError(
                f"--engine ray: the worker on {theirs.host} has {what} {there}, and {mine.host} has {here}; its "
                f"candidates could differ. Install the same versions on both, or use --engine local."
            )


class Worker:
    """Draws and judges blocks in a process of its own."""

    def __init__(self, files: dict[str, bytes], task: Task, device: str) -> None:
        """``files``: a bundle's, by name; ``device``: ``cpu`` for one core, or ``cuda``."""
        self.files, self.task, self.device = files, task, device
        self.networks: Networks | None = None
        runtime.thread_limit = 1 if device == "cpu" else 2  # one batch is at the card while another is described

    def versions(self) -> Versions:
        """Of this process; the networks are opened for it, so that the provider is the real one."""
        return versions_of(self._opened().generator.provider)

    def draw(self, block: Wanted) -> Part:
        """All candidates of a block."""
        engine = Local(self._opened(), self.task)
        try:
            with on_one_core():
                return Part.joined(list(engine.draw([block])))
        finally:
            engine.close()

    def _opened(self) -> Networks:
        """Loaded once, with all that the task needs: the folder is gone afterwards, even if the worker is killed."""
        if self.networks is None:
            with tempfile.TemporaryDirectory(prefix="assetgen-worker-") as folder:
                for name, data in self.files.items():
                    (Path(folder) / name).write_bytes(data)
                networks = Networks(load_bundle(Path(folder)), self.device)
                networks.load_for(self.task.strategy)
            self.networks, self.files = networks, {}
        return self.networks
