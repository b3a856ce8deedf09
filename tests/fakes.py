"""Stand-ins for a trained model, so that what is tested is the way to it."""

from __future__ import annotations

import json
from hashlib import sha256
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import onnx
import pytest
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from asset_gen import batch, networks
from asset_gen.bundle import Bundle, BundleInfo, DataRecord
from asset_gen.runtime import Session

TYPES = ["bat", "imp", "owl"]
MODEL = "m" * 64


def bundle_info(**changes: Any) -> BundleInfo:
    """What a bundle of three types at 16 pixels says of itself."""
    info = BundleInfo(
        format=1,
        name="fake",
        licence="CC0-1.0",
        types=TYPES,
        labels={kind: kind.title() for kind in TYPES},
        size=16,
        latent=12,
        preset="relativistic",
        conditional=True,
        alpha="true",
        outside_networks=[],
        data=DataRecord(name="art", licence="CC0-1.0", sprites=30, sha256="0" * 64),
        training={},
        parity={},
        files={},
    )
    return msgspec.structs.replace(info, **changes)


def fake_bundle(**changes: Any) -> Bundle:
    """A bundle whose files nobody opens."""
    return Bundle(Path("fake"), bundle_info(**changes), MODEL)


def write_bundle(folder: Path, kinds: tuple[str, ...] = ("beetle", "flask", "mushroom"), size: int = 16) -> Path:
    """A bundle that needs no training and draws in no time: coloured noise, judged by its mean colours."""
    chance, latent = np.random.default_rng(0), 8
    pixels = 4 * size * size
    draw = _network(
        [
            helper.make_node("MatMul", ["z", "colours"], ["noise"]),
            helper.make_node("MatMul", ["label", "shades"], ["shade"]),
            helper.make_node("Add", ["noise", "shade"], ["sum"]),
            helper.make_node("Tanh", ["sum"], ["flat"]),
            helper.make_node("Reshape", ["flat", "shape"], ["rgba"]),
        ],
        {"z": ["n", latent], "label": ["n", len(kinds)]},
        {"rgba": ["n", 4, size, size]},
        {
            "colours": chance.normal(size=(latent, pixels)).astype(np.float32),
            "shades": chance.normal(size=(len(kinds), pixels)).astype(np.float32),
            "shape": np.array([-1, 4, size, size], np.int64),
        },
    )
    judge = _network(
        [
            helper.make_node("Reshape", ["rgba", "shape"], ["flat"]),
            helper.make_node("MatMul", ["flat", "taste"], ["logits"]),
        ],
        {"rgba": ["n", 4, size, size]},
        {"logits": ["n", len(kinds)]},
        {
            "shape": np.array([-1, pixels], np.int64),
            "taste": chance.normal(size=(pixels, len(kinds))).astype(np.float32) / size,
        },
    )
    folder.mkdir(parents=True, exist_ok=True)
    files = {}
    for name, model in (("generator.onnx", draw), ("classifier.onnx", judge)):
        data = model.SerializeToString()
        (folder / name).write_bytes(data)
        files[name] = {"sha256": sha256(data).hexdigest(), "size": len(data)}
    info = bundle_info(types=list(kinds), labels={kind: kind for kind in kinds}, size=size, latent=latent)
    (folder / "bundle.json").write_text(json.dumps(msgspec.to_builtins(info) | {"files": files}))
    return folder


def write_critic(folder: Path, joined: bool = False) -> None:
    """Give a bundle a critic that likes light pictures; ``joined``: one whose logit is of the whole batch."""
    document = json.loads((folder / "bundle.json").read_text())
    inputs: dict[str, list[str | int]] = {"rgba": ["n", 4, document["size"], document["size"]]}
    nodes = [helper.make_node("ReduceMean", ["rgba", "places"], ["light"], keepdims=0)]
    weights = {"places": np.array([1, 2, 3], np.int64), "kinds": np.array([1], np.int64)}
    if document["conditional"]:
        inputs["label"] = ["n", len(document["types"])]
        nodes.append(helper.make_node("ReduceSum", ["label", "kinds"], ["asked"], keepdims=0))
        nodes.append(helper.make_node("Add", ["light", "asked"], ["logit"]))
    else:
        nodes.append(helper.make_node("Identity", ["light"], ["logit"]))
    if joined:
        nodes[-1].output[0] = "each"
        nodes.append(helper.make_node("ReduceMean", ["each"], ["logit"], keepdims=1))
    network = _network(nodes, inputs, {"logit": [1] if joined else ["n"]}, weights)
    data = network.SerializeToString()
    (folder / "critic.onnx").write_bytes(data)
    document["files"]["critic.onnx"] = {"sha256": sha256(data).hexdigest(), "size": len(data)}
    document["critic"] = {"preset": "projected", "scale": 1.0, "shift": 0.0, "told_apart": 0.5}
    (folder / "bundle.json").write_text(json.dumps(document))


