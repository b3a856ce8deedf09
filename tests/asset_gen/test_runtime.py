"""A network runs where it was asked to run, or a sentence says why not."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper
from threadpoolctl import threadpool_info, threadpool_limits

from asset_gen.batch import run_batch
from asset_gen.bundle import BUILT_IN, load_bundle
from asset_gen.errors import DeviceError, ModelError
from asset_gen.plan import Request
from asset_gen.runtime import cores, open_session

ROOT = Path(__file__).parents[2]
ROWS = np.arange(6, dtype=np.float32).reshape(2, 3)


def write_network(path: Path, operator: str, **attributes: Any) -> Path:
    """An ONNX file that applies one operator to ``x`` [n, 3]."""
    ends = [helper.make_tensor_value_info(name, TensorProto.FLOAT, ["n", 3]) for name in ("x", "y")]
    node = helper.make_node(operator, ["x"], ["y"], **attributes)
    model = helper.make_model(helper.make_graph([node], "g", ends[:1], ends[1:]), ir_version=9)
    model.opset_import[0].version = 17
    onnx.save_model(model, str(path))
    return path


class Runtime(ModuleType):
    """ONNX Runtime on a machine whose graphics card works, fails, or is passed over in silence."""

    def __init__(self, card: str) -> None:
        super().__init__("onnxruntime")
        self.card = card
        self.asked: list[tuple[list[str], dict[str, str]]] = []

    def get_available_providers(self) -> list[str]:
        return ["CPUExecutionProvider"] if self.card == "none" else ["CUDAExecutionProvider", "CPUExecutionProvider"]

    def SessionOptions(self) -> SimpleNamespace:  # noqa: N802
        entries: dict[str, str] = {}
        return SimpleNamespace(entries=entries, add_session_config_entry=entries.__setitem__)

    def InferenceSession(self, path: str, options: SimpleNamespace, providers: list[str]) -> SimpleNamespace:  # noqa: N802
        self.asked.append((providers, options.entries))
        if providers[0].startswith("CUDA") and self.card == "fails":
            raise RuntimeError("libcudart.so is missing\nand more")
        ran = ["CPUExecutionProvider"] if self.card == "ignored" else providers
        return SimpleNamespace(get_providers=lambda: ran)


@pytest.fixture
def card(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Runtime:
    runtime = Runtime(request.param)
    monkeypatch.setitem(sys.modules, "onnxruntime", runtime)
    return runtime


def test_a_network_runs_on_the_processor_and_says_so(tmp_path: Path) -> None:
    session = open_session(write_network(tmp_path / "a.onnx", "Neg"), "cpu")
    assert session.provider == "CPUExecutionProvider"
    assert np.array_equal(session.run(x=ROWS), -ROWS)
    assert cores() >= 1


def test_a_file_that_is_no_network_is_refused_by_name(tmp_path: Path) -> None:
    (tmp_path / "a.onnx").write_bytes(b"no network")
    with pytest.raises(ModelError, match=r"a\.onnx: ONNX Runtime refuses this network"):
        open_session(tmp_path / "a.onnx", "cpu")


def test_numbers_that_are_not_finite_are_refused(tmp_path: Path) -> None:
    session = open_session(write_network(tmp_path / "a.onnx", "Log"), "cpu")
    with pytest.raises(ModelError, match="aren't finite"):
        session.run(x=-ROWS)


def test_a_network_that_rested_gives_the_same_and_took_no_harm(tmp_path: Path) -> None:
    session = open_session(write_network(tmp_path / "a.onnx", "Softmax"), "cpu", 2**30)
    before = session.run(x=ROWS)
    session.rest()
    assert np.array_equal(session.run(x=ROWS), before)


def given_back() -> int:
    """Bytes that a session gives back after a large run; it draws the same afterwards."""

    def held() -> int:
        return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")

    bundle = load_bundle(BUILT_IN)
    types = np.eye(len(bundle.info.types), dtype=np.float32)[np.zeros(64, np.int64)]
    z = np.ones((64, bundle.info.latent), np.float32)
    session = open_session(bundle.generator, "cpu", bundle.memory)
    first = session.run(z=z, label=types)
    before = held()
    session.rest()
    after = held()
    assert np.array_equal(session.run(z=z, label=types), first)
    return before - after


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux says in a file what a process holds")
def test_memory_that_a_large_run_took_is_given_back() -> None:
    script = "from tests.asset_gen.test_runtime import given_back; print(given_back())"
    done = subprocess.run(  # in a process of its own, which has no other memory to fill with it
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert int(done.stdout) > 20 * 2**20


def test_another_shape_than_was_promised_is_refused(tmp_path: Path) -> None:
    session = open_session(write_network(tmp_path / "a.onnx", "Transpose", perm=[1, 0]), "cpu")
    with pytest.raises(ModelError, match=r"a\.onnx: "):
        session.run(x=ROWS)


@pytest.mark.parametrize("card", ["works"], indirect=True)
@pytest.mark.parametrize("device", ["cuda", "auto"])
def test_a_working_card_is_used_without_falling_back(card: Runtime, device: str) -> None:
    assert open_session(Path("a.onnx"), device).provider == "CUDAExecutionProvider"
    ((providers, entries),) = card.asked
    assert providers == ["CUDAExecutionProvider"]
    assert entries["session.disable_cpu_ep_fallback"] == "1"


@pytest.mark.parametrize(
    ("card", "reason"),
    [
        ("none", "a CPU build"),
        ("fails", r"libcudart\.so is missing\)"),
        ("ignored", "the session runs on CPUExecutionProvider"),
    ],
    indirect=["card"],
)
def test_cuda_never_becomes_the_processor_in_silence(card: Runtime, reason: str) -> None:
    with pytest.raises(DeviceError, match=reason) as refused:
        open_session(Path("a.onnx"), "cuda")
    assert "--device cpu" in str(refused.value)
    assert refused.value.exit_code == 4


@pytest.mark.parametrize("card", ["none", "fails", "ignored"], indirect=True)
def test_auto_takes_the_processor_where_no_card_works(card: Runtime) -> None:
    assert open_session(Path("a.onnx"), "auto").provider == "CPUExecutionProvider"


@pytest.mark.parametrize("card", ["works"], indirect=True)
def test_the_processor_is_used_if_asked_for_even_with_a_card(card: Runtime) -> None:
    assert open_session(Path("a.onnx"), "cpu").provider == "CPUExecutionProvider"


def test_a_missing_runtime_names_both_ways_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    with pytest.raises(DeviceError, match=r"not installed .*assetgen\[cpu\].*assetgen\[gpu\]"):
        open_session(Path("a.onnx"))


def test_a_runtime_emptied_by_a_second_installation_is_recognised(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "onnxruntime", ModuleType("onnxruntime"))
    with pytest.raises(DeviceError, match="two builds were installed over each other"):
        open_session(Path("a.onnx"))


def test_numpys_threads_leave_the_cores_to_the_networks_of_a_batch(bundle: Path, game: Path) -> None:
    def threads() -> set[int]:
        return {pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas"}

    seen: list[set[int]] = []
    with threadpool_limits(2, "blas"):
        run_batch(Request(project=game, model=bundle, count=4), progress=lambda *_: seen.append(threads()))
        assert threads() == {2}
    assert seen and all(found == {1} for found in seen)
