"""Long work is seen going on where there is a person to see it, and nowhere else."""

from __future__ import annotations

import io
import sys
from pathlib import Path

import pytest

from asset_gen.cli.progress import bar
from tests.conftest import Cli


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


@pytest.mark.parametrize(("terminal", "show"), [(True, False), (False, True)], ids=["quiet", "a log file"])
def test_there_are_no_bars_when_quiet_and_none_in_a_log_file(
    terminal: bool, show: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    screen = Screen(terminal, monkeypatch)
    with bar(show) as report:
        report("drawing candidates", 1, 4)
    assert screen.getvalue() == ""


def test_programs_that_run_assetgen_get_lines(
    cli: Cli, bundle: Path, game: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ASSETGEN_PROGRESS", "lines")
    done = cli("batch", "--project", game, "--model", bundle, "--count", 8, "--json")
    lines = done.err.splitlines()
    assert lines and all(line.startswith("progress: ") for line in lines)
    assert "progress: drawing candidates 32/32" in lines
    assert lines[-1] == "progress: writing sheets 4/4"
