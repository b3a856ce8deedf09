"""How good is a set of sprites? The rows of the paper's table, and those it lacks."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from asset_gen.metrics.inception_score import inception_score
from asset_gen.pixels import as_drawn
from asset_gen.runtime import Session
from asset_gen.score.scorer import Opening, open_scorer
from asset_gen.score.types import type_probabilities
from asset_gen.score.weights import INCEPTION, at_hand, checkpoint_folder, find_weights
from exporter.scorers import CONVERTERS
from trainer.judge import CheckpointJudge
from trainer.official import official_inception_score

Sprites = NDArray[np.uint8]  # [n, s, s, 4], straight alpha

Score = tuple[float, float]
"""Mean and standard deviation over the splits."""


@dataclass(frozen=True, slots=True)
class Row:
    """Figures of one set; ``None`` where a figure says nothing about it."""

    name: str
    sprites: int
    inception: Score
    types: Score
    kid: float | None = None
    fid: float | None = None
    precision: float | None = None
    recall: float | None = None
    copies: float | None = None
    steps: int | None = None
    minutes: float | None = None

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Scorer:
    """A network that has classes, and how its score is called."""

    heading: str
    note: str
    score: Callable[[Sprites], Score]


def find_scorer(device: torch.device) -> Scorer:
    """The paper's own measure where its network is at hand; otherwise a stand-in, under another name.

    Raises:
        ModelError: the file of the weights isn't the published one.
        DeviceError: neither network is installed.
    """
    weights = at_hand(INCEPTION)
    missing = []
    if importlib.util.find_spec("pytorch_gan_metrics") is None:
        missing.append("pip install 'assetgen[metrics]' torchvision")
    if weights is None:
        missing.append(f"the file {INCEPTION.file} in {checkpoint_folder()}")
    if weights is None or missing:
        stand_in = open_scorer("imagenet", Opening(convert=CONVERTERS))
        return Scorer(
            heading=stand_in.heading,
            note=f"The paper's network was not at hand ({', '.join(missing)}). {stand_in.heading} is computed in "
            "the same way from the 1,000 classes of another network; compare it between rows, not with the paper.",
            score=lambda sprites: inception_score(stand_in.judge(sprites).p),
        )
    checked = find_weights(INCEPTION, weights)
    return Scorer(
        heading="Inception Score",
        note="Inception Score by pytorch_gan_metrics 0.5.3, the paper's own measure.",
        score=lambda sprites: official_inception_score(sprites, checked, device=device),
    )


def type_score(classifier: Session, sprites: Sprites) -> Score:
    """The score over the sprites' own types, by the classifier of a bundle that draws without alpha, at its size."""
    rgba = as_drawn(sprites, alpha=False)
    parts = [type_probabilities(classifier, rgba[start : start + 64]) for start in range(0, len(rgba), 64)]
    return inception_score(np.concatenate(parts))


def share_of_neighbours_of_one_type(features: NDArray[np.float32], first_types: NDArray[np.int64]) -> float:
    """Share of real sprites whose nearest other sprite, in features [n, d], has their first type."""
    squares = (features**2).sum(axis=1)
    distances = squares[:, None] + squares[None] - 2 * features @ features.T
    np.fill_diagonal(distances, np.inf)
    return float((first_types[distances.argmin(axis=1)] == first_types).mean())


def judged(name: str, sprites: Sprites, judge: CheckpointJudge, **others: Any) -> Row:
    """A row with the distances of ``sprites`` to the real ones; ``others`` are its further figures."""
    verdict = judge.verdict(sprites)
    return Row(
        name,
        len(sprites),
        kid=verdict.kid,
        fid=verdict.fid,
        precision=verdict.precision,
        recall=verdict.recall,
        copies=verdict.copies,
        **others,
    )
