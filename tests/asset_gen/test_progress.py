"""Long work is seen going on where there is a person to see it, and nowhere else."""

from __future__ import annotations

import io
import sys
from types import SimpleNamespace
from typing import TYPE_CHECKING, cast

import pytest

from asset_gen.cli.progress import bar
from asset_gen.cli.train import _progress

if TYPE_CHECKING:
    from trainer.loop import Training
    from trainer.run import Limit

FIGURES = {"loss_g": 0.75, "loss_d": 1.25}
LIMIT = cast("Limit", SimpleNamespace(share=lambda training: training.step / 10))
HALF_WAY = cast("Training", SimpleNamespace(step=5))


class Screen(io.StringIO):
    """stderr, where it is a terminal or not."""

    def __init__(self, terminal: bool, monkeypatch: pytest.MonkeyPatch) -> None:
        super().__init__()
        self.terminal = terminal
        for name, value in (("TERM", "xterm"), ("COLUMNS", "100"), ("NO_COLOR", "1")):
            monkeypatch.setenv(name, value)
        monkeypatch.setattr(sys, "stderr", self)

    def isatty(self) -> bool:
        return self.terminal


def test_a_batch_shows_one_bar_after_another(monkeypatch: pytest.MonkeyPatch) -> None:
    screen = Screen(True, monkeypatch)
    with bar() as report:
        for done in range(5):
            report("drawing candidates", done, 4)
        report("choosing", 1, 1)
    shown = screen.getvalue()
    assert "drawing candidates" in shown
    assert "4/4" in shown
    assert "choosing" in shown


def test_a_training_shows_how_far_it_is_and_its_losses(monkeypatch: pytest.MonkeyPatch) -> None:
    screen = Screen(True, monkeypatch)
    with _progress(LIMIT, show=True) as report:
        report(HALF_WAY, FIGURES)
    assert "50%" in screen.getvalue()
    assert "step 5  G 0.75  D 1.25" in screen.getvalue()


@pytest.mark.parametrize(("terminal", "show"), [(True, False), (False, True)], ids=["quiet", "a log file"])
def test_there_are_no_bars_when_quiet_and_none_in_a_log_file(
    terminal: bool, show: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    screen = Screen(terminal, monkeypatch)
    with bar(show) as report, _progress(LIMIT, show) as other:
        report("drawing candidates", 1, 4)
        other(HALF_WAY, FIGURES)
    assert screen.getvalue() == ""
