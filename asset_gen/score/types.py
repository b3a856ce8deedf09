"""The bundle's own type classifier, calibrated on held-out sprites when it was trained."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from asset_gen import pixels
from asset_gen.bundle import Bundle, BundleInfo
from asset_gen.errors import ModelError
from asset_gen.held import Numbers
from asset_gen.metrics.inception_score import softmax
from asset_gen.runtime import Session, open_session

if TYPE_CHECKING:
    import onnx

NAME = "types"
SHAPING = ("Reshape", "Flatten", "Squeeze")  # what leads from feature maps to a vector
LINEAR = ("Gemm", "MatMul")


def type_probabilities(session: Session, rgba: Numbers) -> NDArray[np.float32]:
    """p(type | sprite) [n, types] for rgba [n, 4, h, w] in [-1, 1], premultiplied alpha."""
    return softmax(session.run(rgba=rgba))


def rendered_for(info: BundleInfo, sprites: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Sprites [n, s, s, 4] of any size as the bundle's generator would show them to its classifier."""
    return pixels.as_drawn(pixels.at_side(sprites, info.size), info.alpha == "true")


def open_with_features(bundle: Bundle, device: str = "auto") -> Session:
    """The classifier with a second output ``features``: what its last linear layer sees, before it was flattened.

    Raises:
        ModelError: it doesn't end in a linear layer.
        DeviceError: no ONNX Runtime, or not on that device.
    """
    import onnx

    model = onnx.shape_inference.infer_shapes(onnx.load_model(str(bundle.classifier), load_external_data=False))
    features = _input_of_the_last_layer(model.graph)
    shapes = {value.name: value for value in [*model.graph.value_info, *model.graph.input]}
    if features not in shapes:
        raise ModelError(
            f"{bundle.classifier}: its last layer isn't linear, so it has no features to compare sets by. "
            f"Use --scorer imagenet."
        )
    shape = [dim.dim_value or "n" for dim in shapes[features].type.tensor_type.shape.dim]
    model.graph.node.append(onnx.helper.make_node("Identity", [features], ["features"]))
    model.graph.output.append(onnx.helper.make_tensor_value_info("features", onnx.TensorProto.FLOAT, shape))
    return open_session(bundle.classifier, device, bundle.memory, model.SerializeToString())


def _input_of_the_last_layer(graph: onnx.GraphProto) -> str:
    """The feature maps, or the vector where they weren't flattened; "" where no linear layer comes last."""
    maker = {output: node for node in graph.node for output in node.output}
    name: str = graph.output[0].name
    linear = False
    while name in maker:
        node = maker[name]
        if linear and node.op_type not in SHAPING:
            return name
        linear = linear or node.op_type in LINEAR
        if not linear and node.op_type not in ("Div", "Mul", "Add", "Identity"):
            break
        name = node.input[0]
    return name if linear else ""
