"""A small team starts from a trained model: what it knows is kept, and what is new begins like what is known."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from functools import partial
from hashlib import sha256
from pathlib import Path

import pytest
import torch
from torch import Tensor

from asset_gen.bundle import load_bundle, training_sets
from asset_gen.errors import ModelError
from exporter import write_bundle
from exporter.write_bundle import Form, Labelling, export_run
from tests.attacks.hostile import assert_refused
from tests.conftest import Cli, files_of
from tests.creatures import write_set
from trainer.checkpoint import load_best, load_checkpoint
from trainer.config import load_config
from trainer.dataset import load_dataset
from trainer.evaluate import Evaluator
from trainer.finetune import Source, load_source, take_over
from trainer.loop import Settings, Training
from trainer.presets import PRESETS

CPU = torch.device("cpu")
FINE = Settings(batch=8, width=0.25, generator="relativistic", finetuned=True)
MINE = Labelling(name="mine", licence="CC-BY-4.0", data_name="art", data_licence="CC0-1.0")


@pytest.fixture(scope="module")
def tunable(finished_run: Path, bundle: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """``finished_run``, exported with ``--tunable``; its ONNX files are those of ``bundle``, which saves seconds."""
    out = tmp_path_factory.mktemp("tunable") / "creatures"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(write_bundle, "export_onnx", lambda n, i, o, path: shutil.copy(bundle / path.name, path))
        export_run(finished_run, out, MINE, Form(tunable=True))
    return out


@pytest.fixture(scope="module")
def art(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Beetles and flasks, which the model knows, and imps, which it doesn't."""
    folder = write_set(tmp_path_factory.mktemp("art") / "sprites", each=4, kinds=("beetle", "crystal", "flask"))
    (folder / "crystal").rename(folder / "imp")
    return folder


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> tuple[object, ...]:
    """Options of a training of two steps; its classifier takes two as well, and its judge 32 sprites."""
    monkeypatch.setattr("trainer.classifier.STEPS", (2, 2))
    monkeypatch.setattr("trainer.job.Evaluator", partial(Evaluator, samples=32))
    return ("--batch-size", 8, "--steps", 2)


def fresh(art: Path) -> Training:
    return Training(PRESETS["relativistic"], load_dataset(art), FINE, CPU)


def test_a_run_and_its_bundle_are_the_same_source(finished_run: Path, tunable: Path) -> None:
    from_run, from_bundle = load_source(finished_run), load_source(tunable)
    assert from_run.types == from_bundle.types == ("beetle", "crystal", "flask", "mushroom")
    assert from_run.preset == from_bundle.preset == "relativistic"
    for prefix in ("generator", "average", "discriminator"):
        ours, theirs = from_run.weights.part(prefix), from_bundle.weights.part(prefix)
        assert ours.keys() == theirs.keys()
        assert all(torch.equal(ours[name], theirs[name]) for name in ours)
    lineage = from_bundle.lineage
    assert (lineage.name, lineage.generator, lineage.width, lineage.size) == ("mine", "relativistic", 0.25, 32)
    assert lineage.sha256 == sha256((tunable / "weights.safetensors").read_bytes()).hexdigest()
    assert lineage.data == {"name": "art", "licence": "CC0-1.0", "sprites": 40}
    assert lineage.outside_networks == []


def test_a_bundle_to_start_from_carries_the_networks_and_no_optimiser(tunable: Path) -> None:
    info = json.loads((tunable / "bundle.json").read_text())
    assert info["tunable"] == {"generator": "relativistic", "width": 0.25}
    assert {"classifier.onnx", "data_card.json", "generator.onnx", "weights.safetensors"} <= set(info["files"])
    prefixes = {name.split(".")[0] for name in load_source(tunable).weights.tensors}
    assert prefixes == {"generator", "average", "discriminator"}


@pytest.mark.parametrize(
    ("network", "name"),
    [("generator", "embedding.weight"), ("average", "embedding.weight"), ("discriminator", "projection.weight")],
)
def test_types_of_the_same_name_keep_their_column_and_new_ones_are_like_the_others(
    network: str, name: str, tunable: Path, art: Path
) -> None:
    training, source = fresh(art), load_source(tunable)
    notices = take_over(training, source, ["flask", "imp", "orb"])
    assert notices == ["new to the model: imp, orb."]
    before = source.weights.part(network)[name]  # columns: beetle, crystal, flask, mushroom
    after: Tensor = getattr(training, network).state_dict()[name]
    assert torch.equal(after[:, 0], before[:, 2])
    noise = (after[:, 1:] - before.mean(dim=1, keepdim=True)) / before.std(dim=1, correction=0, keepdim=True)
    assert noise.abs().max() < 5 and noise.std() == pytest.approx(1, abs=0.2)
    assert abs(torch.corrcoef(noise.T)[0, 1]) < 0.5  # two new types aren't alike
    for other, value in getattr(training, network).state_dict().items():
        if other == "ramp":
            assert value == 1  # types count from the start
        elif other != name:
            assert torch.equal(value, source.weights.part(network)[other]), other


