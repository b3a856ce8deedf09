"""Which of a bundle's networks are loaded, and on which device? Each is loaded when it is first needed.

On a processor a call stays on the core of the thread that makes it: whoever has much to draw makes several at once, as
``asset_gen.engines.local`` does. Threads inside a network would wait for each other after every layer.
"""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from asset_gen.bundle import CRITIC, FEATURES, Bundle, BundleInfo
from asset_gen.generate import BATCH
from asset_gen.herding import Aim
from asset_gen.memory import ROWS
from asset_gen.runtime import Session, cores, open_session
from asset_gen.training_set import TrainingSet

if TYPE_CHECKING:
    from asset_gen.explore.space import Space


class Networks:
    """A bundle's networks, loaded onto a device, and what it knows of its training sprites."""

    def __init__(self, bundle: Bundle, device: str) -> None:
        self.bundle, self.device = bundle, device
        self.info: BundleInfo = bundle.info
        self.generator: Session = self._open(bundle.generator)
        self.classifier: Session = self._open(bundle.classifier)
        self.training: TrainingSet | None = TrainingSet.load(bundle)

    @cached_property
    def features(self) -> Session:
        """Sprite → features; only for a bundle that has a training set."""
        path = self.bundle.optional(FEATURES)
        assert path is not None
        return self._open(path)

    @cached_property
    def critic(self) -> Session:
        """Sprite → logit of being real; only for a bundle that has a critic."""
        path = self.bundle.optional(CRITIC)
        assert path is not None
        return self._open(path)

    @cached_property
    def space(self) -> Space:
        """What draws explored sprites."""
        from asset_gen.explore.space import Space

        return Space(self.bundle, self.device)

    @cached_property
    def aim(self) -> Aim:
        """What sets are compared with; only for a bundle that has a training set."""
        assert self.training is not None
        return Aim.of(self.training.features.values, self.training.kinds)

    def load_for(self, strategy: str) -> None:
        """Load now what a filter will ask for, so that what can't be loaded is told before anything is drawn.

        ``strategy``: one of ``asset_gen.select.FILTERS``, or ``RATED``.

        Raises:
            DeviceError, ModelError: see ``open_session``.
        """
        if strategy == "set":
            _ = self.features, self.aim
        if strategy == "critic":
            _ = self.critic

    def _open(self, path: Path) -> Session:
        calls = -(-cores() * BATCH // ROWS)  # as large as the one that a bundle's memory is told for
        return open_session(path, self.device, calls * self.bundle.memory, threads=1)

    def rest(self) -> None:
        """Give back memory that only further drawing would need; the networks stay loaded."""
        further = (vars(self)[name] for name in ("features", "critic") if name in vars(self))
        for session in (self.generator, self.classifier, *further):
            session.rest()
