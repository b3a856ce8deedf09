"""On a graphics card pictures stay where they are drawn; here the processor stands in for it, by the same code."""

from __future__ import annotations

import logging
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import fields
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import msgspec
import numpy as np
import onnx
import pytest
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from asset_gen import judge
from asset_gen.bundle import BUILT_IN, load_bundle
from asset_gen.engines import local
from asset_gen.engines.local import Local
from asset_gen.errors import DeviceError, ModelError
from asset_gen.generate import CARD_BATCH, Drawn, Wanted, generate
from asset_gen.judge import Seen, Task, look
from asset_gen.networks import Networks
from asset_gen.runtime import Session, open_session
from asset_gen.staged import Part
from tests.conftest import Cli, files_of
from tests.fakes import write_bundle, write_critic

ROOT = Path(__file__).parents[2]
BUFFER = (
    "[ONNXRuntimeError] : 6 : RUNTIME_EXCEPTION : Non-zero status code returned while running Conv node. Name:'Conv_3' "
    "Status Message: /onnxruntime_src/onnxruntime/core/framework/bfc_arena.cc:376 void* "
    "onnxruntime::BFCArena::AllocateRawInternal(size_t, bool, onnxruntime::Stream*) "
    "Failed to allocate memory for requested buffer of size 2830172160\n"
)
FULL = [
    BUFFER,
    "[ONNXRuntimeError] : 1 : FAIL : CUDA failure 2: out of memory ; GPU=0 ; hostname=a ; file=cuda_call.cc ; line=121",
    "[ONNXRuntimeError] : 1 : FAIL : CUDNN failure 4: CUDNN_STATUS_ALLOC_FAILED ; GPU=0 ; hostname=a",
    "[ONNXRuntimeError] : 1 : FAIL : CUDNN failure 4003: CUDNN_STATUS_INTERNAL_ERROR_DEVICE_ALLOCATION_FAILED ; GPU=0",
    "[ONNXRuntimeError] : 1 : FAIL : CUBLAS failure 3: CUBLAS_STATUS_ALLOC_FAILED ; GPU=0 ; hostname=a",
]


class Small:
    """A session of ONNX Runtime on a card that has memory for so many rows."""

    def __init__(self, inner: Any, rows: int, message: str = BUFFER) -> None:
        self.inner, self.rows, self.message = inner, rows, message
        self.calls: list[int] = []
        """Rows of every call."""

    def __getattr__(self, name: str) -> Any:
        return getattr(self.inner, name)

    def run(self, names: None, inputs: dict[str, NDArray[np.float32]]) -> Any:
        self._take(len(next(iter(inputs.values()))))
        return self.inner.run(names, inputs)

    def io_binding(self) -> Any:
        self.binding = self.inner.io_binding()
        return SimpleNamespace(
            bind_input=lambda *given: self._bound("bind_input", given, given[4][0]),
            bind_cpu_input=lambda *given: self._bound("bind_cpu_input", given, len(given[1])),
            bind_output=self.binding.bind_output,
            copy_outputs_to_cpu=self.binding.copy_outputs_to_cpu,
        )

    def _bound(self, way: str, given: tuple[Any, ...], rows: int) -> None:
        self.coming = rows
        getattr(self.binding, way)(*given)

    def run_with_iobinding(self, binding: Any) -> None:
        self._take(self.coming)
        self.inner.run_with_iobinding(self.binding)

    def _take(self, rows: int) -> None:
        self.calls.append(rows)
        if rows > self.rows:
            raise RuntimeError(self.message)


def on_the_card(session: Session, rows: int | None = None, message: str = BUFFER) -> Session:
    """A session whose outputs can stay where they are; ``rows``: for as many as that it has memory."""
    session.device = "cpu"
    if rows is not None:
        session._inner = Small(session._inner, rows, message)
    return session


def networks_of(path: Path, held: bool) -> Networks:
    """A bundle's networks; ``held``: on the card."""
    networks = Networks(load_bundle(path), "cpu")
    if held:
        on_the_card(networks.generator)
    return networks


