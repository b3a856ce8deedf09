"""By which networks are sprites judged, and what does one say of a sprite?

    types      the type classifier of a bundle
    imagenet   EfficientNet-Lite0, 1,000 classes of ImageNet
    inception  Inception v3 with TensorFlow's weights of 2015: the network of the Inception Score, and of FID and KID

Every one is an ONNX network that ``asset_gen.runtime`` runs. The latter two become one on first use,
which takes PyTorch, and lie in the user's cache from then on.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from asset_gen.bundle import Bundle
from asset_gen.errors import UsageError
from asset_gen.metrics.inception_score import softmax
from asset_gen.runtime import Session, open_session
from asset_gen.score.cache import Convert, converted
from asset_gen.score.pictures import network_pictures
from asset_gen.score.types import open_with_features, rendered_for
from asset_gen.score.weights import INCEPTION, LITE0, Weights, find_weights

Sprites = NDArray[np.uint8]  # [n, s, s, 4], straight alpha

SCORERS = ("types", "imagenet", "inception")


@dataclass(frozen=True, slots=True)
class Judgement:
    """What a network says of n sprites."""

    p: NDArray[np.float32]
    """[n, classes]: p(class | sprite); a row sums to 1."""
    features: NDArray[np.float32]
    """[n, d]: its last feature maps, averaged over all places."""


@dataclass(frozen=True, slots=True)
class Scorer:
    """A network with classes, and how sprites are shown to it."""

    name: str
    """One of ``SCORERS``."""
    network: str
    """The network's name, for people."""
    heading: str
    """How its score is called: only one network's is the Inception Score."""
    side: int
    """Pixels a side of what the network sees."""
    session: Session
    """One input; the outputs ``logits`` [n, classes] and ``features`` [n, d] (or maps [n, d, h, w])."""
    input: str
    """Name of its input."""
    show: Callable[[Sprites], NDArray[np.float32]]
    """Sprites → its input."""
    batch: int
    """Sprites a call, so that memory stays flat."""

    def judge(self, sprites: Sprites) -> Judgement:
        """Probabilities and features of sprites [n, s, s, 4]; the last batch is padded, so that all have one shape.

        Raises:
            ModelError: the network fails.
        """
        p, features = [], []
        for start in range(0, len(sprites), self.batch):
            shown = self.show(sprites[start : start + self.batch])
            count = len(shown)
            if count < self.batch:
                shown = np.concatenate([shown, np.repeat(shown[:1], self.batch - count, axis=0)])
            outputs = self.session.run_all(**{self.input: shown})
            maps = outputs["features"][:count]
            p.append(softmax(outputs["logits"][:count]))
            features.append(maps.mean(axis=(2, 3)) if maps.ndim == 4 else maps)
        return Judgement(np.concatenate(p), np.concatenate(features))


@dataclass(frozen=True, slots=True)
class Outside:
    """A network trained by others."""

    network: str
    heading: str
    weights: Weights
    side: int
    shown: int
    """Pixels to which sprites are enlarged first, by whole pixels."""
    batch: int
    converter: int
    """Raised whenever ``exporter.scorers`` makes another graph of the same weights."""


OUTSIDE: Mapping[str, Outside] = {
    "imagenet": Outside("EfficientNet-Lite0", "IS (EfficientNet-Lite0)", LITE0, 224, 64, 16, 1),
    "inception": Outside("Inception v3 (TensorFlow, 2015)", "Inception Score", INCEPTION, 299, 1, 8, 1),
}


@dataclass(frozen=True, slots=True)
class Opening:
    """What a scorer is opened with."""

    bundle: Bundle | None = None
    """Whose classifier ``types`` asks."""
    device: str = "auto"
    weights: Path | None = None
    """A file with the weights of ``inception``; None looks for it, and downloads it where there is none."""
    convert: Mapping[str, Convert] | None = None
    """Scorer → what makes an ONNX file of its weights; None where PyTorch is missing."""


def open_scorer(name: str, opening: Opening, outside: Mapping[str, Outside] = OUTSIDE) -> Scorer:
    """Load a network.

    Raises:
        UsageError: ``types`` without a bundle.
        ModelError: the weights aren't the published ones, or can't be had, or the network is refused.
        DeviceError: no ONNX Runtime, not on that device, or no PyTorch to convert the weights.
    """
    if name in outside:
        return _outside_scorer(name, outside[name], opening)
    if opening.bundle is None:
        raise UsageError("--scorer types: judges by the type classifier of a model. Name one with --model BUNDLE.")
    bundle = opening.bundle
    return Scorer(
        name=name,
        network=f"type classifier of {bundle.info.name}",
        heading="IS over types",
        side=bundle.info.size,
        session=open_with_features(bundle, opening.device),
        input="rgba",
        show=partial(rendered_for, bundle.info),
        batch=64,
    )


def _outside_scorer(name: str, network: Outside, opening: Opening) -> Scorer:
    given = opening.weights if network.weights.url else None  # those of a package come with it
    find = partial(find_weights, network.weights, given)
    if given:  # a wrong file is a mistake, even where the right one has been converted already
        find()
    key = f"{name}-{network.weights.sha256[:16]}-{network.converter}"
    path = converted(key, find, (opening.convert or {}).get(name), network.network)
    return Scorer(
        name=name,
        network=network.network,
        heading=network.heading,
        side=network.side,
        session=open_session(path, opening.device),
        input="picture",
        show=partial(network_pictures, side=network.side, shown=network.shown),
        batch=network.batch,
    )
