"""A run folder holds everything a person or the next sitting needs."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch

from asset_gen.errors import DeviceError, ModelError, NotFiniteError
from tests.conftest import Cli
from trainer.loop import Settings, Training
from trainer.presets import PRESETS
from trainer.run import (
    Config,
    Limit,
    default_limit,
    device_named,
    load_config,
    open_run,
    resume_training,
    save_samples,
    train,
)


def test_a_finished_run_can_be_looked_at(finished_run: Path) -> None:
    for name in (
        "config.json",
        "data.json",
        "types.png",
        "stats.jsonl",
        "samples/000000006.png",
        "classifier/figures.json",
    ):
        assert (finished_run / name).is_file(), name
    assert json.loads((finished_run / "data.json").read_text())["counts"]["flask"] == 10


def test_a_resumed_run_equals_one_that_was_never_stopped(sprites: Path, finished_run: Path, tmp_path: Path) -> None:
    config = Config(preset="relativistic", sprites=str(sprites), size=None, settings=Settings(batch=8, width=0.25))
    for steps, resume in ((2, False), (6, True)):
        completed, dataset = open_run(tmp_path, config, resume)
        training, notices = resume_training(tmp_path, completed, dataset, torch.device("cpu"))
        assert notices == []
        train(tmp_path, training, Limit(steps=steps))
    name = "checkpoints/000000006/tensors.safetensors"
    assert (tmp_path / name).read_bytes() == (finished_run / name).read_bytes()


def test_ctrl_c_saves_a_checkpoint(cli: Cli, sprites: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = Training.advance

    def interrupted(self: Training) -> dict[str, float]:
        if self.step == 3:
            raise KeyboardInterrupt
        return real(self)

    monkeypatch.setattr(Training, "advance", interrupted)
    done = cli("train", sprites, "--run", tmp_path / "run", "--steps", 9, "--width", 0.25, "--batch-size", 8)
    assert done.code == 130
    assert "the same command goes on from there" in done.err
    assert (tmp_path / "run" / "checkpoints" / "000000003").is_dir()


def test_statistics_past_the_checkpoint_are_forgotten(sprites: Path, tmp_path: Path) -> None:
    from trainer.run import _Statistics

    path = tmp_path / "stats.jsonl"
    path.write_text('{"step": 20}\n{"step": 40}\n{"step": 60}\n{"st')
    _Statistics(path, 40)
    assert path.read_text() == '{"step": 20}\n{"step": 40}\n'


@pytest.fixture
def training(sprites: Path, tmp_path: Path) -> Training:
    """A training that has just begun, in the run folder ``tmp_path``."""
    config = Config(preset="relativistic", sprites=str(sprites), size=None, settings=Settings(batch=8, width=0.25))
    completed, dataset = open_run(tmp_path, config, resume=False)
    begun, _ = resume_training(tmp_path, completed, dataset, torch.device("cpu"))
    return begun


def test_the_configuration_is_completed_by_what_the_sprites_are_and_read_back(
    training: Training, sprites: Path, tmp_path: Path
) -> None:
    config = load_config(tmp_path)
    assert (config.preset, config.sprites, config.size) == ("relativistic", str(sprites), 32)
    assert config.types == {kind: kind for kind in ("beetle", "crystal", "flask", "mushroom")}
    assert config.settings == training.settings
    assert len(config.data_sha256) == 64


def test_the_first_limit_that_is_reached_ends_a_training(training: Training) -> None:
    training.step, training.seconds = 10, 90.0
    assert training.steps_per_epoch == 5
    for limit, reached, share in (
        (Limit(steps=10), True, 1.0),
        (Limit(steps=11), False, 10 / 11),
        (Limit(epochs=2), True, 1.0),
        (Limit(epochs=4), False, 0.5),
        (Limit(minutes=1.5), True, 1.0),
        (Limit(minutes=3), False, 0.5),
        (Limit(minutes=1, steps=1000), True, 1.0),
        (Limit(), False, 0.0),
    ):
        assert limit.reached(training) is reached
        assert limit.share(training) == pytest.approx(share)


def test_a_preset_has_a_length_of_its_own() -> None:
    assert default_limit(PRESETS["relativistic"]) == Limit(minutes=30)
    assert default_limit(PRESETS["paper-dcgan"]) == Limit(epochs=500)


def test_statistics_samples_and_checkpoints_appear_while_it_trains(training: Training, tmp_path: Path) -> None:
    told: list[int] = []
    train(
        tmp_path,
        training,
        Limit(steps=45),
        lambda training, figures: told.append(training.step),
        checkpoint_seconds=0.0,
        sample_kimg=0.16,  # 20 steps of 8
    )
    assert told == list(range(1, 46))
    lines = [json.loads(line) for line in (tmp_path / "stats.jsonl").read_text().splitlines()]
    assert [line["step"] for line in lines] == [20, 40]
    assert [line["kimg"] for line in lines] == [0.16, 0.32]
    assert set(lines[0]) == {"step", "kimg", "seconds", "loss_d", "loss_g", "d_real", "d_fake"}
    assert [path.stem for path in sorted((tmp_path / "samples").iterdir())] == ["000000020", "000000040", "000000045"]
    assert (tmp_path / "curves.png").is_file()
    assert [path.name for path in sorted((tmp_path / "checkpoints").iterdir())] == ["000000044", "000000045"]


def test_a_limit_that_is_reached_already_trains_nothing(training: Training, tmp_path: Path) -> None:
    train(tmp_path, training, Limit(steps=2))
    before = (tmp_path / "checkpoints" / "000000002" / "tensors.safetensors").read_bytes()
    train(tmp_path, training, Limit(steps=2), lambda *_: pytest.fail("a step was made"))
    assert (tmp_path / "checkpoints" / "000000002" / "tensors.safetensors").read_bytes() == before


def test_a_step_that_is_not_finite_leaves_the_last_good_checkpoint(
    training: Training, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    train(tmp_path, training, Limit(steps=2))
    with torch.no_grad():
        next(training.generator.parameters()).fill_(float("nan"))
    with pytest.raises(NotFiniteError):
        train(tmp_path, training, Limit(steps=5))
    assert [path.name for path in (tmp_path / "checkpoints").iterdir()] == ["000000002"]


def test_a_sample_sheet_has_eight_sprites_a_type_that_stay_comparable(training: Training, tmp_path: Path) -> None:
    from PIL import Image

    first = save_samples(tmp_path, training).read_bytes()
    assert save_samples(tmp_path, training).read_bytes() == first
    with Image.open(save_samples(tmp_path, training)) as sheet:
        assert sheet.size == (8 * 34 * 2, 4 * 34 * 2)


@pytest.mark.parametrize("text", ["", "{", "[]", '{"preset": "relativistic"}', '{"preset": 3}'])
def test_a_damaged_configuration_is_refused_by_name(text: str, tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text(text)
    with pytest.raises(ModelError, match=r"config\.json: damaged"):
        load_config(tmp_path)


def test_a_size_the_preset_cannot_draw_is_refused(cli: Cli, sprites: Path, tmp_path: Path) -> None:
    refused = cli("train", sprites, "--run", tmp_path / "run", "--size", 40)
    assert refused.code == 2
    assert "--size 40: relativistic draws 32, 48, 64, 96, 128 pixels" in refused.err
    assert not (tmp_path / "run").exists()


def test_a_graphics_card_that_is_not_there_is_not_trained_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert device_named("auto") == device_named("cpu") == torch.device("cpu")
    with pytest.raises(DeviceError, match="sees no CUDA device"):
        device_named("cuda")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    assert device_named("auto") == torch.device("cuda")


@pytest.mark.parametrize(
    ("changed", "word"),
    [(("--preset", "paper-dcgan"), "preset"), (("--seed", "5"), "settings"), (("--size", "48"), "size")],
)
def test_a_run_of_another_kind_is_not_continued(
    cli: Cli, sprites: Path, finished_run: Path, changed: tuple[str, ...], word: str
) -> None:
    common = ("train", sprites, "--run", finished_run, "--width", 0.25, "--batch-size", 8, "--steps", 7, "--resume")
    refused = cli(*common, *changed)
    assert refused.code == 5
    assert word in refused.err
    assert not (finished_run / "checkpoints" / "000000007").exists()


def test_a_run_whose_sprites_have_changed_is_not_continued(cli: Cli, finished_run: Path, tmp_path: Path) -> None:
    from tests.creatures import write_set

    other = write_set(tmp_path / "sprites", each=11)
    refused = cli("train", other, "--run", finished_run, "--width", 0.25, "--batch-size", 8, "--resume")
    assert refused.code == 5
    assert "the sprites have changed" in refused.err


def test_starting_over_a_run_and_resuming_nothing_are_refused(
    cli: Cli, sprites: Path, finished_run: Path, tmp_path: Path
) -> None:
    again = cli("train", sprites, "--run", finished_run)
    assert (again.code, "--resume" in again.err) == (2, True)
    nothing = cli("train", sprites, "--run", tmp_path / "none", "--resume")
    assert (nothing.code, "no run to resume" in nothing.err) == (2, True)
