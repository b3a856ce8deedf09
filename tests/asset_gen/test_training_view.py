"""A person at a terminal sees where a training is, and a log shows that it lives."""

from __future__ import annotations

import io
import sys
from types import SimpleNamespace
from typing import TYPE_CHECKING, cast

import click
import pytest

from asset_gen.cli.training_view import Pace, duration, training_view

if TYPE_CHECKING:
    from trainer.loop import Training
    from trainer.run import Limit

FIGURES = {"loss_g": 0.75, "loss_d": 1.25, "d_real": 0.6, "d_fake": 0.4}
LIMIT = cast("Limit", SimpleNamespace(share=lambda training: training.step / 1000))


def at(step: int) -> Training:
    return cast("Training", SimpleNamespace(step=step, sprites_seen=64 * step, seconds=0.5 * step))


class Clock:
    """Time that passes when told so."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


class Screen(io.StringIO):
    """stderr, where it is a terminal or not."""

    def __init__(self, terminal: bool, monkeypatch: pytest.MonkeyPatch) -> None:
        super().__init__()
        self.terminal = terminal
        for name, value in (("TERM", "xterm"), ("COLUMNS", "120"), ("NO_COLOR", "1")):
            monkeypatch.setenv(name, value)
        monkeypatch.setattr(sys, "stderr", self)

    def isatty(self) -> bool:
        return self.terminal


def test_pace_tells_speed_and_the_time_that_is_left() -> None:
    clock = Clock()
    pace = Pace(clock)
    pace.mark(at(0), LIMIT, {})
    assert pace.remaining is None
    assert "kimg/s" not in pace.figures(at(0))
    clock.now += 50
    pace.mark(at(100), LIMIT, FIGURES)
    assert pace.kimg_per_second == pytest.approx(6.4 / 50)
    assert pace.remaining == pytest.approx(450)
    pace.mark(at(1000), LIMIT, FIGURES)
    assert pace.remaining == 0


def test_pace_is_that_of_the_last_minutes_and_of_this_sitting() -> None:
    clock = Clock()
    pace = Pace(clock)
    for step in range(500, 600, 10):  # resumed at step 500, slow at first: 100 s a step
        pace.mark(at(step), LIMIT, {})
        clock.now += 1000
    for step in range(600, 900):
        pace.mark(at(step), LIMIT, {})
        clock.now += 1
    assert pace.kimg_per_second == pytest.approx(0.064)
    assert pace.remaining == pytest.approx(101)


def test_the_kernel_distance_stays_in_view_until_the_next_one() -> None:
    pace = Pace(Clock())
    pace.mark(at(10), LIMIT, FIGURES)
    pace.mark(at(10), LIMIT, {"kid": 31.25})
    pace.mark(at(11), LIMIT, FIGURES)
    assert pace.figures(at(11)) == "step 11  0.7 kimg  G 0.75  D 1.25  D(x) 0.60  D(G(z)) 0.40  KID 31.2"


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(None, "-:--"), (float("inf"), "-:--"), (0, "0:00"), (59.6, "1:00"), (3599, "59:59"), (5050, "1:24:10")],
)
def test_durations_are_written_as_on_a_clock(seconds: float | None, text: str) -> None:
    assert duration(seconds) == text


def test_a_terminal_shows_a_bar_with_figures_below_and_messages_above(monkeypatch: pytest.MonkeyPatch) -> None:
    screen, clock = Screen(True, monkeypatch), Clock()
    with training_view(LIMIT, show=True, clock=clock) as report:
        report(at(0), FIGURES)
        clock.now += 50
        report(at(500), FIGURES)
        click.echo("100 thousand sprites: KID 31.2", err=True)
    shown = screen.getvalue()
    assert "50%" in shown
    assert "0:50 left" in shown
    assert "step 500  32.0 kimg  0.64 kimg/s  G 0.75  D 1.25  D(x) 0.60  D(G(z)) 0.40" in shown
    assert "100 thousand sprites: KID 31.2" in shown
    assert shown.rindex("100 thousand sprites") < shown.rindex("step 500")


def test_a_log_shows_a_plain_line_at_once_and_one_a_minute(monkeypatch: pytest.MonkeyPatch) -> None:
    screen, clock = Screen(False, monkeypatch), Clock()
    with training_view(LIMIT, show=True, clock=clock) as report:
        for step in range(1, 301):  # half a second each
            report(at(step), FIGURES)
            clock.now += 0.5
    lines = screen.getvalue().splitlines()
    assert len(lines) == 3
    assert lines[0].startswith("  0%  -:-- left  step 1  0.1 kimg  G 0.75")
    assert lines[1].startswith(" 12%  7:20 left  step 121  7.7 kimg  0.128 kimg/s  G 0.75")
    assert "\x1b" not in screen.getvalue()


@pytest.mark.parametrize("terminal", [True, False])
def test_a_quiet_training_shows_nothing(terminal: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    screen = Screen(terminal, monkeypatch)
    with training_view(LIMIT, show=False) as report:
        report(at(5), FIGURES)
    assert screen.getvalue() == ""
