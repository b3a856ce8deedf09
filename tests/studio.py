"""A project that is watched by hand: time passes when a test says so, and the networks are stand-ins."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from asset_gen.batch import Outcome, run_batch
from asset_gen.errors import AssetgenError
from asset_gen.manifest import Manifest, read_manifest
from asset_gen.plan import Request
from asset_gen.publish import Place, locate
from asset_gen.watch.events import Event
from asset_gen.watch.loop import Retrainer, Tools, Watch
from asset_gen.watch.reconcile import REST
from asset_gen.watch.scene import FOLDER, REJECT
from tests.conftest import files_of

OUT = "assets/generated"


@dataclass
class Studio:
    """A project, its watch, and a clock that stands still."""

    project: Path
    model: Path
    now: float = 1000.0
    clock: Callable[[], float] | None = None
    """A clock that goes; None: ``now``, which stands still."""
    told: list[Event] = field(default_factory=list)
    counts: dict[str, int] = field(default_factory=lambda: {"bat": 3, "imp": 2})
    changes: dict[str, Any] = field(default_factory=dict)
    """Fields of the request."""
    batches: int = 0
    broken: AssetgenError | None = None
    """What reading the recipe ends with."""
    retrain: Retrainer | None = None
    sprites: Path | None = None
    meanwhile: Callable[[], object] = lambda: None
    """What happens while a batch works."""

    def __post_init__(self) -> None:
        self.watch = self.again()

    def again(self) -> Watch:
        """A watch that knows nothing yet, as after a kill."""
        clock = self.clock or (lambda: self.now)
        tools = Tools(parts=self._parts, batch=self._batch, say=self.told.append, retrain=self.retrain, clock=clock)
        self.watch = Watch(self.project, tools, self.sprites)
        return self.watch

    @property
    def place(self) -> Place:
        return locate(self.project, OUT)

    @property
    def out(self) -> Path:
        return self.place.out

    @property
    def reject(self) -> Path:
        return self.out / FOLDER / REJECT

    def manifest(self) -> Manifest:
        found = read_manifest(self.out)
        assert found is not None
        return found

    def published(self) -> dict[str, bytes]:
        """What engines see."""
        return {path: data for path, data in files_of(self.out).items() if not path.startswith(FOLDER)}

    def settle(self, full: bool = False) -> list[str]:
        """Let time pass until nothing is left to do; returns the kinds of what was told."""
        before = len(self.told)
        for _ in range(40):
            wait = self.watch.tick(full)
            full = False
            if wait is None:
                return [event.event for event in self.told[before:]]
            self.now += max(wait, 0.001)
        raise AssertionError(f"no rest: {self.told[before:]}")

    def quiet(self) -> bool:
        """Whether the last that was told is that all is well."""
        return bool(self.told) and self.told[-1].event == "watching"

    def rest(self) -> None:
        """Let as much time pass as a file must rest."""
        self.now += REST

    def request(self) -> Request:
        """What the recipe asks for."""
        quotas = dict(self.counts)
        return Request(project=self.project, out=OUT, model=self.model, quotas=quotas, oversample=2, **self.changes)

    def _parts(self) -> list[tuple[Request, Place]]:
        if self.broken is not None:
            raise self.broken
        return [(self.request(), self.place)]

    def _batch(self, request: Request, ask: Callable[[str], bool]) -> Outcome:
        self.batches += 1
        self.meanwhile()
        return run_batch(request, ask)
