"""Networks that are valid ONNX and would run for ever, or take all memory: told from the graph, before they are run."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from asset_gen.bundle import BUILT_IN, load_bundle
from asset_gen.errors import ModelError
from asset_gen.memory import BASE, ROWS, need_of
from tests.attacks.hostile import assert_refused, change_generator, edit_json, published, seal
from tests.conftest import Cli
from tests.fakes import write_bundle


@pytest.fixture
def stranger(tmp_path: Path) -> Path:
    """A bundle to make hostile."""
    return write_bundle(tmp_path / "stranger")


def constant(model: onnx.ModelProto, name: str, *values: int) -> str:
    """A weight of whole numbers."""
    model.graph.initializer.append(numpy_helper.from_array(np.array(values, np.int64), name))
    return name


def add(model: onnx.ModelProto, kind: str, inputs: list[str], output: str, **attributes: object) -> str:
    """A node whose result nothing has to need: ONNX Runtime may leave it out, and a stranger's next one may not."""
    model.graph.node.append(helper.make_node(kind, inputs, [output], **attributes))
    return output


def mix_in(model: onnx.ModelProto, name: str) -> None:
    """The pictures depend on the tensor ``name``, so that it must be computed."""
    for node in model.graph.node:
        node.output[:] = ["clean" if output == "rgba" else output for output in node.output]
    add(model, "ReduceMax", [name], "most", keepdims=0)
    add(model, "Add", ["clean", "most"], "rgba")


def expand(model: onnx.ModelProto) -> None:
    """Four terabytes from three numbers."""
    add(model, "Expand", ["colours", constant(model, "vast", 125_000_000, 8, 1024)], "much")
    mix_in(model, "much")


def expand_by_value(model: onnx.ModelProto) -> None:
    """As many numbers as the latent says, which the graph doesn't tell."""
    add(model, "ReduceSumSquare", ["z"], "length", keepdims=0)
    add(model, "Cast", ["length"], "whole", to=TensorProto.INT64)
    add(model, "Reshape", ["whole", constant(model, "one", 1)], "shape_of_much")
    add(model, "ConstantOfShape", ["shape_of_much"], "much")
    mix_in(model, "much")


def expand_and_lie(model: onnx.ModelProto) -> None:
    """The same, with a note in the file that the tensor is small."""
    expand_by_value(model)
    model.graph.value_info.append(helper.make_tensor_value_info("much", TensorProto.FLOAT, [1]))


def fork(model: onnx.ModelProto) -> None:
    """A hundred tensors of 64 MiB that are all needed in the end."""
    size = constant(model, "size", 16, 2**20)
    for number in range(100):
        add(model, "ConstantOfShape", [size], f"tensor{number}")
    add(model, "Sum", [f"tensor{number}" for number in range(100)], "much")
    mix_in(model, "much")


def multiply(model: onnx.ModelProto) -> None:
    """Two hundred products of square matrices, a lot of work in little memory."""
    last = add(model, "ConstantOfShape", [constant(model, "side", 4096, 4096)], "product")
    for number in range(200):
        last = add(model, "MatMul", [last, "product"], f"product{number}")
    mix_in(model, last)


def convolve(model: onnx.ModelProto) -> None:
    """A window as large as the picture, a hundred times."""
    add(model, "ConstantOfShape", [constant(model, "canvas", 1, 1, 1024, 1024)], "picture")
    add(model, "ConstantOfShape", [constant(model, "pane", 1, 1, 1001, 1001)], "window")
    last = "picture"
    for number in range(100):
        last = add(model, "Conv", [last, "window"], f"seen{number}", pads=[500] * 4)
    mix_in(model, last)


def loop(model: onnx.ModelProto) -> None:
    """Counts to 2⁶²."""
    body = helper.make_graph(
        [helper.make_node("Identity", ["go"], ["on"]), helper.make_node("Identity", ["number"], ["count"])],
        "body",
        [
            helper.make_tensor_value_info("number", TensorProto.INT64, []),
            helper.make_tensor_value_info("go", TensorProto.BOOL, []),
        ],
        [
            helper.make_tensor_value_info("on", TensorProto.BOOL, []),
            helper.make_tensor_value_info("count", TensorProto.INT64, []),
        ],
    )
    constant(model, "turns", 2**62)
    model.graph.node.append(helper.make_node("Loop", ["turns", ""], ["unused"], body=body))


def branch(model: onnx.ModelProto) -> None:
    """One of two graphs, by a value."""
    inner = helper.make_graph(
        [helper.make_node("Identity", ["z"], ["same"])],
        "inner",
        [],
        [helper.make_tensor_value_info("same", TensorProto.FLOAT, ["n", 8])],
    )
    model.graph.initializer.append(numpy_helper.from_array(np.array(True), "always"))
    model.graph.node.append(helper.make_node("If", ["always"], ["unused"], then_branch=inner, else_branch=inner))


def scan(model: onnx.ModelProto) -> None:
    """Row by row."""
    row = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [8]) for name in ("row", "same")]
    body = helper.make_graph([helper.make_node("Identity", ["row"], ["same"])], "body", row[:1], row[1:])
    model.graph.node.append(helper.make_node("Scan", ["z"], ["unused"], body=body, num_scan_inputs=1))


