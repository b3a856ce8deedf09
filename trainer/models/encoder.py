"""The way back: a sprite and its type → the latent from which a frozen generator draws it as nearly as it can."""

from __future__ import annotations

import torch
from torch import Tensor, nn

WIDTHS = (32, 48, 64, 96)


class Encoder(nn.Module):
    """(rgba [n, 4, size, size] in [-1, 1], label [n, types]) → z [n, latent] with a root mean square of 1."""

    def __init__(self, types: int, size: int, latent: int = 128) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        inputs, side, block = 4, size, 0
        while side > 4:
            outputs = WIDTHS[min(block, len(WIDTHS) - 1)]
            layers += [nn.Conv2d(inputs, outputs, 3, padding=1), nn.LeakyReLU(0.2)]
            layers += [nn.Conv2d(outputs, outputs, 3, stride=2, padding=1), nn.LeakyReLU(0.2)]
            inputs, side, block = outputs, -(-side // 2), block + 1
        self.maps = nn.Sequential(*layers, nn.Flatten())
        self.dense = nn.Linear(inputs * side * side + types, 256)
        self.last = nn.Linear(256, latent)

    def forward(self, rgba: Tensor, label: Tensor) -> Tensor:
        code = torch.cat([self.maps(rgba), 4 * label], dim=1)
        z: Tensor = self.last(nn.functional.leaky_relu(self.dense(code), 0.2))
        return z * torch.rsqrt(z.square().mean(dim=1, keepdim=True).clamp_min(1e-8))
