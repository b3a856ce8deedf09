"""The classifier knows the types, and how far it can be trusted."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch

from asset_gen import pixels
from asset_gen.errors import ModelError
from tests.creatures import KINDS, creature
from trainer import classifier
from trainer.classifier import best_temperature, fit, hold_out, load_classifier

UNSEEN = np.stack([creature(kind, seed) for kind in KINDS for seed in range(100, 140)])
TRUTH = np.repeat(np.arange(4), 40)


@torch.no_grad()
def logits_of(run: Path, sprites: np.ndarray = UNSEEN) -> torch.Tensor:
    network, _ = load_classifier(run, len(KINDS), 32)
    logits: torch.Tensor = network(torch.from_numpy(pixels.to_network(sprites)))
    return logits


def test_it_learns_the_creatures(finished_run: Path) -> None:
    assert (logits_of(finished_run).argmax(dim=1).numpy() == TRUTH).mean() > 0.9


def test_its_figures_are_those_of_the_sprites_it_did_not_see(finished_run: Path) -> None:
    _, figures = load_classifier(finished_run, 4, 32)
    assert figures["held_out"] == 8
    assert figures["accuracy"] >= 0.75
    assert 0.25 <= figures["temperature"] <= 8


def test_the_temperature_changes_probabilities_and_never_the_answer(finished_run: Path) -> None:
    network, _ = load_classifier(finished_run, 4, 32)
    pictures = torch.from_numpy(pixels.to_network(UNSEEN))
    answers, sureness = [], []
    for temperature in (0.5, 1.0, 4.0):
        network.temperature.fill_(temperature)
        with torch.no_grad():
            p = network(pictures).softmax(dim=1)
        answers.append(p.argmax(dim=1))
        sureness.append(p.max(dim=1).values.mean().item())
    assert torch.equal(answers[0], answers[1])
    assert torch.equal(answers[1], answers[2])
    assert sureness[0] > sureness[1] > sureness[2] + 0.05


def test_the_saved_temperature_is_in_the_network(finished_run: Path) -> None:
    network, figures = load_classifier(finished_run, 4, 32)
    assert network.temperature.item() == pytest.approx(figures["temperature"])


@pytest.mark.parametrize("exaggeration", [0.5, 1.0, 3.0])
def test_the_best_temperature_undoes_an_exaggeration(exaggeration: float) -> None:
    chance = torch.Generator().manual_seed(0)
    honest = 2 * torch.randn(5000, 4, generator=chance)
    drawn = torch.multinomial(honest.softmax(dim=1), 1, generator=chance)[:, 0]
    found = best_temperature(exaggeration * honest, torch.eye(4)[drawn])
    assert found == pytest.approx(exaggeration, rel=0.1)


def test_a_fifth_of_every_type_that_has_five_is_held_out() -> None:
    kinds = np.repeat(np.arange(4), [40, 5, 4, 1])
    held = hold_out(kinds, seed=0)
    assert [int(held[kinds == kind].sum()) for kind in range(4)] == [8, 1, 0, 0]
    assert np.array_equal(held, hold_out(kinds, seed=0))
    assert not np.array_equal(held, hold_out(kinds, seed=1))


def test_training_is_repeatable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(classifier, "STEPS", (5, 5))
    pictures = torch.from_numpy(pixels.to_network(UNSEEN[::8]))
    labels = torch.eye(4)[torch.from_numpy(TRUTH[::8])]
    told: list[float] = []
    first, second = (fit(pictures, labels, 3, told.append).state_dict() for _ in range(2))
    assert told == [0.2, 0.4, 0.6, 0.8, 1.0] * 2
    assert all(torch.equal(first[name], second[name]) for name in first)


def test_it_is_trained_on_what_the_generator_draws() -> None:
    crystal = UNSEEN[40:41].copy()
    crystal[0, 20:24, 14:18] = 255  # white inside the figure
    assert np.array_equal(pixels.as_drawn(crystal, alpha=True), pixels.to_network(crystal))
    assert np.array_equal(pixels.from_network(pixels.as_drawn(crystal, alpha=False)), crystal)
    paper = crystal.copy()
    paper[0, 20:24, :18] = 255  # white that reaches the border is paper
    assert not pixels.from_network(pixels.as_drawn(paper, alpha=False))[0, 20:24, :18].any()


@pytest.fixture
def run(finished_run: Path, tmp_path: Path) -> Path:
    """A classifier to damage."""
    shutil.copytree(finished_run / "classifier", tmp_path / "run" / "classifier")
    return tmp_path / "run"


def test_damaged_weights_are_refused_before_they_are_read(run: Path) -> None:
    weights = run / "classifier" / "weights.safetensors"
    data = bytearray(weights.read_bytes())
    data[len(data) // 2] ^= 1
    weights.write_bytes(bytes(data))
    with pytest.raises(ModelError, match=r"weights\.safetensors: was changed\. .*--resume"):
        load_classifier(run, 4, 32)


@pytest.mark.parametrize("name", ["weights.safetensors", "figures.json"])
def test_a_missing_file_is_named_with_the_cure(name: str, run: Path) -> None:
    (run / "classifier" / name).unlink()
    with pytest.raises(ModelError, match=rf"no type classifier .*{name}.*--resume"):
        load_classifier(run, 4, 32)


@pytest.mark.parametrize("text", ["", "{", "3", "[]", "{}"])
def test_damaged_figures_are_refused(text: str, run: Path) -> None:
    (run / "classifier" / "figures.json").write_text(text)
    with pytest.raises(ModelError):
        load_classifier(run, 4, 32)


def test_weights_that_do_not_fit_the_runs_types_are_refused(run: Path) -> None:
    figures = json.loads((run / "classifier" / "figures.json").read_text())
    assert set(figures) == {"accuracy", "held_out", "temperature", "sha256"}
    with pytest.raises(ModelError, match="doesn't fit"):
        load_classifier(run, 5, 32)