@pytest.fixture(autouse=True)
def calls_of_one_size(monkeypatch: pytest.MonkeyPatch) -> None:
    """On a card and on a processor."""
    monkeypatch.setattr("asset_gen.generate.BATCH", CARD_BATCH)


@pytest.fixture
def fake(tmp_path: Path) -> Path:
    """A bundle that draws in no time and has a critic."""
    folder = write_bundle(tmp_path / "fake")
    write_critic(folder)
    return folder


def wanted(count: int, types: int = 3) -> Wanted:
    return Wanted(np.arange(count) % types, np.arange(count))


def seen_by(networks: Networks, asked: Wanted, strategy: str) -> list[Seen]:
    """What networks say, batch by batch."""
    task = Task(5, tuple(range(len(networks.info.types))), strategy)
    return [look(networks, drawn, asked, task) for drawn in generate(networks.generator, networks.info, 5, asked)]


def assert_same(one: list[Seen], other: list[Seen]) -> None:
    assert len(one) == len(other)
    for mine, theirs in zip(one, other, strict=True):
        for field in fields(Seen):
            a, b = getattr(mine, field.name), getattr(theirs, field.name)
            if isinstance(a, dict):
                assert a.keys() == b.keys()
                assert all(a[name].tobytes() == b[name].tobytes() for name in a)
            else:
                assert np.array_equal(a, b), field.name


@pytest.mark.parametrize("strategy", ["is", "critic"])
def test_networks_that_read_what_is_held_say_the_same_to_the_last_bit(fake: Path, strategy: str) -> None:
    asked = wanted(70)  # a whole batch, and a padded one
    assert_same(seen_by(networks_of(fake, True), asked, strategy), seen_by(networks_of(fake, False), asked, strategy))


def test_the_built_in_model_chooses_by_the_same_features() -> None:
    asked = wanted(20, 17)
    held, plain = (seen_by(networks_of(BUILT_IN, held), asked, "set") for held in (True, False))
    assert_same(held, plain)
    assert held[0].further["points"].shape == (20, 1280)


def test_pictures_stay_on_the_card_with_the_padded_rows_and_come_back_once(fake: Path) -> None:
    networks = networks_of(fake, True)
    (drawn,) = generate(networks.generator, networks.info, 5, wanted(3))
    assert drawn.rgba.shape == (3, 4, 16, 16)
    assert drawn.shown.shape == [64, 4, 16, 16]
    judged = networks.classifier.run(rgba=drawn.shown)
    assert np.array_equal(judged[:3], networks.classifier.run(rgba=drawn.rgba))
    assert np.array_equal(networks.classifier.run(rgba=drawn.shown[1:3]), judged[1:3])


def test_white_is_keyed_out_before_networks_on_the_card_look(fake: Path) -> None:
    def drawn(held: bool) -> Drawn:
        networks = networks_of(fake, held)
        info = msgspec.structs.replace(networks.info, alpha="none")
        (batch,) = generate(networks.generator, info, 5, wanted(5))
        return batch

    held, plain = drawn(True), drawn(False)
    networks = networks_of(fake, False)
    assert held.shown.shape == [64, 4, 16, 16]
    assert np.array_equal(held.rgba, plain.rgba)
    assert np.array_equal(networks.classifier.run(rgba=held.shown)[:5], networks.classifier.run(rgba=plain.rgba))


def test_a_generator_that_computes_in_16_bits_is_held_as_what_it_gives(fake: Path) -> None:
    path = fake / "generator.onnx"
    model = onnx.load_model(str(path))
    for name, weight in (("z", "colours"), ("label", "shades")):
        (place,) = (place for place, tensor in enumerate(model.graph.initializer) if tensor.name == weight)
        array = numpy_helper.to_array(model.graph.initializer[place]).astype(np.float16)
        model.graph.initializer[place].CopyFrom(numpy_helper.from_array(array, weight))
        product = next(node for node in model.graph.node if name in node.input)
        product.input[0] = f"{name}_16"
        model.graph.node.insert(0, helper.make_node("Cast", [name], [f"{name}_16"], to=TensorProto.FLOAT16))
    (last,) = (node for node in model.graph.node if node.output[0] == "flat")
    last.output[0] = "flat_16"
    model.graph.node.insert(len(model.graph.node) - 1, helper.make_node("Cast", ["flat_16"], ["flat"], to=1))
    onnx.save_model(model, str(path))
    info = load_bundle(BUILT_IN).info  # anything: it is told what to draw below
    info = msgspec.structs.replace(info, types=["a", "b", "c"], latent=8, size=16)
    asked = wanted(70)
    plain = list(generate(open_session(path, "cpu"), info, 0, asked))
    held = list(generate(on_the_card(open_session(path, "cpu")), info, 0, asked))
    assert all(np.array_equal(a.rgba, b.rgba) for a, b in zip(plain, held, strict=True))
    assert plain[0].rgba.dtype == held[0].rgba.dtype == np.float32


