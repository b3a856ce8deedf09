"""A training is exactly repeatable, and can be stopped anywhere."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from asset_gen.errors import UsageError
from trainer.checkpoint import load_checkpoint, save_checkpoint
from trainer.dataset import Dataset, load_dataset
from trainer.draws import Draws, seeded
from trainer.loop import Settings, Training, draw, network_pictures, resolve
from trainer.losses import LOSSES, Critic, Loss
from trainer.presets import PRESETS, Preset, changeable, with_changes

CPU = torch.device("cpu")
TINY = {"relativistic": Settings(batch=8, width=0.25), "paper-dcgan": Settings(batch=8)}


@pytest.fixture(scope="module")
def datasets(sprites: Path) -> dict[str, Dataset]:
    return {"relativistic": load_dataset(sprites), "paper-dcgan": load_dataset(sprites, size=28)}


@pytest.mark.parametrize(("preset", "half"), [("relativistic", 10), ("paper-dcgan", 3)])
def test_ten_steps_a_stop_and_ten_more_equal_twenty_bit_for_bit(
    preset: str, half: int, datasets: dict[str, Dataset], tmp_path: Path
) -> None:
    def training() -> Training:
        return Training(PRESETS[preset], datasets[preset], TINY[preset], CPU)

    whole = training()
    expected = [whole.advance() for _ in range(2 * half)]
    first = training()
    found = [first.advance() for _ in range(half)]
    save_checkpoint(tmp_path, first.checkpoint())
    del first
    saved, notices = load_checkpoint(tmp_path)
    assert saved is not None
    assert notices == []
    second = training()
    second.restore(saved)
    found += [second.advance() for _ in range(half)]
    assert found == expected  # scalar tensors, bit for bit
    ours, theirs = second.checkpoint().tensors, whole.checkpoint().tensors
    assert ours.keys() == theirs.keys()
    assert all(torch.equal(ours[name], theirs[name]) for name in ours)
    resumed, average = second.average.state_dict(), whole.average.state_dict()
    assert all(torch.equal(resumed[name], average[name]) for name in average)


GOLDEN = {  # loss_d, d_real, d_fake, loss_g of the first steps
    "relativistic": [
        [0.6923485, 0.5070065, 0.5066070, 0.6957076],
        [0.6910633, 0.5079390, 0.5068960, 0.6966013],
        [0.6884281, 0.5094783, 0.5071133, 0.6996241],
    ],
    "paper-dcgan": [
        [1.2730466, 0.5854516, 0.5087068, 1.5951643],
        [1.0545928, 0.9506798, 0.6243030, 2.0249853],
        [1.0958017, 0.9015397, 0.6054913, 3.4202721],
    ],
}
NOTHING = (lambda real, fake: 0 * real.sum(), lambda real, fake: 0 * fake.sum())
"""Losses that want nothing."""
TOLERANCE = {"relativistic": [1e-4] * 3, "paper-dcgan": [1e-4, 2e-3, 2e-2]}
"""Of steps 2 and 3 of the paper's training, processors with other instructions share two digits only: its batch
statistics and Adam's first steps enlarge every rounding a thousandfold."""


@pytest.mark.parametrize("preset", GOLDEN)
def test_the_first_steps_have_the_losses_they_always_had(preset: str, datasets: dict[str, Dataset]) -> None:
    training = Training(PRESETS[preset], datasets[preset], TINY[preset], CPU)
    for expected, tolerance in zip(GOLDEN[preset], TOLERANCE[preset], strict=True):
        figures = training.advance()
        found = [figures[name].item() for name in ("loss_d", "d_real", "d_fake", "loss_g")]
        assert found == pytest.approx(expected, rel=tolerance)


def test_the_penalty_is_added_every_eighth_step_with_its_weight(
    datasets: dict[str, Dataset], monkeypatch: pytest.MonkeyPatch
) -> None:
    training = Training(PRESETS["relativistic"], datasets["relativistic"], TINY["relativistic"], CPU)
    training.loss = replace(training.loss, penalty=lambda critic, real, fake, draws: torch.tensor(3.0))
    moved: list[float] = []
    real = training._update

    def listen(name: str, loss: torch.Tensor, draws: Draws) -> None:
        if name == "discriminator":
            moved.append(loss.item())
        real(name, loss, draws)

    monkeypatch.setattr(training, "_update", listen)
    added = []
    for _ in range(9):
        loss = training.advance()["loss_d"].item()
        added.append(round(moved[-1] - loss, 3))
    assert added == [24, 0, 0, 0, 0, 0, 0, 0, 24]  # γ · 8 · 3 with γ = 1


