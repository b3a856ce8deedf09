"""Which checkpoint is the best so far, and has the training stopped getting better?

A checkpoint is judged by sprites drawn from the same latents each time, with the types of the training set; the
kernel distance (KID) to the training set decides, which doesn't depend on the number of sprites.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from asset_gen import pixels
from asset_gen.proportions import rows_in_proportion
from trainer.dataset import Dataset
from trainer.judge import Verdict
from trainer.loop import Training, draw

SAMPLES = 1000
FILE = "evaluations.jsonl"

Judging = Callable[[NDArray[np.uint8]], Verdict]
"""Straight RGBA sprites [n, s, s, 4] → figures against the training set."""


class Evaluator:
    """Draws from a training and has the sprites judged."""

    def __init__(self, dataset: Dataset, judging: Judging, samples: int = SAMPLES, seed: int = 1) -> None:
        """``judging`` must know the sprites of ``dataset``; ``seed`` is that of latents and labels."""
        rows = rows_in_proportion(dataset.first_types, samples, seed)
        self.judging = judging
        self.labels = torch.from_numpy(dataset.labels[rows])
        self.seed = seed

    def __call__(self, training: Training) -> Verdict:
        """Figures of the training as it is."""
        chance = torch.Generator().manual_seed(self.seed)
        z = torch.randn(len(self.labels), training.preset.latent, generator=chance)
        rgba = draw(training.drawing, z.to(training.device), self.labels.to(training.device))
        sprites = pixels.from_network(rgba.cpu().numpy())
        return self.judging(sprites if training.preset.alpha else pixels.key_out(sprites))


class Evaluations:
    """``evaluations.jsonl`` of a run: one line for every checkpoint that was judged."""

    def __init__(self, run: Path, step: int) -> None:
        """Lines of steps after ``step``, written by a sitting that was killed, are dropped."""
        self.path = run / FILE
        self.lines: list[dict[str, Any]] = []
        self.rewind(step)

    def rewind(self, step: int) -> None:
        """Drop the lines after ``step``."""
        self.lines = [line for line in read_lines(self.path) if line["step"] <= step]
        self.path.write_text("".join(json.dumps(line) + "\n" for line in self.lines))

    def add(self, training: Training, verdict: Verdict) -> bool:
        """Keep a verdict; True where it is the best so far."""
        line = {"step": training.step, "kimg": training.sprites_seen / 1000, "seconds": round(training.seconds, 1)}
        best = min((line["kid"] for line in self.lines), default=float("inf"))
        self.lines.append(line | verdict.as_dict())
        with self.path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(self.lines[-1]) + "\n")
        return verdict.kid < best

    def judged(self, step: int) -> bool:
        """Whether this step has its line."""
        return any(line["step"] == step for line in self.lines)

    @property
    def best(self) -> dict[str, Any] | None:
        """The line with the smallest kernel distance."""
        return min(self.lines, key=lambda line: float(line["kid"]), default=None)

    @property
    def rises(self) -> int:
        """How many times in a row the kernel distance has risen, up to the newest line."""
        kids = [line["kid"] for line in self.lines]
        count = 0
        while count < len(kids) - 1 and kids[-1 - count] > kids[-2 - count]:
            count += 1
        return count


def read_evaluations(run: Path) -> dict[int, dict[str, Any]]:
    """Step → the line of a run's ``evaluations.jsonl``."""
    return {int(line["step"]): line for line in read_lines(run / FILE)}


def read_lines(path: Path) -> list[dict[str, Any]]:
    """The objects of a ``.jsonl`` file; what follows a torn line is dropped."""
    if not path.exists():
        return []
    read = []
    for text in path.read_text(encoding="utf-8").splitlines():
        try:
            read.append(json.loads(text))
        except ValueError:
            break
    return read
