"""How much memory and work does a stranger's network take? Told from its graph, before anything is run.

Every tensor must have a shape that follows from the graph alone, so operators whose results depend on values, and
those that repeat or branch, are refused; what is left takes the same memory and the same steps at every call. ONNX
Runtime is then held to that memory (``runtime.open_session``), so an estimate that was fooled ends with an error.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import onnx

ROWS = 64
"""Sprites of the call whose memory is told."""
MAX_UNDECLARED = 2 * 2**30
"""Bytes that a network may take whose bundle doesn't say how many it needs."""
MAX_DECLARED = 16 * 2**30
"""Bytes that a bundle may ask for."""
MAX_WORK = 10**13
"""Multiplications in one call: minutes on two cores. The largest networks that draw 256 pixels take a third of it."""
MAX_NODES = 20_000
BASE = 64 * 2**20
"""Bytes that ONNX Runtime takes whatever the network."""
SLACK = 4
"""Times the tensors of one moment: blocks of the first call stay beside the one that is planned for later calls, and
processors differ in the order in which they like numbers. The built-in generator was seen to take 2.5."""

_NAMES = """
    Abs Add And ArgMax ArgMin AveragePool BatchNormalization Cast CastLike Ceil Celu Clip Concat Constant
    ConstantOfShape Conv ConvTranspose Cos DepthToSpace Div Dropout Elu Equal Erf Exp Expand Flatten Floor Gather
    GatherElements Gelu Gemm GlobalAveragePool GlobalMaxPool Greater GreaterOrEqual GroupNormalization HardSigmoid
    HardSwish Identity InstanceNormalization LayerNormalization LeakyRelu Less LessOrEqual Log LogSoftmax MatMul Max
    MaxPool Mean Min Mish Mul Neg Not Or PRelu Pad Pow RMSNormalization Range Reciprocal ReduceL1 ReduceL2 ReduceMax
    ReduceMean ReduceMin ReduceProd ReduceSum ReduceSumSquare Relu Reshape Resize Round Selu Shape Sigmoid Sign Sin
    Slice Softmax Softplus Softsign SpaceToDepth Split Sqrt Squeeze Sub Sum Swish Tanh ThresholdedRelu Tile Transpose
    Unsqueeze Where Xor
"""
OPERATORS = frozenset(_NAMES.split())
"""What networks that draw and judge pictures consist of: no control flow, no sequences or strings, nothing random."""
RESIZE_TAPS = 16
"""Pixels that one pixel of a cubic ``Resize`` is computed from."""


class UnboundedError(Exception):
    """Why it can't be told how much a network takes."""


@dataclass(frozen=True, slots=True)
class Need:
    """What a network takes for one call with ``ROWS`` rows."""

    memory: int
    """Bytes, weights included."""
    work: int
    """Multiplications; of other operators the values read and written."""
    output: tuple[int, ...]
    """Shape of its one output, as it follows from the graph."""


@dataclass(frozen=True, slots=True)
class _Value:
    """A tensor of the graph."""

    shape: tuple[int, ...]
    width: int
    """Bytes an element."""

    @property
    def elements(self) -> int:
        return math.prod(self.shape)

    @property
    def bytes(self) -> int:
        return self.elements * self.width


_Values = Mapping[str, _Value]


def need_of(model: onnx.ModelProto) -> Need:
    """Memory and work of a network with weights inside; ``model`` loses the shapes that it claims for itself.

    Raises:
        UnboundedError: an operator that isn't in the table, or a tensor whose shape depends on values.
    """
    _refuse_operators(model.graph)
    values = _values(model)
    weights = {tensor.name for tensor in model.graph.initializer}
    stored = sum(values[name].bytes for name in weights)  # twice: once more in the order that a processor likes
    memory = BASE + 2 * stored + SLACK * _peak(model.graph, weights, values)
    work = sum(_work(node, values) for node in model.graph.node)
    return Need(memory, work, values[model.graph.output[0].name].shape)


def _refuse_operators(graph: onnx.GraphProto) -> None:
    if len(graph.node) > MAX_NODES:
        raise UnboundedError(f"has {len(graph.node):,} operators, and {MAX_NODES:,} are the most")
    if graph.sparse_initializer or any(
        part.HasField("sparse_tensor") for node in graph.node for part in node.attribute
    ):
        raise UnboundedError("keeps sparse weights, whose size isn't that of their file")
    for node in graph.node:
        if node.op_type not in OPERATORS:
            raise UnboundedError(f"uses the operator {node.op_type[:40]!r}, which networks that draw have no need of")


