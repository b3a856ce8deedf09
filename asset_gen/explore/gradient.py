"""In which direction must codes go for a sprite to come nearer to a picture? The generator's own graph says so.

``with_gradient`` writes the chain rule behind the graph, as ONNX nodes: what ONNX Runtime can draw with, it can search
with, and nothing is trained or imported for it. Knows the operators that generators of assetgen are made of.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from asset_gen.errors import ModelError

if TYPE_CHECKING:
    import onnx


def with_gradient(synthesis: bytes) -> bytes:
    """The graph code_0 … → rgba with the further input ``target`` [n, 4, s, s] and other outputs.

    Outputs: ``loss`` [n], the mean square between rgba and target, and its gradients ``gradient_0`` [n, code] …

    Raises:
        ModelError: the generator has an operator whose derivative isn't known here.
    """
    import onnx

    model = onnx.shape_inference.infer_shapes(onnx.load_model_from_string(synthesis), data_prop=True)
    return _Chain(model).differentiated()


class _Chain:
    """A graph, and the nodes of its derivative as they are found from behind."""

    def __init__(self, model: onnx.ModelProto) -> None:
        from onnx import numpy_helper

        graph = model.graph
        self.model, self.nodes, self.fresh = model, list(graph.node), 0
        self.constants = {weight.name: numpy_helper.to_array(weight) for weight in graph.initializer}
        values = [*graph.value_info, *graph.input, *graph.output]
        self.shapes = {
            value.name: [dim.dim_value for dim in value.type.tensor_type.shape.dim]  # 0: the rows
            for value in values
        }
        self.shapes |= {name: list(array.shape) for name, array in self.constants.items()}
        self.kinds = {value.name: value.type.tensor_type.elem_type for value in values}
        self.added: dict[str, np.ndarray] = {}
        self.gradients: dict[str, list[str]] = {}

    def differentiated(self) -> bytes:
        from onnx import TensorProto, helper, numpy_helper

        graph = self.model.graph
        moving = {value.name for value in graph.input}
        for node in graph.node:
            if moving.intersection(node.input):
                moving.update(node.output)
        rgba = graph.output[0].name
        _, channels, height, width = self.shapes[rgba]
        apart = self.add("Sub", [rgba, "target"])
        self.add("ReduceMean", [self.add("Mul", [apart, apart]), self.constant([1, 2, 3])], "loss", keepdims=0)
        scale = self.constant(np.array(2 / (channels * height * width), np.float32))
        self.gradients[rgba] = [self.add("Mul", [apart, scale])]
        for node in reversed(graph.node):
            if moving.intersection(node.output):
                self._back(node, moving)
        outputs = [helper.make_tensor_value_info("loss", TensorProto.FLOAT, ["n"])]
        for number, value in enumerate(graph.input):
            self.add("Identity", [self._sum(value.name)], f"gradient_{number}")
            shape = ["n", self.shapes[value.name][1]]
            outputs.append(helper.make_tensor_value_info(f"gradient_{number}", TensorProto.FLOAT, shape))
        target = helper.make_tensor_value_info("target", TensorProto.FLOAT, ["n", channels, height, width])
        weights = [*graph.initializer, *(numpy_helper.from_array(array, name) for name, array in self.added.items())]
        whole = helper.make_graph(self.nodes, "gradient", [*graph.input, target], outputs, weights)
        model = helper.make_model(whole, opset_imports=self.model.opset_import, ir_version=self.model.ir_version)
        return bytes(model.SerializeToString())

    def _back(self, node: onnx.NodeProto, moving: set[str]) -> None:
        """Carry the gradients of a node's outputs on to those of its inputs that depend on the codes."""
        if node.op_type not in RULES:
            raise ModelError(
                f"its generator has the operator {node.op_type}, along which assetgen can't look for a picture. "
                f"Draw variations of sprites that it has drawn itself."
            )
        if not any(name in self.gradients for name in node.output):
            return
        pulls = [self._sum(name) if name in self.gradients else self._nothing(name) for name in node.output]
        for name, gradient in RULES[node.op_type](self, node, pulls, moving):
            self.gradients.setdefault(name, []).append(gradient)

    def _nothing(self, name: str) -> str:
        return self.add("Sub", [name, name])

    def _sum(self, name: str) -> str:
        parts = self.gradients[name]
        if len(parts) > 1:
            self.gradients[name] = parts = [self.add("Sum", parts)]
        return parts[0]

    def add(self, kind: str, inputs: list[str], output: str = "", **attributes: Any) -> str:
        """Append a node; returns its output."""
        from onnx import helper

        self.fresh += not output
        output = output or f"back_{self.fresh}"
        self.nodes.append(helper.make_node(kind, inputs, [output], **attributes))
        return output

    def constant(self, value: object) -> str:
        """A number or a list of whole numbers, as an input of nodes."""
        self.fresh += 1
        name = f"back_{self.fresh}"
        self.added[name] = value if isinstance(value, np.ndarray) else np.array(value, np.int64)
        return name

    def one(self, like: str, value: float = 1) -> str:
        """A number of the same kind as a value of the graph."""
        from onnx import helper

        kind = helper.tensor_dtype_to_np_dtype(self.kinds.get(like) or 1)
        return self.constant(np.array(value, kind))

    def fitted(self, gradient: str, name: str, from_: str) -> str:
        """Add up a gradient of the shape of ``from_`` where ``name`` was spread over it."""
        own, whole = self.shapes[name], self.shapes[from_]
        axes = [axis for axis, (a, b) in enumerate(zip(own, whole, strict=True)) if a == 1 and b != 1]
        return self.add("ReduceSum", [gradient, self.constant(axes)], keepdims=1) if axes else gradient


