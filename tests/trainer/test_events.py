"""TensorBoard's own reader finds in the event files what the run's lines and sheets say."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from tests.creatures import creature
from trainer.curves import sample_sheet
from trainer.events import FOLDER, Events

EVALUATION = {"step": 100, "kimg": 6.4, "judge": "EfficientNet-Lite1", "samples": 1000, "kid": 31.5, "copies": 0.0}


def line(step: int, loss: float = 0.5) -> dict[str, float]:
    return {"step": step, "kimg": step * 0.064, "seconds": step / 2, "loss_d": loss, "loss_g": 1 - loss}


def read(run: Path) -> EventAccumulator:
    accumulator = EventAccumulator(str(run / FOLDER), size_guidance={"scalars": 0, "images": 0})
    return accumulator.Reload()


def curve(run: Path, tag: str = "training/loss_d") -> dict[int, float]:
    """Step → value; a step that stands twice fails."""
    scalars = read(run).Scalars(tag)
    assert len({scalar.step for scalar in scalars}) == len(scalars)
    return {scalar.step: round(scalar.value, 6) for scalar in scalars}


def test_every_figure_of_a_line_becomes_a_scalar_at_its_step(tmp_path: Path) -> None:
    with Events(tmp_path, 0) as events:
        for step in (20, 40):
            events.statistics(line(step, step / 100))
        events.evaluation(EVALUATION)
    assert sorted(read(tmp_path).Tags()["scalars"]) == [
        *(f"evaluation/{name}" for name in ("copies", "kid", "kimg", "samples")),
        *(f"training/{name}" for name in ("kimg", "loss_d", "loss_g", "seconds")),
    ]
    assert curve(tmp_path) == {20: 0.2, 40: 0.4}
    assert curve(tmp_path, "evaluation/kid") == {100: 31.5}


def test_sample_sheets_are_images_byte_for_byte(tmp_path: Path) -> None:
    path = tmp_path / "000000040.png"
    sample_sheet(np.stack([creature("flask", seed) for seed in range(4)]), columns=2).save(path)
    with Events(tmp_path, 0) as events:
        events.sheet(40, path)
    (image,) = read(tmp_path).Images("samples")
    assert (image.step, image.width, image.height) == (40, 136, 136)
    assert image.encoded_image_string == path.read_bytes()


def test_a_resumed_run_shows_no_step_twice(tmp_path: Path) -> None:
    with Events(tmp_path, 0) as events:
        for step in range(20, 120, 20):
            events.statistics(line(step))
    with Events(tmp_path, 60) as events:  # its checkpoint was of step 60
        for step in (80, 100):
            events.statistics(line(step, 0.25))
    assert curve(tmp_path) == {20: 0.5, 40: 0.5, 60: 0.5, 80: 0.25, 100: 0.25}


def test_a_roll_back_takes_what_follows_out(tmp_path: Path) -> None:
    with Events(tmp_path, 0) as events:
        for step in (20, 40, 60):
            events.statistics(line(step))
        events.rewind(20)
        events.statistics(line(40, 0.75))
    assert curve(tmp_path) == {20: 0.5, 40: 0.75}


def test_an_interrupt_loses_nothing(tmp_path: Path) -> None:
    program = (
        "import sys; from pathlib import Path; from trainer.events import Events\n"
        "with Events(Path(sys.argv[1]), 0) as events:\n"
        "    for step in range(1, 501): events.statistics({'step': step, 'loss_d': 0.5})\n"
        "    raise KeyboardInterrupt"
    )
    interrupted = subprocess.run(
        [sys.executable, "-c", program, str(tmp_path)], check=False, capture_output=True, text=True
    )
    assert interrupted.stderr.endswith("KeyboardInterrupt\n")
    assert list(curve(tmp_path)) == list(range(1, 501))


def test_a_killed_run_has_everything_up_to_its_checkpoint(tmp_path: Path) -> None:
    program = (
        "import os, signal, sys; from pathlib import Path; from trainer.events import Events\n"
        "events = Events(Path(sys.argv[1]), 0)\n"
        "for step in range(1, 101): events.statistics({'step': step, 'loss_d': 0.5})\n"
        "events.flush()\n"
        "events.statistics({'step': 101, 'loss_d': 0.5})\n"
        "os.kill(os.getpid(), signal.SIGKILL)"
    )
    killed = subprocess.run([sys.executable, "-c", program, str(tmp_path)], check=False)
    assert killed.returncode == -signal.SIGKILL
    assert list(curve(tmp_path))[:100] == list(range(1, 101))
    time.sleep(1.1)  # files are read in the order of their names, which count seconds; no resume is that quick
    with Events(tmp_path, 100) as events:
        events.statistics(line(101, 0.25))
    assert curve(tmp_path)[101] == 0.25


def test_an_installed_tensorflow_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "tensorflow.py").write_text("raise SystemExit('TensorFlow was imported')")
    program = (
        "import sys; from pathlib import Path; from trainer.events import Events\n"
        "with Events(Path(sys.argv[1]), 0) as events: events.statistics({'step': 1, 'loss_d': 0.5})"
    )
    path = os.pathsep.join([str(tmp_path), os.environ.get("PYTHONPATH", "")])
    subprocess.run([sys.executable, "-c", program, str(tmp_path)], check=True, env=os.environ | {"PYTHONPATH": path})
    assert curve(tmp_path) == {1: 0.5}
