"""What is exported draws what was trained, and nothing else is left behind."""

from __future__ import annotations

import json
import shutil
from hashlib import sha256
from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
from msgspec.structs import replace

from asset_gen.bundle import NETWORKS, load_bundle
from asset_gen.data_card import read_card
from asset_gen.errors import ModelError
from asset_gen.runtime import open_session
from exporter import verify, write_bundle
from exporter.onnx_graph import Typed, Untyped
from exporter.verify import check_parity
from exporter.write_bundle import Form, Labelling, export_run, load_generator
from tests.conftest import Cli, files_of
from trainer.checkpoint import BEST, Checkpoint, load_best, load_checkpoint, save_checkpoint
from trainer.config import load_config
from trainer.loop import draw
from trainer.models import dcgan


def test_a_bundle_holds_its_promises(bundle: Path) -> None:
    info = json.loads((bundle / "bundle.json").read_text())
    networks = ["classifier.onnx", "features.onnx", "generator.onnx"]
    others = ["bundle.json", "data_card.json", "training_features.npz"]
    others += [name for name in ["directions.npz"] if name in info["files"]]  # where there are any, after six steps
    assert sorted(path.name for path in bundle.iterdir()) == sorted([*networks, *others])
    for name, record in info["files"].items():
        data = (bundle / name).read_bytes()
        assert (record["sha256"], record["size"]) == (sha256(data).hexdigest(), len(data))
    for name in networks:
        model = onnx.load(str(bundle / name), load_external_data=False)
        assert not any(tensor.data_location for tensor in model.graph.initializer)
        assert not any("random" in node.op_type.lower() for node in model.graph.node)
    for network in ("generator", "classifier"):
        assert set(info["parity"][network]["max_difference"]) == {"1", "7", "64"}
        assert max(info["parity"][network]["max_difference"].values()) <= 1e-4


def test_the_bundle_draws_the_checkpoints_moving_average(bundle: Path, finished_run: Path) -> None:
    generator, saved = load_generator(finished_run, load_config(finished_run))
    assert saved.state["step"] == 6
    weight = generator.get_parameter("stem.weight")
    assert torch.equal(weight, saved.tensors["average.stem.weight"])
    assert not torch.equal(weight, saved.tensors["generator.stem.weight"])
    z, label = torch.randn(5, 128), torch.eye(4)[torch.tensor([0, 1, 2, 3, 0])]
    found = open_session(bundle / "generator.onnx", "cpu").run(z=z.numpy(), label=label.numpy())
    assert np.abs(found - draw(generator, z, label).numpy()).max() <= 1e-4


def latents_of(rows: int) -> dict[str, torch.Tensor]:
    chance = torch.Generator().manual_seed(rows)
    return {"z": torch.randn(rows, 128, generator=chance), "label": torch.eye(4)[torch.arange(rows) % 4]}


@pytest.fixture
def network(finished_run: Path) -> torch.nn.Module:
    """The generator that ``bundle`` was made from, to change."""
    generator, _ = load_generator(finished_run, load_config(finished_run))
    return Typed(generator)


def test_parity_is_measured_for_a_sprite_alone_for_a_few_and_for_a_full_batch(
    bundle: Path, network: torch.nn.Module
) -> None:
    asked: list[int] = []

    def inputs(rows: int) -> dict[str, torch.Tensor]:
        asked.append(rows)
        return latents_of(rows)

    found = check_parity(bundle / "generator.onnx", network, inputs)
    assert asked == [1, 7, 64]
    assert list(found["max_difference"]) == ["1", "7", "64"]
    assert 0 < max(found["max_difference"].values()) <= 1e-4
    assert found["within_one_level"] == 1


@pytest.mark.parametrize(("change", "half", "passes"), [
    (2e-4, False, False), (2e-4, True, True), (0.05, True, False), (float("nan"), False, False)
])  # fmt: skip
def test_a_network_that_differs_is_refused_beyond_its_tolerance(
    change: float, half: bool, passes: bool, bundle: Path, network: torch.nn.Module
) -> None:
    with torch.no_grad():
        network.generator.to_rgba.bias += change * 4  # type: ignore[union-attr, operator]
    if passes:
        assert check_parity(bundle / "generator.onnx", network, latents_of, half)["within_one_level"] == 1
        return
    with pytest.raises(ModelError, match=r"generator\.onnx: ONNX Runtime and PyTorch differ by"):
        check_parity(bundle / "generator.onnx", network, latents_of, half)