Pairs = list[tuple[str, str]]
Rule = Callable[[_Chain, "onnx.NodeProto", list[str], set[str]], Pairs]


def _attributes(node: onnx.NodeProto) -> dict[str, Any]:
    from onnx import helper

    return {attribute.name: helper.get_attribute_value(attribute) for attribute in node.attribute}


def _same(chain: _Chain, node: onnx.NodeProto, pulls: list[str], moving: set[str]) -> Pairs:
    return [(node.input[0], pulls[0])]


def _cast(chain: _Chain, node: onnx.NodeProto, pulls: list[str], moving: set[str]) -> Pairs:
    return [(node.input[0], chain.add("Cast", pulls, to=chain.kinds[node.input[0]]))]


def _sum(chain: _Chain, node: onnx.NodeProto, pulls: list[str], moving: set[str]) -> Pairs:
    found = []
    for place, name in enumerate(node.input):
        if name in moving:
            gradient = chain.add("Neg", pulls) if place and node.op_type == "Sub" else pulls[0]
            found.append((name, chain.fitted(gradient, name, node.output[0])))
    return found


def _product(chain: _Chain, node: onnx.NodeProto, pulls: list[str], moving: set[str]) -> Pairs:
    a, b = node.input
    return [
        (name, chain.fitted(chain.add("Mul", [pulls[0], other]), name, node.output[0]))
        for name, other in ((a, b), (b, a))
        if name in moving
    ]


def _gemm(chain: _Chain, node: onnx.NodeProto, pulls: list[str], moving: set[str]) -> Pairs:
    turned = int(bool(_attributes(node).get("transB", 0)))
    return [(node.input[0], chain.add("Gemm", [pulls[0], node.input[1]], transB=1 - turned))]


def _convolution(chain: _Chain, node: onnx.NodeProto, pulls: list[str], moving: set[str]) -> Pairs:
    kind = "ConvTranspose" if node.op_type == "Conv" else "Conv"
    kept = {
        name: value
        for name, value in _attributes(node).items()
        if name in ("pads", "strides", "dilations", "group", "kernel_shape")
    }
    return [(node.input[0], chain.add(kind, [pulls[0], node.input[1]], **kept))]


