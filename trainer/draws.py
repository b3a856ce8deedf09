"""Where does the randomness of a training step come from?

From (seed, step, purpose) alone, drawn for the whole batch: there is no state of a random generator to keep, and a
process that trains on a share of the batch takes its rows of what one process alone would have drawn.
"""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256
from typing import Any

import torch
from torch import Tensor

from trainer.distributed import ALONE, Group


def seeded(device: torch.device, *parts: object) -> torch.Generator:
    """A random generator that belongs to these parts, whatever was drawn before."""
    digest = sha256("/".join(map(str, parts)).encode()).digest()
    return torch.Generator(device).manual_seed(int.from_bytes(digest[:7], "little"))


@dataclass(frozen=True, slots=True)
class Draws:
    """Random tensors for a batch: drawn for all of it, returned as this process's rows."""

    generator: torch.Generator
    batch: int
    """Rows of the whole batch, over all processes."""
    group: Group = ALONE

    def uniform(self, *shape: int) -> Tensor:
        """[rows, *shape] from [0, 1)."""
        return self.group.rows_of(torch.rand(self.batch, *shape, **self._place))

    def normal(self, *shape: int) -> Tensor:
        """[rows, *shape] from N(0, 1)."""
        return self.group.rows_of(torch.randn(self.batch, *shape, **self._place))

    def integers(self, low: int, high: int, *shape: int) -> Tensor:
        """[rows, *shape] whole numbers from low to high − 1."""
        return self.group.rows_of(torch.randint(low, high, (self.batch, *shape), **self._place))

    @property
    def _place(self) -> dict[str, Any]:
        return {"device": self.generator.device, "generator": self.generator}
