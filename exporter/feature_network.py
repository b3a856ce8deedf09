"""Which network shows how alike two sets of sprites are? The bundle's own classifier, or EfficientNet-Lite0."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import onnx
import torch
from onnx import TensorProto, helper, numpy_helper
from torch import Tensor, nn
from torch.nn import functional as F

from asset_gen.bundle import FeatureRecord
from asset_gen.errors import ModelError
from exporter.onnx_graph import export_onnx
from trainer.judge import SHOWN
from trainer.pretrained import available, describe, load_efficientnet

OWN = "own"
NETWORKS = (OWN, "lite0")
SIDE = 128
"""Pixels at which EfficientNet-Lite0 sees a sprite: what it learnt at, 224, takes three times as long."""


def usual_network(outside_networks: Sequence[str]) -> str:
    """EfficientNet-Lite0 for a model that outside networks took part in; for others, their own classifier."""
    return "lite0" if outside_networks and available("lite0") else OWN


def write_features(name: str, classifier: Path, size: int, path: Path) -> FeatureRecord:
    """Write ``features.onnx`` for sprites of ``size`` pixels: rgba [n, 4, size, size] → features [n, d].

    Args:
        name: one of ``NETWORKS``.
        classifier: the bundle's ``classifier.onnx``.

    Raises:
        ModelError: the classifier isn't one of ours, or the weights aren't the published ones.
        DeviceError: the packages of EfficientNet-Lite0 aren't installed.
    """
    if name == OWN:
        model = _without_last_layer(classifier)
        onnx.save_model(model, str(path))
        return FeatureRecord(network="type classifier", outside=False, dimensions=_width(model))
    network = Pretrained().eval()
    export_onnx(network, {"rgba": torch.zeros(2, 4, size, size)}, "features", path)
    onnx.save_model(halved(onnx.load_model(str(path))), str(path))
    return FeatureRecord(network=describe(name), outside=True, dimensions=1280)


class Pretrained(nn.Module):
    """An EfficientNet-Lite on sprites as a generator draws them, laid on white: rgba → 1,280 features."""

    def __init__(self, name: str = "lite0", side: int = SIDE) -> None:
        """``side`` in pixels, to which the sprites are enlarged."""
        super().__init__()
        self.network, self.side = load_efficientnet(name), side

    def forward(self, rgba: Tensor) -> Tensor:
        shown = (rgba[:, :3] + 1) / 2 + (1 - rgba[:, 3:]) / 2
        shown = shown.clamp(0, 1) * 2 - 1
        shown = F.interpolate(shown, scale_factor=float(-(-SHOWN // rgba.shape[-1])), mode="nearest")
        shown = F.interpolate(shown, size=(self.side, self.side), mode="bilinear", align_corners=False)
        maps: Tensor = self.network.extract_features(shown)  # type: ignore[operator]
        return maps.mean(dim=(2, 3))


def _without_last_layer(classifier: Path) -> onnx.ModelProto:
    """The classifier as far as its last maps, averaged over all places: ``Classifier.embedding`` as ONNX.

    Made from the ONNX file, since a bundle is all that remains of many a training.
    """
    model = onnx.load_model(str(classifier))
    by_output = {output: node for node in model.graph.node for output in node.output}
    last = next((node for node in model.graph.node if node.op_type == "Gemm"), None)
    flat = by_output.get(last.input[0]) if last else None
    if flat is None or flat.op_type not in ("Reshape", "Flatten"):
        raise ModelError(f"{classifier}: doesn't end as assetgen's own classifiers do. Choose --features lite0.")
    maps = flat.input[0]
    nodes = list(model.graph.node)
    nodes = nodes[: nodes.index(flat)]
    nodes.append(helper.make_node("ReduceMean", [maps, "places"], ["features"], keepdims=0))
    used = {name for node in nodes for name in node.input}
    weights = [weight for weight in model.graph.initializer if weight.name in used]
    weights.append(numpy_helper.from_array(np.array([2, 3], np.int64), "places"))
    channels = next(weight.dims[0] for weight in reversed(weights) if len(weight.dims) == 4)
    output = helper.make_tensor_value_info("features", TensorProto.FLOAT, ["n", channels])
    graph = helper.make_graph(nodes, "features", model.graph.input, [output], weights)
    return helper.make_model(graph, opset_imports=model.opset_import, ir_version=model.ir_version)


def _width(model: onnx.ModelProto) -> int:
    return int(model.graph.output[0].type.tensor_type.shape.dim[1].dim_value)


def halved(model: onnx.ModelProto) -> onnx.ModelProto:
    """Weights stored in 16 bits and widened when the network is loaded, so that it still computes in 32."""
    weights = []
    for weight in model.graph.initializer:
        array = numpy_helper.to_array(weight)
        if array.dtype != np.float32 or array.size < 256:
            weights.append(weight)
            continue
        weights.append(numpy_helper.from_array(array.astype(np.float16), f"{weight.name}_16"))
        model.graph.node.insert(0, helper.make_node("Cast", [f"{weight.name}_16"], [weight.name], to=TensorProto.FLOAT))
    del model.graph.initializer[:]
    model.graph.initializer.extend(weights)
    del model.graph.value_info[:]
    return model
