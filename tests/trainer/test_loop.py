"""A training is exactly repeatable, and can be stopped anywhere."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from asset_gen.errors import NotFiniteError
from trainer.checkpoint import load_checkpoint, save_checkpoint
from trainer.dataset import Dataset, load_dataset
from trainer.loop import Settings, Training, draw, network_pictures
from trainer.presets import PRESETS

CPU = torch.device("cpu")
TINY = {"relativistic": Settings(batch=8, width=0.25), "paper-dcgan": Settings(batch=8)}


@pytest.fixture(scope="module")
def datasets(sprites: Path) -> dict[str, Dataset]:
    return {"relativistic": load_dataset(sprites), "paper-dcgan": load_dataset(sprites, size=28)}


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
    resumed, average = second.average.state_dict(), whole.average.state_dict()
    assert all(torch.equal(resumed[name], average[name]) for name in average)


GOLDEN = {  # loss_d, d_real, d_fake, loss_g of the first steps
    "relativistic": [
        [0.6921833, 0.5071008, 0.5066186, 0.6958108],
        [0.6910744, 0.5078974, 0.5068599, 0.6967089],
        [0.6892378, 0.5091516, 0.5071933, 0.6993768],
    ],
    "paper-dcgan": [
        [1.6504502, 0.3541947, 0.2855437, 3.1336160],
        [0.6570731, 0.9818344, 0.4424276, 3.1946802],
        [0.7444599, 0.8693852, 0.3867695, 3.7333848],
    ],
}
TOLERANCE = {"relativistic": [1e-4] * 3, "paper-dcgan": [1e-4, 1e-4, 5e-3]}
"""Of step 3 of the paper's training, processors with other instructions share two digits only: its batch statistics
and Adam's first steps enlarge every rounding a thousandfold."""


@pytest.mark.parametrize("preset", GOLDEN)
def test_the_first_steps_have_the_losses_they_always_had(preset: str, datasets: dict[str, Dataset]) -> None:
    training = Training(PRESETS[preset], datasets[preset], TINY[preset], CPU)
    for expected, tolerance in zip(GOLDEN[preset], TOLERANCE[preset], strict=True):
        figures = training.advance()
        found = [figures[name] for name in ("loss_d", "d_real", "d_fake", "loss_g")]
        assert found == pytest.approx(expected, rel=tolerance)


def test_the_penalty_is_added_every_eighth_step_with_its_weight(
    datasets: dict[str, Dataset], monkeypatch: pytest.MonkeyPatch
) -> None:
    training = Training(PRESETS["relativistic"], datasets["relativistic"], TINY["relativistic"], CPU)
    monkeypatch.setattr("trainer.loop.gradient_penalty", lambda logits, inputs: torch.tensor(3.0))
    moved: list[float] = []
    real = training._update

    def listen(name: str, loss: torch.Tensor) -> None:
        if name == "discriminator":
            moved.append(loss.item())
        real(name, loss)

    monkeypatch.setattr(training, "_update", listen)
    added = []
    for _ in range(9):
        loss = training.advance()["loss_d"]
        added.append(round(moved[-1] - loss, 3))
    assert added == [24, 0, 0, 0, 0, 0, 0, 0, 24]  # γ/2 · 8 · (R1 + R2) with γ = 1


def test_draws_depend_on_seed_step_and_purpose_and_not_on_what_went_before(datasets: dict[str, Dataset]) -> None:
    def training(seed: int = 0, step: int = 0) -> Training:
        settings = Settings(seed=seed, batch=8, width=0.25)
        made = Training(PRESETS["relativistic"], datasets["relativistic"], settings, CPU)
        made.step = step
        return made

    advanced, fresh = training(), training(step=3)
    for _ in range(3):
        advanced.advance()
    torch.rand(17)  # the global generator has no say
    assert torch.equal(torch.rand(9, generator=advanced.draws("x")), torch.rand(9, generator=fresh.draws("x")))
    assert torch.equal(advanced.sample_rows(), fresh.sample_rows())
    numbers = {
        tuple(torch.rand(2, generator=training(seed, step).draws(purpose)).tolist())
        for seed in (0, 1)
        for step in (0, 1)
        for purpose in ("x", "y")
    }
    assert len(numbers) == 8


def test_another_seed_gives_another_training(datasets: dict[str, Dataset]) -> None:
    def losses(seed: int) -> dict[str, float]:
        settings = Settings(seed=seed, batch=8, width=0.25)
        return Training(PRESETS["relativistic"], datasets["relativistic"], settings, CPU).advance()

    assert losses(0) == losses(0)
    assert losses(0) != losses(1)