def quick_export(bundle: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Take the ONNX files from ``bundle`` instead of making them, which takes seconds."""
    monkeypatch.setattr(write_bundle, "export_onnx", lambda n, i, o, path: shutil.copy(bundle / path.name, path))


@pytest.mark.parametrize("step", ["export_onnx", "check_parity", "run_report", "_info"])
def test_a_failure_at_any_step_leaves_nothing_and_the_old_bundle_as_it_was(
    step: str, bundle: Path, own_bundle: Path, finished_run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*arguments: object, **options: object) -> None:
        raise ModelError("no")

    quick_export(bundle, monkeypatch)
    monkeypatch.setattr(write_bundle, step, fail)
    before = files_of(tmp_path)
    labelling = Labelling(name="x", licence="x", data_name=None, data_licence="x")
    for out, force in ((tmp_path / "new", False), (own_bundle, True)):
        with pytest.raises(ModelError, match="no"):
            export_run(finished_run, out, labelling, Form(force=force))
    assert files_of(tmp_path) == before
    assert [path.name for path in tmp_path.iterdir()] == [own_bundle.name]


def test_an_export_says_what_it_was_told_and_what_the_run_knows(
    bundle: Path, finished_run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    quick_export(bundle, monkeypatch)
    labelling = Labelling(name="mine", licence="CC-BY-4.0", data_name="art", data_licence="CC0-1.0")
    made = export_run(finished_run, tmp_path / "mine", labelling)
    info, config = made.info, load_config(finished_run)
    assert (info.name, info.licence, info.data.name, info.data.licence) == ("mine", "CC-BY-4.0", "art", "CC0-1.0")
    assert (info.types, info.labels, info.size, info.latent) == (list(config.types), config.types, 32, 128)
    assert (info.preset, info.conditional, info.alpha, info.outside_networks) == ("relativistic", True, "true", [])
    assert (info.data.sprites, info.data.sha256) == (40, config.data_sha256)
    assert (info.training["steps"], info.training["seed"], info.training["classifier"]["held_out"]) == (6, 0, 8)
    assert made.sha256 == load_bundle(bundle).sha256  # the model is its networks, whatever it is called
    listing = "".join(f"{sha256((bundle / n).read_bytes()).hexdigest()}  {n}\n" for n in NETWORKS)
    assert made.sha256 == sha256(listing.encode()).hexdigest()  # as sha256sum *.onnx | sha256sum


@pytest.mark.parametrize(
    ("licences", "told"),
    [(["CC0-1.0"], "CC0-1.0"), (["CC0-1.0", "CC-BY-4.0"], "CC0-1.0 and CC-BY-4.0"), (["CC0-1.0", ""], "unstated")],
)
def test_the_licence_of_the_sprites_is_what_their_credits_say(
    licences: list[str],
    told: str,
    bundle: Path,
    finished_run: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    quick_export(bundle, monkeypatch)
    card = read_card(finished_run)
    assert card is not None
    files = [replace(file, licence=licences[number % len(licences)]) for number, file in enumerate(card.files)]
    monkeypatch.setattr("asset_gen.data_card.read_card", lambda run: replace(card, files=files))
    labelling = Labelling(name="mine", licence="x", data_name=None, data_licence=None)
    assert export_run(finished_run, tmp_path / "mine", labelling).info.data.licence == told


def test_the_checkpoint_before_a_damaged_one_is_exported_and_that_is_said(
    bundle: Path, finished_run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = Path(shutil.copytree(finished_run, tmp_path / "run"))
    shutil.copytree(run / "checkpoints" / "000000006", run / "checkpoints" / "000000007")
    heard: list[str] = []
    _, saved = load_generator(run, load_config(run), last=True, say=heard.append)
    assert saved.state["step"] == 6
    assert len(heard) == 1
    assert "000000007 is damaged" in heard[0]


def test_the_papers_generator_is_exported_opaque_and_without_a_label() -> None:
    rgba = Untyped(dcgan.Generator().eval())(torch.randn(2, 128))
    assert rgba.shape == (2, 4, 64, 64)
    assert (rgba[:, 3] == 1).all()


def test_a_network_that_onnx_runtime_does_not_reproduce_is_refused(
    cli: Cli, bundle: Path, finished_run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    quick_export(bundle, monkeypatch)
    monkeypatch.setattr(verify, "LIMIT", 0.0)
    refused = cli("export", finished_run, "--out", tmp_path / "out")
    assert refused.code == 5
    assert "differ by" in refused.err
    assert list(tmp_path.iterdir()) == []


def test_an_existing_folder_is_replaced_only_when_it_is_a_bundle_and_force_is_given(
    cli: Cli, bundle: Path, finished_run: Path, own_bundle: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    quick_export(bundle, monkeypatch)
    assert cli("export", finished_run, "--out", own_bundle).code == 2
    (tmp_path / "photos").mkdir()
    assert cli("export", finished_run, "--out", tmp_path / "photos", "--force").code == 2
    assert cli("export", finished_run, "--out", own_bundle, "--force", "--name", "second").code == 0
    assert json.loads((own_bundle / "bundle.json").read_text())["name"] == "second"


def test_what_is_no_finished_run_is_refused(cli: Cli, finished_run: Path, tmp_path: Path) -> None:
    refused = cli("export", tmp_path, "--out", tmp_path / "out")
    assert (refused.code, "is no run folder" in refused.err) == (5, True)
    copy = Path(shutil.copytree(finished_run, tmp_path / "run"))
    shutil.rmtree(copy / "classifier")
    refused = cli("export", copy, "--out", tmp_path / "out")
    assert (refused.code, "--resume" in refused.err) == (5, True)
    shutil.rmtree(copy / "checkpoints")
    shutil.rmtree(copy / "best")
    refused = cli("export", copy, "--out", tmp_path / "out")
    assert (refused.code, "has no checkpoint yet" in refused.err) == (5, True)
    assert not (tmp_path / "out").exists()


def test_a_model_without_directions_is_exported_without_them(
    finished_run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("exporter.calibrate.find_directions", lambda space: [])
    labelling = Labelling(name="mine", licence="x", data_name=None, data_licence=None)
    made = export_run(finished_run, tmp_path / "mine", labelling)
    assert "directions.npz" not in made.info.files
    assert not (tmp_path / "mine" / "directions.npz").exists()


def test_the_best_checkpoint_is_exported_and_the_last_where_it_is_asked_for(
    cli: Cli, finished_run: Path, tmp_path: Path
) -> None:
    run = Path(shutil.copytree(finished_run, tmp_path / "run"))
    last, _ = load_checkpoint(run)
    assert last is not None
    worse = Checkpoint({name: value + 1 for name, value in last.tensors.items()}, last.state | {"step": 8})
    save_checkpoint(run, worse)
    with (run / "evaluations.jsonl").open("a") as file:
        file.write('{"step": 8, "kid": 999999.0}\n')
    config = load_config(run)
    assert load_generator(run, config)[1].state["step"] == 6
    assert load_generator(run, config, last=True)[1].state["step"] == 8
    assert cli("export", run, "--out", tmp_path / "best").code == 0
    assert cli("export", run, "--out", tmp_path / "last", "--last").code == 0
    best, newest = (json.loads((tmp_path / name / "bundle.json").read_text())["training"] for name in ("best", "last"))
    assert (best["steps"], best["evaluation"]["step"], best["evaluation"]["judge"]) == (6, 6, "type classifier")
    assert (newest["steps"], newest["evaluation"]["kid"]) == (8, 999999.0)


def test_a_damaged_best_checkpoint_is_passed_over_and_that_is_said(
    cli: Cli, bundle: Path, finished_run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    quick_export(bundle, monkeypatch)
    run = Path(shutil.copytree(finished_run, tmp_path / "run"))
    (run / BEST / "000000006" / "state.json").write_text("[]")
    done = cli("export", run, "--out", tmp_path / "model")
    assert done.code == 0
    assert f"{run / BEST} is damaged; the newest checkpoint is used." in done.err
    shutil.rmtree(run / BEST / "000000006")  # as after a kill before the first best was in its place
    best, notices = load_best(run)
    assert best is not None
    assert (best.state["step"], notices) == (6, [])


def test_networks_trained_by_others_are_named_in_the_bundle(
    bundle: Path, finished_run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    quick_export(bundle, monkeypatch)
    run = Path(shutil.copytree(finished_run, tmp_path / "run"))
    config = json.loads((run / "config.json").read_text())
    (run / "config.json").write_text(json.dumps(config | {"judge": "lite1"}))
    labelling = Labelling(name="mine", licence="CC-BY-4.0", data_name=None, data_licence="unstated")
    info = export_run(run, tmp_path / "mine", labelling).info
    assert info.outside_networks == ["EfficientNet-Lite1 (ImageNet, Apache-2.0, sha256 77cc7160d37bebc1)"]
    assert info.tunable is None
    assert "finetuned_from" not in info.training
