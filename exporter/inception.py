"""Inception v3 as TensorFlow published it in 2015, for FID and the Inception Score; weights have PyTorch's names.

Szegedy et al. 2016 (arXiv:1512.00567), figures 5, 6 and 7. Two things differ from torchvision's Inception: average
pooling leaves the padding out of its mean, and the very last block pools by the maximum.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn
from torch.nn import functional as F

CLASSES = 1008
CHANNELS = 2048

Layer = tuple[str, int, int | tuple[int, int]]
"""(name, output channels, kernel); padded so that the size stays, unless it has a stride of 2."""
HALVE = "/2"
"""After a layer's name: a stride of 2, without padding."""


def _block_5(pool: int) -> list[list[Layer]]:
    return [
        [("branch1x1", 64, 1)],
        [("branch5x5_1", 48, 1), ("branch5x5_2", 64, 5)],
        [("branch3x3dbl_1", 64, 1), ("branch3x3dbl_2", 96, 3), ("branch3x3dbl_3", 96, 3)],
        [("branch_pool", pool, 1)],
    ]


def _block_6(inner: int) -> list[list[Layer]]:
    wide, tall = (1, 7), (7, 1)
    return [
        [("branch1x1", 192, 1)],
        [("branch7x7_1", inner, 1), ("branch7x7_2", inner, wide), ("branch7x7_3", 192, tall)],
        [
            ("branch7x7dbl_1", inner, 1),
            ("branch7x7dbl_2", inner, tall),
            ("branch7x7dbl_3", inner, wide),
            ("branch7x7dbl_4", inner, tall),
            ("branch7x7dbl_5", 192, wide),
        ],
        [("branch_pool", 192, 1)],
    ]


def _pooled(x: Tensor, pool: str) -> Tensor:
    """The ``average`` or ``maximum`` of 3×3 pixels around each."""
    return F.max_pool2d(x, 3, 1, 1) if pool == "maximum" else F.avg_pool2d(x, 3, 1, 1, count_include_pad=False)


