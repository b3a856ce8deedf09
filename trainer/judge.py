"""How good is a generator, by judges that took no part in making it?

**Protocol.** Sprites are laid on white, enlarged by whole pixels to at least 64, resized bilinearly to the side that
the network was trained at (Lite1 240, Lite2 260), scaled to [-1, 1]; features are the 1,280 channels before the
network's last layer, averaged over all places. EfficientNet-Lite1 chooses checkpoints and settings, Lite2 only
reports. All figures are of whole sets, so nothing is drawn at random here; FID and the four of
``asset_gen.metrics.prdc`` depend on how many sprites there are, KID doesn't.

**Floor.** One half of dcss (32 px, 527 sprites) against the other, Lite2, mean of three splits: KID 0.0 ×10⁻³, FID
23.9. Shown to the network at 64 px, as they are, the same halves gave FID 295, and at 128 px 107: far below the side
that it knows, its features are noise. ``examples/dcss/judge.py`` prints the floor beside every table.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from typing import Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from asset_gen import pixels
from asset_gen.metrics.copies import copy_limit, share_of_copies
from asset_gen.metrics.fid import frechet_distance
from asset_gen.metrics.kid import kernel_distance
from asset_gen.metrics.prdc import precision_recall
from asset_gen.pixels import as_drawn
from trainer.models.classifier import Classifier
from trainer.pretrained import load_efficientnet

Sprites = NDArray[np.uint8]  # [n, s, s, 4], straight alpha
Features = NDArray[np.float32]  # [n, d]

SHOWN = 64  # pixels, at least; whole pixels keep pixel art what it is
NATIVE = {"lite0": 224, "lite1": 240, "lite2": 260}
"""Side in pixels of the pictures that each network was trained on."""
BATCH = {
    "cpu": 4,
    "cuda": 64,
}  # pictures at a time; on a CPU, what stays in a core's cache (16 take half as long again)
CPU = torch.device("cpu")


class FeatureNetwork(Protocol):
    """What turns sprites into features."""

    @property
    def name(self) -> str:
        """How reports call it."""

    def features(self, sprites: Sprites) -> Features:
        """One row of features for every sprite [n, s, s, 4], straight alpha."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """Figures of one set of sprites against the training set."""

    judge: str
    """The network whose features were compared."""
    samples: int
    kid: float
    """Kernel distance, × 10⁻³; its estimate is unbiased, so a perfect set is 0 in the mean, and often below."""
    fid: float
    precision: float
    recall: float
    density: float
    coverage: float
    copies: float
    """Share of sprites that are copies of a training sprite, 0–1."""

    def as_dict(self) -> dict[str, Any]:
        """For JSON, rounded to what the figures can bear."""
        return {key: round(value, 4) if isinstance(value, float) else value for key, value in asdict(self).items()}


class EfficientNetFeatures:
    """Features of an EfficientNet-Lite trained on ImageNet: 1,280 channels (extra ``pretrained``).

    Computed in float32 whatever the training's precision is, in ``channels_last``.

    Raises:
        DeviceError: the packages aren't installed.
        ModelError: the weights aren't the published ones.
    """

    def __init__(self, name: str = "lite1", device: torch.device = CPU) -> None:
        self.name = f"EfficientNet-{name.capitalize()}"
        self.side = NATIVE[name]
        self.device = device
        self.network = load_efficientnet(name).to(device)

    def features(self, sprites: Sprites, batch: int | None = None) -> Features:
        """[n, 1280]; ``batch`` changes them by rounding alone (1e-5 of their size), the number of cores not at all."""
        return _in_batches(self._pooled, sprites, batch or BATCH[self.device.type], self.device)

    def _pooled(self, sprites: Sprites) -> Tensor:
        with torch.inference_mode(), torch.autocast(self.device.type, enabled=False):
            maps: Tensor = self.network.extract_features(self.picture(sprites))  # type: ignore[operator]
            return maps.mean(dim=(2, 3)).cpu()

    def picture(self, sprites: Sprites) -> Tensor:
        """What the network sees: [n, 3, side, side] in [-1, 1]."""
        shown = pixels.enlarge(pixels.on_white(sprites), -(-SHOWN // sprites.shape[1]))
        picture = torch.from_numpy(shown).to(self.device).permute(0, 3, 1, 2).float() / 127.5 - 1
        picture = F.interpolate(picture, size=self.side, mode="bilinear", align_corners=False)
        return picture.contiguous(memory_format=torch.channels_last)


class ClassifierFeatures:
    """Features of a run's own type classifier: 96 channels, for runs that no outside network may touch.

    Every run trains its classifier anew, so KID and FID in these features say which checkpoint of *one* run is the
    best, and can't be compared between runs.
    """

    name = "type classifier"

    def __init__(self, classifier: Classifier, alpha: bool = True, device: torch.device = CPU) -> None:
        """``alpha`` as the classifier was trained with (``asset_gen.pixels.as_drawn``)."""
        self.classifier = classifier.to(device).eval()
        self.alpha = alpha
        self.device = device

    def features(self, sprites: Sprites, batch: int = 64) -> Features:
        """[n, 96] for sprites of the classifier's size; ``batch`` changes them by rounding alone."""
        return _in_batches(self._pooled, sprites, batch, self.device)

    def _pooled(self, sprites: Sprites) -> Tensor:
        with torch.inference_mode(), torch.autocast(self.device.type, enabled=False):
            rgba = torch.from_numpy(as_drawn(sprites, self.alpha)).to(self.device)
            return self.classifier.embedding(rgba).cpu()


