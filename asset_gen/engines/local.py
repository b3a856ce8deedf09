"""Draws on this machine, in this process: a thread a core, each with a batch of its own.

A batch goes through everything on one core: networks, figures, nearest training sprites, pictures as files. NumPy, zlib
and ONNX Runtime let go of Python's lock, so no core waits for another. On a graphics card one batch is at the networks
at a time, while others are described.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Generator, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import AbstractContextManager, nullcontext
from threading import Lock

from asset_gen import judge
from asset_gen.generate import Wanted, batch_for, generate
from asset_gen.judge import Task
from asset_gen.networks import Networks
from asset_gen.runtime import cores
from asset_gen.staged import Part


class Local:
    """A thread a core."""

    def __init__(self, networks: Networks, task: Task) -> None:
        self.networks, self.task = networks, task
        self.provider = networks.generator.provider
        self._batch = batch_for(networks.generator)
        self._turn: AbstractContextManager[object] = Lock() if networks.generator.device else nullcontext()
        self._threads = ThreadPoolExecutor(cores(), "assetgen-draw")
        self._ahead = 2 * cores()
        """Batches that are begun or wait for a thread, and those that wait for one before them."""

    def draw(self, blocks: Iterable[Wanted | Part]) -> Generator[Part]:
        """See ``asset_gen.engines.Engine``."""
        coming: deque[Part | Future[Part]] = deque()
        begun, failure = self._begun(blocks), None
        try:
            while True:
                try:
                    coming.append(next(begun))
                except StopIteration:
                    break
                except BaseException as error:  # what was begun before it comes first
                    failure = error
                    break
                if len(coming) > self._ahead:
                    yield _finished(coming.popleft())
            while coming:
                yield _finished(coming.popleft())
            if failure is not None:
                raise failure
        finally:
            for part in coming:
                if isinstance(part, Future):
                    part.cancel()

    def close(self) -> None:
        """End the threads; what waits for them is dropped."""
        self._threads.shutdown(cancel_futures=True)

    def _begun(self, blocks: Iterable[Wanted | Part]) -> Iterator[Part | Future[Part]]:
        """Batch by batch what is to come, and blocks that are drawn already."""
        for block in blocks:
            if isinstance(block, Part):
                yield block
                continue
            for start in range(0, len(block), self._batch):
                yield self._threads.submit(self._drawn, block.part(slice(start, start + self._batch)))

    def _drawn(self, wanted: Wanted) -> Part:
        """A batch, from latents to files."""
        networks = self.networks
        with self._turn:
            (drawn,) = generate(networks.generator, networks.info, self.task.seed, wanted)
            seen = judge.look(networks, drawn, wanted, self.task)
        return judge.described(networks.training, seen)


def _finished(part: Part | Future[Part]) -> Part:
    return part.result() if isinstance(part, Future) else part
