"""What is wrong with an installation is said, with the cure."""

from __future__ import annotations

import importlib.util
import json
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from asset_gen import doctor
from asset_gen.errors import DeviceError, ModelError
from tests.conftest import Cli


@pytest.fixture
def healthy(bundle: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine without a card, on which all is well."""
    monkeypatch.setattr(doctor, "BUILT_IN", bundle)
    monkeypatch.setattr(doctor, "distributions", lambda: [])
    monkeypatch.setattr(doctor, "RUNTIMES", ("onnxruntime",))


def distribution(name: str | None, tops: str | None) -> Any:
    """An installed distribution with these top-level packages."""
    return SimpleNamespace(metadata={"Name": name}, read_text=lambda file: tops)


@pytest.mark.usefixtures("healthy")
def test_a_healthy_machine_is_told_so(cli: Cli) -> None:
    done = cli("doctor")
    assert (done.code, done.err) == (0, "")
    assert "All is well." in done.out
    assert f"python       {sys.version_info.major}.{sys.version_info.minor}" in done.out
    assert "device cpu   CPUExecutionProvider" in done.out


@pytest.mark.usefixtures("healthy")
def test_the_provider_that_really_ran_is_reported_for_each_device(cli: Cli) -> None:
    report = json.loads(cli("doctor", "--json").out)
    assert report["devices"]["cpu"] == "CPUExecutionProvider"
    assert report["devices"]["cuda"].startswith("not available: --device cuda: ")
    assert report["runs_on"] == ["CPUExecutionProvider"]
    assert report["trouble"] == []


@pytest.mark.usefixtures("healthy")
def test_a_machine_on_which_nothing_runs_ends_with_4(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(*arguments: object) -> None:
        raise DeviceError("ONNX Runtime is not installed")

    monkeypatch.setattr(doctor, "open_session", missing)
    done = cli("doctor")
    assert done.code == 4
    assert "not available: ONNX Runtime is not installed" in done.out
    assert "nothing can be generated" in done.out.lower()


@pytest.mark.usefixtures("healthy")
def test_a_damaged_built_in_model_is_reported(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    def damaged(path: Path) -> None:
        raise ModelError(f"{path}: generator.onnx was changed")

    monkeypatch.setattr(doctor, "load_bundle", damaged)
    report = cli("doctor", "--json")
    assert report.code == 4
    assert "generator.onnx was changed" in json.loads(report.out)["trouble"][0]


@pytest.mark.usefixtures("healthy")
def test_other_trouble_ends_with_3(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "distributions", lambda: [distribution("other-trainer", "trainer\nother\n")])
    done = cli("doctor")
    assert done.code == 3
    assert "other-trainer also installs trainer, which are assetgen's" in done.out
    assert "pipx install" in done.out
    assert "All is well" not in done.out


@pytest.mark.parametrize("second", ["onnxruntime-gpu", "onnxruntime-directml", "onnxruntime-openvino"])
def test_two_runtimes_over_each_other_are_named_with_the_cure(second: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "_version", lambda name: "1.30" if name in ("onnxruntime", second) else None)
    assert doctor.double_runtime() == [
        f"onnxruntime and {second} are installed over each other, and only one of them works. Keep {second}: "
        f"pip uninstall -y onnxruntime {second} && pip install --force-reinstall {second}"
    ]
    monkeypatch.setattr(doctor, "_version", lambda name: "1.30" if name == second else None)
    assert doctor.double_runtime() == []


def test_a_folder_that_hides_one_of_our_packages_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "trainer").mkdir()
    real = importlib.util.find_spec
    fake = SimpleNamespace(submodule_search_locations=[str(tmp_path / "trainer")])
    monkeypatch.setattr("importlib.util.find_spec", lambda name: fake if name == "trainer" else real(name))
    monkeypatch.setattr(doctor, "distributions", lambda: [])
    (sentence,) = doctor.shadowed()
    assert sentence.startswith(f"The package 'trainer' is taken from {tmp_path}, not from assetgen.")


def test_assetgen_itself_and_half_removed_packages_are_no_trouble(monkeypatch: pytest.MonkeyPatch) -> None:
    found = [distribution("assetgen", "asset_gen\ntrainer\n"), distribution(None, None), distribution("x", "x\n")]
    monkeypatch.setattr(doctor, "distributions", lambda: found)
    assert doctor.shadowed() == []
