"""The paper's DCGAN (Trần Quý Nam 2023, after Radford et al. 2016, arXiv:1511.06434): unconditional RGB on white.

The text names 3×28×28 pictures, but the five layers it lists make 3×64×64; 64 is what ``Generator(size=64)`` builds.
``size=28`` keeps the five layers and adjusts the last three (7 → 14 → 28) so that the printed size comes out.

Weights start as PyTorch's layers start them, since the text names no other way. With the N(0, 0.02²) of Radford et al.
white stays grey: a discriminator without biases, which normalises real and generated batches apart, can't see their
contrast, and pictures that begin pale stay pale. On veekun, KID was 558 ×10⁻³ after 375 epochs of it.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from trainer.distributed import BatchNorm

GENERATOR = {  # kernel, stride, padding of the five transposed convolutions
    64: ((4, 1, 0), (4, 2, 1), (4, 2, 1), (4, 2, 1), (4, 2, 1)),
    28: ((4, 1, 0), (4, 1, 0), (4, 2, 1), (4, 2, 1), (3, 1, 1)),
}
DISCRIMINATOR = {  # kernel, stride, padding of the five convolutions
    64: ((4, 2, 1), (4, 2, 1), (4, 2, 1), (4, 2, 1), (4, 1, 0)),
    28: ((4, 2, 1), (4, 2, 1), (3, 1, 1), (4, 1, 0), (4, 1, 0)),
}
SIZES = tuple(sorted(GENERATOR))


class Generator(nn.Module):
    """z [n, latent] → rgb [n, 3, size, size] in [-1, 1] on white. ``label`` is ignored: the paper has no condition."""

    def __init__(self, size: int = 64, latent: int = 128) -> None:
        super().__init__()
        channels = (latent, 512, 256, 128, 64, 3)
        layers: list[nn.Module] = []
        for number, (kernel, stride, padding) in enumerate(GENERATOR[size]):
            inputs, outputs = channels[number : number + 2]
            layers.append(nn.ConvTranspose2d(inputs, outputs, kernel, stride, padding, bias=False))
            layers += [BatchNorm(outputs), nn.ReLU()] if number < 4 else [nn.Tanh()]
        self.layers = nn.Sequential(*layers)

    def forward(self, z: Tensor, label: Tensor | None = None) -> Tensor:
        rgb: Tensor = self.layers(z[:, :, None, None])
        return rgb


class Discriminator(nn.Module):
    """rgb [n, 3, size, size] in [-1, 1] → logit [n]; the paper's sigmoid sits in the loss, where it is stable."""

    def __init__(self, size: int = 64) -> None:
        super().__init__()
        channels = (3, 64, 128, 256, 512, 1)
        layers: list[nn.Module] = []
        for number, (kernel, stride, padding) in enumerate(DISCRIMINATOR[size]):
            inputs, outputs = channels[number : number + 2]
            layers.append(nn.Conv2d(inputs, outputs, kernel, stride, padding, bias=False))
            if number < 4:
                layers += [BatchNorm(outputs), nn.LeakyReLU(0.2)]
        self.layers = nn.Sequential(*layers)

    def forward(self, x: Tensor, label: Tensor | None = None) -> Tensor:
        logit: Tensor = self.layers(x).flatten()
        return logit


def with_alpha(rgb: Tensor) -> Tensor:
    """[n, 3, h, w] → [n, 4, h, w]: opaque, so that every generator keeps the bundle's ``rgba`` contract."""
    return torch.cat([rgb, torch.ones_like(rgb[:, :1])], dim=1)
