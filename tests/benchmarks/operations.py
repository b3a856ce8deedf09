"""How many floating-point operations does an ONNX graph take?"""

from __future__ import annotations

from math import prod

import onnx


def operations(model: onnx.ModelProto) -> int:
    """Multiplications and additions of convolutions and matrix products for one row; everything else is left out.

    Raises:
        ValueError: the shape of one of them can't be inferred.
    """
    for value in model.graph.input:
        value.type.tensor_type.shape.dim[0].dim_value = 1
    graph = onnx.shape_inference.infer_shapes(model, data_prop=True).graph
    shapes = {value.name: _shape(value) for value in [*graph.input, *graph.value_info, *graph.output]}
    shapes |= {tensor.name: list(tensor.dims) for tensor in graph.initializer}
    total = 0
    for node in graph.node:
        if node.op_type not in ("Conv", "ConvTranspose", "Gemm", "MatMul"):
            continue
        output, inputs = shapes.get(node.output[0]), [shapes.get(name) for name in node.input[:2]]
        if not output or None in inputs:
            raise ValueError(f"{node.name}: no shape is known")
        settings = {item.name: item.i for item in node.attribute if item.type == onnx.AttributeProto.INT}
        left, right = inputs
        assert left is not None and right is not None
        if node.op_type == "ConvTranspose":  # every value of the input times all that it is spread over
            total += 2 * prod(left) * prod(right[1:])
            continue
        # of a convolution: inputs of a group times the kernel
        inner = prod(right[1:]) if node.op_type == "Conv" else left[0 if settings.get("transA") else -1]
        total += 2 * inner * prod(output)
    return total


def _shape(value: onnx.ValueInfoProto) -> list[int] | None:
    """None where a dimension isn't known."""
    dimensions = value.type.tensor_type.shape.dim
    if not all(dimension.HasField("dim_value") for dimension in dimensions):
        return None
    return [dimension.dim_value for dimension in dimensions]