def chance(model: onnx.ModelProto) -> None:
    """Pictures that nobody can make again."""
    add(model, "RandomNormalLike", ["z"], "noise_of_its_own")


def sparse(model: onnx.ModelProto) -> None:
    """One number of 4 × 10¹² that are nought."""
    one = numpy_helper.from_array(np.ones(1, np.float32), "thin")
    place = numpy_helper.from_array(np.zeros(1, np.int64), "place")
    model.graph.sparse_initializer.append(helper.make_sparse_tensor(one, place, [2_000_000, 2_000_000]))


def long(model: onnx.ModelProto) -> None:
    """More nodes than any network has."""
    last = "z"
    for number in range(20_001):
        last = add(model, "Neg", [last], f"turn{number}")


GRAPHS: dict[Callable[[onnx.ModelProto], None], str] = {
    expand: "would take 15,",
    expand_by_value: "whose size can't be told before it is run",
    expand_and_lie: "whose size can't be told before it is run",
    fork: "would take 25,",
    multiply: "would multiply 1.4e+13 times",
    convolve: "would multiply 1.1e+14 times",
    loop: "uses the operator 'Loop'",
    branch: "uses the operator 'If'",
    scan: "uses the operator 'Scan'",
    chance: "uses the operator 'RandomNormalLike'",
    sparse: "keeps sparse weights",
    long: "and 20,000 are the most",
}


@pytest.mark.parametrize("change", list(GRAPHS))
def test_a_valid_network_that_takes_too_much_is_not_loaded(
    stranger: Path, change: Callable[[onnx.ModelProto], None]
) -> None:
    change_generator(stranger, change)
    with pytest.raises(ModelError, match="The bundle was not loaded") as refused:
        load_bundle(stranger)
    assert f"{stranger}: generator.onnx" in str(refused.value)
    assert GRAPHS[change] in str(refused.value)


def test_a_bundle_is_held_to_the_memory_it_declares(stranger: Path) -> None:
    need = max(need_of(onnx.load_model(str(path))).memory for path in stranger.glob("*.onnx"))
    edit_json(stranger, lambda info: info.update(memory=need))
    assert load_bundle(stranger).memory == need
    edit_json(stranger, lambda info: info.update(memory=need - 1))
    with pytest.raises(ModelError, match=r'its bundle declares .* \("memory" in bundle.json\)'):
        load_bundle(stranger)
    edit_json(stranger, lambda info: info.update(memory=2**40))
    with pytest.raises(ModelError, match=r"bundle.json is damaged \(Expected `int` <= "):
        load_bundle(stranger)


def greedy_for_few(model: onnx.ModelProto) -> None:
    """Nothing for 64 rows, for which the graph is looked at, and 64 GiB for 16."""
    add(model, "Shape", ["rgba"], "shape_of_rgba")
    add(model, "Slice", ["shape_of_rgba", constant(model, "from", 0), constant(model, "to", 1)], "rows")
    add(model, "Sub", [constant(model, "most", ROWS), "rows"], "missing")
    add(model, "Mul", ["missing", constant(model, "times", 2**34 // 48)], "numbers")
    add(model, "ConstantOfShape", ["numbers"], "much")
    for node in model.graph.node:
        node.output[:] = ["clean" if output == "logits" else output for output in node.output]
    add(model, "ReduceSum", ["much"], "sum", keepdims=0)
    add(model, "Add", ["clean", "sum"], "logits")


def test_a_network_that_fools_the_estimate_is_stopped_when_it_asks_for_more(
    cli: Cli, game: Path, stranger: Path
) -> None:
    model = onnx.load_model(str(stranger / "classifier.onnx"))
    greedy_for_few(model)
    onnx.save_model(model, str(stranger / "classifier.onnx"))
    seal(stranger)
    done = cli("batch", "--project", game, "--model", stranger, "--count", 16, "--oversample", 1)
    assert_refused(done, 5, f"{stranger / 'classifier.onnx'}: this network fails", "Use another bundle")
    assert published(game) == {}


def test_the_built_in_model_takes_no_more_than_is_reckoned() -> None:
    """In a process of its own: what is resident after three calls, less what was before the network was loaded."""
    need = need_of(onnx.load_model(str(BUILT_IN / "generator.onnx"))).memory
    assert need < 256 * 2**20  # a reckoning that is far too large would hold nobody to anything
    code = f"""
import numpy as np, onnxruntime
from asset_gen.bundle import load_bundle
from asset_gen.runtime import open_session
from pathlib import Path
bundle = load_bundle(Path({str(BUILT_IN)!r}))
def resident():
    return int(next(line for line in open("/proc/self/status") if line.startswith("VmHWM")).split()[1]) * 1024
before = resident()
session = open_session(bundle.generator, "cpu", {need})
for _ in range(3):
    session.run(z=np.ones(({ROWS}, bundle.info.latent), np.float32),
                label=np.eye(len(bundle.info.types), dtype=np.float32)[np.zeros({ROWS}, int)])
print(resident() - before)
"""
    if not Path("/proc/self/status").exists():
        pytest.skip("the peak of resident memory is read from Linux's /proc")
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    assert BASE // 4 < int(done.stdout) < need