def test_the_penalty_sees_the_critic_on_the_views_it_has_just_judged(datasets: dict[str, Dataset]) -> None:
    training = Training(PRESETS["relativistic"], datasets["relativistic"], TINY["relativistic"], CPU)
    seen: list[tuple[torch.Tensor, ...]] = []

    def watch(critic: Critic, real: torch.Tensor, fake: torch.Tensor, draws: Draws) -> torch.Tensor:
        seen.append((critic(real), critic(fake), critic(torch.cat([real, fake]))))
        return torch.zeros(())

    training.loss = replace(training.loss, penalty=watch)
    figures = training.advance()
    ((real, fake, both),) = seen
    assert real.sigmoid().mean().item() == pytest.approx(figures["d_real"].item(), rel=1e-5)
    assert fake.sigmoid().mean().item() == pytest.approx(figures["d_fake"].item(), rel=1e-5)
    assert torch.allclose(both, torch.cat([real, fake]), atol=1e-6)


def test_the_penalty_pulls_the_whole_discriminator_into_its_second_derivatives(datasets: dict[str, Dataset]) -> None:
    losses = {name: Loss(*NOTHING, loss.penalty, loss.weight) for name, loss in LOSSES.items() if loss.penalty}
    assert set(losses) == {"relativistic", "wgan-gp", "dragan"}
    for loss in losses.values():
        training = Training(PRESETS["relativistic"], datasets["relativistic"], TINY["relativistic"], CPU)
        training.loss, training.gamma = loss, loss.weight
        before = {name: value.clone() for name, value in training.discriminator.named_parameters()}
        training.advance()
        moved = {
            name for name, value in training.discriminator.named_parameters() if not torch.equal(value, before[name])
        }
        assert {"from_rgba.weight", "downs.0.conv1.weight", "last.weight", "logit.weight"} <= moved


