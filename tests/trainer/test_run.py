"""A run folder holds everything a person or the next sitting needs."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest
import torch

from asset_gen.errors import DeviceError, ModelError, NotFiniteError, UsageError
from tests.conftest import Cli
from trainer.checkpoint import BEST, load_best, load_checkpoint
from trainer.config import Config, load_config, only_trainer, open_run
from trainer.diary import save_samples
from trainer.evaluate import Evaluations
from trainer.judge import Verdict
from trainer.loop import Figures, Settings, Training
from trainer.presets import PRESETS
from trainer.run import Limit, Rhythm, default_limit, device_named, open_training, train


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


CPU = torch.device("cpu")
TINY = Settings(batch=8, width=0.25)


def tiny(sprites: Path) -> Config:
    """What ``finished_run`` is."""
    return Config(preset="relativistic", sprites=str(sprites), size=None, settings=TINY, judge="classifier")


def begun(run: Path, sprites: Path, resume: bool = False) -> Training:
    """The training in ``run``, as far as it has come."""
    config, dataset = open_run(run, tiny(sprites), resume)
    training, notices = open_training(run, config, dataset, CPU)
    assert notices == []
    return training


class Judge:
    """An evaluator with a list of kernel distances, the last of them again and again."""

    def __init__(self, *kids: float) -> None:
        self.kids = list(kids)
        self.asked: list[int] = []

    def __call__(self, training: Training) -> Verdict:
        self.asked.append(training.step)
        figures: dict[str, Any] = {field.name: 0.0 for field in fields(Verdict)}
        kid = self.kids.pop(0) if len(self.kids) > 1 else self.kids[0]
        return Verdict(**figures | {"judge": "a list", "samples": 8, "kid": kid})


def evaluations(run: Path) -> dict[int, float]:
    """Step → kernel distance."""
    lines = [json.loads(line) for line in (run / "evaluations.jsonl").read_text().splitlines()]
    return {line["step"]: line["kid"] for line in lines}


def steps_of(folder: Path) -> list[int]:
    """The checkpoints in a folder."""
    return sorted(int(path.name) for path in folder.iterdir())


def test_a_resumed_run_equals_one_that_was_never_stopped(sprites: Path, finished_run: Path, tmp_path: Path) -> None:
    for steps, resume in ((2, False), (6, True)):
        train(tmp_path, begun(tmp_path, sprites, resume), Limit(steps=steps))
    name = "checkpoints/000000006/tensors.safetensors"
    assert (tmp_path / name).read_bytes() == (finished_run / name).read_bytes()


KILLED = """
import os, sys
from pathlib import Path
from tests.trainer.test_run import begun
from trainer.loop import Training
from trainer.run import Limit, Rhythm, train

run, sprites = map(Path, sys.argv[1:])
real = Training._move_generator

def killed(self, *arguments):
    if self.step == 10:  # the discriminator has moved already
        os.kill(os.getpid(), 9)
    return real(self, *arguments)

