"""A run folder holds everything a person or the next sitting needs."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch

from tests.conftest import Cli
from trainer.loop import Settings
from trainer.run import Config, Limit, open_run, resume_training, train


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
    from trainer.loop import Training

    real = Training.advance

    def interrupted(self: Training) -> dict[str, float]:
        if self.step == 3:
            raise KeyboardInterrupt
        return real(self)

    monkeypatch.setattr(Training, "advance", interrupted)
    done = cli("train", sprites, "--run", tmp_path / "run", "--steps", 9, "--width", 0.25, "--batch-size", 8)
    assert done.code == 130
    assert (tmp_path / "run" / "checkpoints" / "000000003").is_dir()


def test_statistics_past_the_checkpoint_are_forgotten(sprites: Path, tmp_path: Path) -> None:
    from trainer.run import _Statistics

    path = tmp_path / "stats.jsonl"
    path.write_text('{"step": 20}\n{"step": 40}\n{"step": 60}\n{"st')
    _Statistics(path, 40)
    assert path.read_text() == '{"step": 20}\n{"step": 40}\n'


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


def test_the_classifier_knows_the_creatures(finished_run: Path) -> None:
    figures = json.loads((finished_run / "classifier" / "figures.json").read_text())
    assert figures["held_out"] == 8
    assert figures["accuracy"] >= 0.75
    assert 0.25 <= figures["temperature"] <= 8
