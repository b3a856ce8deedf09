"""What is exported draws what was trained, and nothing else is left behind."""

from __future__ import annotations

import json
from hashlib import sha256
from pathlib import Path

import numpy as np
import onnx
import pytest
import torch

from exporter import verify
from tests.conftest import Cli


def test_a_bundle_holds_its_promises(bundle: Path) -> None:
    info = json.loads((bundle / "bundle.json").read_text())
    assert sorted(path.name for path in bundle.iterdir()) == ["bundle.json", "classifier.onnx", "generator.onnx"]
    for name, record in info["files"].items():
        data = (bundle / name).read_bytes()
        assert (record["sha256"], record["size"]) == (sha256(data).hexdigest(), len(data))
        model = onnx.load(str(bundle / name), load_external_data=False)
        assert not any(tensor.data_location for tensor in model.graph.initializer)
        assert not any("random" in node.op_type.lower() for node in model.graph.node)
    for network in ("generator", "classifier"):
        assert set(info["parity"][network]["max_difference"]) == {"1", "7", "64"}
        assert max(info["parity"][network]["max_difference"].values()) <= 1e-4


def test_the_bundle_draws_the_checkpoints_moving_average(bundle: Path, finished_run: Path) -> None:
    from asset_gen.runtime import open_session
    from exporter.write_bundle import load_generator
    from trainer.loop import draw
    from trainer.run import load_config

    generator, state = load_generator(finished_run, load_config(finished_run))
    assert state["step"] == 6
    z, label = torch.randn(5, 128), torch.eye(4)[torch.tensor([0, 1, 2, 3, 0])]
    found = open_session(bundle / "generator.onnx", "cpu").run(z=z.numpy(), label=label.numpy())
    assert np.abs(found - draw(generator, z, label).numpy()).max() <= 1e-4


def test_a_network_that_onnx_runtime_does_not_reproduce_is_refused(
    cli: Cli, finished_run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(verify, "LIMIT", 0.0)
    refused = cli("export", finished_run, "--out", tmp_path / "out")
    assert refused.code == 5
    assert "differ by" in refused.err
    assert list(tmp_path.iterdir()) == []


def test_an_existing_folder_is_replaced_only_when_it_is_a_bundle_and_force_is_given(
    cli: Cli, finished_run: Path, own_bundle: Path, tmp_path: Path
) -> None:
    assert cli("export", finished_run, "--out", own_bundle).code == 2
    (tmp_path / "photos").mkdir()
    assert cli("export", finished_run, "--out", tmp_path / "photos", "--force").code == 2
    assert cli("export", finished_run, "--out", own_bundle, "--force", "--name", "second").code == 0
    assert json.loads((own_bundle / "bundle.json").read_text())["name"] == "second"


def test_what_is_no_finished_run_is_refused(cli: Cli, finished_run: Path, tmp_path: Path) -> None:
    import shutil

    refused = cli("export", tmp_path, "--out", tmp_path / "out")
    assert (refused.code, "is no run folder" in refused.err) == (5, True)
    copy = Path(shutil.copytree(finished_run, tmp_path / "run"))
    shutil.rmtree(copy / "classifier")
    refused = cli("export", copy, "--out", tmp_path / "out")
    assert (refused.code, "--resume" in refused.err) == (5, True)
    shutil.rmtree(copy / "checkpoints")
    refused = cli("export", copy, "--out", tmp_path / "out")
    assert (refused.code, "has no checkpoint yet" in refused.err) == (5, True)
    assert not (tmp_path / "out").exists()
