"""What does a run folder tell of the training, while it goes on and afterwards?

stats.jsonl        one line every 20 steps
evaluations.jsonl  one line for every checkpoint that was judged
samples/*.png      rows = types, latents that stay the same
events/            all three for TensorBoard
curves.png         losses, D(x) and D(G(z)), and the judge's figures
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from asset_gen import pixels
from trainer import curves
from trainer.evaluate import Evaluations, read_lines
from trainer.events import Events
from trainer.judge import Verdict
from trainer.loop import Training, draw

LOG_EVERY = 20  # steps
STATISTICS = "stats.jsonl"


class Diary:
    """Everything that is noted down for people; lines past ``step``, of a killed sitting, are dropped."""

    def __init__(self, run: Path, step: int, names: Sequence[str]) -> None:
        """``names``: the types as their artist wrote them, for the rows of sample sheets; none where there are none."""
        self.run, self.names = run, names
        self.statistics = Statistics(run / STATISTICS, step)
        self.evaluations = Evaluations(run, step)
        self.events = Events(run, step)

    def figures(self, training: Training, values: dict[str, float]) -> None:
        """Count the figures of a step."""
        if line := self.statistics.add(training, values):
            self.events.statistics(line)

    def verdict(self, training: Training, verdict: Verdict) -> bool:
        """Note what a judge said; True where it is the best so far."""
        best = self.evaluations.add(training, verdict)
        self.events.evaluation(self.evaluations.lines[-1])
        return best

    def sheet(self, training: Training) -> None:
        """Draw the sample sheet of this step."""
        self.events.sheet(training.step, save_samples(self.run, training, self.names))

    def curves(self) -> None:
        """Draw all curves anew."""
        curves.training_curves(self.statistics.lines(), self.run / "curves.png", self.evaluations.lines)

    def rewind(self, step: int) -> None:
        """Forget what was noted after ``step``."""
        self.statistics.rewind(step)
        self.evaluations.rewind(step)
        self.events.rewind(step)

    def flush(self) -> None:
        """Wait until the disk has everything so far: a resumed run starts from here."""
        self.events.flush()

    def close(self) -> None:
        """Write what is left."""
        self.events.close()


class Statistics:
    """``stats.jsonl``: the mean of every figure over the last ``LOG_EVERY`` steps, of those that were read."""

    def __init__(self, path: Path, step: int) -> None:
        self.path = path
        self.sums: dict[str, float] = defaultdict(float)
        self.count = 0
        self.rewind(step)

    def rewind(self, step: int) -> None:
        """Drop lines after ``step``: a killed or run-away sitting wrote them past its checkpoint."""
        kept = [line for line in self.lines() if line["step"] <= step]
        self.path.write_text("".join(json.dumps(line) + "\n" for line in kept))
        self.sums.clear()
        self.count = 0

    def add(self, training: Training, figures: dict[str, float]) -> dict[str, float] | None:
        """Count the figures of a step; returns the line where one was due and is written."""
        for key, value in figures.items():
            self.sums[key] += value
        self.count += 1
        if training.step % LOG_EVERY:
            return None
        means = {key: round(total / self.count, 6) for key, total in self.sums.items()}
        line = {"step": training.step, "kimg": training.sprites_seen / 1000, "seconds": round(training.seconds, 1)}
        with self.path.open("a") as file:
            file.write(json.dumps(line | means) + "\n")
        self.sums.clear()
        self.count = 0
        return line | means

    def lines(self) -> list[dict[str, Any]]:
        """Every line so far."""
        return read_lines(self.path)


def fixed_sprites(training: Training) -> NDArray[np.uint8]:
    """Eight sprites a type from latents that stay the same all through the run: straight RGBA [n, s, s, 4].

    An untyped generator draws eight rows of eight. Its white isn't keyed out.
    """
    columns = curves.SHEET_COLUMNS
    kinds = training.labels.shape[1]
    rows = kinds if training.preset.conditional else columns
    fixed = torch.Generator().manual_seed(training.settings.seed)
    z = torch.randn(rows * columns, training.preset.latent, generator=fixed)
    label = torch.zeros(len(z), kinds)
    if training.preset.conditional:
        label = torch.eye(kinds).repeat_interleave(columns, dim=0)
    return pixels.from_network(draw(training.drawing, z.to(training.device), label.to(training.device)).cpu().numpy())


def save_samples(run: Path, training: Training, names: Sequence[str] = ()) -> Path:
    """A sheet of ``fixed_sprites``, with ``names`` beside its rows."""
    sheet = curves.sample_sheet(fixed_sprites(training), curves.SHEET_COLUMNS, names=names)
    path = run / "samples" / f"{training.step:09d}.png"
    path.parent.mkdir(exist_ok=True)
    sheet.save(path)
    return path