def test_a_new_type_begins_alike_in_generator_and_average(art: Path, tunable: Path) -> None:
    training, source = fresh(art), load_source(tunable)
    take_over(training, source, ["beetle", "flask", "imp"])
    shares = []
    for network in ("generator", "average"):
        known = source.weights.part(network)["embedding.weight"]
        new = getattr(training, network).get_parameter("embedding.weight")[:, 2]
        shares.append((new - known.mean(dim=1)) / known.std(dim=1, correction=0))
    assert torch.allclose(*shares, atol=1e-3)


def test_columns_follow_names_and_not_places(art: Path, tunable: Path) -> None:
    training, source = fresh(art), load_source(tunable)
    take_over(training, source, ["mushroom", "crystal", "beetle"])
    before = source.weights.part("generator")["embedding.weight"]
    assert torch.equal(training.generator.get_parameter("embedding.weight"), before[:, [3, 1, 0]])


def test_spectral_normalisation_keeps_its_projection_too() -> None:
    from torch import nn
    from torch.nn.utils.parametrizations import spectral_norm

    from trainer.finetune import _with_types

    def head(types: int) -> nn.Module:
        made = nn.Module()
        made.projection = spectral_norm(nn.Linear(types, 8, bias=False))
        return made

    old, new = head(3), head(2)
    fitted = _with_types(new, old.state_dict(), ("a", "b", "c"), ["c", "x"])
    new.load_state_dict(fitted)
    original = "projection.parametrizations.weight.original"
    assert torch.equal(new.state_dict()[original][:, 0], old.state_dict()[original][:, 2])
    known, drawn = old.state_dict()[original], new.state_dict()[original][:, 1]
    assert ((drawn - known.mean(dim=1)).abs() <= 5 * known.std(dim=1, correction=0)).all()
    assert torch.isfinite(new.projection(torch.eye(2))).all()  # type: ignore[operator]


def test_a_discriminator_of_another_preset_starts_anew(art: Path, tunable: Path) -> None:
    training, source = fresh(art), load_source(tunable)
    before = training.discriminator.get_parameter("last.weight").clone()
    notices = take_over(training, replace(source, preset="projected"), ["beetle", "flask", "imp"])
    assert notices[0] == "the discriminator starts anew: the model's was that of projected."
    assert torch.equal(training.discriminator.get_parameter("last.weight"), before)


def test_weights_that_are_not_the_generators_are_refused(art: Path, tunable: Path) -> None:
    source = load_source(tunable)
    for spoilt in (torch.zeros(3), torch.zeros(1, 2, 3)):
        tensors = source.weights.tensors | {"generator.embedding.weight": spoilt}
        other = Source(source.lineage, source.preset, source.types, replace(source.weights, tensors=tensors))
        with pytest.raises(ModelError, match=r"mine: its weights don't fit .* Export it again"):
            take_over(fresh(art), other, ["beetle", "flask", "imp"])


# On the command line --------------------------------------------------------------------------------------------------