def _values(model: onnx.ModelProto) -> dict[str, _Value]:
    """Every tensor by name, in the shape that follows from inputs and weights, whatever the file claims."""
    import onnx

    graph = model.graph
    del graph.value_info[:]
    for entry in graph.input:
        entry.type.tensor_type.shape.dim[0].dim_value = ROWS
    for entry in graph.output:
        entry.type.tensor_type.ClearField("shape")
    inferred = onnx.shape_inference.infer_shapes(model, strict_mode=True, data_prop=True).graph
    values = {tensor.name: _Value(tuple(tensor.dims), _width(tensor.data_type)) for tensor in graph.initializer}
    for entry in [*inferred.input, *inferred.value_info, *inferred.output]:
        tensor = entry.type.tensor_type
        shape = tuple(dim.dim_value if dim.HasField("dim_value") else -1 for dim in tensor.shape.dim)
        if tensor.HasField("shape") and min(shape, default=0) >= 0:
            values[entry.name] = _Value(shape, _width(tensor.elem_type))
    for name in [name for node in graph.node for name in [*node.input, *node.output] if name]:
        if name not in values:
            raise UnboundedError(f"has a tensor {name[:40]!r} whose size can't be told before it is run")
    return values


def _width(kind: int) -> int:
    """Bytes of an element; 16-bit numbers count as the 32 bits that a processor computes them in."""
    import onnx

    if kind in (onnx.TensorProto.UNDEFINED, onnx.TensorProto.STRING):
        raise UnboundedError("holds something that isn't numbers")
    width: int = onnx.helper.tensor_dtype_to_np_dtype(kind).itemsize
    return max(width, 4) if kind in (onnx.TensorProto.FLOAT16, onnx.TensorProto.BFLOAT16) else width


def _peak(graph: onnx.GraphProto, weights: set[str], values: _Values) -> int:
    """Bytes needed at once, when nodes run in their order and a tensor is freed after its last use."""
    last = {name: place for place, node in enumerate(graph.node) for name in node.input}
    stay = weights | {entry.name for entry in graph.output} | {""}
    alive = peak = sum(values[entry.name].bytes for entry in graph.input if entry.name not in weights)
    for place, node in enumerate(graph.node):
        alive += sum(values[name].bytes for name in node.output if name)
        peak = max(peak, alive + _workspace(node, values))
        done = {name for name in [*node.input, *node.output] if last.get(name, place) == place}
        alive -= sum(values[name].bytes for name in done - stay)
    return peak


def _workspace(node: onnx.NodeProto, values: _Values) -> int:
    """Bytes beside inputs and outputs: convolutions spread one sprite's windows out, to multiply matrices.

    ``Conv`` does so at once only where it has more filters than windows, otherwise a few at a time.
    """
    if node.op_type == "Conv":
        kernel, out = values[node.input[1]], values[node.output[0]]
        return math.prod(kernel.shape[1:]) * min(out.shape[1], math.prod(out.shape[2:])) * 4
    if node.op_type == "ConvTranspose":
        kernel, picture = values[node.input[1]], values[node.input[0]]
        return math.prod(kernel.shape[1:]) * math.prod(picture.shape[2:]) * 4
    return 0


def _work(node: onnx.NodeProto, values: _Values) -> int:
    """Multiplications of matrix products and convolutions; of everything else the values that it reads and writes."""
    inputs = [values[name] for name in node.input if name]
    out = sum(values[name].elements for name in node.output if name)
    if node.op_type == "Conv":
        return out * math.prod(inputs[1].shape[1:])
    if node.op_type == "ConvTranspose":
        return inputs[0].elements * math.prod(inputs[1].shape[1:])
    if node.op_type == "MatMul":
        return out * inputs[0].shape[-1]
    if node.op_type == "Gemm":
        turned = any(part.name == "transA" and part.i for part in node.attribute)
        return out * inputs[0].shape[0 if turned else -1]
    window = next((math.prod(part.ints) for part in node.attribute if part.name == "kernel_shape"), 1)
    if node.op_type == "Resize":
        window = RESIZE_TAPS
    return out * window + sum(value.elements for value in inputs)
