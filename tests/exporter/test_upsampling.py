"""Enlarging is folded into the convolution behind it where that is the same, and nowhere else."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from asset_gen.runtime import open_session
from exporter.onnx_graph import export_onnx
from exporter.upsampling import spread


class Enlarging(nn.Module):
    """A convolution behind an enlarged map."""

    def __init__(self, factor: float = 2.0, mode: str = "nearest", shown: bool = False, **options: int) -> None:
        super().__init__()
        self.factor, self.mode, self.shown = factor, mode, shown
        settings = {"in_channels": 6, "out_channels": 4, "kernel_size": 3, "padding": 1} | options
        self.convolution = nn.Conv2d(**settings)

    def forward(self, x: Tensor) -> Tensor:
        large = F.interpolate(x, scale_factor=self.factor, mode=self.mode)
        y: Tensor = self.convolution(large)
        return y + large[:, :4] if self.shown else y


def exported(network: nn.Module, folder: Path) -> tuple[list[str], float]:
    """(operators of its file, how far its output is from PyTorch's)."""
    x = torch.randn(3, 6, 5, 7)
    export_onnx(network.eval(), {"x": x}, "y", folder / "network.onnx")
    found = open_session(folder / "network.onnx", "cpu").run(x=x.numpy())
    with torch.no_grad():
        difference = np.abs(found - network(x).numpy()).max()
    return [node.op_type for node in onnx.load(str(folder / "network.onnx")).graph.node], float(difference)


@pytest.mark.parametrize("bias", [True, False])
def test_enlarging_and_convolution_become_one_operator(bias: bool, tmp_path: Path) -> None:
    operators, difference = exported(Enlarging(bias=bias), tmp_path)
    assert operators == ["ConvTranspose"]
    assert difference < 1e-5


@pytest.mark.parametrize(
    "network",
    [
        Enlarging(factor=3.0),
        Enlarging(mode="bilinear"),
        Enlarging(stride=2),
        Enlarging(groups=2),
        Enlarging(dilation=2, padding=2),
        Enlarging(kernel_size=5, padding=2),
        Enlarging(padding=0),
        Enlarging(shown=True),
    ],
    ids=["threefold", "bilinear", "stride", "groups", "dilation", "larger kernel", "no border", "large map used twice"],
)
def test_anything_else_stays_as_it_is(network: nn.Module, tmp_path: Path) -> None:
    operators, difference = exported(network, tmp_path)
    assert "Resize" in operators and "Conv" in operators
    assert difference < 1e-5


def test_weights_are_spread_over_the_blocks_that_they_meet() -> None:
    kernel = np.zeros((1, 1, 3, 3), np.float32)
    kernel[0, 0, 0, 2] = 1
    assert np.argwhere(spread(kernel)[0, 0]).tolist() == [[2, 0], [2, 1], [3, 0], [3, 1]]
