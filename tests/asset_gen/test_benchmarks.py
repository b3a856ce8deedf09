"""The harness of the benchmarks and its page fit together; nothing is timed."""

from __future__ import annotations

import importlib
import json
import sys
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from tests.benchmarks import harness, scaling
from tests.benchmarks.bench import batch
from tests.benchmarks.operations import operations


def stored() -> dict[str, object]:
    return dict(json.loads(harness.STORE.read_text(encoding="utf-8")))


def test_the_page_is_the_one_of_the_stored_figures() -> None:
    assert harness.PAGE.read_text(encoding="utf-8") == harness.page(stored())


def test_every_subject_is_in_the_page_and_nothing_else_is_stored() -> None:
    page = harness.PAGE.read_text(encoding="utf-8")
    for name, subject in harness.SUBJECTS.items():
        assert f"## {subject.title}\n\n`{name}`: " in page
    assert set(stored()) <= set(harness.SUBJECTS)


def test_a_missed_goal_and_a_missing_peer_stay_in_the_page() -> None:
    rows = [
        harness.Row("a", "2 s", "1 s, b", "faster", False, 3),
        harness.Row("b|c", "–", "not available: no compiler", "faster"),
        harness.Row("c", "3 s"),
    ]
    found = {"date": "2026-01-01", "seconds": 1, "machine": {"cores": "2"}, "rows": [asdict(row) for row in rows]}
    page = harness.page({"job": found})
    assert "| a | 2 s | 1 s, b | faster | MISSED | 3 |" in page
    assert "| b\\|c | – | not available: no compiler | faster | not measured | 1 |" in page
    assert "| c | 3 s | – | – | no goal | 1 |" in page
    assert "Of 1 goals 0 are met" in page
    assert page.count("Not measured yet.") == len(harness.SUBJECTS) - 1


@pytest.mark.parametrize(
    "name", ["job", "batch", "memory", "training", "linear", "selection", "layout", "png", "floor", "many", "scaling"]
)
def test_every_subject_names_a_function(name: str) -> None:
    module, _, function = harness.SUBJECTS[name].module.partition(":")
    assert callable(getattr(importlib.import_module(f"tests.benchmarks.{module}"), function or "rows"))


def test_what_subjects_wrote_stays_until_all_are_measured(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A deletion would slow the next subject."""
    written: list[Path] = []

    def measure(name: str, runs: int, folders: Path) -> dict[str, Any]:
        assert all(path.exists() for path in written)
        monkeypatch.setenv(harness.FOLDERS, str(folders))
        written.append(harness.fresh_folder() / name)
        written[-1].write_text("drawn")
        return {"date": "2026-01-01", "seconds": 1, "machine": {}, "rows": [asdict(harness.Row("a", "1 s"))]}

    monkeypatch.setattr(harness, "measure", measure)
    monkeypatch.setattr(harness, "STORE", tmp_path / "store.json")
    monkeypatch.setattr(harness, "PAGE", tmp_path / "page.md")
    monkeypatch.setattr("sys.argv", ["harness.py", "--only", "job", "--only", "batch"])
    harness.main()
    assert [path.name for path in written] == ["job", "batch"]
    assert not any(path.exists() for path in written)
    assert set(json.loads((tmp_path / "store.json").read_text())) == {"job", "batch"}


def test_a_batch_is_never_measured_in_a_folder_that_was_used(tmp_path: Path) -> None:
    assert str(tmp_path / "new") in batch(1, tmp_path / "new")
    batch(1, tmp_path / "new")
    (tmp_path / "new" / "sheet.png").touch()
    with pytest.raises(ValueError, match="isn't empty"):
        batch(1, tmp_path / "new")


def took(rate: float, files: dict[str, str] | None = None) -> scaling.Run:
    return scaling.Run(rate, clock=10, cpu=20, others=0, files=files or {"a.png": "1"})


def test_workers_are_judged_by_the_rate_of_all_of_them() -> None:
    found = {"local": [took(100)], "Ray, 1 worker": [took(50)], "Ray, 2 workers": [took(89), took(89), took(200)]}
    _, one, two, *others = scaling.table(found, found, 3)
    assert (one.measured, one.met) == ("50: 0.50×", None)
    assert (two.measured, two.goal, two.met) == ("89: 0.89×", "≥ 0.9×", False)
    assert {row.met for row in others} == {None}


def test_a_run_that_left_other_files_gives_no_figures() -> None:
    same = {"local": [took(1)], "Ray, 2 workers": [took(2), took(3)]}
    scaling.check_same(same)
    for files in ({"a.png": "2"}, {"b.png": "1"}, {"a.png": "1", "b.png": "1"}):
        with pytest.raises(SystemExit, match=r"and local differ in [12] files"):
            scaling.check_same(same | {"Ray, 1 worker": [took(2), took(3, files)]})


def test_a_run_is_repeated_until_the_machine_is_quiet(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(harness.FOLDERS, str(tmp_path))
    monkeypatch.setattr(scaling, "_wait_for_others", lambda: None)
    shares = iter([0.2, 0.04, 0.01])
    monkeypatch.setattr(scaling, "run", lambda command, project: replace(took(1), others=next(shares)))
    assert scaling.quiet_run(17, ()).others == 0.01
    assert not list(shares)
    monkeypatch.setattr(scaling, "run", lambda command, project: replace(took(1), others=0.5))
    with pytest.raises(SystemExit, match="other processes took 50% of all cores"):
        scaling.quiet_run(17, ())


def test_a_run_counts_the_processor_time_of_processes_below_it(tmp_path: Path) -> None:
    busy = "import time\nwhile time.process_time() < 1: pass"
    code = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {busy!r}])"
    report = "print('progress: drawing candidates 5/5', file=sys.stderr)"
    run = scaling.run([sys.executable, "-c", f"{code}; {report}"], tmp_path)
    assert 0.7 < run.cpu < 2
    with pytest.raises(SystemExit, match="exit 3"):
        scaling.run([sys.executable, "-c", "import sys; sys.exit(3)"], tmp_path)


def test_operations_are_those_counted_by_hand() -> None:
    weights = {
        "w": np.zeros((8, 2, 3, 3), np.float32),  # 8 maps of 2 groups of 2 maps, 3 × 3
        "u": np.zeros((8, 3, 4, 4), np.float32),  # 3 maps of 8, each pixel spread over 4 × 4
        "m": np.zeros((3 * 10 * 10, 10), np.float32),
    }
    nodes = [
        helper.make_node("Conv", ["x", "w"], ["y"], pads=[1, 1, 1, 1], group=2),
        helper.make_node("ConvTranspose", ["y", "u"], ["t"], strides=[2, 2], pads=[1, 1, 1, 1]),
        helper.make_node("Flatten", ["t"], ["f"]),
        helper.make_node("Gemm", ["f", "m"], ["g"]),
    ]
    graph = helper.make_graph(
        nodes,
        "hand",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n", 4, 5, 5])],
        [helper.make_tensor_value_info("g", TensorProto.FLOAT, ["n", 10])],
        [onnx.numpy_helper.from_array(value, name) for name, value in weights.items()],
    )
    convolution = 2 * (2 * 3 * 3) * (8 * 5 * 5)
    spread = 2 * (8 * 5 * 5) * (3 * 4 * 4)
    product = 2 * (3 * 10 * 10) * 10
    assert operations(helper.make_model(graph)) == convolution + spread + product