def _in_batches(pooled: Callable[[Sprites], Tensor], sprites: Sprites, batch: int, device: torch.device) -> Features:
    """``pooled`` of all sprites, ``batch`` at a time.

    On a CPU each core works on a batch of its own: cores that share one wait for each other after each of some hundred
    small operations, which takes up to nine times as long where other programs run too [measured, Lite2].
    """
    parts = [sprites[start : start + batch] for start in range(0, len(sprites), batch)]
    if device.type != "cpu":
        return np.concatenate([pooled(part).numpy() for part in parts])
    cores = torch.get_num_threads()
    try:
        with ThreadPoolExecutor(cores, initializer=torch.set_num_threads, initargs=(1,)) as pool:
            return np.concatenate([part.numpy() for part in pool.map(pooled, parts)])
    finally:
        torch.set_num_threads(cores)


class CheckpointJudge:
    """Judges set after set against one training set, whose features are computed once."""

    def __init__(self, training: Sprites, network: FeatureNetwork, real: Features | None = None) -> None:
        """``real``: the features of ``training``, where they are known already."""
        self.training = training
        self.network = network
        self.real = network.features(training) if real is None else real
        self.copy_limit = copy_limit(training)

    def verdict(self, sprites: Sprites) -> Verdict:
        """All figures of ``sprites`` [n, s, s, 4] of the training sprites' size."""
        copies = share_of_copies(sprites, self.training, self.copy_limit)
        return compare(self.network.name, self.network.features(sprites), self.real, copies)

    def halves(self, splits: int) -> list[Verdict]:
        """The floor: one half of the training set against the other, for ``splits`` random divisions.

        A half has half the sprites, which alone raises FID; compare KID.
        """
        verdicts = []
        for seed in range(splits):
            one, other = np.array_split(np.random.default_rng(seed).permutation(len(self.real)), 2)
            copies = share_of_copies(self.training[one], self.training[other], self.copy_limit)
            verdicts.append(compare(self.network.name, self.real[one], self.real[other], copies))
        return verdicts


def compare(judge: str, ours: Features, real: Features, copies: float) -> Verdict:
    """Figures of features [n, d] against those of real sprites [m, d]."""
    spread = precision_recall(real, ours)
    return Verdict(
        judge=judge,
        samples=len(ours),
        kid=1000 * kernel_distance(ours, real),
        fid=frechet_distance(ours, real),
        precision=spread.precision,
        recall=spread.recall,
        density=spread.density,
        coverage=spread.coverage,
        copies=copies,
    )
