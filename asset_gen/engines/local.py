"""Draws on this machine, in this process."""

from __future__ import annotations

from collections.abc import Generator, Iterable

from asset_gen import judge
from asset_gen.generate import Wanted, generate
from asset_gen.judge import Task
from asset_gen.networks import Networks
from asset_gen.staged import Part


class Local:
    """One batch after another."""

    def __init__(self, networks: Networks, task: Task) -> None:
        self.networks, self.task = networks, task

    def draw(self, blocks: Iterable[Wanted | Part]) -> Generator[Part]:
        """See ``asset_gen.engines.Engine``."""
        networks, task = self.networks, self.task
        for block in blocks:
            if isinstance(block, Part):
                yield block
                continue
            for drawn in generate(networks.generator, networks.info, task.seed, block):
                yield judge.described(networks.training, judge.look(networks, drawn, block, task))

    def close(self) -> None:
        """Nothing is kept open."""
