"""Where does the latent enter a generator? Its ONNX graph is cut there, so that each level can be fed with its own.

A generator normalises z, joins it with an embedding of the label, and this *code* sets gain and bias of every level
(conditional normalisation) and the first map. ``cut`` makes two graphs with the same weights of it: z, label → code,
and ``code_0``, ``code_1`` … → rgba, coarse levels first. Any bundle of such a generator can be explored, whenever it
was exported. A generator built otherwise has one level, whose code is z and label as they are.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import onnx

GEMMS = ("Gemm", "MatMul")
CONVOLUTIONS = ("Conv", "ConvTranspose")


@dataclass(frozen=True, slots=True)
class Levels:
    """A generator in two parts."""

    mapping: bytes | None
    """ONNX: z, label → code [n, code]; None where the code is z and label as they are."""
    synthesis: bytes
    """ONNX: code_0 [n, code], … one for each level → rgba."""
    count: int
    width: int
    """Numbers of a code; the first are those of z."""
    weights: tuple[tuple[NDArray[np.float32], ...], ...]
    """For every level the matrices [code, outputs] that its code is multiplied with first; empty where not cut."""


def cut(model: onnx.ModelProto, latent: int) -> Levels:
    """Take a generator apart where its code enters; ``latent``: length of z."""
    graph = model.graph
    for join in graph.node:
        if join.op_type != "Concat" or len(join.output) != 1:
            continue
        users = [node for node in graph.node if join.output[0] in node.input]
        if len(users) < 2 or any(node.op_type not in GEMMS or node.input[0] != join.output[0] for node in users):
            continue
        rest = _needed(graph, graph.output[0].name, stop=join.output[0])
        if not any(value.name in node.input for node in rest for value in graph.input):
            return _apart(model, join, users)
    return _whole(model, latent)


def _needed(graph: onnx.GraphProto, output: str, stop: str) -> list[onnx.NodeProto]:
    """The nodes that ``output`` is made by, in order, without those before ``stop``."""
    wanted, kept = {output}, []
    for node in reversed(graph.node):
        if wanted.intersection(node.output) and stop not in node.output:
            kept.append(node)
            wanted.update(node.input)
    return kept[::-1]


def _apart(model: onnx.ModelProto, join: onnx.NodeProto, users: list[onnx.NodeProto]) -> Levels:
    from onnx import TensorProto, helper, numpy_helper

    graph, code = model.graph, join.output[0]
    arrays = {weight.name: numpy_helper.to_array(weight) for weight in graph.initializer}
    first = [_matrix(node, arrays) for node in users]
    width, kind = first[0].shape[0], TensorProto.FLOAT16 if first[0].dtype == np.float16 else TensorProto.FLOAT
    groups: dict[tuple[int, bool], list[int]] = {}
    for place, node in enumerate(users):
        groups.setdefault(_depth(graph, node), []).append(place)
    levels = [groups[key] for key in sorted(groups)]
    level_of = {users[place].output[0]: number for number, places in enumerate(levels) for place in places}
    nodes = [helper.make_node("Cast", [f"code_{n}"], [f"code_{n}_inside"], to=kind) for n in range(len(levels))]
    for node in _needed(graph, graph.output[0].name, stop=code):
        if node.output[0] in level_of:
            node = _renamed(node, f"code_{level_of[node.output[0]]}_inside")
        nodes.append(node)
    inputs = [_value(f"code_{n}", width) for n in range(len(levels))]
    synthesis = _graph(model, nodes, inputs, list(graph.output))
    before = [*_needed(graph, code, stop=""), helper.make_node("Cast", [code], ["code"], to=TensorProto.FLOAT)]
    mapping = _graph(model, before, list(graph.input), [_value("code", width)])
    weights = tuple(tuple(first[place].astype(np.float32) for place in places) for places in levels)
    return Levels(mapping.SerializeToString(), synthesis.SerializeToString(), len(levels), width, weights)


def _whole(model: onnx.ModelProto, latent: int) -> Levels:
    """The generator as it is, its inputs side by side in one code."""
    from onnx import helper, numpy_helper

    graph = model.graph
    sizes = {value.name: int(value.type.tensor_type.shape.dim[1].dim_value) for value in graph.input}
    order = ["z", *(name for name in sizes if name != "z")]
    widths = numpy_helper.from_array(np.array([sizes[name] for name in order], np.int64), "code_widths")
    split = helper.make_node("Split", ["code_0", "code_widths"], order, axis=1)
    if len(order) == 1:
        split = helper.make_node("Identity", ["code_0"], order)
    synthesis = _graph(model, [split, *graph.node], [_value("code_0", sum(sizes.values()))], list(graph.output))
    if len(order) > 1:
        synthesis.graph.initializer.append(widths)
    return Levels(None, synthesis.SerializeToString(), 1, sum(sizes.values()), ((),))


def _graph(
    model: onnx.ModelProto,
    nodes: list[onnx.NodeProto],
    inputs: list[onnx.ValueInfoProto],
    outputs: list[onnx.ValueInfoProto],
) -> onnx.ModelProto:
    from onnx import helper

    used = {name for node in nodes for name in node.input}
    weights = [weight for weight in model.graph.initializer if weight.name in used]
    graph = helper.make_graph(nodes, "levels", inputs, outputs, weights)
    return helper.make_model(graph, opset_imports=model.opset_import, ir_version=model.ir_version)


def _value(name: str, width: int) -> onnx.ValueInfoProto:
    from onnx import TensorProto, helper

    return helper.make_tensor_value_info(name, TensorProto.FLOAT, ["n", width])


def _renamed(node: onnx.NodeProto, first: str) -> onnx.NodeProto:
    """The node with another first input."""
    import onnx

    other = onnx.NodeProto()
    other.CopyFrom(node)
    other.input[0] = first
    return other


def _matrix(node: onnx.NodeProto, arrays: dict[str, NDArray[np.float32]]) -> NDArray[np.float32]:
    """[code, outputs]: what a Gemm or MatMul multiplies its first input with."""
    turned = any(attribute.name == "transB" and attribute.i for attribute in node.attribute)
    matrix = arrays[node.input[1]]
    return matrix.T if turned else matrix


def _depth(graph: onnx.GraphProto, user: onnx.NodeProto) -> tuple[int, bool]:
    """How deep in the network a code works: convolutions up to the first node at which it meets maps.

    The first map, which meets a convolution itself, comes before the gains and biases of that convolution.
    """
    makers = {name: node for node in graph.node for name in node.output}
    front = [user.output[0]]
    for node in graph.node:  # in order, so that the first that is met is the nearest
        if not set(front).intersection(node.input):
            continue
        behind, seen = list(node.input), set()
        convolutions = node.op_type in CONVOLUTIONS
        count = int(convolutions)
        while behind:
            name = behind.pop()
            if name in makers and name not in seen:
                seen.add(name)
                behind += makers[name].input
                count += makers[name].op_type in CONVOLUTIONS
        if count:
            return count, not convolutions
        front += node.output
    return 0, False
