"""How good is a set of sprites? The rows of the paper's table, and those it lacks."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from dataclasses import asdict, dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from asset_gen import pixels
from asset_gen.errors import DeviceError, ModelError
from asset_gen.metrics.inception_score import SPLITS, inception_score
from asset_gen.runtime import Session
from asset_gen.score.types import type_probabilities
from trainer.classifier import as_drawn
from trainer.judge import CheckpointJudge, EfficientNetFeatures
from trainer.pretrained import load_efficientnet

Sprites = NDArray[np.uint8]  # [n, s, s, 4], straight alpha

WEIGHTS = "pt_inception-2015-12-05-6726825d.pth"
WEIGHTS_SHA256 = "6726825d"  # its beginning, as in the file's name
PAPER = {"real": (3.2631, 0.4095), "generated": (2.2936, 0.3265)}
"""Inception Score as printed by Trần Quý Nam (2023): mean, standard deviation over splits."""

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


def shuffled_on_white(sprites: Sprites, seed: int = 0) -> NDArray[np.uint8]:
    """[n, s, s, 3], in an order drawn by ``seed``: sorted by type, each split would hold one type."""
    order = np.random.default_rng(seed).permutation(len(sprites))
    return pixels.on_white(sprites[order])


def find_scorer(device: torch.device) -> Scorer:
    """The paper's own measure where its network is at hand; otherwise a stand-in, under another name.

    Raises:
        ModelError: the file of the weights isn't the published one.
        DeviceError: neither network is installed.
    """
    weights = Path(torch.hub.get_dir()) / "checkpoints" / WEIGHTS
    missing = []
    if importlib.util.find_spec("pytorch_gan_metrics") is None:
        missing.append("pip install 'assetgen[metrics]' torchvision")
    if not weights.is_file():
        missing.append(f"the file {WEIGHTS} in {weights.parent}")
    if missing:
        return Scorer(
            heading="IS (EfficientNet-Lite0)",
            note=f"The paper's network was not at hand ({', '.join(missing)}). IS (EfficientNet-Lite0) is computed in "
            "the same way from the 1,000 classes of another network; compare it between rows, not with the paper.",
            score=_efficientnet_score(device),
        )
    found = sha256(weights.read_bytes()).hexdigest()
    if not found.startswith(WEIGHTS_SHA256):
        raise ModelError(f"{weights}: its sha256 {found[:16]}… is not the published one. Fetch the file again.")
    return Scorer(
        heading="Inception Score",
        note="Inception Score by pytorch_gan_metrics 0.5.3, the paper's own measure.",
        score=lambda sprites: inception_by_the_papers_package(sprites, device),
    )


def inception_by_the_papers_package(sprites: Sprites, device: torch.device) -> Score:
    """``pytorch_gan_metrics.get_inception_score`` of shuffled, white-composited sprites [n, s, s, 4].

    Raises:
        DeviceError: the package can't be imported, most often for want of a torchvision that fits torch.
    """
    try:
        from pytorch_gan_metrics import get_inception_score
    except (ImportError, RuntimeError) as error:
        raise DeviceError(
            f"pytorch_gan_metrics can't be imported ({error}). Install the torchvision that belongs to torch "
            f"{torch.__version__}, or pip uninstall pytorch-gan-metrics to have another network's score."
        ) from None
    pictures = torch.from_numpy(shuffled_on_white(sprites)).permute(0, 3, 1, 2).float() / 255
    mean, deviation = get_inception_score(pictures, splits=SPLITS, device=device)  # by default: the first GPU
    return float(mean), float(deviation)


def _efficientnet_score(device: torch.device) -> Callable[[Sprites], Score]:
    """The score from the 1,000 classes of EfficientNet-Lite0."""
    eyes = EfficientNetFeatures("lite0", device)
    network = load_efficientnet("lite0")
    weight, bias = (getattr(network._fc, name).cpu().numpy() for name in ("weight", "bias"))

    def score(sprites: Sprites) -> Score:
        logits = eyes.features(sprites).astype(np.float64) @ weight.T + bias
        powers = np.exp(logits - logits.max(axis=1, keepdims=True))
        return inception_score(powers / powers.sum(axis=1, keepdims=True))

    return score


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
