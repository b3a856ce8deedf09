"""Networks with random weights, in the place of published ones that tests can't have."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from asset_gen.score.pictures import network_pictures
from asset_gen.score.scorer import OUTSIDE, Outside
from exporter.inception import Inception


def random_inception(sprites: NDArray[np.uint8]) -> dict[str, torch.Tensor]:
    """Weights of Inception v3 that keep the size of signals (He et al. 2015) and tell ``sprites`` [n, s, s, 4] apart.

    The last layer looks at what differs between their features; what all have in common would make all of one class.
    """
    chance = torch.Generator().manual_seed(0)
    network = Inception().eval()
    weights = network.state_dict()
    for name, value in weights.items():
        if name.endswith("conv.weight"):
            value.normal_(0, (2 / value[0].numel()) ** 0.5, generator=chance)
        elif name.endswith("bn.bias"):
            value.normal_(0, 0.1, generator=chance)
    with torch.inference_mode():
        _, features = network(torch.from_numpy(network_pictures(sprites, 299)))
    features = features.clone()
    common = features.mean(dim=0)
    spread = (features - common).norm(dim=1).mean()
    last = torch.randn(weights["fc.weight"].shape, generator=chance) * 3 / spread
    weights["fc.weight"].copy_(last - torch.outer(last @ common, common) / common.dot(common))
    weights["fc.bias"].normal_(0, 1, generator=chance)  # which the score leaves out
    return weights


def as_torch_fidelity_shows(weights: Mapping[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """Weights with which torch-fidelity has the same network of the same pictures.

    It shows its network (x − 128) / 128 of 0–255, and pytorch_gan_metrics and we show x / 127.5 − 1, which is 256 / 255
    of that plus 1 / 255. Its first convolution has no padding, so the difference can be moved into its weights.
    """
    first, mean = "Conv2d_1a_3x3.conv.weight", "Conv2d_1a_3x3.bn.running_mean"
    return {
        **weights,
        first: weights[first] * 256 / 255,
        mean: weights[mean] - weights[first].sum(dim=(1, 2, 3)) / 255,
    }


class Pictures(torch.utils.data.Dataset[torch.Tensor]):
    """RGB uint8 [n, h, w, 3] as torch-fidelity wants it: a picture [3, h, w] a place."""

    def __init__(self, pictures: NDArray[np.uint8]) -> None:
        self.pictures = torch.from_numpy(pictures).permute(0, 3, 1, 2).contiguous()

    def __len__(self) -> int:
        return len(self.pictures)

    def __getitem__(self, place: int) -> torch.Tensor:
        return self.pictures[place]


def outside_with(path: Path, name: str = "inception") -> Mapping[str, Outside]:
    """The table of networks, with the file ``path`` as the published weights of one."""
    digest = sha256(path.read_bytes()).hexdigest()
    return {**OUTSIDE, name: replace(OUTSIDE[name], weights=replace(OUTSIDE[name].weights, sha256=digest))}