def _enlarged(chain: _Chain, node: onnx.NodeProto, pulls: list[str], moving: set[str]) -> Pairs:
    before, after = chain.shapes[node.input[0]], chain.shapes[node.output[0]]
    factors = [b // a for a, b in zip(before[2:], after[2:], strict=True)]
    mean = chain.add("AveragePool", pulls, kernel_shape=factors, strides=factors)
    area = chain.one(node.input[0], float(np.prod(factors)))
    return [(node.input[0], chain.add("Mul", [mean, area]))]


def _averaged(chain: _Chain, node: onnx.NodeProto, pulls: list[str], moving: set[str]) -> Pairs:
    before, after = chain.shapes[node.input[0]], chain.shapes[node.output[0]]
    factors = [a // b for a, b in zip(before[2:], after[2:], strict=True)]
    if factors == [1, 1]:
        return _same(chain, node, pulls, moving)
    scales = chain.constant(np.array([1, 1, *factors], np.float32))
    spread = chain.add("Resize", [pulls[0], "", scales], mode="nearest", coordinate_transformation_mode="asymmetric")
    return [(node.input[0], chain.add("Mul", [spread, chain.one(node.input[0], 1 / float(np.prod(factors)))]))]


def _sigmoid(chain: _Chain, node: onnx.NodeProto, pulls: list[str], moving: set[str]) -> Pairs:
    y = node.output[0]
    slope = chain.add("Mul", [y, chain.add("Sub", [chain.one(y), y])])
    return [(node.input[0], chain.add("Mul", [pulls[0], slope]))]


def _tanh(chain: _Chain, node: onnx.NodeProto, pulls: list[str], moving: set[str]) -> Pairs:
    y = node.output[0]
    slope = chain.add("Sub", [chain.one(y), chain.add("Mul", [y, y])])
    return [(node.input[0], chain.add("Mul", [pulls[0], slope]))]


def _relu(chain: _Chain, node: onnx.NodeProto, pulls: list[str], moving: set[str]) -> Pairs:
    y = node.output[0]
    return [(node.input[0], chain.add("Mul", [pulls[0], chain.add("Sign", [y])]))]


def _split(chain: _Chain, node: onnx.NodeProto, pulls: list[str], moving: set[str]) -> Pairs:
    return [(node.input[0], chain.add("Concat", pulls, axis=_attributes(node).get("axis", 0)))]


def _joined(chain: _Chain, node: onnx.NodeProto, pulls: list[str], moving: set[str]) -> Pairs:
    axis = _attributes(node)["axis"]
    found, start = [], 0
    for name in node.input:
        stop = start + chain.shapes[name][axis]
        if name in moving:
            ends = [chain.constant([start]), chain.constant([stop]), chain.constant([axis])]
            found.append((name, chain.add("Slice", [pulls[0], *ends])))
        start = stop
    return found


def _reshaped(chain: _Chain, node: onnx.NodeProto, pulls: list[str], moving: set[str]) -> Pairs:
    shape = chain.constant([-1, *chain.shapes[node.input[0]][1:]])
    return [(node.input[0], chain.add("Reshape", [pulls[0], shape]))]


RULES: dict[str, Rule] = {
    "Add": _sum,
    "AveragePool": _averaged,
    "Cast": _cast,
    "Concat": _joined,
    "Conv": _convolution,
    "ConvTranspose": _convolution,
    "Gemm": _gemm,
    "Identity": _same,
    "MatMul": _gemm,
    "Mul": _product,
    "Relu": _relu,
    "Reshape": _reshaped,
    "Resize": _enlarged,
    "Sigmoid": _sigmoid,
    "Split": _split,
    "Squeeze": _reshaped,
    "Sub": _sum,
    "Tanh": _tanh,
    "Unsqueeze": _reshaped,
}
"""Operator → what its derivative hands on: (input, gradient) for each input that depends on the codes."""