def test_another_shape_than_was_promised_is_never_written_into_what_is_held(tmp_path: Path) -> None:
    ends = [helper.make_tensor_value_info(name, TensorProto.FLOAT, ["n", 3]) for name in ("x", "y")]
    nodes = [helper.make_node("Concat", ["x", "x"], ["y"], axis=0)]
    model = helper.make_model(helper.make_graph(nodes, "g", ends[:1], ends[1:]), ir_version=9)
    model.opset_import[0].version = 17
    onnx.save_model(model, str(tmp_path / "a.onnx"))
    session = on_the_card(open_session(tmp_path / "a.onnx", "cpu"))
    with pytest.raises(ModelError, match=r"a\.onnx: .*shape \{2,3\}"):
        session.hold(x=np.ones((2, 3), np.float32))


@pytest.mark.parametrize("message", FULL)
def test_a_card_with_too_little_memory_gets_half_as_many_rows_and_a_person_is_told_each_time(
    fake: Path, message: str, caplog: pytest.LogCaptureFixture
) -> None:
    bundle = load_bundle(fake)
    pictures = np.concatenate([batch.rgba for batch in _batches(open_session(bundle.generator, "cpu"), fake)])
    session = on_the_card(open_session(bundle.classifier, "cpu"), 20, message)
    plain = open_session(bundle.classifier, "cpu")
    for start in (0, 64):
        part = pictures[start : start + 64]
        assert np.array_equal(session.run(rgba=part), plain.run(rgba=part))
    assert session._inner.calls == [64, 32, 16, 16, 16, 16, 16, 16, 16, 16]
    assert [record.levelno for record in caplog.records] == [logging.WARNING] * 2
    first, second = (record.getMessage() for record in caplog.records)
    assert "classifier.onnx: the graphics card's memory is too small for 64 rows at once; 32 are tried" in first
    assert "32 rows at once; 16 are tried" in second


def _batches(session: Session, path: Path, count: int = 128) -> list[Drawn]:
    return list(generate(session, load_bundle(path).info, 5, wanted(count)))


def test_memory_that_does_not_do_for_one_row_ends_with_its_size_and_the_cure(fake: Path) -> None:
    session = on_the_card(open_session(load_bundle(fake).classifier, "cpu"), 0)
    with pytest.raises(DeviceError, match="requested buffer of size 2830172160") as refused:
        session.run(rgba=np.ones((64, 4, 16, 16), np.float32))
    assert session._inner.calls == [64, 32, 16, 8, 4, 2, 1]
    assert refused.value.exit_code == 4
    assert str(fake / "classifier.onnx") in str(refused.value)
    assert "nvidia-smi" in str(refused.value) and "--device cpu" in str(refused.value)


def test_what_fails_otherwise_on_a_card_is_not_tried_again(fake: Path) -> None:
    session = on_the_card(open_session(load_bundle(fake).classifier, "cpu"), 0, "CUDA failure 700: illegal address")
    with pytest.raises(ModelError, match="illegal address"):
        session.run(rgba=np.ones((64, 4, 16, 16), np.float32))
    assert session._inner.calls == [64]


def limited(on_a_card: bool) -> Session:
    """The built-in generator, held to memory for some dozens of rows."""
    session = open_session(load_bundle(BUILT_IN).generator, "cpu", 60 * 2**20)
    return on_the_card(session) if on_a_card else session


