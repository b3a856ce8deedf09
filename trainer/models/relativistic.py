"""A generator and discriminator small enough to train on a CPU, and no network trained by others.

Discriminator: residual, without normalisation, with minibatch standard deviation (Karras et al. 2018,
arXiv:1710.10196) and type projection (Miyato & Koyama 2018, arXiv:1802.05637). It sees alpha itself.
"""

from __future__ import annotations

import math
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from trainer.models import fastgan
from trainer.models.fastgan import levels_of, scaled


def generator(types: int, size: int, width: float) -> fastgan.Generator:
    """128, 96, 64, 32 channels at 32 px; larger sprites add 128s in front."""
    _, levels = levels_of(size)
    base = [128] * max(0, levels - 2) + [96, 64, 32]
    return fastgan.Generator(types, size, scaled(base[-(levels + 1) :], width))


class Down(nn.Module):
    """Residual halving: [n, i, s, s] → [n, o, s/2, s/2]."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, inputs, 3, padding=1)
        self.conv2 = nn.Conv2d(inputs, outputs, 4, stride=2, padding=1)
        self.skip = nn.Conv2d(inputs, outputs, 1, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        y = self.conv2(F.leaky_relu(self.conv1(F.leaky_relu(x, 0.2)), 0.2))
        shortcut: Tensor = self.skip(F.avg_pool2d(x, 2))
        total: Tensor = (shortcut + y) * math.sqrt(0.5)
        return total


def minibatch_deviation(x: Tensor, group: int = 4) -> Tensor:
    """Append the mean deviation within groups of neighbouring rows as a channel: [n, c, h, w] → [n, c + 1, h, w]."""
    n, _, height, width = x.shape
    group = group if n % group == 0 else n
    grouped = x.float().reshape(-1, group, *x.shape[1:])
    deviation = (grouped.var(dim=1, unbiased=False) + 1e-8).sqrt().mean(dim=(1, 2, 3))
    plane = deviation.repeat_interleave(group)[:, None, None, None].expand(n, 1, height, width)
    return torch.cat([x, plane.to(x.dtype)], dim=1)


class Discriminator(nn.Module):
    """(rgba [n, 4, size, size] in [-1, 1], label [n, types]) → logit [n]."""

    ramp: Tensor

    def __init__(self, types: int, size: int, width: float = 1.0) -> None:
        super().__init__()
        start, levels = levels_of(size)
        widths = scaled([32, 64] + [128] * (levels - 1), width)
        self.from_rgba = nn.Conv2d(4, widths[0], 3, padding=1)
        self.downs = nn.ModuleList(Down(a, b) for a, b in pairwise(widths))
        self.last = nn.Conv2d(widths[-1] + 1, widths[-1], 3, padding=1)
        self.dense = nn.Linear(widths[-1] * start * start, 2 * widths[-1])
        self.logit = nn.Linear(2 * widths[-1], 1)
        self.projection = nn.Linear(types, 2 * widths[-1], bias=False)
        nn.init.normal_(self.projection.weight, std=(2 * widths[-1]) ** -0.5)
        self.register_buffer("ramp", torch.ones(()))

    def forward(self, x: Tensor, label: Tensor) -> Tensor:
        x = self.from_rgba(x)
        for down in self.downs:
            x = down(x)
        x = F.leaky_relu(self.last(F.leaky_relu(minibatch_deviation(x), 0.2)), 0.2)
        x = F.leaky_relu(self.dense(x.flatten(1)), 0.2)
        logit: Tensor = self.logit(x)[:, 0] + self.ramp * (x * self.projection(label)).sum(dim=1)
        return logit.float()
