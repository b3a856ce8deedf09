"""``examples/paper``: from a folder of species to a report, and what its scores are scores of."""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from click.testing import CliRunner
from PIL import Image

from asset_gen.errors import DeviceError, ModelError
from asset_gen.metrics.inception_score import inception_score
from asset_gen.score.weights import INCEPTION
from tests.conftest import Cli
from tests.creatures import KINDS, creature
from tests.fakes import Colours
from trainer import classifier
from trainer.judge import EfficientNetFeatures
from trainer.official import official_inception_score
from trainer.pretrained import load_efficientnet

ROOT = Path(__file__).parents[2]
SPECIES = 40
CPU = torch.device("cpu")


@pytest.fixture
def scripts(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """``examples/paper/reproduce.py``, and ``scores.py`` beside it."""
    path = ROOT / "examples" / "paper" / "reproduce.py"
    spec = importlib.util.spec_from_file_location("reproduce", path)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setattr(sys, "path", [*sys.path])  # it adds its own folder
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def collection(tmp_path: Path) -> Path:
    """The first forty species, each a creature."""
    folder = tmp_path / "collection"
    folder.mkdir()
    for number in range(1, SPECIES + 1):
        Image.fromarray(creature(KINDS[number % 4], number)).save(folder / f"{number}.png")
    return folder


def test_one_command_leads_from_a_collection_to_a_report(
    scripts: ModuleType, collection: Path, tmp_path: Path, cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    def run(*command: object) -> None:
        done = cli(*command[1:])
        if done.code:
            raise subprocess.CalledProcessError(done.code, list(map(str, command)))

    scorer = SimpleNamespace(heading="IS (coins)", note="Coins.", score=lambda sprites: (1.5, len(sprites) / 100))
    monkeypatch.setattr(classifier, "STEPS", (2, 2))
    monkeypatch.setattr(scripts, "run", run)
    monkeypatch.setattr(scripts, "EfficientNetFeatures", lambda name, device: Colours())
    monkeypatch.setattr(scripts, "find_scorer", lambda device: scorer)
    monkeypatch.setattr(scripts, "REPEATED", 3)
    out = tmp_path / "out"
    arguments = [str(collection), str(out), "--image-size", "28", "--epochs", "20", "--device", "cpu"]
    refused = CliRunner().invoke(scripts.main, arguments)
    assert refused.exit_code == 1
    assert "not all of the paper's 801 sprites" in refused.stderr
    found = CliRunner().invoke(scripts.main, [*arguments, "--incomplete"], catch_exceptions=False)
    assert found.exit_code == 0, found.output
    figures = json.loads((out / "figures.json").read_text())
    real, drawn = figures["rows"]
    assert (real["name"], real["sprites"], real["steps"]) == ("real sprites", SPECIES, None)
    assert (drawn["name"], drawn["sprites"], drawn["steps"]) == ("paper-dcgan", SPECIES, 20)
    assert real["inception"] == drawn["inception"] == [1.5, 0.4]
    assert drawn["kid"] > 10 * abs(real["kid"])  # twenty steps make no creatures
    assert figures["repeated"] is True
    page = (out / "report.html").read_text()
    assert "2.2936 ± 0.3265" in page
    assert "had the same weights, bit for bit, after 3 steps" in " ".join(page.split())
    for name in ("3-types", "4-real", "7-losses", "8-beliefs", "9-generated"):
        assert f'src="figures/{name}.png"' in page
        with Image.open(out / "figures" / f"{name}.png") as picture:
            assert len(np.unique(np.array(picture.convert("L")))) > 8  # something is on it

    dataset = scripts.load_dataset(out / "sprites", 28)
    seeds = iter([0, 1])
    config = scripts.load_config(out / "runs" / "paper-dcgan")
    monkeypatch.setattr(
        scripts, "load_config", lambda folder: replace(config, settings=replace(config.settings, seed=next(seeds)))
    )
    assert scripts.is_repeated(dataset, out / "runs" / "paper-dcgan", CPU) is False


def test_nothing_learnt_from_the_set_may_land_in_the_repository(scripts: ModuleType, collection: Path) -> None:
    found = CliRunner().invoke(scripts.main, [str(collection), str(ROOT / "examples" / "paper" / "out")])
    assert found.exit_code == 1
    assert "Give a folder outside it" in found.stderr
    assert not (ROOT / "examples" / "paper" / "out").exists()


def test_the_stand_in_scores_what_the_network_itself_says(
    scripts: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    monkeypatch.setenv("ASSETGEN_CACHE", str(tmp_path))
    scorer = scripts.find_scorer(CPU)
    assert scorer.heading == "IS (EfficientNet-Lite0)"
    assert "pt_inception-2015-12-05-6726825d.pth" in scorer.note
    sprites = np.stack([creature(KINDS[seed % 4], seed) for seed in range(12)])
    with torch.inference_mode():
        logits = load_efficientnet("lite0")(EfficientNetFeatures("lite0").picture(sprites))
    expected = inception_score(logits.softmax(dim=1).numpy())
    assert scorer.score(sprites) == pytest.approx(expected, rel=1e-4)


@pytest.fixture
def weights(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A file where the original weights would be."""
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    path = tmp_path / "hub" / "checkpoints" / "pt_inception-2015-12-05-6726825d.pth"
    path.parent.mkdir(parents=True)
    path.write_bytes(b"weights")
    return path


def test_the_papers_package_is_shown_shuffled_sprites_on_white(
    scripts: ModuleType, weights: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shown: dict[str, Any] = {}

    def get_inception_score(pictures: torch.Tensor, **options: object) -> tuple[float, float]:
        shown.update(options, pictures=pictures)
        return 2.5, 0.25

    package = ModuleType("pytorch_gan_metrics")
    package.__spec__ = importlib.util.spec_from_loader("pytorch_gan_metrics", None)
    package.get_inception_score = get_inception_score  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "pytorch_gan_metrics", package)
    monkeypatch.setattr(sys.modules["scores"], "INCEPTION", replace(INCEPTION, sha256=sha256(b"weights").hexdigest()))
    sprites = np.zeros((20, 8, 8, 4), np.uint8)
    sprites[:, 2:6, 2:6, 3] = 255
    sprites[:, 2:6, 2:6, 0] = np.arange(20)[:, None, None]
    scorer = scripts.find_scorer(CPU)
    assert scorer.heading == "Inception Score"
    assert scorer.score(sprites) == (2.5, 0.25)
    assert (shown["splits"], shown["device"]) == (10, CPU)
    pictures = shown["pictures"]
    assert pictures.shape == (20, 3, 8, 8)
    assert pictures[:, :, 0, 0].eq(1).all()  # transparent is white
    reds = (pictures[:, 0, 3, 3] * 255).round().int().tolist()
    assert sorted(reds) == list(range(20))
    assert reds != sorted(reds)


def test_other_weights_under_the_same_name_are_refused(
    scripts: ModuleType, weights: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = ModuleType("pytorch_gan_metrics")
    package.__spec__ = importlib.util.spec_from_loader("pytorch_gan_metrics", None)
    monkeypatch.setitem(sys.modules, "pytorch_gan_metrics", package)
    with pytest.raises(ModelError, match="its sha256 is"):
        scripts.find_scorer(CPU)
    with pytest.raises(DeviceError, match="torchvision"):
        official_inception_score(np.zeros((20, 8, 8, 4), np.uint8), weights)