def test_the_discriminator_moves_k_times_for_each_move_of_the_generator(
    datasets: dict[str, Dataset], monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = Settings(batch=8, width=0.25, critic_steps=3)
    training = Training(PRESETS["relativistic"], datasets["relativistic"], settings, CPU)
    moved: list[str] = []
    real = training._update

    def listen(name: str, loss: torch.Tensor, draws: Draws) -> None:
        moved.append(name)
        real(name, loss, draws)

    monkeypatch.setattr(training, "_update", listen)
    rows = [training.sample_rows(turn).tolist() for turn in range(4)]
    training.advance()
    assert moved == ["discriminator", "discriminator", "discriminator", "generator"]
    assert training.sprites_seen == 24
    assert training.sample_rows().tolist() == rows[3]  # each turn sees other sprites, and so does the next step
    assert len({tuple(row) for row in rows}) == 4
    training.advance()
    assert (training.step, training.minibatches, training.sprites_seen) == (2, 6, 48)


def test_k_critic_steps_pass_through_an_epoch_k_times_as_fast(datasets: dict[str, Dataset]) -> None:
    training = Training(PRESETS["paper-dcgan"], datasets["paper-dcgan"], Settings(batch=8, critic_steps=5), CPU)
    rows = [row for turn in range(5) for row in training.sample_rows(turn).tolist()]
    assert sorted(rows) == list(range(40))
    training.step = 1
    assert training.sprites_seen == 40


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
    assert torch.equal(advanced.draws("x", 9).uniform(2), fresh.draws("x", 9).uniform(2))
    assert torch.equal(advanced.sample_rows(), fresh.sample_rows())
    numbers = {
        tuple(training(seed, step).draws(purpose, 2).uniform().tolist())
        for seed in (0, 1)
        for step in (0, 1)
        for purpose in ("x", "y")
    }
    assert len(numbers) == 8
    fresh.rollbacks = 1  # another try at the same step
    assert not torch.equal(advanced.draws("x", 9).uniform(2), fresh.draws("x", 9).uniform(2))


def test_another_seed_gives_another_training(datasets: dict[str, Dataset]) -> None:
    def losses(seed: int) -> dict[str, torch.Tensor]:
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
    for step in range(training.batches_per_epoch):
        training.step = step
        rows += training.sample_rows().tolist()
    assert sorted(rows) == list(range(40))
    assert rows != list(range(40))
    training.step = 4  # 16 + 16 + 8 sprites, and the first 16 of the second epoch
    assert (training.batches_per_epoch, training.sprites_seen) == (3, 56)
    assert training.sample_rows().tolist() != rows[16:32]


def test_a_last_step_of_one_sprite_takes_a_second_for_its_statistics(datasets: dict[str, Dataset]) -> None:
    training = Training(PRESETS["paper-dcgan"], datasets["paper-dcgan"], Settings(batch=13), CPU)
    training.step = 3  # 39 of 40 sprites were shown
    assert len(training.sample_rows()) == 2
    assert all(np.isfinite(value.item()) for value in training.advance().values())


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


def test_types_count_from_the_start_where_a_trained_model_is_continued(datasets: dict[str, Dataset]) -> None:
    settings = Settings(batch=8, width=0.25, finetuned=True)
    training = Training(PRESETS["relativistic"], datasets["relativistic"], settings, CPU)
    training._set_ramp()
    assert training.generator.get_buffer("ramp").item() == 1


@pytest.mark.parametrize(("finetuned", "seen", "half_life"), [
    (False, 8_000, 400), (True, 8_000, 2_000), (False, 8_000_000, 20_000), (True, 8_000_000, 20_000),
])  # fmt: skip
def test_an_average_is_quick_while_young_and_quicker_where_it_begins_from_noise(
    finetuned: bool, seen: int, half_life: int, datasets: dict[str, Dataset]
) -> None:
    settings = Settings(batch=8, width=0.25, finetuned=finetuned)
    training = Training(PRESETS["relativistic"], datasets["relativistic"], settings, CPU)
    training.step = seen // 8
    before = training.average.state_dict()["stem.weight"].clone()
    with torch.no_grad():
        training.generator.get_parameter("stem.weight").fill_(1)
    training._move_average()
    kept = 0.5 ** (8 / half_life)
    assert torch.allclose(training.average.state_dict()["stem.weight"], kept * before + 1 - kept, atol=1e-6)


@pytest.mark.parametrize("network", ["generator", "discriminator", "average"])
@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_a_weight_that_is_no_number_is_noticed(network: str, value: float, datasets: dict[str, Dataset]) -> None:
    training = Training(PRESETS["relativistic"], datasets["relativistic"], TINY["relativistic"], CPU)
    assert training.is_finite()
    with torch.no_grad():
        weight = next(getattr(training, network).parameters())
        weight[(0,) * weight.dim()] = value
    assert not training.is_finite()


def test_half_the_bits_train_too(datasets: dict[str, Dataset]) -> None:
    settings = Settings(batch=8, width=0.25, precision="bfloat16")
    training = Training(PRESETS["relativistic"], datasets["relativistic"], settings, CPU)
    figures = training.advance()
    assert figures["loss_d"].item() == pytest.approx(GOLDEN["relativistic"][0][0], rel=0.02)
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


# What a person may choose -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("preset", "name", "value"),
    [("relativistic", "gamma", 0.2), ("projected", "augment.hue", 5.0), ("projected", "shown_side", 112.0)],
)
def test_a_number_of_the_recipe_can_be_changed(preset: str, name: str, value: float) -> None:
    changed = resolve(preset, Settings(changes={name: value}))
    assert changeable(changed) == changeable(PRESETS[preset]) | {name: value}
    assert changeable(PRESETS[preset])[name] != value
    assert replace(changed, augment=None, **{name: None for name in changeable(changed) if "." not in name}) == replace(
        PRESETS[preset], augment=None, **{name: None for name in changeable(changed) if "." not in name}
    )