def _network(
    nodes: list[onnx.NodeProto],
    inputs: dict[str, list[str | int]],
    outputs: dict[str, list[str | int]],
    weights: dict[str, NDArray[Any]],
) -> onnx.ModelProto:
    graph = helper.make_graph(
        nodes,
        "fake",
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name, shape in inputs.items()],
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name, shape in outputs.items()],
        [numpy_helper.from_array(array, name) for name, array in weights.items()],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=8)


class Painter(Session):
    """A generator: a square in the middle of the canvas, in four colours that the latent decides."""

    def __init__(self, size: int = 16) -> None:
        self.size, self.provider = size, "CPUExecutionProvider"
        self.calls: list[dict[str, tuple[int, ...]]] = []
        """Shapes of the inputs of every call."""

    def run(self, **inputs: NDArray[np.float32]) -> NDArray[np.float32]:
        self.calls.append({name: value.shape for name, value in inputs.items()})
        colour = np.tanh(inputs["z"][:, :12]).reshape(-1, 3, 2, 2).repeat(self.size // 4, 2).repeat(self.size // 4, 3)
        pictures = np.full((len(colour), 4, self.size, self.size), -1, np.float32)
        middle = slice(self.size // 4, self.size // 4 + self.size // 2)
        pictures[:, :3, middle, middle] = colour
        pictures[:, 3, middle, middle] = 1
        return pictures

    def rest(self) -> None:
        """It holds nothing."""


class Copyist(Painter):
    """A generator that has collapsed: one picture, whatever is asked for."""

    def run(self, **inputs: NDArray[np.float32]) -> NDArray[np.float32]:
        return super().run(**{name: np.zeros_like(value) for name, value in inputs.items()})


class Eye(Session):
    """A classifier that goes by the mean of each channel."""

    def __init__(self, types: int = 3) -> None:
        self.types, self.provider = types, "CPUExecutionProvider"

    def run(self, **inputs: NDArray[np.float32]) -> NDArray[np.float32]:
        means = inputs["rgba"].mean(axis=(2, 3))
        return np.asarray(20 * means[:, : self.types], np.float32)

    def rest(self) -> None:
        """It holds nothing."""


class Colours:
    """A judge's eyes that are quick: sees the mean colours of four corners."""

    name = "colours"

    def __init__(self) -> None:
        self.asked: list[int] = []

    def features(self, sprites: NDArray[np.uint8]) -> NDArray[np.float32]:
        self.asked.append(len(sprites))
        half = sprites.shape[1] // 2
        corners = sprites.reshape(len(sprites), 2, half, 2, half, 4).mean(axis=(2, 4), dtype=np.float32) / 255
        return np.asarray(corners.reshape(len(sprites), 16), np.float32)


class FakeNetworks:
    """A bundle's networks, both stand-ins."""

    def __init__(self, bundle: Any, device: str) -> None:
        self.info, self.generator, self.classifier = bundle.info, Painter(), Eye()
        self.training = None

    def load_for(self, strategy: str) -> None:
        """They need no further ones."""

    def rest(self) -> None:
        """They hold nothing."""


def use_stand_ins(monkeypatch: pytest.MonkeyPatch) -> None:
    """Batches take any folder for a model of three types, and draw with the stand-ins."""
    monkeypatch.setattr("asset_gen.batch.load_bundle", lambda path: fake_bundle())
    monkeypatch.setattr("asset_gen.batch.Networks", FakeNetworks)


def install(monkeypatch: pytest.MonkeyPatch) -> Painter:
    """Let a model of bats, imps and owls take the place of every bundle that ``assetgen batch`` loads."""
    painter = Painter()
    sessions = {"generator.onnx": painter, "classifier.onnx": Eye()}
    monkeypatch.setattr(networks, "open_session", lambda path, *_, **__: sessions[path.name])
    monkeypatch.setattr(batch, "load_bundle", lambda path: fake_bundle())
    return painter
