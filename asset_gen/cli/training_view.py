"""How does a person see a training go on? A live bar where stderr is a terminal, a line a minute in a log."""

from __future__ import annotations

import math
import sys
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from trainer.loop import Training
    from trainer.run import Limit

Report = Callable[["Training", Mapping[str, float]], None]
SHOWN = (  # (key of the figures, what a person reads, digits)
    ("loss_g", "G", 2),
    ("loss_d", "D", 2),
    ("d_real", "D(x)", 2),
    ("d_fake", "D(G(z))", 2),
    ("kid", "KID", 1),
)
WINDOW = 120.0  # seconds over which speed is measured
LINE_SECONDS = 60.0


class Pace:
    """How far is the training, how fast does it go, and when will it end?

    Time is the clock's, so evaluations and checkpoints count; marks before the last ``WINDOW`` seconds are forgotten,
    so a resumed training's earlier sittings don't.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.clock = clock
        self.share = 0.0
        """How much of the way is done, 0–1."""
        self._marks: deque[tuple[float, float, float]] = deque()
        self._figures: dict[str, float] = {}

    def mark(self, training: Training, limit: Limit, figures: Mapping[str, float]) -> None:
        """The training is here now. Figures stay until newer ones of their name come, as KID does now and then."""
        now = self.clock()
        self.share = limit.share(training)
        self._figures |= figures
        self._marks.append((now, self.share, training.sprites_seen / 1000))
        while len(self._marks) > 2 and now - self._marks[1][0] > WINDOW:
            self._marks.popleft()

    @property
    def kimg_per_second(self) -> float:
        """Thousands of sprites a second; 0 while it isn't known."""
        (begun, _, before), (now, _, kimg) = self._marks[0], self._marks[-1]
        return max(0.0, kimg - before) / (now - begun) if now > begun else 0.0

    @property
    def remaining(self) -> float | None:
        """Seconds until the limit; None while it isn't known."""
        (begun, before, _), (now, share, _) = self._marks[0], self._marks[-1]
        if share >= 1:
            return 0.0
        return (1 - share) * (now - begun) / (share - before) if share > before else None

    def figures(self, training: Training) -> str:
        """Place, speed and figures in a line."""
        words = [f"step {training.step:,}", f"{training.sprites_seen / 1000:,.1f} kimg"]
        if self.kimg_per_second:
            words.append(f"{self.kimg_per_second:.3g} kimg/s")
        words += [f"{name} {self._figures[key]:.{digits}f}" for key, name, digits in SHOWN if key in self._figures]
        return "  ".join(words)


def duration(seconds: float | None) -> str:
    """``1:24:10``; ``-:--`` where it isn't known."""
    if seconds is None or not math.isfinite(seconds):
        return "-:--"
    minutes, second = divmod(round(seconds), 60)
    hours, minute = divmod(minutes, 60)
    return f"{hours}:{minute:02d}:{second:02d}" if hours else f"{minute}:{second:02d}"


@contextmanager
def training_view(limit: Limit, show: bool, clock: Callable[[], float] = time.monotonic) -> Iterator[Report]:
    """A function (training, figures) that shows them; ``figures`` may hold any of the keys of ``SHOWN``."""
    if not show:
        yield lambda training, figures: None
    elif sys.stderr.isatty():
        with _live(limit, Pace(clock)) as report:
            yield report
    else:
        yield _lines(limit, Pace(clock), clock)


def _lines(limit: Limit, pace: Pace, clock: Callable[[], float]) -> Report:
    """A line at the first report, then one a minute."""
    due = -math.inf

    def report(training: Training, figures: Mapping[str, float]) -> None:
        nonlocal due
        pace.mark(training, limit, figures)
        if clock() < due:
            return
        due = clock() + LINE_SECONDS
        click.echo(f"{pace.share:4.0%}  {duration(pace.remaining)} left  {pace.figures(training)}", err=True)

    return report


@contextmanager
def _live(limit: Limit, pace: Pace) -> Iterator[Report]:
    """A bar with the time that is left, and the figures below; what else is printed meanwhile appears above."""
    from rich.console import Console, Group
    from rich.live import Live
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn
    from rich.text import Text

    bar = Progress(
        TextColumn("training"), BarColumn(None), TaskProgressColumn(), TextColumn("{task.fields[left]} left")
    )
    task = bar.add_task("", total=1.0, left=duration(None))
    figures_line = Text()
    # twice a second: a training wants the processor for itself
    with Live(Group(bar, figures_line), console=Console(stderr=True), refresh_per_second=2) as shown:

        def report(training: Training, figures: Mapping[str, float]) -> None:
            pace.mark(training, limit, figures)
            bar.update(task, completed=pace.share, left=duration(pace.remaining))
            figures_line.plain = pace.figures(training)

        yield report
        shown.refresh()