Training._move_generator = killed
train(run, begun(run, sprites), Limit(steps=20), rhythm=Rhythm(checkpoint_seconds=0.0))
"""


def test_ten_steps_a_kill_in_the_middle_of_one_and_ten_more_equal_twenty_bit_for_bit(
    sprites: Path, tmp_path: Path
) -> None:
    done = subprocess.run(
        [sys.executable, "-c", KILLED, tmp_path / "killed", sprites],
        cwd=Path(__file__).parents[2],
        env=os.environ | {"OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == -9, done.stderr
    assert steps_of(tmp_path / "killed" / "checkpoints") == [9, 10]
    train(tmp_path / "killed", begun(tmp_path / "killed", sprites, resume=True), Limit(steps=20))
    train(tmp_path / "whole", begun(tmp_path / "whole", sprites), Limit(steps=20))
    for name in ("checkpoints/000000020/tensors.safetensors", "samples/000000020.png"):
        assert (tmp_path / "killed" / name).read_bytes() == (tmp_path / "whole" / name).read_bytes()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupt_lets_the_step_end_and_saves_a_checkpoint(
    number: signal.Signals,
    cli: Cli,
    sprites: Path,
    finished_run: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    real = Training._move_generator

    def interrupted(self: Training, *arguments: Any) -> Figures:
        if self.step == 3:  # the discriminator has moved already
            os.kill(os.getpid(), number)
        return real(self, *arguments)

    def as_main_does(number: int, frame: object) -> None:
        raise KeyboardInterrupt

    former = signal.signal(signal.SIGTERM, as_main_does)
    monkeypatch.setattr("trainer.classifier.STEPS", (2, 2))
    monkeypatch.setattr(Training, "_move_generator", interrupted)
    common = ("train", sprites, "--run", tmp_path / "run", "--steps", 6, "--width", 0.25, "--batch-size", 8)
    done = cli(*common)
    monkeypatch.setattr(Training, "_move_generator", real)
    assert signal.signal(signal.SIGTERM, former) is as_main_does  # handlers are given back
    assert done.code == 130
    assert "the same command with --resume goes on from there" in done.err
    assert 4 in steps_of(tmp_path / "run" / "checkpoints")
    assert cli(*common, "--resume").code == 0
    name = "checkpoints/000000006/tensors.safetensors"
    assert (tmp_path / "run" / name).read_bytes() == (finished_run / name).read_bytes()


def test_a_second_interrupt_ends_at_once_and_keeps_no_half_step(
    training: Training, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*arguments: Any) -> Figures:
        os.kill(os.getpid(), signal.SIGINT)
        os.kill(os.getpid(), signal.SIGINT)
        raise AssertionError("went on")

    monkeypatch.setattr(training, "_move_generator", interrupted)
    with pytest.raises(KeyboardInterrupt):
        train(tmp_path, training, Limit(steps=9))
    assert steps_of(tmp_path / "checkpoints") == [0]
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_statistics_past_the_checkpoint_are_forgotten(sprites: Path, tmp_path: Path) -> None:
    from trainer.diary import Statistics

    path = tmp_path / "stats.jsonl"
    path.write_text('{"step": 20}\n{"step": 40}\n{"step": 60}\n{"st')
    Statistics(path, 40)
    assert path.read_text() == '{"step": 20}\n{"step": 40}\n'


@pytest.fixture
def training(sprites: Path, tmp_path: Path) -> Training:
    """A training that has just begun, in the run folder ``tmp_path``."""
    return begun(tmp_path, sprites)


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
    assert training.batches_per_epoch == 5
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
        rhythm=Rhythm(checkpoint_seconds=0.0, sample_kimg=0.16),  # 20 steps of 8
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


# Running away --------------------------------------------------------------------------------------------------------


def run_away(monkeypatch: pytest.MonkeyPatch, step: int, times: int) -> list[tuple[int, torch.Tensor]]:
    """Let step ``step`` end in NaN so many times; returns every step made, with a number that it drew."""
    real = Training.advance
    made: list[tuple[int, torch.Tensor]] = []

    def advance(self: Training) -> Figures:
        made.append((self.step, self.draws("x", 2).uniform()[0]))
        figures = real(self)
        if self.step == step and sum(before == step - 1 for before, _ in made) <= times:
            with torch.no_grad():
                next(self.generator.parameters()).fill_(float("nan"))
            figures["loss_g"] = torch.tensor(float("nan"))
        return figures

    monkeypatch.setattr(Training, "advance", advance)
    return made


EVERY_TWO = Rhythm(evaluate_kimg=0.016, checkpoint_seconds=1e9)  # steps of 8; an evaluation keeps a checkpoint


def test_a_training_that_runs_away_goes_back_says_so_and_tries_again_with_other_draws(
    training: Training, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("trainer.diary.LOG_EVERY", 1)
    made = run_away(monkeypatch, step=8, times=1)
    told: list[str] = []
    judge = Judge(9, 8, 7, 6, 5)
    train(tmp_path, training, Limit(steps=10), evaluator=judge, rhythm=EVERY_TWO, say=told.append)  # type: ignore[arg-type]
    assert [step for step, _ in made] == [0, 1, 2, 3, 4, 5, 6, 7, 6, 7, 8, 9]
    assert made[6][1] != made[8][1]  # step 6, the first and the second time
    (notice,) = [text for text in told if "Rolled back" in text]
    assert "step 8: a loss is not finite" in notice
    assert "Rolled back from step 8 to 6; going on with other random draws." in notice
    assert [json.loads(line)["step"] for line in (tmp_path / "stats.jsonl").read_text().splitlines()] == list(
        range(1, 11)
    )
    assert evaluations(tmp_path) == {2: 9, 4: 8, 6: 7, 8: 6, 10: 5}
    assert judge.asked == [2, 4, 6, 8, 10]
    assert training.is_finite()
    saved, _ = load_checkpoint(tmp_path)
    assert saved is not None
    assert saved.state["rollbacks"] == 1  # a resumed run draws what this one would have drawn


def test_after_three_tries_it_gives_up_and_the_best_and_last_checkpoints_are_untouched(
    training: Training, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = run_away(monkeypatch, step=7, times=1000)
    told: list[str] = []
    with pytest.raises(NotFiniteError, match=r"for the 4th time after the checkpoint of step 6, .*another --seed"):
        train(tmp_path, training, Limit(steps=10), evaluator=Judge(5, 4, 6), rhythm=EVERY_TWO, say=told.append)  # type: ignore[arg-type]
    assert sum("Rolled back from step 7 to 6" in text for text in told) == 3
    assert [step for step, _ in made] == [0, 1, 2, 3, 4, 5, 6, 6, 6, 6]
    assert len({draw.item() for step, draw in made if step == 6}) == 4
    assert steps_of(tmp_path / BEST) == [4]
    saved, notices = load_checkpoint(tmp_path)
    assert saved is not None
    assert (saved.state["step"], notices) == (6, [])
    assert all(torch.isfinite(tensor).all() for tensor in saved.tensors.values())


def test_weights_that_are_no_numbers_are_never_kept(
    training: Training, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, spoilt = Training.advance, []

    def advance(self: Training) -> Figures:
        figures = real(self)
        if self.step == 3 and not spoilt:
            spoilt.append(self.step)
            with torch.no_grad():  # no loss shows it
                next(self.average.parameters()).fill_(float("inf"))
        return figures

    monkeypatch.setattr(Training, "advance", advance)
    told: list[str] = []
    train(tmp_path, training, Limit(steps=4), rhythm=Rhythm(checkpoint_seconds=0.0), say=told.append)
    assert told == ["step 3: a weight is not finite. Rolled back from step 3 to 2; going on with other random draws."]
    assert training.is_finite()
    assert training.step == 4


# Judging -------------------------------------------------------------------------------------------------------------


def test_the_best_checkpoint_is_kept_beside_the_last(training: Training, tmp_path: Path) -> None:
    told: list[str] = []
    judge = Judge(9, 3, 5)
    train(tmp_path, training, Limit(steps=6), evaluator=judge, rhythm=EVERY_TWO, say=told.append)  # type: ignore[arg-type]
    assert evaluations(tmp_path) == {2: 9, 4: 3, 6: 5}
    assert steps_of(tmp_path / BEST) == [4]
    assert steps_of(tmp_path / "checkpoints") == [4, 6]
    best, _ = load_best(tmp_path)
    assert best is not None
    assert best.state["step"] == 4
    assert told[1] == "0 thousand sprites: KID 3.0 × 10⁻³ (a list, 8 samples)"


def test_a_training_always_ends_with_an_evaluated_checkpoint(training: Training, tmp_path: Path) -> None:
    judge = Judge(5)
    train(tmp_path, training, Limit(steps=3), evaluator=judge)  # type: ignore[arg-type]
    assert judge.asked == [3]
    assert steps_of(tmp_path / "checkpoints") == [0, 3]
    train(tmp_path, training, Limit(steps=3), evaluator=judge)  # type: ignore[arg-type]
    assert judge.asked == [3]  # once is enough


def test_three_rises_in_a_row_end_a_training(training: Training, tmp_path: Path) -> None:
    told: list[str] = []
    judge = Judge(9, 5, 6, 5.5, 6, 7, 8, 9)
    train(tmp_path, training, Limit(steps=99), evaluator=judge, rhythm=EVERY_TWO, say=told.append)  # type: ignore[arg-type]
    assert list(evaluations(tmp_path).values()) == [9, 5, 6, 5.5, 6, 7, 8]
    assert "stopped: KID rose 3 times in a row. The best checkpoint, of step 4 with KID 5.0" in told[-1]
    assert steps_of(tmp_path / BEST) == [4]
    assert training.step == 14
    assert (tmp_path / "samples" / "000000014.png").is_file()


def test_without_patience_rises_end_nothing(training: Training, tmp_path: Path) -> None:
    rhythm = Rhythm(evaluate_kimg=0.008, patience=0)
    train(tmp_path, training, Limit(steps=6), evaluator=Judge(1, 2, 3, 4, 5, 6), rhythm=rhythm)  # type: ignore[arg-type]
    assert training.step == 6


def test_a_resumed_run_remembers_what_was_judged(sprites: Path, training: Training, tmp_path: Path) -> None:
    train(tmp_path, training, Limit(steps=4), evaluator=Judge(5, 6), rhythm=EVERY_TWO)  # type: ignore[arg-type]
    resumed = begun(tmp_path, sprites, resume=True)
    judge = Judge(7, 8)
    train(tmp_path, resumed, Limit(steps=99), evaluator=judge, rhythm=EVERY_TWO)  # type: ignore[arg-type]
    assert judge.asked == [6, 8]
    assert evaluations(tmp_path) == {2: 5, 4: 6, 6: 7, 8: 8}  # three rises, over two sittings
    assert steps_of(tmp_path / BEST) == [2]


def test_judging_changes_nothing_in_the_training(sprites: Path, training: Training, tmp_path: Path) -> None:
    from trainer.dataset import load_dataset
    from trainer.evaluate import Evaluator

    class Looks:
        def __call__(self, sprites: Any) -> Verdict:
            assert sprites.shape == (16, 32, 32, 4)
            return Judge(5)(training)

    evaluator = Evaluator(load_dataset(sprites), Looks(), samples=16)
    assert torch.equal(evaluator.labels.sum(dim=0), torch.full((4,), 4.0))  # types in proportion
    train(tmp_path, training, Limit(steps=4), evaluator=evaluator, rhythm=EVERY_TWO)
    train(tmp_path / "plain", begun(tmp_path / "plain", sprites), Limit(steps=4))
    name = "checkpoints/000000004/tensors.safetensors"
    assert (tmp_path / name).read_bytes() == (tmp_path / "plain" / name).read_bytes()


def test_evaluations_past_the_checkpoint_are_forgotten(tmp_path: Path) -> None:
    lines = [f'{{"step": {step}, "kid": {kid}}}\n' for step, kid in ((2, 9), (4, 5), (6, 7))]
    (tmp_path / "evaluations.jsonl").write_text("".join(lines) + '{"st')
    kept = Evaluations(tmp_path, 4)
    assert evaluations(tmp_path) == {2: 9, 4: 5}
    assert (kept.best, kept.rises, kept.judged(4), kept.judged(6)) == ({"step": 4, "kid": 5}, 0, True, False)


def test_a_damaged_best_checkpoint_gives_way_to_the_newest_and_that_is_said(training: Training, tmp_path: Path) -> None:
    train(tmp_path, training, Limit(steps=4), evaluator=Judge(5, 6), rhythm=EVERY_TWO)  # type: ignore[arg-type]
    (tmp_path / BEST / "000000002" / "state.json").write_text("{")
    best, notices = load_best(tmp_path)
    assert best is not None
    assert best.state["step"] == 4
    assert notices == [f"{tmp_path / BEST} is damaged; the newest checkpoint is used."]


def test_one_folder_has_one_trainer(tmp_path: Path) -> None:
    with (
        only_trainer(tmp_path),
        pytest.raises(UsageError, match=r"process \d+ on .+, since .+\) is training here\. Wait"),
        only_trainer(tmp_path),
    ):
        pass
    with only_trainer(tmp_path):
        pass  # once it is free


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
    [(("--preset", "paper-dcgan"), "preset"), (("--seed", "5"), "seed was 0, is 5"), (("--size", "48"), "size")],
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
