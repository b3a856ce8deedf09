"""Draws on this machine, in this process.

While the networks look at a batch, a thread describes the one before it: figures, nearest training sprites, pictures as
files. NumPy, zlib and ONNX Runtime let go of Python's lock, so both run at once.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Generator, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor

from asset_gen import judge
from asset_gen.generate import Wanted, generate
from asset_gen.judge import Seen, Task
from asset_gen.networks import Networks
from asset_gen.staged import Part

AHEAD = 2
"""Batches that may wait for their description."""


class Local:
    """Networks in the caller's thread, descriptions in another."""

    def __init__(self, networks: Networks, task: Task) -> None:
        self.networks, self.task = networks, task
        self.provider = networks.generator.provider
        self._describing = ThreadPoolExecutor(1, "assetgen-describe")

    def draw(self, blocks: Iterable[Wanted | Part]) -> Generator[Part]:
        """See ``asset_gen.engines.Engine``."""
        coming: deque[Part | Future[Part]] = deque()
        looked_at, failure = self._looked_at(blocks), None
        while True:
            try:
                seen = next(looked_at)
            except StopIteration:
                break
            except BaseException as error:  # what was finished before it comes first
                failure = error
                break
            if isinstance(seen, Seen):
                coming.append(self._describing.submit(judge.described, self.networks.training, seen))
            else:
                coming.append(seen)
            if len(coming) > AHEAD:
                yield _finished(coming.popleft())
        while coming:
            yield _finished(coming.popleft())
        if failure is not None:
            raise failure

    def close(self) -> None:
        """End the thread; what waits for it is dropped."""
        self._describing.shutdown(cancel_futures=True)

    def _looked_at(self, blocks: Iterable[Wanted | Part]) -> Iterator[Seen | Part]:
        """What networks say of every batch, and blocks that are drawn already."""
        networks = self.networks
        for block in blocks:
            if isinstance(block, Part):
                yield block
                continue
            for drawn in generate(networks.generator, networks.info, self.task.seed, block):
                yield judge.look(networks, drawn, block, self.task)


def _finished(part: Part | Future[Part]) -> Part:
    return part.result() if isinstance(part, Future) else part
