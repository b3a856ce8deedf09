"""A discriminator that looks through a frozen network: Projected GANs (Sauer et al. 2021, arXiv:2111.01007).

EfficientNet-Lite0, trained on ImageNet, turns a picture into maps of four resolutions; frozen random convolutions mix
them across channels and across scales; four small heads with spectral normalisation (Miyato et al. 2018,
arXiv:1802.05957) and type projection judge them. Only the heads learn, so training is fast and stable.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.utils.parametrizations import spectral_norm

from trainer.models import fastgan
from trainer.models.fastgan import levels_of, scaled
from trainer.pretrained import TAP_CHANNELS, load_efficientnet, tapped_features

MIXED = (64, 64, 128, 128)
"""Channels of the four maps after mixing, finest first."""


def generator(types: int, size: int, width: float) -> fastgan.Generator:
    """512 channels at 4×4, then 256, 128, 128, 64, 32, doubling by doubling; a type embedding of 128."""
    _, levels = levels_of(size)
    widths = scaled([512, 256, 128, 128, 64, 32][: levels + 1], width)
    return fastgan.Generator(types, size, widths, embedding=128)


class Mixing(nn.Module):
    """Frozen random mixing: four maps of ``TAP_CHANNELS`` → four maps of ``MIXED``, each seeing all coarser ones.

    Across channels by 1×1 convolutions, across scales by adding the coarser map, doubled, and a 3×3 convolution, all
    from Kaiming's initialisation and never trained. They are buffers: part of a checkpoint, and never optimised.
    """

    def __init__(self) -> None:
        super().__init__()
        for number, (inputs, outputs) in enumerate(zip(TAP_CHANNELS, MIXED, strict=True)):
            coarser = MIXED[min(number + 1, len(MIXED) - 1)]
            for name, shape in (
                ("channels", (coarser, inputs, 1, 1)),
                ("scales", (outputs, coarser, 3, 3)),
            ):
                weight = torch.empty(shape)
                nn.init.kaiming_normal_(weight, nonlinearity="linear")
                self.register_buffer(f"{name}{number}", weight)

    def forward(self, maps: list[Tensor]) -> list[Tensor]:
        mixed: list[Tensor] = []
        for number in reversed(range(len(maps))):
            x = F.conv2d(maps[number], self.get_buffer(f"channels{number}"))
            if mixed:
                x = x + F.interpolate(mixed[0], size=x.shape[-2:], mode="bilinear", align_corners=False)
            mixed.insert(0, F.conv2d(x, self.get_buffer(f"scales{number}"), padding=1))
        return mixed


class Head(nn.Module):
    """map [n, c, s, s], label [n, types] → logits [n, places]: one a place of the map, once it is halved to ≤ 4×4."""

    def __init__(self, types: int, channels: int, side: int) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        while side > 4:
            layers += [spectral_norm(nn.Conv2d(channels, channels, 4, stride=2, padding=1)), nn.LeakyReLU(0.2)]
            side //= 2
        layers += [spectral_norm(nn.Conv2d(channels, channels, 3, padding=1)), nn.LeakyReLU(0.2)]
        self.layers = nn.Sequential(*layers)
        self.logit = spectral_norm(nn.Conv2d(channels, 1, 1))
        self.projection = spectral_norm(nn.Linear(types, channels, bias=False))

    def forward(self, x: Tensor, label: Tensor, ramp: Tensor) -> Tensor:
        x = self.layers(x)
        wanted = self.projection(label)[:, :, None, None]
        logits: Tensor = self.logit(x) + ramp * (x * wanted).sum(dim=1, keepdim=True)
        return logits.flatten(1)


class Discriminator(nn.Module):
    """(rgb [n, 3, size, size] in [-1, 1], label [n, types]) → logits [n, places of all heads].

    ``side``: what the frozen network is shown, in pixels; a sprite is enlarged by whole pixels to the nearest size.
    """

    ramp: Tensor

    def __init__(self, types: int, size: int, side: int = 224) -> None:
        super().__init__()
        self.zoom = max(1, round(side / size))
        self.mixing = Mixing()
        shown = size * self.zoom
        self.heads = nn.ModuleList(
            Head(types, channels, shown // scale) for channels, scale in zip(MIXED, (4, 8, 16, 32), strict=True)
        )
        self.register_buffer("ramp", torch.ones(()))
        self._outside = [load_efficientnet("lite0")]  # in a list: frozen, and no part of a checkpoint

    def _apply(self, fn: Any, recurse: bool = True) -> Discriminator:
        self._outside[0]._apply(fn, recurse)  # type: ignore[no-untyped-call]  # follows to another device
        super()._apply(fn, recurse)  # type: ignore[no-untyped-call]
        return self

    def forward(self, x: Tensor, label: Tensor) -> Tensor:
        x = F.interpolate(x, scale_factor=float(self.zoom), mode="nearest")
        maps = self.mixing(tapped_features(self._outside[0], x.contiguous(memory_format=torch.channels_last)))
        logits = [head(each, label, self.ramp) for head, each in zip(self.heads, maps, strict=True)]
        return torch.cat(logits, dim=1).float()
