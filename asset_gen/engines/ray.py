"""Draws in several processes of this machine, one a core, which Ray starts and ends.

A worker gets the bundle's files through Ray's object store, checks them as any bundle is checked, and draws whole
blocks. One that dies is replaced, and its blocks are drawn again. Ray listens on this machine alone (127.0.0.1).
"""

from __future__ import annotations

import os
import platform
import shutil
import signal
import tempfile
from collections import deque
from collections.abc import Generator, Iterable
from contextlib import suppress
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

from asset_gen import __version__, runtime
from asset_gen.bundle import load_bundle
from asset_gen.engines.local import Local
from asset_gen.errors import AssetgenError, DeviceError, UsageError
from asset_gen.generate import Wanted
from asset_gen.judge import Task
from asset_gen.networks import Networks
from asset_gen.staged import Part

AHEAD = 2
"""Blocks that a worker may have at once: one that it draws, one that waits."""
RETRIES = 3
"""Times that a block is drawn again whose worker died."""
STORE = 512 * 2**20
"""Bytes of Ray's object store: the bundle, and a few blocks of each worker."""
SETTINGS = {
    "RAY_USAGE_STATS_ENABLED": "0",  # it is to tell nobody that it runs
    "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0",  # on every system: it listens on 127.0.0.1 then, not on the network
}
"""What Ray reads of the environment when it is imported."""


@dataclass(frozen=True, slots=True)
class Versions:
    """What must be the same everywhere for candidates to be the same."""

    host: str
    assetgen: str
    onnxruntime: str
    provider: str


def refuse_others(mine: Versions, theirs: Versions) -> None:
    """
    Raises:
        DeviceError: a worker has another assetgen, ONNX Runtime or execution provider than this process.
    """
    for what in ("assetgen", "onnxruntime", "provider"):
        here, there = getattr(mine, what), getattr(theirs, what)
        if here != there:
            raise DeviceError(
                f"--engine ray: the worker on {theirs.host} has {what} {there}, and {mine.host} has {here}; its "
                f"candidates could differ. Install the same versions on both, or use --engine local."
            )


class Worker:
    """Draws and judges blocks in a process of its own."""

    def __init__(self, files: dict[str, bytes], task: Task) -> None:
        self.files, self.task = files, task
        self.networks: Networks | None = None
        runtime.thread_limit = 1

    def versions(self) -> Versions:
        """Of this process; the networks are opened for it, so that the provider is the real one."""
        return versions_of(self._opened())

    def draw(self, block: Wanted) -> Part:
        """All candidates of a block."""
        engine = Local(self._opened(), self.task)
        try:
            return Part.joined(list(engine.draw([block])))
        finally:
            engine.close()

    def _opened(self) -> Networks:
        """Loaded once, with all that the task needs: the folder is gone afterwards, even if the worker is killed."""
        if self.networks is None:
            with tempfile.TemporaryDirectory(prefix="assetgen-worker-") as folder:
                for name, data in self.files.items():
                    (Path(folder) / name).write_bytes(data)
                networks = Networks(load_bundle(Path(folder)), "cpu")
                if self.task.strategy == "set":
                    _ = networks.features, networks.aim
                if self.task.strategy == "critic":
                    _ = networks.critic
            self.networks, self.files = networks, {}
        return self.networks


@dataclass(slots=True)
class _Job:
    """A block that a worker draws."""

    block: Wanted
    slot: int
    """The worker's place."""
    actor: Any
    answer: Any
    tries: int = 0


