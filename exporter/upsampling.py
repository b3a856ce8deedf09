"""A 3×3 convolution of a map enlarged by nearest neighbours is one transposed convolution, with 4/9 of the work.

A pixel of the small map is a block of 2×2 equal ones in the large map, so that a weight meets it four times: spread
over 4×4, and added where they overlap, weights meet each pixel of the small map once for each pixel of the result.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import helper, numpy_helper

SHAPE = {"kernel_shape": [4, 4], "strides": [2, 2], "pads": [1, 1, 1, 1]}


def fold_upsampling(model: onnx.ModelProto) -> int:
    """Replace each such pair of nodes in place; returns how many there were.

    The network computes the same but for rounding: sums are formed in another order.
    """
    graph = model.graph
    arrays = {tensor.name: numpy_helper.to_array(tensor) for tensor in graph.initializer}
    uses = Counter(name for node in graph.node for name in node.input)
    uses.update(entry.name for entry in graph.output)
    doubled = {node.output[0]: node for node in graph.node if _doubles(node, arrays) and uses[node.output[0]] == 1}
    folded = 0
    for node in list(graph.node):
        if node.input[:1] and node.input[0] in doubled and _plain(node, arrays):
            enlarging = doubled[node.input[0]]
            name = f"{node.input[1]}.spread"
            graph.initializer.append(numpy_helper.from_array(spread(arrays[node.input[1]]), name))
            node.op_type = "ConvTranspose"
            node.input[0], node.input[1] = enlarging.input[0], name
            del node.attribute[:]
            node.attribute.extend(helper.make_attribute(key, value) for key, value in SHAPE.items())
            graph.node.remove(enlarging)
            folded += 1
    used = {name for node in graph.node for name in node.input}
    for tensor in [tensor for tensor in graph.initializer if tensor.name not in used]:
        graph.initializer.remove(tensor)
    return folded


def spread(kernel: NDArray[np.floating]) -> NDArray[np.floating]:
    """[outputs, inputs, 3, 3] → [inputs, outputs, 4, 4], for a transposed convolution with ``SHAPE``."""
    sums = np.zeros((*kernel.shape[:2], 4, 4))
    for row in range(3):
        for column in range(3):
            sums[:, :, 2 - row : 4 - row, 2 - column : 4 - column] += kernel[:, :, row, column, None, None]
    return sums.swapaxes(0, 1).astype(kernel.dtype)


def _doubles(node: onnx.NodeProto, arrays: Mapping[str, NDArray[Any]]) -> bool:
    """Whether a node enlarges its map twofold by nearest neighbours."""
    if node.op_type != "Resize" or len(node.input) != 3:
        return False
    has = _attributes(node)
    scales = arrays.get(node.input[2], np.empty(0))
    nearest = has.get("mode") == b"nearest" and has.get("nearest_mode") == b"floor"
    return nearest and has.get("coordinate_transformation_mode") == b"asymmetric" and scales.tolist() == [1, 1, 2, 2]


def _plain(node: onnx.NodeProto, arrays: Mapping[str, NDArray[Any]]) -> bool:
    """Whether a node is a 3×3 convolution with a border of 1 and nothing special."""
    if node.op_type != "Conv" or node.input[1] not in arrays or arrays[node.input[1]].shape[2:] != (3, 3):
        return False
    usual: dict[str, Any] = {"auto_pad": b"NOTSET", "dilations": [1, 1], "group": 1, "strides": [1, 1]}
    return usual | _attributes(node) == usual | {"kernel_shape": [3, 3], "pads": [1, 1, 1, 1]}


def _attributes(node: onnx.NodeProto) -> dict[str, Any]:
    return {attribute.name: helper.get_attribute_value(attribute) for attribute in node.attribute}
