"""Draws in several processes, one a core or a graphics card, of this machine or of a cluster, which Ray runs.

A worker gets the bundle's files through Ray's object store, checks them as any bundle is checked, and draws whole
blocks. One that dies is replaced, and its blocks are drawn again.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Generator, Iterable
from contextlib import ExitStack
from typing import Any

from asset_gen import runtime
from asset_gen.engines import cluster
from asset_gen.engines.crew import Crew, Job
from asset_gen.engines.worker import PROVIDERS, versions_of
from asset_gen.errors import AssetgenError, DeviceError, UsageError
from asset_gen.generate import Wanted
from asset_gen.judge import Task
from asset_gen.networks import Networks
from asset_gen.staged import Part

WINDOW = 3
"""Blocks for each worker that may be handed out and not handed on, so that nobody waits for the slowest at once."""


class Ray:
    """A worker a core, or a graphics card."""

    def __init__(
        self,
        networks: Networks,
        task: Task,
        device: str = "auto",
        address: str | None = None,
        workers: int | None = None,
    ) -> None:
        """
        Args:
            networks: the bundle's; here they don't draw.
            task: what is drawn, and for which filter.
            device: what workers draw on, one of ``asset_gen.runtime.DEVICES``; ``auto`` as ``networks`` do.
            address: a cluster's, ``HOST:PORT``; None for this machine.
            workers: how many; None for one a core, or a graphics card.

        Raises:
            UsageError: Ray isn't installed, or it is to guess what to draw on.
            DeviceError: Ray doesn't start, there is no cluster, or a worker has other versions.
        """
        if device == "auto" and address is None:
            device = "cpu" if networks.generator.provider == PROVIDERS["cpu"] else "cuda"
        self._undo = ExitStack()
        try:
            cores, cards = workers or runtime.cores(), None if device == "cuda" else 0
            ray = cluster.joined(address) if address else cluster.started(max(cores, runtime.cores()), cards)
            self._ray: Any = self._undo.enter_context(ray)
            device, count = _resources(self._ray.cluster_resources(), device)
            path = networks.bundle.path
            files = {name: (path / name).read_bytes() for name in ("bundle.json", *networks.info.files)}
            self._crew = Crew(
                self._ray,
                workers or count,
                {"num_cpus": 1, "num_gpus": int(device == "cuda")},
                versions_of(PROVIDERS[device]),
                self._ray.put(files),
                task,
                device,
            )
        except BaseException:
            self.close()
            raise
        self.provider = PROVIDERS[device]

    def draw(self, blocks: Iterable[Wanted | Part]) -> Generator[Part]:
        """See ``asset_gen.engines.Engine``."""
        coming: deque[Part | Job] = deque()
        source, failure = iter(blocks), None
        more = True
        try:
            while more or coming:
                while more and self._crew.room and len(coming) < WINDOW * self._crew.size:
                    try:
                        block = next(source)
                    except StopIteration:
                        more = False
                        break
                    except BaseException as error:  # what was handed out before it comes first
                        more, failure = False, error
                        break
                    coming.append(block if isinstance(block, Part) else self._crew.hand_out(block))
                first = coming[0] if coming else None
                if isinstance(first, Job):
                    if isinstance(first.outcome, Exception):
                        raise first.outcome
                    first = first.outcome
                if first is not None:
                    coming.popleft()
                    yield first
                elif coming:
                    self._crew.wait()
            if failure is not None:
                raise failure
        except self._ray.exceptions.RayError as error:
            reason = " ".join(str(error).split())[:300]
            raise AssetgenError(
                f"--engine ray: Ray has failed ({reason}). What was drawn is kept; the same command goes on from there."
            ) from error
        finally:
            self._crew.forget()

    def close(self) -> None:
        """End the workers, and Ray's own processes where this one has started them."""
        self._undo.close()


def _resources(has: dict[str, float], device: str) -> tuple[str, int]:
    """The device to draw on, and how many workers a cluster has for it.

    Raises:
        UsageError: it has graphics cards, and nobody said whether they are to draw.
        DeviceError: it has none.
    """
    cores, cards = int(has.get("CPU", 0)), int(has.get("GPU", 0))
    if device == "auto" and cards:
        raise UsageError(
            f"--engine ray: this cluster has {cards} graphics cards and {cores} cores. Say which are to draw, with "
            f"--device cuda or --device cpu."
        )
    if device == "cuda":
        if not cards:
            raise DeviceError("--device cuda: Ray sees no graphics card here. Use --device cpu, or --engine local.")
        return device, cards
    if not cores:
        raise DeviceError("--engine ray: this cluster has no processors to draw on. Use --engine local.")
    return "cpu", cores
