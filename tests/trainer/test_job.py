"""A whole training, rehearsed and done."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch

from tests.conftest import Cli, files_of
from tests.creatures import write_set
from trainer import job
from trainer.config import JUDGE, Config, outside_networks, read_sprites
from trainer.loop import Settings, Training
from trainer.presets import PRESETS, changeable
from trainer.pretrained import available


def rehearsed(cli: Cli, sprites: Path, run: Path, *options: object) -> dict[str, object]:
    """What ``--dry-run`` prints."""
    done = cli(
        "train",
        sprites,
        "--run",
        run,
        "--width",
        0.25,
        "--batch-size",
        8,
        "--device",
        "cpu",
        *options,
        "--dry-run",
        "--json",
    )
    assert (done.code, done.err) == (0, "")
    document: dict[str, object] = json.loads(done.out)
    return document


def test_a_dry_run_writes_nothing_and_tells_what_a_training_would_cost(cli: Cli, sprites: Path, tmp_path: Path) -> None:
    before = files_of(sprites)
    told = rehearsed(cli, sprites, tmp_path / "run", "--steps", 500, "--set", "gamma=0.2", "--seed", 3)
    assert list(tmp_path.iterdir()) == []
    assert files_of(sprites) == before
    assert (told["preset"], told["loss"], told["batch"], told["processes"]) == ("relativistic", "relativistic", 8, 1)
    assert told["recipe"] == changeable(PRESETS["relativistic"]) | {"gamma": 0.2}
    assert told["settings"]["seed"] == 3  # type: ignore[index]
    assert told["sprites"] == {
        "read": 40, "size": 32, "types": {"beetle": 10, "crystal": 10, "flask": 10, "mushroom": 10}
    }  # fmt: skip
    assert told["outside_networks"] == []
    training = Training(
        PRESETS["relativistic"],
        read_sprites(Config(preset="relativistic", sprites=str(sprites), size=None))[1],
        Settings(batch=8, width=0.25),
        torch.device("cpu"),
    )
    assert told["parameters"] == {
        "generator": sum(parameter.numel() for parameter in training.generator.parameters()),
        "discriminator": sum(parameter.numel() for parameter in training.discriminator.parameters()),
    }
    assert 100 < float(told["memory_mib"]) < 10_000  # type: ignore[arg-type]  # this process's, PyTorch included
    seconds = float(told["seconds_per_step"])  # type: ignore[arg-type]
    assert 0.001 < seconds < 60
    assert float(told["kimg_per_hour"]) == pytest.approx(8 * 3.6 / seconds, rel=0.05)  # type: ignore[arg-type]
    assert (told["steps"], told["kimg"]) == (500, 4.0)
    assert float(told["hours"]) == pytest.approx(500 * seconds / 3600, abs=0.01)  # type: ignore[arg-type]


def test_the_shortest_limit_decides_how_long_it_would_take(cli: Cli, sprites: Path, tmp_path: Path) -> None:
    told = rehearsed(cli, sprites, tmp_path / "run", "--epochs", 2, "--critic-steps", 5, "--max-minutes", 600)
    assert (told["steps"], told["kimg"]) == (2, 0.1)  # 40 sprites are five batches of eight, and so one step
    told = rehearsed(cli, sprites, tmp_path / "run", "--max-minutes", 0.1)
    assert float(told["hours"]) == pytest.approx(0.1 / 60, abs=0.01)  # type: ignore[arg-type]


def test_a_rehearsal_of_a_run_that_exists_leaves_it_as_it_is(cli: Cli, sprites: Path, finished_run: Path) -> None:
    before = files_of(finished_run)
    told = rehearsed(cli, sprites, finished_run, "--steps", 9, "--resume")
    assert (told["steps"], told["kimg"]) == (9, 0.1)
    assert files_of(finished_run) == before


def test_a_training_with_too_few_sprites_is_refused(cli: Cli, tmp_path: Path) -> None:
    art = write_set(tmp_path / "art", each=7, kinds=("flask",))
    for options in ((), ("--dry-run",)):
        done = cli("train", art, "--run", tmp_path / "run", *options)
        assert (done.code, done.out) == (1, "")
        assert "7 readable sprites, and training needs at least 8" in done.err
    assert not (tmp_path / "run").exists()


def test_lite1_judges_where_it_is_installed_and_is_named_as_an_outside_network(sprites: Path) -> None:
    if not available(JUDGE):
        pytest.skip("EfficientNet-Lite1 isn't installed, so that it judges is NOT TESTED: pip install -e '.[dev]'")
    config, _ = read_sprites(Config(preset="relativistic", sprites=str(sprites), size=None))
    assert config.judge == "lite1"
    assert [name.split(" (")[0] for name in outside_networks(config)] == ["EfficientNet-Lite1"]
    config, _ = read_sprites(Config(preset="projected", sprites=str(sprites), size=None))
    assert [name.split(" (")[0] for name in outside_networks(config)] == ["EfficientNet-Lite0", "EfficientNet-Lite1"]


def test_where_it_is_not_the_runs_own_classifier_judges(sprites: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("trainer.config.available", lambda name: False)
    config, _ = read_sprites(Config(preset="relativistic", sprites=str(sprites), size=None))
    assert config.judge == "classifier"
    assert outside_networks(config) == []


def test_without_pretrained_networks_none_is_loaded(cli: Cli, finished_run: Path) -> None:
    config = json.loads((finished_run / "config.json").read_text())
    assert config["judge"] == "classifier"
    (line,) = (finished_run / "evaluations.jsonl").read_text().splitlines()
    assert json.loads(line)["judge"] == "type classifier"
    assert json.loads(line)["samples"] == 1000


def test_the_type_classifier_says_each_quarter_of_its_training() -> None:
    told: list[str] = []
    progress = job._quarters(told.append)
    for step in range(1, 11):
        progress(step / 10)
    assert told == ["  25 %", "  50 %", "  75 %"]
