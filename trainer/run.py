"""A run folder: one training from its configuration to its last checkpoint, in as many sittings as it takes.

config.json        what was asked for and what was read; a resumed run must match it
data.json          the report on the sprites: counts, sizes, refused files, notices
data_card.json     every file that was trained on, its author and licence; outside networks
types.png          sprites per type
classifier/        the type classifier
stats.jsonl        one line every 20 steps
evaluations.jsonl  one line for every checkpoint that was judged
samples/*.png      rows = types, fixed latents
curves.png         losses, D(x) and D(G(z)), and the judge's figures
events/            the same for TensorBoard
report.html        all of it on one page, and the nearest training sprites
judge.npz          features of the training sprites, so that they are computed once
checkpoints/       the states to continue from
best/              the state that was judged best
"""

from __future__ import annotations

import signal
import threading
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

import torch

from asset_gen.errors import DeviceError, ModelError, NotFiniteError
from trainer import checkpoint
from trainer.config import Config
from trainer.dataset import Dataset
from trainer.diary import LOG_EVERY, Diary
from trainer.distributed import ALONE, Group
from trainer.evaluate import Evaluator
from trainer.loop import Figures, Training, resolve
from trainer.presets import Preset

TRIES = 3
"""Roll-backs to one checkpoint before a training gives up."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Limit:
    """When to stop; the first that is reached. Minutes count the run's training time over all sittings."""

    minutes: float | None = None
    steps: int | None = None
    epochs: int | None = None

    def reached(self, training: Training) -> bool:
        """Whether the run has had its share."""
        return (
            (self.minutes is not None and training.seconds >= self.minutes * 60)
            or (self.steps is not None and training.step >= self.steps)
            or (self.epochs is not None and training.minibatches >= self.epochs * training.batches_per_epoch)
        )

    def share(self, training: Training) -> float:
        """How much of the way is behind us, 0–1."""
        shares = [
            training.seconds / (self.minutes * 60) if self.minutes else 0.0,
            training.step / self.steps if self.steps else 0.0,
            training.minibatches / (self.epochs * training.batches_per_epoch) if self.epochs else 0.0,
        ]
        return min(1.0, max(shares))


Report = Callable[[Training, dict[str, float]], None]
"""Called with the training and the newest figures, whenever they are read."""
Say = Callable[[str], None]
"""Called with a sentence for people."""


def default_limit(preset: Preset) -> Limit:
    """The preset's own length."""
    return Limit(minutes=preset.default_minutes, epochs=preset.default_epochs)


def open_training(
    run: Path,
    config: Config,
    dataset: Dataset,
    device: torch.device,
    group: Group = ALONE,
    compiled: bool = False,
) -> tuple[Training, list[str]]:
    """The training at the run's newest whole checkpoint (or at step 0), and notices about damaged ones."""
    preset = resolve(config.preset, config.settings)
    if device.type == "cuda":
        torch.set_float32_matmul_precision("high")  # TensorFloat-32; convolutions have it by default
    training = Training(preset, dataset, config.settings, device, group, compiled)
    saved, notices = checkpoint.load_checkpoint(run)
    if saved is not None:
        try:
            training.restore(saved)
        except (RuntimeError, KeyError) as error:
            raise ModelError(
                f"{run}: its checkpoint doesn't fit its config.json ({str(error).splitlines()[0]}). "
                f"Restore what was changed, or start a new run in another folder."
            ) from None
    return training, notices


@dataclass(frozen=True, kw_only=True, slots=True)
class Rhythm:
    """How often a training looks up from its work."""

    checkpoint_seconds: float = 120.0
    """Seconds of training between checkpoints."""
    sample_kimg: float = 25.0
    """Thousands of sprites between sample sheets."""
    evaluate_kimg: float = 100.0
    """Thousands of sprites between evaluations."""
    patience: int = 3
    """Rises of the kernel distance in a row after which a training stops; 0: never."""


