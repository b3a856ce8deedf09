"""Class-conditional RGBA generator and discriminator, small enough to train on a CPU.

Generator: FastGAN-lite (Liu et al. 2021, arXiv:2101.04775): nearest upsampling, gated linear units, skip-layer
excitation; type and latent enter through conditional batch normalisation (de Vries et al. 2017, arXiv:1707.00683).
Discriminator: residual, without normalisation, with minibatch standard deviation (Karras et al. 2018,
arXiv:1710.10196) and type projection (Miyato & Koyama 2018, arXiv:1802.05637).
"""

from __future__ import annotations

import math
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional as F

EMBEDDING = 64


def levels_of(size: int) -> tuple[int, int]:
    """(side of the first feature map, number of doublings) for a sprite size: 32 → (4, 3), 48 → (6, 3)."""
    start, levels = size, 0
    while start % 2 == 0 and start // 2 >= 4:
        start //= 2
        levels += 1
    return start, levels


def widths_of(levels: int, width: float) -> list[int]:
    """Channels from the coarsest map to the finest: 32 px → 128, 96, 64, 32; further levels add 128s in front."""
    base = [128] * max(0, levels - 2) + [96, 64, 32]
    return [max(8, int(channels * width) // 8 * 8) for channels in base[-(levels + 1) :]]


class ConditionalNorm(nn.Module):
    """Batch normalisation whose gain and bias are linear in the code [n, code]."""

    def __init__(self, channels: int, code: int) -> None:
        super().__init__()
        self.norm = nn.BatchNorm2d(channels, affine=False)
        self.gain = nn.Linear(code, channels)
        self.bias = nn.Linear(code, channels)
        for layer in (self.gain, self.bias):
            nn.init.normal_(layer.weight, std=0.02)
            nn.init.zeros_(layer.bias)

    def forward(self, x: Tensor, code: Tensor) -> Tensor:
        gain = 1 + self.gain(code)[:, :, None, None]
        bias = self.bias(code)[:, :, None, None]
        normed: Tensor = self.norm(x) * gain + bias
        return normed


class Level(nn.Module):
    """Nearest ×2, then twice (3×3 convolution → conditional norm → GLU): [n, i, s, s] → [n, o, 2s, 2s]."""

    def __init__(self, inputs: int, outputs: int, code: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, 2 * outputs, 3, padding=1, bias=False)
        self.norm1 = ConditionalNorm(2 * outputs, code)
        self.conv2 = nn.Conv2d(outputs, 2 * outputs, 3, padding=1, bias=False)
        self.norm2 = ConditionalNorm(2 * outputs, code)

    def forward(self, x: Tensor, code: Tensor) -> Tensor:
        x = F.interpolate(x, scale_factor=2.0, mode="nearest")
        x = F.glu(self.norm1(self.conv1(x), code), dim=1)
        return F.glu(self.norm2(self.conv2(x), code), dim=1)


class Excitation(nn.Module):
    """Skip-layer excitation: a coarse map gates a map three levels finer, channel by channel."""

    def __init__(self, coarse: int, fine: int) -> None:
        super().__init__()
        self.pool = nn.AdaptiveAvgPool2d(4)
        self.conv1 = nn.Conv2d(coarse, fine, 4)
        self.conv2 = nn.Conv2d(fine, fine, 1)

    def forward(self, coarse: Tensor, fine: Tensor) -> Tensor:
        gate = self.conv2(F.silu(self.conv1(self.pool(coarse))))
        return fine * torch.sigmoid(gate) * 2


class Generator(nn.Module):
    """(z [n, latent], label [n, types]) → rgba [n, 4, size, size] in [-1, 1], premultiplied alpha.

    ``label`` is a distribution over types; ``ramp`` (0–1) weighs the type embedding and is part of the state, so a
    checkpoint draws as it was trained ("Collapse by Conditioning", Shahbazi et al. 2022, arXiv:2201.06578).
    """

    ramp: Tensor

    def __init__(self, types: int, size: int, latent: int = 128, width: float = 1.0) -> None:
        super().__init__()
        self.start, levels = levels_of(size)
        widths = widths_of(levels, width)
        code = latent + EMBEDDING
        self.first = widths[0]
        self.embedding = nn.Linear(types, EMBEDDING, bias=False)
        nn.init.normal_(self.embedding.weight)
        self.stem = nn.Linear(code, widths[0] * self.start * self.start)
        self.levels = nn.ModuleList(Level(coarse, fine, code) for coarse, fine in pairwise(widths))
        self.excitations = nn.ModuleDict({str(i): Excitation(widths[i - 3], widths[i]) for i in range(3, levels + 1)})
        self.to_rgba = nn.Conv2d(widths[-1], 4, 3, padding=1)
        self.register_buffer("ramp", torch.ones(()))

    def forward(self, z: Tensor, label: Tensor) -> Tensor:
        z = z * torch.rsqrt(z.square().mean(dim=1, keepdim=True) + 1e-8)
        code = torch.cat([z, self.ramp * self.embedding(label)], dim=1)
        x = self.stem(code).reshape(-1, self.first, self.start, self.start)
        maps = [x]
        for number, level in enumerate(self.levels, start=1):
            x = level(x, code)
            if str(number) in self.excitations:
                x = self.excitations[str(number)](maps[number - 3], x)
            maps.append(x)
        return torch.tanh(self.to_rgba(x))


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
    """Append the mean standard deviation over groups of the batch as a channel: [n, c, h, w] → [n, c + 1, h, w]."""
    n, _, height, width = x.shape
    group = group if n % group == 0 else n
    grouped = x.float().reshape(group, -1, *x.shape[1:])
    deviation = (grouped.var(dim=0, unbiased=False) + 1e-8).sqrt().mean(dim=(1, 2, 3))
    plane = deviation.repeat(group)[:, None, None, None].expand(n, 1, height, width)
    return torch.cat([x, plane.to(x.dtype)], dim=1)


class Discriminator(nn.Module):
    """(rgba [n, 4, size, size] in [-1, 1], label [n, types]) → logit [n]."""

    ramp: Tensor

    def __init__(self, types: int, size: int, width: float = 1.0) -> None:
        super().__init__()
        start, levels = levels_of(size)
        base = [32, 64] + [128] * (levels - 1)
        widths = [max(8, int(channels * width) // 8 * 8) for channels in base]
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