def test_pictures_are_premultiplied_or_on_white_as_the_preset_draws(datasets: dict[str, Dataset]) -> None:
    dataset = datasets["relativistic"]
    rgba = network_pictures(dataset, alpha=True)
    assert (rgba.dtype, tuple(rgba.shape)) == (torch.uint8, (40, 4, 32, 32))
    assert torch.equal(rgba[:, 3], torch.from_numpy(dataset.sprites[..., 3]))
    assert not rgba.permute(0, 2, 3, 1)[torch.from_numpy(dataset.sprites[..., 3] == 0)].any()
    rgb = network_pictures(dataset, alpha=False)
    assert tuple(rgb.shape) == (40, 3, 32, 32)
    assert (rgb.permute(0, 2, 3, 1)[torch.from_numpy(dataset.sprites[..., 3] == 0)] == 255).all()


def test_the_average_follows_the_generator_with_its_half_life(datasets: dict[str, Dataset]) -> None:
    training = Training(PRESETS["relativistic"], datasets["relativistic"], TINY["relativistic"], CPU)
    name = "stem.weight"
    before = training.average.state_dict()[name].clone()
    training.step = 10_000_000  # past the 5 % rule: the half-life is 20,000 sprites, 2,500 steps of 8
    with torch.no_grad():
        training.generator.get_parameter(name).fill_(1)
    for _ in range(2500):
        training._move_average()
    expected = (before + 1) / 2
    assert torch.allclose(training.average.state_dict()[name], expected, atol=1e-3)
    assert training.drawing is training.average


def test_the_paper_draws_with_the_generator_itself(datasets: dict[str, Dataset]) -> None:
    training = Training(PRESETS["paper-dcgan"], datasets["paper-dcgan"], TINY["paper-dcgan"], CPU)
    assert training.drawing is training.generator


def test_an_epoch_of_the_paper_shows_every_sprite_once(datasets: dict[str, Dataset]) -> None:
    training = Training(PRESETS["paper-dcgan"], datasets["paper-dcgan"], Settings(batch=16), CPU)
    rows = []
    for step in range(training.steps_per_epoch):
        training.step = step
        rows += training.sample_rows().tolist()
    assert sorted(rows) == list(range(40))
    assert rows != list(range(40))
    training.step = 4  # 16 + 16 + 8 sprites, and the first 16 of the second epoch
    assert (training.steps_per_epoch, training.sprites_seen) == (3, 56)
    assert training.sample_rows().tolist() != rows[16:32]


def test_a_last_step_of_one_sprite_takes_a_second_for_its_statistics(datasets: dict[str, Dataset]) -> None:
    training = Training(PRESETS["paper-dcgan"], datasets["paper-dcgan"], Settings(batch=13), CPU)
    training.step = 3  # 39 of 40 sprites were shown
    assert len(training.sample_rows()) == 2
    assert all(np.isfinite(value) for value in training.advance().values())


def test_rare_types_are_drawn_more_often_than_their_share_but_not_equally() -> None:
    sprites = np.full((100, 32, 32, 4), 255, np.uint8)
    labels = np.zeros((100, 2), np.float32)
    labels[:90, 0] = labels[90:, 1] = 1
    dataset = Dataset(sprites, labels, labels.argmax(axis=1), {"a": "a", "b": "b"}, [str(n) for n in range(100)])
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


@pytest.mark.parametrize("network", ["generator", "discriminator"])
@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_a_loss_that_is_not_finite_stops_the_training(network: str, value: float, datasets: dict[str, Dataset]) -> None:
    training = Training(PRESETS["relativistic"], datasets["relativistic"], TINY["relativistic"], CPU)
    with torch.no_grad():
        next(getattr(training, network).parameters()).fill_(value)
    with pytest.raises(NotFiniteError, match="step 1: a loss is not finite"):
        training.advance()


def test_half_the_bits_train_too(datasets: dict[str, Dataset]) -> None:
    settings = Settings(batch=8, width=0.25, precision="bfloat16")
    training = Training(PRESETS["relativistic"], datasets["relativistic"], settings, CPU)
    figures = training.advance()
    assert figures["loss_d"] == pytest.approx(GOLDEN["relativistic"][0][0], rel=0.02)
    assert all(value.dtype == torch.float32 for value in training.generator.parameters())


def test_drawing_does_not_depend_on_the_batch_size(datasets: dict[str, Dataset]) -> None:
    training = Training(PRESETS["relativistic"], datasets["relativistic"], TINY["relativistic"], CPU)
    z, label = torch.randn(9, 128), torch.eye(4)[torch.arange(9) % 4]
    assert torch.allclose(draw(training.drawing, z, label, 9), draw(training.drawing, z, label, 2), atol=1e-6)
    output = draw(training.drawing, z, label)
    assert output.shape == (9, 4, 32, 32)
    assert training.drawing.training  # drawing leaves it as it was


def test_drawing_the_papers_sprites_makes_them_opaque(datasets: dict[str, Dataset]) -> None:
    training = Training(PRESETS["paper-dcgan"], datasets["paper-dcgan"], TINY["paper-dcgan"], CPU)
    output = draw(training.drawing, torch.randn(2, 128), torch.zeros(2, 4))
    assert output.shape == (2, 4, 28, 28)
    assert (output[:, 3] == 1).all()
