"""How does a person see long work go on? A bar on stderr where that is a terminal, and nothing elsewhere.

An editor that runs assetgen sets ``ASSETGEN_PROGRESS=lines`` and reads ``progress: <what> <done>/<total>`` from stderr.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

Report = Callable[[str, int, int], None]


@contextmanager
def bar(show: bool = True) -> Iterator[Report]:
    """A function (what, done, total) that moves the bar; a new ``what`` begins a new bar."""
    if os.environ.get("ASSETGEN_PROGRESS") == "lines":
        yield lambda what, done, total: print(f"progress: {what} {done}/{total}", file=sys.stderr, flush=True)
        return
    if not show or not sys.stderr.isatty():
        yield lambda what, done, total: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description:<20}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True)) as progress:
        tasks = {}

        def report(what: str, done: int, total: int) -> None:
            if what not in tasks:
                tasks[what] = progress.add_task(what, total=total)
            progress.update(tasks[what], completed=done, total=total)

        yield report