class Unit(nn.Module):
    """Convolution without bias, batch normalisation, ReLU."""

    def __init__(self, inputs: int, outputs: int, kernel: int | tuple[int, int], stride: int, padded: bool) -> None:
        super().__init__()
        tall, wide = (kernel, kernel) if isinstance(kernel, int) else kernel
        padding = (tall // 2, wide // 2) if padded else 0
        self.conv = nn.Conv2d(inputs, outputs, (tall, wide), stride, padding, bias=False)
        self.bn = nn.BatchNorm2d(outputs, eps=0.001)

    def forward(self, x: Tensor) -> Tensor:
        return F.relu(self.bn(self.conv(x)))


class Block(nn.Module):
    """Branches side by side, their channels joined; ``branch_pool`` pools first.

    With ``halves`` the picture's side is halved, and a pooled copy of the input joins them.
    """

    def __init__(self, inputs: int, branches: list[list[Layer]], halves: bool = False) -> None:
        super().__init__()
        self.halves = halves
        self.order = [[name.removesuffix(HALVE) for name, _, _ in branch] for branch in branches]
        self.channels = 0
        for branch in branches:
            channels = inputs
            for name, outputs, kernel in branch:
                halves = name.endswith(HALVE)
                self.add_module(name.removesuffix(HALVE), Unit(channels, outputs, kernel, 1 + halves, not halves))
                channels = outputs
            self.channels += channels
        if halves:
            self.channels += inputs

    def forward(self, x: Tensor) -> Tensor:
        found = []
        for branch in self.order:
            y = _pooled(x, "average") if branch == ["branch_pool"] else x
            for name in branch:
                y = getattr(self, name)(y)
            found.append(y)
        return torch.cat([*found, F.max_pool2d(x, 3, 2)] if self.halves else found, dim=1)


class SplitBlock(nn.Module):
    """Figure 7: the 3×3 branches end in a 1×3 and a 3×1 convolution side by side."""

    channels = CHANNELS

    def __init__(self, inputs: int, pool: str) -> None:
        super().__init__()
        self.pool = pool
        self.branch1x1 = Unit(inputs, 320, 1, 1, True)
        self.branch3x3_1 = Unit(inputs, 384, 1, 1, True)
        self.branch3x3_2a = Unit(384, 384, (1, 3), 1, True)
        self.branch3x3_2b = Unit(384, 384, (3, 1), 1, True)
        self.branch3x3dbl_1 = Unit(inputs, 448, 1, 1, True)
        self.branch3x3dbl_2 = Unit(448, 384, 3, 1, True)
        self.branch3x3dbl_3a = Unit(384, 384, (1, 3), 1, True)
        self.branch3x3dbl_3b = Unit(384, 384, (3, 1), 1, True)
        self.branch_pool = Unit(inputs, 192, 1, 1, True)

    def forward(self, x: Tensor) -> Tensor:
        narrow = self.branch3x3_1(x)
        double = self.branch3x3dbl_2(self.branch3x3dbl_1(x))
        branches = [
            self.branch1x1(x),
            self.branch3x3_2a(narrow),
            self.branch3x3_2b(narrow),
            self.branch3x3dbl_3a(double),
            self.branch3x3dbl_3b(double),
            self.branch_pool(_pooled(x, self.pool)),
        ]
        return torch.cat(branches, dim=1)


class Inception(nn.Module):
    """Pictures [n, 3, 299, 299] in [-1, 1] → logits [n, 1008] without the last layer's bias, features [n, 2048]."""

    def __init__(self) -> None:
        super().__init__()
        self.Conv2d_1a_3x3 = Unit(3, 32, 3, 2, False)
        self.Conv2d_2a_3x3 = Unit(32, 32, 3, 1, False)
        self.Conv2d_2b_3x3 = Unit(32, 64, 3, 1, True)
        self.Conv2d_3b_1x1 = Unit(64, 80, 1, 1, True)
        self.Conv2d_4a_3x3 = Unit(80, 192, 3, 1, False)
        blocks: dict[str, list[list[Layer]]] = {
            "Mixed_5b": _block_5(32),
            "Mixed_5c": _block_5(64),
            "Mixed_5d": _block_5(64),
            "Mixed_6a": [
                [(f"branch3x3{HALVE}", 384, 3)],
                [("branch3x3dbl_1", 64, 1), ("branch3x3dbl_2", 96, 3), (f"branch3x3dbl_3{HALVE}", 96, 3)],
            ],
            "Mixed_6b": _block_6(128),
            "Mixed_6c": _block_6(160),
            "Mixed_6d": _block_6(160),
            "Mixed_6e": _block_6(192),
            "Mixed_7a": [
                [("branch3x3_1", 192, 1), (f"branch3x3_2{HALVE}", 320, 3)],
                [
                    ("branch7x7x3_1", 192, 1),
                    ("branch7x7x3_2", 192, (1, 7)),
                    ("branch7x7x3_3", 192, (7, 1)),
                    (f"branch7x7x3_4{HALVE}", 192, 3),
                ],
            ],
        }
        channels = 192
        self.names = [*blocks, "Mixed_7b", "Mixed_7c"]
        for name, branches in blocks.items():
            block = Block(channels, branches, halves=name in ("Mixed_6a", "Mixed_7a"))
            self.add_module(name, block)
            channels = block.channels
        self.Mixed_7b = SplitBlock(channels, "average")
        self.Mixed_7c = SplitBlock(CHANNELS, "maximum")
        self.fc = nn.Linear(CHANNELS, CLASSES)

    def forward(self, picture: Tensor) -> tuple[Tensor, Tensor]:
        x = self.Conv2d_2b_3x3(self.Conv2d_2a_3x3(self.Conv2d_1a_3x3(picture)))
        x = self.Conv2d_4a_3x3(self.Conv2d_3b_1x1(F.max_pool2d(x, 3, 2)))
        x = F.max_pool2d(x, 3, 2)
        for name in self.names:
            x = getattr(self, name)(x)
        features = x.mean(dim=(2, 3))
        return F.linear(features, self.fc.weight), features


def load_inception(state: Mapping[str, Tensor]) -> Inception:
    """The network with published weights, in evaluation mode.

    Raises:
        RuntimeError: a weight is missing, has another shape, or is unknown.
    """
    network = Inception()
    network.load_state_dict(state)
    return network.eval().requires_grad_(False)