def test_every_number_can_be_changed_and_the_training_follows(datasets: dict[str, Dataset]) -> None:
    for preset in PRESETS.values():
        numbers = changeable(preset)
        changed = with_changes(preset, dict.fromkeys(numbers, 16.0))
        assert changeable(changed) == dict.fromkeys(numbers, 16.0)
    settings = Settings(batch=8, width=0.25, changes={"lr": 0.5, "gamma": 0.25})
    training = Training(resolve("relativistic", settings), datasets["relativistic"], settings, CPU)
    assert training.gamma == 0.25
    assert {group["lr"] for optimiser in training.optimisers.values() for group in optimiser.param_groups} == {0.5}


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"gama": 1.0}, r"--set gama: relativistic has no such number; it has gamma, lr, .*gamma"),
        ({"augment.backdrop": 1.0}, "--set augment.backdrop: relativistic has no such number"),
        ({"lr": -1.0}, "--set lr=-1: must be a number from 0 up"),
        ({"lr": float("nan")}, "--set lr=nan: must be a number from 0 up"),
        ({"lr": float("inf")}, "--set lr=inf: must be a number from 0 up"),
    ],
)
def test_a_number_that_there_is_not_or_that_makes_no_sense_is_refused(changes: dict[str, float], said: str) -> None:
    with pytest.raises(UsageError, match=said):
        resolve("relativistic", Settings(changes=changes))


def test_the_paper_has_no_augmentation_to_change() -> None:
    with pytest.raises(UsageError, match=r"--set augment\.hue: paper-dcgan has no such number"):
        resolve("paper-dcgan", Settings(changes={"augment.hue": 3.0}))


@pytest.mark.parametrize(("preset", "loss"), [(name, loss) for name in PRESETS for loss in LOSSES])
def test_a_loss_that_does_not_suit_a_presets_discriminator_is_refused(preset: str, loss: str) -> None:
    if loss in PRESETS[preset].losses:
        resolve(preset, Settings(loss=loss))
        return
    with pytest.raises(UsageError, match=f"--loss {loss}: doesn't suit the discriminator of {preset}. It takes"):
        resolve(preset, Settings(loss=loss))


def test_slopes_are_never_penalised_where_batch_statistics_mix_the_pictures() -> None:
    assert not {"wgan-gp", "relativistic"} & set(PRESETS["paper-dcgan"].losses)


@pytest.mark.parametrize("preset", ["relativistic", "paper-dcgan"])
def test_every_loss_of_a_preset_trains(preset: str, datasets: dict[str, Dataset]) -> None:
    for loss in PRESETS[preset].losses:
        settings = replace(TINY[preset], loss=loss)
        training = Training(resolve(preset, settings), datasets[preset], settings, CPU)
        figures = training.advance()
        assert all(torch.isfinite(value) for value in figures.values()), loss
        assert training.loss is LOSSES[loss]
        assert training.is_finite()


def test_a_penalty_can_be_turned_off(datasets: dict[str, Dataset]) -> None:
    settings = Settings(batch=8, width=0.25, changes={"gamma": 0.0})
    training = Training(resolve("relativistic", settings), datasets["relativistic"], settings, CPU)
    training.loss = replace(training.loss, penalty=lambda *arguments: pytest.fail("was asked for"))
    training.advance()


# Draws ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("world", [1, 2, 3])
def test_processes_draw_their_rows_of_what_one_alone_would_draw(world: int) -> None:
    from trainer.distributed import Group

    def drawn(group: Group) -> list[torch.Tensor]:
        draws = Draws(seeded(CPU, 7, "x"), 8, group)
        return [draws.normal(5), draws.uniform(2, 2), draws.integers(-3, 4, 2), draws.uniform()]

    shares = [drawn(Group(rank, world)) for rank in range(world)]
    for whole, *parts in zip(drawn(Group()), *shares, strict=True):
        assert torch.equal(torch.cat(parts), whole)
        assert len(whole) == 8
    weights = [Group(rank, world).weight(len(share[0]), 8) for rank, share in enumerate(shares)]
    assert sum(weights) == pytest.approx(world)  # their mean over processes is 1


def test_a_generator_belongs_to_all_of_its_parts() -> None:
    def first(*parts: object) -> float:
        return torch.rand(1, generator=seeded(CPU, *parts)).item()

    assert first(1, 2) == first(1, 2)
    assert len({first(1, 2), first(2, 1), first(12), first(1, 2, 0), first("1", "x")}) == 5


def test_the_recipes_are_frozen() -> None:
    assert all(isinstance(preset, Preset) and preset.losses for preset in PRESETS.values())
    with pytest.raises(AttributeError):
        PRESETS["relativistic"].lr = 1.0  # type: ignore[misc]