def train(
    run: Path,
    training: Training,
    limit: Limit,
    report: Report = lambda training, figures: None,
    evaluator: Evaluator | None = None,
    rhythm: Rhythm | None = None,
    say: Say = lambda notice: None,
) -> None:
    """Train until ``limit``, leaving statistics, sample sheets, evaluations and checkpoints in the run folder.

    The last checkpoint is an evaluated one. A training that runs away goes back to its last checkpoint and tries again
    with other random draws.

    Raises:
        KeyboardInterrupt: it was interrupted; the step in hand was finished and a checkpoint saved.
        NotFiniteError: it ran away ``TRIES`` times from the same checkpoint.
        OSError: the disk is full, or the folder can't be written; the last checkpoint is whole.
    """
    sitting = _Sitting(run, training, report, evaluator, rhythm or Rhythm(), say)
    ended = False
    with closing(sitting), _interrupts_wait() as interrupted:
        sitting.begin()
        while not ended:
            try:
                interrupt, ended, due = training.group.agree(
                    interrupted(), limit.reached(training) or sitting.worsens(), sitting.checkpoint_is_due()
                )
                if interrupt:
                    sitting.save()
                    raise KeyboardInterrupt
                if ended:
                    sitting.end()
                    continue
                if due:
                    sitting.save()
                sitting.step()
            except NotFiniteError as error:
                ended = False
                sitting.roll_back(error)


@contextmanager
def _interrupts_wait() -> Iterator[Callable[[], bool]]:
    """Hold back Ctrl-C until it is asked for, since half a step can't be resumed exactly; a second one ends at once.

    SIGTERM, too, where the command line made an interrupt of it.
    """
    asked: list[int] = []

    def ask(number: int, frame: FrameType | None) -> None:
        if asked:
            raise KeyboardInterrupt
        asked.append(number)

    own = threading.current_thread() is threading.main_thread()  # others can't set handlers, and get no signals
    former = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM) if own}
    former = {number: handler for number, handler in former.items() if callable(handler)}
    for number in former:
        signal.signal(number, ask)
    try:
        yield lambda: bool(asked)
    finally:
        for number, handler in former.items():
            signal.signal(number, handler)


