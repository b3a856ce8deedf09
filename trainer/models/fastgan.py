"""Class-conditional RGBA generator: FastGAN-lite (Liu et al. 2021, arXiv:2101.04775).

Nearest upsampling, gated linear units, skip-layer excitation; type and latent enter through conditional batch
normalisation (de Vries et al. 2017, arXiv:1707.00683). Only operators that every ONNX runtime has.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from trainer.distributed import BatchNorm


def levels_of(size: int) -> tuple[int, int]:
    """(side of the first feature map, number of doublings) for a sprite size: 32 → (4, 3), 48 → (6, 3)."""
    start, levels = size, 0
    while start % 2 == 0 and start // 2 >= 4:
        start //= 2
        levels += 1
    return start, levels


def scaled(channels: Iterable[int], width: float) -> list[int]:
    """Channels times ``width``, in multiples of eight."""
    return [max(8, int(number * width) // 8 * 8) for number in channels]


class ConditionalNorm(nn.Module):
    """Batch normalisation whose gain and bias are linear in the code [n, code]."""

    def __init__(self, channels: int, code: int) -> None:
        super().__init__()
        self.norm = BatchNorm(channels, affine=False)
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

    def __init__(self, types: int, size: int, widths: Sequence[int], latent: int = 128, embedding: int = 64) -> None:
        """``widths``: channels from the first map to the finest, one more than there are doublings."""
        super().__init__()
        self.start, levels = levels_of(size)
        code = latent + embedding
        self.first = widths[0]
        self.embedding = nn.Linear(types, embedding, bias=False)
        nn.init.normal_(self.embedding.weight)
        self.stem = nn.Linear(code, widths[0] * self.start * self.start)
        self.levels = nn.ModuleList(Level(coarse, fine, code) for coarse, fine in pairwise(widths))
        self.excitations = nn.ModuleDict({str(i): Excitation(widths[i - 3], widths[i]) for i in range(3, levels + 1)})
        self.to_rgba = nn.Conv2d(widths[-1], 4, 3, padding=1)
        self.register_buffer("ramp", torch.ones(()))

    def forward(self, z: Tensor, label: Tensor) -> Tensor:
        z = z * torch.rsqrt(z.square().mean(dim=1, keepdim=True).clamp_min(1e-8))
        code = torch.cat([z, self.ramp * self.embedding(label)], dim=1)
        x = self.stem(code).reshape(-1, self.first, self.start, self.start)
        maps = [x]
        for number, level in enumerate(self.levels, start=1):
            x = level(x, code)
            if str(number) in self.excitations:
                x = self.excitations[str(number)](maps[number - 3], x)
            maps.append(x)
        return torch.tanh(self.to_rgba(x))
