"""How does a batch grow with Ray's workers, beside the engine of one process? Rows of the subject ``scaling``.

A run whose files aren't those of the first one fails, and nothing is reported. A run is repeated
if other processes were busy meanwhile: they take more from Ray's workers, which are nice, than from the local engine.
"""

from __future__ import annotations

import os
import re
import statistics
import subprocess
import threading
import time
from collections import defaultdict
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

import numpy as np

from asset_gen.runtime import cores
from tests.benchmarks.bench import batch
from tests.benchmarks.harness import Row, fresh_folder

COUNT, OVERSAMPLE = 1500, 4
SHORT = 17
"""Sprites, one of each type, of the command that tells what starting costs."""
GOAL = 0.9
LOCAL = ("--engine", "local")
OTHERS = 0.03
"""Share of all cores that other processes may take of a run."""
UNSEEN = 0.3
"""Seconds of a run that look like theirs: after the last look at a process, and of those that are soon over."""
TRIES = 12
"""Times that a run is made for one that counts."""
PATIENCE = 60
"""Seconds to wait for a quiet machine before each of them."""
LOOK = 0.1
"""Seconds between two looks at what processes have used; what one uses after the last look isn't counted."""
TICK = os.sysconf("SC_CLK_TCK")
REPORT = re.compile(r"progress: drawing candidates (\d+)/")
VOLATILE = ("lock", "decisions.lock", "history")
"""Files and folders of a project that tell when it was made."""


@dataclass(frozen=True, slots=True)
class Run:
    """What a batch took."""

    rate: float
    """Candidates a second: the slope of their number over time, from one report to the next, by least squares."""
    clock: float
    """Seconds of the whole command."""
    cpu: float
    """Seconds of the command's processes and of all below them."""
    others: float
    """Share of all cores that other processes took meanwhile."""
    files: dict[str, str]
    """Path → sha256 of what it left."""


def rows(runs: int) -> list[Row]:
    """The local engine, and Ray with one worker and with one a core, in turn."""
    engines = {"local": LOCAL} | {
        f"Ray, {workers} worker{'s' * (workers > 1)}": ("--engine", "ray", "--ray-workers", str(workers))
        for workers in sorted({1, cores()})
    }
    starts: dict[str, list[Run]] = defaultdict(list)
    found: dict[str, list[Run]] = defaultdict(list)
    for _ in range(runs):
        for name, options in engines.items():
            for into, count in ((starts, SHORT), (found, COUNT)):
                into[name].append(quiet_run(count, options))
    for into in (starts, found):
        check_same(into)
    return table(starts, found, runs)


def table(starts: dict[str, list[Run]], found: dict[str, list[Run]], runs: int) -> list[Row]:
    """Rate, CPU and clock of every engine beside those of the first one."""
    rates, clocks, cpus, begins = (
        {name: statistics.median(getattr(run, what) for run in took) for name, took in source.items()}
        for what, source in (("rate", found), ("clock", found), ("cpu", found), ("clock", starts))
    )
    first, *others = found
    last = others[-1]
    table = [Row(f"candidates a second, {first}", f"{rates[first]:.0f}", runs=runs)]
    for name in others:
        ratio, judged = rates[name] / rates[first], name == last
        what, measured, peer = f"candidates a second, {name}", f"{rates[name]:.0f}: {ratio:.2f}×", f"{rates[first]:.0f}"
        goal = f"≥ {GOAL}×" if judged else "–"
        table.append(Row(what, measured, f"{peer}, {first}", goal, ratio >= GOAL if judged else None, runs))
    for name in others:
        more = begins[name] - begins[first]
        what = f"seconds that `--count {SHORT}` takes longer, {name}"
        table.append(Row(what, f"{more:.1f} s", f"{begins[first]:.1f} s in all, {first}", runs=runs))
    for name in found:
        what = f"`--count {COUNT}`, {name}: seconds of CPU; by the clock, start and end too"
        table.append(Row(what, f"{cpus[name]:.1f} s; {clocks[name]:.1f} s", runs=runs))
    count = len(found[first][0].files)
    table.append(Row(f"files of `--count {COUNT}` that are the same, byte by byte", f"all {count}", runs=runs))
    return table