class _Sitting:
    """One process's work on a run, from start or resumption to its limit; only the leader touches the folder."""

    def __init__(
        self,
        run: Path,
        training: Training,
        report: Report,
        evaluator: Evaluator | None,
        rhythm: Rhythm,
        say: Say,
    ) -> None:
        self.run, self.training, self.rhythm = run, training, rhythm
        self.report, self.say = report, say
        self.evaluator = evaluator
        self.leads = training.group.leads
        self.diary: Diary | None = None
        self.saved_step, self.saved_seconds = -1, training.seconds
        self.sampled, self.evaluated = self._place(rhythm.sample_kimg), self._place(rhythm.evaluate_kimg)
        self.tries: dict[int, int] = defaultdict(int)

    def begin(self) -> None:
        """Take up the run's diaries; before the first step, keep a checkpoint to roll back to."""
        if self.leads:
            self.diary = Diary(self.run, self.training.step, self.training.names)
        (self.judges,) = self.training.group.agree(self.evaluator is not None)
        if self.training.step == 0:
            self.save()
        self.saved_step = self.training.step
        self.training.group.wait()

    def step(self) -> None:
        """One step, and what is due after it.

        Raises:
            NotFiniteError: losses or weights are no numbers any more.
        """
        training, rhythm = self.training, self.rhythm
        figures = training.advance()
        if training.device.type == "cpu" or training.step % LOG_EVERY == 0:  # a GPU needn't wait for every figure
            self._read(figures)
        if self._place(rhythm.sample_kimg) != self.sampled:
            self.sampled = self._place(rhythm.sample_kimg)
            if self.diary:
                self.diary.sheet(training)
        if self._place(rhythm.evaluate_kimg) != self.evaluated:
            self.evaluated = self._place(rhythm.evaluate_kimg)
            self.evaluate()

    def _place(self, kimg: float) -> int:
        return int(self.training.sprites_seen // (kimg * 1000))

    def _read(self, figures: Figures) -> None:
        values = {name: value.item() for name, value in figures.items()}
        if not all(map(_finite, values.values())):
            raise NotFiniteError(f"step {self.training.step}: a loss is not finite ({values})")
        if self.diary:
            self.diary.figures(self.training, values)
            self.report(self.training, values)

    def checkpoint_is_due(self) -> bool:
        """Whether the last checkpoint is old enough."""
        return self.training.seconds - self.saved_seconds >= self.rhythm.checkpoint_seconds

    def save(self) -> None:
        """Keep a checkpoint, unless this step has one."""
        training = self.training
        if self.saved_step == training.step:
            return
        if not training.is_finite():
            raise NotFiniteError(f"step {training.step}: a weight is not finite")
        if self.diary:
            self.diary.flush()
            checkpoint.save_checkpoint(self.run, training.checkpoint())
        self.saved_step, self.saved_seconds = training.step, training.seconds
        training.group.wait()

    def evaluate(self) -> None:
        """Have the sprites judged; keep the checkpoint as the best where it is."""
        if not self.judges:
            return
        self.save()  # so that the best is never ahead of what a resumed run knows
        if self.diary and self.evaluator and not self.diary.evaluations.judged(self.training.step):
            verdict = self.evaluator(self.training)
            if self.diary.verdict(self.training, verdict):
                checkpoint.save_checkpoint(self.run, self.training.checkpoint(), keep=1, folder=checkpoint.BEST)
            self.say(
                f"{self.training.sprites_seen / 1000:.0f} thousand sprites: KID {verdict.kid:.1f} × 10⁻³ "
                f"({verdict.judge}, {verdict.samples} samples)"
            )
            self.report(self.training, {"kid": verdict.kid})
        self.training.group.wait()

    def worsens(self) -> bool:
        """Whether the kernel distance has risen too often in a row."""
        patience = self.rhythm.patience
        evaluations = self.diary.evaluations if self.diary else None
        worse = evaluations is not None and patience > 0 and evaluations.rises >= patience
        if evaluations and worse and (best := evaluations.best):
            self.say(
                f"stopped: KID rose {patience} times in a row. The best checkpoint, of step {best['step']} with "
                f"KID {best['kid']:.1f} × 10⁻³, is kept for the export."
            )
        return worse

    def roll_back(self, error: NotFiniteError) -> None:
        """Go back to the last checkpoint, and on from there with other random draws."""
        ran_away, tried = self.training.step, self.training.rollbacks
        saved, _ = checkpoint.load_checkpoint(self.run)
        if saved is None:
            raise error
        self.training.restore(saved)
        self.training.rollbacks = tried + 1
        step = self.saved_step = self.training.step
        self.saved_seconds = self.training.seconds
        self.sampled, self.evaluated = self._place(self.rhythm.sample_kimg), self._place(self.rhythm.evaluate_kimg)
        self.tries[step] += 1
        if self.tries[step] > TRIES:
            raise NotFiniteError(
                f"{error}, for the {TRIES + 1}th time after the checkpoint of step {step}, which can be exported. "
                f"To go further, train anew with another --seed, a smaller --set lr, or without --precision bfloat16."
            )
        self.say(f"{error}. Rolled back from step {ran_away} to {step}; going on with other random draws.")
        if self.diary:
            self.diary.rewind(step)

    def end(self) -> None:
        """The last checkpoint, judged; the last sheet; the curves."""
        self.save()
        self.evaluate()
        if self.diary:
            self.diary.sheet(self.training)
            self.diary.curves()

    def close(self) -> None:
        """Write what the diary still holds, also after an interrupt."""
        if self.diary:
            self.diary.close()


def _finite(value: float) -> bool:
    return value - value == 0


def device_named(name: str) -> torch.device:
    """``auto``, ``cpu`` or ``cuda`` as a device.

    Raises:
        DeviceError: CUDA was asked for and torch has none.
    """
    if name == "cuda" and not torch.cuda.is_available():
        raise DeviceError("--device cuda: this PyTorch sees no CUDA device. Install a CUDA build, or use --device cpu.")
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    return torch.device(name)
