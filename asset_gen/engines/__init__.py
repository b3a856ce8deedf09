"""Where are candidates drawn and judged? On this machine, or on others: a table of engines, loaded when asked for."""

from __future__ import annotations

from collections.abc import Generator, Iterable
from importlib import import_module
from typing import Any, Protocol, cast

from asset_gen.generate import Wanted
from asset_gen.judge import Task
from asset_gen.networks import Networks
from asset_gen.staged import Part

ENGINES = {"local": "asset_gen.engines.local:Local", "ray": "asset_gen.engines.ray:Ray"}
"""Name → ``module:class``. The class takes ``networks``, a ``task``, and options of its own."""


class Engine(Protocol):
    """Draws blocks of candidates; opened once for a run."""

    provider: str
    """The ONNX Runtime execution provider that draws."""

    def draw(self, blocks: Iterable[Wanted | Part]) -> Generator[Part]:
        """The candidates of all blocks in their order: a block as one part, or batch by batch.

        Args:
            blocks: what is wanted; a block that is drawn already comes as a part, and is handed on in its turn. No
                more of them are taken than can be worked on at once: each may hold megabytes.

        Never called before what it gave last has come to its end, or was closed. An exception is raised where its block
        would come, behind all that is finished before it.
        """

    def close(self) -> None:
        """Let go of threads, processes and connections, at once, whatever they do."""


def open_engine(name: str, networks: Networks, task: Task, **options: Any) -> Engine:
    """The engine of a name in ``ENGINES``."""
    module, _, title = ENGINES[name].partition(":")
    return cast(Engine, getattr(import_module(module), title)(networks, task, **options))
