"""The type classifier: a small convolutional network that a CPU runs thousands of times a second."""

from __future__ import annotations

import torch
from torch import Tensor, nn

WIDTHS = (24, 48, 96)


class Classifier(nn.Module):
    """rgba [n, 4, size, size] in [-1, 1] → logits [n, types], divided by the calibrated temperature."""

    temperature: Tensor

    def __init__(self, types: int, size: int) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        inputs = 4
        side, block = size, 0
        while side > 4:
            outputs = WIDTHS[min(block, len(WIDTHS) - 1)]
            for channels in (inputs, outputs):
                layers += [nn.Conv2d(channels, outputs, 3, padding=1, bias=False), nn.BatchNorm2d(outputs), nn.ReLU()]
            layers.append(nn.MaxPool2d(2))
            inputs, side, block = outputs, side // 2, block + 1
        self.features = nn.Sequential(*layers)
        self.head = nn.Sequential(nn.Flatten(), nn.Dropout(0.3), nn.Linear(inputs * side * side, types))
        self.register_buffer("temperature", torch.ones(()))

    def embedding(self, rgba: Tensor) -> Tensor:
        """The last feature maps averaged over all places, [n, 96] (48 or 24 for sprites below 16 px): what a judge
        compares sets by."""
        maps: Tensor = self.features(rgba)
        return maps.mean(dim=(2, 3))

    def forward(self, rgba: Tensor) -> Tensor:
        logits: Tensor = self.head(self.features(rgba)) / self.temperature
        return logits
