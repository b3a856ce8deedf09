"""Networks trained by others → ONNX files with the outputs ``logits`` and ``features``, for ``asset_gen.score``."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor, nn

from asset_gen.errors import ModelError
from asset_gen.runtime import open_session
from asset_gen.score.scorer import OUTSIDE
from exporter.inception import load_inception
from exporter.onnx_graph import export_onnx
from trainer.pretrained import load_efficientnet, load_weights

LIMIT = 1e-3
"""Largest difference to PyTorch, as a share of the largest output."""


class WithFeatures(nn.Module):
    """EfficientNet: pictures [n, 3, s, s] in [-1, 1] → logits [n, 1000], features [n, 1280]."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, picture: Tensor) -> tuple[Tensor, Tensor]:
        features: Tensor = self.network.extract_features(picture).mean(dim=(2, 3))  # type: ignore[operator]
        return self.network._fc(features), features  # type: ignore[operator]


def convert_imagenet(weights: Path, out: Path) -> None:
    """EfficientNet-Lite0; its own package knows where ``weights`` are."""
    _write(WithFeatures(load_efficientnet("lite0").to(memory_format=torch.contiguous_format)), "imagenet", out)  # type: ignore[call-overload]


def convert_inception(weights: Path, out: Path) -> None:
    """Inception v3 with the weights in ``weights``, whose sha256 has been checked.

    Raises:
        ModelError: they are of another network.
    """
    try:
        network = load_inception(load_weights(weights))
    except (RuntimeError, TypeError, AttributeError) as error:
        raise ModelError(f"{weights}: holds no weights of Inception v3 ({str(error).splitlines()[0]}).") from None
    _write(network, "inception", out)


CONVERTERS = {"imagenet": convert_imagenet, "inception": convert_inception}


def _write(network: nn.Module, name: str, out: Path) -> None:
    """Export, and compare with PyTorch on one random picture.

    Raises:
        ModelError: ONNX Runtime says something else than PyTorch.
    """
    side = OUTSIDE[name].side
    picture = torch.rand(2, 3, side, side, generator=torch.Generator().manual_seed(0)) * 2 - 1
    export_onnx(network, {"picture": picture}, ("logits", "features"), out)
    with torch.inference_mode():
        expected = dict(zip(("logits", "features"), network(picture), strict=True))
    found = open_session(out, "cpu").run_all(picture=picture.numpy())
    for output, value in expected.items():
        difference = (torch.from_numpy(found[output]) - value).abs().max() / value.abs().max()
        if not difference <= LIMIT:
            raise ModelError(
                f"{out}: ONNX Runtime and PyTorch differ by {difference:.1e} in {output} of {OUTSIDE[name].network}. "
                f"Please report this with the versions from assetgen doctor."
            )
