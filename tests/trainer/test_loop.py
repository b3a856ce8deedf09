"""A training is exactly repeatable, and can be stopped anywhere."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from trainer.checkpoint import load_checkpoint, save_checkpoint
from trainer.dataset import Dataset, load_dataset
from trainer.loop import NotFiniteError, Settings, Training, draw
from trainer.presets import PRESETS

CPU = torch.device("cpu")
TINY = {"relativistic": Settings(batch=8, width=0.25), "paper-dcgan": Settings(batch=8)}


@pytest.fixture(scope="module")
def datasets(sprites: Path) -> dict[str, Dataset]:
    return {"relativistic": load_dataset(sprites), "paper-dcgan": load_dataset(sprites, size=64)}


@pytest.mark.parametrize("preset", ["relativistic", "paper-dcgan"])
def test_ten_steps_a_stop_and_ten_more_equal_twenty_bit_for_bit(
    preset: str, datasets: dict[str, Dataset], tmp_path: Path
) -> None:
    def training() -> Training:
        return Training(PRESETS[preset], datasets[preset], TINY[preset], CPU)

    whole = training()
    expected = [whole.advance() for _ in range(20)]
    first = training()
    found = [first.advance() for _ in range(10)]
    save_checkpoint(tmp_path, first.checkpoint())
    del first
    saved, notices = load_checkpoint(tmp_path)
    assert saved is not None
    assert notices == []
    second = training()
    second.restore(saved)
    found += [second.advance() for _ in range(10)]
    assert found == expected
    ours, theirs = second.checkpoint().tensors, whole.checkpoint().tensors
    assert ours.keys() == theirs.keys()
    assert all(torch.equal(ours[name], theirs[name]) for name in ours)


def test_another_seed_gives_another_training(datasets: dict[str, Dataset]) -> None:
    def losses(seed: int) -> dict[str, float]:
        return Training(
            PRESETS["relativistic"], datasets["relativistic"], Settings(seed=seed, batch=8, width=0.25), CPU
        ).advance()

    assert losses(0) == losses(0)
    assert losses(0) != losses(1)


def test_an_epoch_of_the_paper_shows_every_sprite_once(datasets: dict[str, Dataset]) -> None:
    training = Training(PRESETS["paper-dcgan"], datasets["paper-dcgan"], Settings(batch=16), CPU)
    rows = []
    for step in range(training.steps_per_epoch):
        training.step = step
        rows += training.sample_rows().tolist()
    assert sorted(rows) == list(range(40))


def test_rare_types_are_drawn_more_often_than_their_share_but_not_equally() -> None:
    sprites = np.full((100, 32, 32, 4), 255, np.uint8)
    labels = np.zeros((100, 2), np.float32)
    labels[:90, 0] = labels[90:, 1] = 1
    dataset = Dataset(sprites, labels, {"a": "a", "b": "b"}, [str(n) for n in range(100)])
    training = Training(PRESETS["relativistic"], dataset, Settings(batch=64, width=0.25), CPU)
    drawn = []
    for step in range(50):
        training.step = step
        drawn += training.sample_rows().tolist()
    rare = np.mean(np.array(drawn) >= 90)
    assert rare == pytest.approx(10**0.5 / (90**0.5 + 10**0.5), abs=0.02)  # p ∝ n^0.5: 0.25 instead of 0.10


def test_types_enter_slowly(datasets: dict[str, Dataset]) -> None:
    training = Training(PRESETS["relativistic"], datasets["relativistic"], TINY["relativistic"], CPU)
    for sprites, weight in ((0, 0.0), (60_000, 0.0), (105_000, 0.5), (150_000, 1.0), (900_000, 1.0)):
        training.step = sprites // training.batch
        training._set_ramp()
        assert training.generator.get_buffer("ramp").item() == pytest.approx(weight, abs=1e-3)


def test_a_loss_that_is_not_finite_stops_the_training(datasets: dict[str, Dataset]) -> None:
    training = Training(PRESETS["relativistic"], datasets["relativistic"], TINY["relativistic"], CPU)
    with torch.no_grad():
        next(training.generator.parameters()).fill_(float("nan"))
    with pytest.raises(NotFiniteError, match="step 1"):
        training.advance()


def test_drawing_does_not_depend_on_the_batch_size(datasets: dict[str, Dataset]) -> None:
    training = Training(PRESETS["relativistic"], datasets["relativistic"], TINY["relativistic"], CPU)
    z, label = torch.randn(9, 128), torch.eye(4)[torch.arange(9) % 4]
    assert torch.allclose(draw(training.drawing, z, label, 9), draw(training.drawing, z, label, 2), atol=1e-6)