def test_a_training_continues_a_bundle_is_resumed_and_says_where_it_comes_from(
    cli: Cli,
    art: Path,
    bundle: Path,
    tunable: Path,
    finished_run: Path,
    tmp_path: Path,
    quick: tuple[object, ...],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    run = tmp_path / "run"
    done = cli("train", art, "--run", run, "--from", tunable, *quick)
    assert done.code == 0, done.err
    assert "new to the model: imp." in done.err
    first, _ = load_best(finished_run)
    (start, *_) = sorted((run / "checkpoints").iterdir())
    assert start.name == "000000000"
    config = load_config(run)
    assert (config.settings.width, config.settings.generator, config.settings.finetuned) == (0.25, "relativistic", True)
    assert config.lineage == load_source(tunable).lineage.as_dict()  # as JSON gives it back
    again = cli("train", art, "--run", run, *quick[:-1], 3, "--resume")  # --from needn't be said again …
    assert again.code == 0, again.err
    also = cli("train", art, "--run", run, *quick[:-1], 3, "--resume", "--from", tunable)  # … but may be
    assert also.code == 0, also.err
    other = cli("train", art, "--run", run, *quick[:-1], 3, "--resume", "--from", finished_run)
    assert_refused(other, 5, run, "the model that it started from is another", "Restore")
    saved, _ = load_checkpoint(run)
    assert saved is not None
    assert first is not None
    assert saved.state["step"] == 3
    exported = cli("export", run, "--out", tmp_path / "model", "--last", "--tunable")
    assert exported.code == 0, exported.err
    info = json.loads((tmp_path / "model" / "bundle.json").read_text())
    assert info["training"]["finetuned_from"]["name"] == "mine"
    assert info["training"]["finetuned_from"]["sha256"] == load_source(tunable).lineage.sha256
    assert info["types"] == ["beetle", "flask", "imp"]
    grandchild = load_source(tmp_path / "model")
    assert grandchild.lineage.generator == "relativistic"
    mine = {"name": "art", "licence": "CC0-1.0", "sprites": load_bundle(tunable).info.data.sprites}
    assert grandchild.lineage.earlier == [mine]
    own, inherited = training_sets(load_bundle(tmp_path / "model").info)
    assert (own["licence"], inherited) == ("unstated", mine)  # what a disclosure names


def test_a_resumed_run_keeps_the_size_that_it_was_given_by_the_model(
    cli: Cli, art: Path, tmp_path: Path, quick: tuple[object, ...]
) -> None:
    large, run = tmp_path / "large", tmp_path / "run"
    done = cli("train", art, "--run", large, *quick, "--size", 48, "--width", 0.25)  # its own grid would be 32
    assert done.code == 0, done.err
    assert cli("train", art, "--run", run, "--from", large, *quick).code == 0
    assert load_config(run).size == 48
    again = cli("train", art, "--run", run, *quick[:-1], 3, "--resume")
    assert again.code == 0, again.err


def test_outside_networks_of_an_ancestor_are_outside_networks_of_its_heirs(
    cli: Cli, art: Path, finished_run: Path, tmp_path: Path, quick: tuple[object, ...]
) -> None:
    parent = Path(shutil.copytree(finished_run, tmp_path / "parent"))
    config = json.loads((parent / "config.json").read_text())
    config["judge"] = "lite1"  # as if Lite1 had chosen its checkpoints
    (parent / "config.json").write_text(json.dumps(config))
    done = cli("train", art, "--run", tmp_path / "run", "--from", parent, *quick)
    assert done.code == 0, done.err
    assert "networks trained by others: EfficientNet-Lite1 (ImageNet, Apache-2.0, sha256 77cc7160d37bebc1)" in done.err
    assert cli("export", tmp_path / "run", "--out", tmp_path / "model").code == 0
    (network,) = json.loads((tmp_path / "model" / "bundle.json").read_text())["outside_networks"]
    assert network.startswith("EfficientNet-Lite1")


def refused(cli: Cli, art: Path, source: object, run: Path, code: int, *words: object, **more: object) -> None:
    """Refused with these words before anything is written."""
    extra = [part for name, value in more.items() for part in (f"--{name}", value)]
    assert_refused(cli("train", art, "--run", run, "--from", source, *extra), code, *words)
    assert not run.exists()


def test_what_can_not_be_started_from_is_refused_with_a_cure(
    cli: Cli, art: Path, bundle: Path, tunable: Path, finished_run: Path, tmp_path: Path
) -> None:
    run = tmp_path / "run"
    refused(cli, art, bundle, run, 2, f"--from {bundle}: carries no weights", "--tunable")
    refused(cli, art, tunable, run, 2, "--size 48", "draws 32 pixels", "Leave --size out", size=48)
    refused(cli, art, tunable, run, 2, "generator of relativistic", "Give --preset relativistic", preset="paper-dcgan")
    refused(cli, art, tunable, run, 2, "--width", "Leave it out", width=0.5)
    refused(cli, art, tmp_path / "nothing", run, 5, "is no run folder")
    empty = Path(shutil.copytree(finished_run, tmp_path / "empty"))
    shutil.rmtree(empty / "checkpoints")
    shutil.rmtree(empty / "best")
    refused(cli, art, empty, run, 5, "has no checkpoint yet")


def test_a_damaged_or_foreign_bundle_is_refused(cli: Cli, art: Path, tunable: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    damaged = Path(shutil.copytree(tunable, tmp_path / "damaged"))
    data = bytearray((damaged / "weights.safetensors").read_bytes())
    data[-5] ^= 1
    (damaged / "weights.safetensors").write_bytes(bytes(data))
    refused(cli, art, damaged, run, 5, "weights.safetensors: was changed", "Export it again")
    for number, change in enumerate(({"generator": "stylegan"}, {"width": 1e9}, {"width": -1.0})):
        foreign = Path(shutil.copytree(tunable, tmp_path / f"foreign{number}"))
        info = json.loads((foreign / "bundle.json").read_text())
        info["tunable"] |= change
        (foreign / "bundle.json").write_text(json.dumps(info))
        refused(cli, art, foreign, run, 5, foreign, "is none that this assetgen knows")
    hollow = Path(shutil.copytree(tunable, tmp_path / "hollow"))
    info = json.loads((hollow / "bundle.json").read_text())
    (hollow / "weights.safetensors").write_bytes(b"hollow")
    info["files"]["weights.safetensors"] = {"sha256": sha256(b"hollow").hexdigest(), "size": 6}
    (hollow / "bundle.json").write_text(json.dumps(info))
    refused(cli, art, hollow, run, 5, "weights.safetensors: is damaged")


def test_a_run_that_was_stopped_before_its_first_checkpoint_wants_its_model_again(
    cli: Cli, art: Path, tunable: Path, tmp_path: Path, quick: tuple[object, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*arguments: object) -> None:
        raise KeyboardInterrupt

    run = tmp_path / "run"
    with monkeypatch.context() as patch:
        patch.setattr("trainer.classifier.ensure_classifier", interrupted)
        assert cli("train", art, "--run", run, "--from", tunable, *quick).code == 130
    before = files_of(run)
    assert_refused(cli("train", art, "--run", run, *quick, "--resume"), 2, run, "Give --from again")
    assert files_of(run) == before
    assert cli("train", art, "--run", run, *quick, "--resume", "--from", tunable).code == 0