def quiet_run(count: int, options: Sequence[str]) -> Run:
    """A batch that had the machine for itself.

    Raises:
        SystemExit: none had.
    """
    for _ in range(TRIES):
        _wait_for_others()
        project = fresh_folder()
        took = run([*batch(count, project), "--oversample", str(OVERSAMPLE), *options], project)
        print(f"{count} {options}: {took.rate:.0f}/s, {took.cpu:.1f} s, others {took.others:.1%}", flush=True)
        if took.others <= OTHERS:
            return took
    raise SystemExit(f"other processes took {took.others:.0%} of all cores; measure on a quiet machine")


def run(command: list[str], project: Path) -> Run:
    """A batch from start to end.

    Raises:
        SystemExit: it fails.
    """
    begun, busy = time.perf_counter(), _busy()
    used: dict[tuple[int, int], float] = {}
    ended = threading.Event()
    reports, rest = [], []
    with subprocess.Popen(
        command,
        env=os.environ | {"ASSETGEN_PROGRESS": "lines"},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        errors="replace",
    ) as process:
        assert process.stderr is not None
        looking = threading.Thread(target=_look, args=(process.pid, used, ended))
        looking.start()
        try:
            for line in process.stderr:
                if report := REPORT.match(line):
                    reports.append((time.perf_counter() - begun, int(report[1])))
                elif not line.startswith("progress: "):
                    rest.append(line)
            code = process.wait()
            clock, busy = time.perf_counter() - begun, _busy() - busy
        finally:
            ended.set()
            looking.join()
    if code or rest:
        raise SystemExit(f"{command[3:]}: exit {code}: {''.join(rest)}")
    times, counts = np.array(reports, float).T
    rate = float(np.polyfit(times, counts, 1)[0]) if len(reports) > 1 else float("nan")
    cpu = sum(used.values())
    return Run(rate, clock, cpu, (busy - cpu - UNSEEN) / (clock * cores()), files(project))


def _wait_for_others() -> None:
    """Until they leave the machine alone for a second, or for as long as there is patience."""
    for _ in range(PATIENCE):
        busy = _busy()
        time.sleep(1)
        if _busy() - busy <= OTHERS * cores():
            return


def _busy() -> float:
    """Seconds for which the machine's cores have worked."""
    user, nice, system = Path("/proc/stat").read_text(encoding="ascii").split()[1:4]
    return (int(user) + int(nice) + int(system)) / TICK


def _look(root: int, used: dict[tuple[int, int], float], ended: threading.Event) -> None:
    """Keep what ``root`` and every process below it have used so far, by (process, when it began).

    Ray's workers are waited for by nobody who would tell the kernel's sum of them.
    """
    while not ended.wait(LOOK):
        seen, below = {}, defaultdict(list)
        for path in Path("/proc").glob("[0-9]*/stat"):
            with suppress(OSError):
                fields = path.read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
                process = int(path.parent.name)
                seen[process] = (process, int(fields[19])), (int(fields[11]) + int(fields[12])) / TICK
                below[int(fields[1])].append(process)
        ours = [root]
        for process in ours:
            ours += below[process]
        used.update(seen[process] for process in ours if process in seen)


def files(project: Path) -> dict[str, str]:
    """Path → sha256 of every file that doesn't tell when it was made."""
    return {
        path.relative_to(project).as_posix(): sha256(path.read_bytes()).hexdigest()
        for path in project.rglob("*")
        if path.is_file() and not set(path.relative_to(project).parts) & set(VOLATILE)
    }


def check_same(found: dict[str, list[Run]]) -> None:
    """
    Raises:
        SystemExit: a run left other files than the first one.
    """
    (name, (wanted, *_)), *_ = found.items()
    for other, took in found.items():
        for run in took:
            if differing := {path for path, _ in run.files.items() ^ wanted.files.items()}:
                raise SystemExit(f"{other} and {name} differ in {len(differing)} files: {sorted(differing)[:5]}")