class Ray:
    """A worker a core."""

    def __init__(self, networks: Networks, task: Task, workers: int | None = None) -> None:
        """
        Raises:
            UsageError: Ray isn't installed, or the networks run on a graphics card.
            DeviceError: Ray doesn't start, or a worker has other versions.
        """
        if networks.generator.provider != "CPUExecutionProvider":
            raise UsageError("--engine ray: draws on processors alone. Add --device cpu, or use --engine local.")
        os.environ.update(SETTINGS)
        try:
            self._ray: Any = import_module("ray")
        except ImportError as error:
            raise UsageError(
                f"--engine ray: Ray is not installed ({error}). Install it with pip install 'assetgen[ray]', or use "
                f"--engine local."
            ) from None
        self._count = workers or runtime.cores()
        self._home = tempfile.mkdtemp(prefix="assetgen-")
        ends = signal.getsignal(signal.SIGTERM)
        try:
            self._ray.init(
                address="local",
                num_cpus=self._count,
                num_gpus=0,
                include_dashboard=False,
                log_to_driver=False,
                logging_level="error",
                object_store_memory=STORE,
                _node_ip_address="127.0.0.1",
                _temp_dir=self._home,
            )
            if signal.getsignal(signal.SIGTERM) is not ends and ends is not None:
                signal.signal(signal.SIGTERM, ends)  # Ray's own would end this process without a word
            path = networks.bundle.path
            names = ("bundle.json", *networks.info.files)
            self._files = self._ray.put({name: (path / name).read_bytes() for name in names})
            self._task = task
            self._actors = [self._started() for _ in range(self._count)]
            mine = versions_of(networks)
            for theirs in self._ray.get([actor.versions.remote() for actor in self._actors]):
                refuse_others(mine, theirs)
        except BaseException as error:
            self.close()
            if isinstance(error, Exception) and not isinstance(error, AssetgenError):
                reason = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
                raise DeviceError(f"--engine ray: Ray doesn't start here ({reason}). Use --engine local.") from error
            raise

    def draw(self, blocks: Iterable[Wanted | Part]) -> Generator[Part]:
        """See ``asset_gen.engines.Engine``."""
        coming: deque[Part | _Job] = deque()
        source, failure = iter(blocks), None
        more = True
        while more or coming:
            while more and len(coming) < AHEAD * self._count:
                try:
                    block = next(source)
                except StopIteration:
                    more = False
                    break
                except BaseException as error:  # what was handed out before it comes first
                    more, failure = False, error
                    break
                coming.append(block if isinstance(block, Part) else self._handed_out(block, coming))
            if coming:
                first = coming[0]
                part = first if isinstance(first, Part) else self._answer(first, coming)
                coming.popleft()
                yield part
        if failure is not None:
            raise failure

    def close(self) -> None:
        """End Ray and all its processes."""
        with suppress(Exception):
            self._ray.shutdown()
        shutil.rmtree(self._home, ignore_errors=True)

    def _started(self) -> Any:
        """A new worker."""
        return self._ray.remote(num_cpus=1, max_restarts=0)(Worker).remote(self._files, self._task)

    def _handed_out(self, block: Wanted, coming: Iterable[Part | _Job]) -> _Job:
        """A block, given to the worker that has the fewest."""
        busy = [job.slot for job in coming if isinstance(job, _Job)]
        slot = min(range(self._count), key=busy.count)
        actor = self._actors[slot]
        return _Job(block, slot, actor, actor.draw.remote(block))

    def _answer(self, job: _Job, coming: Iterable[Part | _Job]) -> Part:
        """What a worker drew; where it died, what the next one in its place draws.

        Raises:
            AssetgenError: the workers that drew this block died, one after another.
        """
        exceptions = self._ray.exceptions
        while True:
            try:
                part: Part = self._ray.get(job.answer)
                return part
            except exceptions.RayTaskError as error:
                raise (error.cause if isinstance(error.cause, Exception) else error) from None
            except (exceptions.RayActorError, exceptions.ObjectLostError) as error:
                if job.tries >= RETRIES:
                    reason = str(error).strip().splitlines()[0]
                    raise AssetgenError(
                        f"--engine ray: {RETRIES + 1} workers died one after another while they drew the same block "
                        f"({reason}). There may be too little memory; use --engine local. What was drawn is kept."
                    ) from None
                job.tries += 1
                self._replace(job.slot, job.actor, coming)

    def _replace(self, slot: int, dead: Any, coming: Iterable[Part | _Job]) -> None:
        """A new worker in the place of a dead one; it gets all that one had."""
        if self._actors[slot] is dead:
            self._actors[slot] = self._started()
        for job in coming:
            if isinstance(job, _Job) and job.actor is dead:
                job.actor = self._actors[slot]
                job.answer = job.actor.draw.remote(job.block)


def versions_of(networks: Networks) -> Versions:
    """Of this process and its networks."""
    ort = runtime.import_onnxruntime()
    return Versions(platform.node(), __version__, ort.__version__, networks.generator.provider)
