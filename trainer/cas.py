"""Classification accuracy score (Ravuri & Vinyals 2019, arXiv:1905.10887): do generated sprites teach the types?

The type classifier is trained on generated sprites alone and tested on real ones that are held out; beside it stands
the same classifier trained on the real training part. No network trained by others takes part. A generator that has
itself been trained on the held-out sprites may profit from that; look at the share of copies beside it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from asset_gen.errors import UsageError
from asset_gen.pixels import as_drawn, at_side
from trainer.classifier import fit, hold_out
from trainer.dataset import Dataset, load_dataset


@dataclass(frozen=True, slots=True)
class AccuracyScore:
    """How well real types are learnt from generated sprites, and from real ones."""

    generated: float
    """Accuracy on held-out real sprites after training on generated ones, 0–1: the score."""
    real: float
    """The same after training on the real training part."""
    sprites: int
    """How many generated sprites were learnt from."""
    held_out: int
    """How many real sprites were tested: the standard error is √(score · (1 − score) / held_out)."""

    @property
    def ratio(self) -> float:
        """The score as a share of what real sprites teach; 0 where those teach nothing."""
        return self.generated / self.real if self.real else 0.0

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self) | {"ratio": self.ratio}


class AccuracyTest:
    """A set of real sprites, split as ``trainer.classifier`` splits it; what they teach is found once."""

    def __init__(self, dataset: Dataset, seed: int = 0, device: torch.device | None = None) -> None:
        """``seed`` decides the split and the classifiers' weights; with a run's own seed it is that run's split.

        Raises:
            ValueError: no type has enough sprites to hold one out.
        """
        self.dataset = dataset
        self.seed = seed
        self.device = device or torch.device("cpu")
        self.held = hold_out(dataset.first_types, seed)
        if not self.held.any():
            raise ValueError("the classification accuracy score needs a type with at least five sprites")

    @cached_property
    def real(self) -> float:
        """Accuracy on the held-out part of a classifier trained on the rest."""
        return self._taught_by(self.dataset.sprites[~self.held], self.dataset.labels[~self.held])

    def score(self, sprites: NDArray[np.uint8], labels: NDArray[np.float32]) -> AccuracyScore:
        """The score of generated ``sprites`` [n, s, s, 4], s as the real ones', with the types asked for [n, types].

        Raises:
            ValueError: there are fewer of them than real sprites in the training part, or they have another size.
        """
        least = int((~self.held).sum())
        if len(sprites) < least:
            raise ValueError(f"{len(sprites)} sprites are fewer than the {least} real ones they are compared with")
        if sprites.shape[1:] != self.dataset.sprites.shape[1:]:
            raise ValueError(f"sprites of {sprites.shape[1]} px can't teach about sprites of {self.dataset.size} px")
        return AccuracyScore(
            generated=self._taught_by(sprites, labels),
            real=self.real,
            sprites=len(sprites),
            held_out=int(self.held.sum()),
        )

    def _taught_by(self, sprites: NDArray[np.uint8], labels: NDArray[np.float32]) -> float:
        pictures = torch.from_numpy(as_drawn(sprites, alpha=True)).to(self.device)
        network = fit(pictures, torch.from_numpy(labels).to(self.device), self.seed)
        with torch.inference_mode():
            tested = torch.from_numpy(as_drawn(self.dataset.sprites[self.held], alpha=True)).to(self.device)
            found = network(tested).argmax(dim=1).cpu().numpy()
        return float((found == self.dataset.first_types[self.held]).mean())


def accuracy_score(folder: Path, sprites: NDArray[np.uint8], kinds: Sequence[str], seed: int = 0) -> AccuracyScore:
    """The score of ``sprites`` [n, s, s, 4] of the types ``kinds`` (slugs) for the real sprites in ``folder``.

    Raises:
        SpriteError: the folder is no set of sprites.
        UsageError: it has no such type, too few sprites of every type, or there are too few generated ones.
    """
    dataset = load_dataset(folder)
    columns = {kind: column for column, kind in enumerate(dataset.types)}
    if unknown := sorted({*kinds} - {*columns}):
        raise UsageError(f"--metric cas: {folder} has no sprites of the types {', '.join(unknown)}.")
    labels = np.eye(len(columns), dtype=np.float32)[[columns[kind] for kind in kinds]]
    try:
        return AccuracyTest(dataset, seed).score(at_side(sprites, dataset.size), labels)
    except ValueError as error:
        raise UsageError(f"--metric cas: {error}.") from None