@pytest.fixture
def inputs() -> dict[str, NDArray[np.float32]]:
    z = np.random.default_rng(0).normal(size=(160, 128)).astype(np.float32)
    return {"z": z, "label": np.eye(17, dtype=np.float32)[np.arange(160) % 17]}


@pytest.mark.parametrize("way", [lambda s, inputs: s.run(**inputs), lambda s, inputs: s.hold(**inputs)[1]])
def test_what_is_drawn_in_halves_for_want_of_memory_is_the_same(
    way: Callable[[Session, dict[str, NDArray[np.float32]]], NDArray[np.float32]],
    inputs: dict[str, NDArray[np.float32]],
    caplog: pytest.LogCaptureFixture,
) -> None:
    session = limited(on_a_card=True)
    drawn = way(session, inputs)
    assert session.most is not None and session.most < 160
    assert len(caplog.records) >= 1
    assert np.array_equal(drawn, open_session(session.path, "cpu").run(**inputs))


def test_the_processor_is_held_to_its_memory_as_before(inputs: dict[str, NDArray[np.float32]]) -> None:
    with pytest.raises(ModelError, match="is smaller than requested bytes"):
        limited(on_a_card=False).run(**inputs)


def draw_on_a_small_card(folder: str) -> None:
    """Draw a batch where there is memory for 20 sprites."""
    networks = networks_of(Path(folder), held=False)
    on_the_card(networks.generator, 20)
    seen_by(networks, wanted(64), "is")


def test_without_anybody_who_listens_it_is_told_on_stderr_in_a_line_each_time(fake: Path) -> None:
    script = f"from tests.asset_gen.test_held import draw_on_a_small_card as draw; draw({str(fake)!r})"
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout == ""
    assert [line.partition(";")[0] for line in done.stderr.splitlines()] == [
        f"assetgen: generator.onnx: the graphics card's memory is too small for {rows} rows at once"
        for rows in (64, 32)
    ]


def test_a_batch_on_a_small_card_publishes_the_same(
    cli: Cli, fake: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def batch(name: str) -> dict[str, bytes]:
        game = tmp_path / name / "game"
        game.mkdir(parents=True)
        done = cli("batch", "--project", game, "--model", fake, "--count", 24, "--filter", "critic", "-q")
        assert done.code == 0, done.err
        return files_of(game)

    def small(*arguments: Any, **options: Any) -> Session:
        return on_the_card(open_session(*arguments, **options), 20)

    plain = batch("plain")
    assert not caplog.records
    monkeypatch.setattr("asset_gen.networks.open_session", small)
    halved = batch("halved")
    assert halved.keys() == plain.keys()
    assert [path for path in plain if plain[path] != halved[path]] == []
    assert {record.getMessage().split(":")[1].strip() for record in caplog.records} == {
        "generator.onnx",
        "classifier.onnx",
        "critic.onnx",
    }


def test_one_batch_is_at_the_card_while_others_are_described(fake: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(local, "cores", lambda: 3)
    turn, second, overlaps = threading.Lock(), threading.Event(), []
    real_look, real_described = judge.look, judge.described

    def looking(*some: Any) -> Seen:
        free = turn.acquire(blocking=False)
        overlaps.append(not free)
        time.sleep(0.05)  # long enough for others to come
        seen = real_look(*some)
        if free:
            turn.release()
        if len(overlaps) >= 2:
            second.set()
        return seen

    def describing(*some: Any) -> Part:
        assert second.wait(60)  # it comes only if nobody waits for the first one's description
        return real_described(*some)

    def drawn(held: bool) -> Part:
        with closing(Local(networks_of(fake, held), Task(5, (0, 1, 2), "is"))) as engine:
            return Part.joined(list(engine.draw([wanted(200)])))

    plain = drawn(held=False)
    monkeypatch.setattr(judge, "look", looking)
    monkeypatch.setattr(judge, "described", describing)
    held = drawn(held=True)
    assert overlaps == [False] * 4
    assert len(held.pngs) == len(plain.pngs) and held.begins_with(plain)
