"""How fast and how frugal is a watch? python tests/benchmarks/watch.py [--changes N] [--idle MINUTES] [--json FILE]

Real processes with the built-in model. A change is one candidate moved to the folder of rejected ones; its latency ends
when the new manifest lies on disk. Processor time is what the kernel counts for the whole process. In the last part an
observer drops 30 % of its events, 10,000 other files lie beside the sheets, and files are deleted at random.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

OUT = "assets/generated"
DROPPING = """
import random
from asset_gen.watch import loop, observe
chance, real, dropped = random.Random(0), observe.Hints.on_any_event, [0]
def deaf(self, event):
    if chance.random() < 0.3:
        dropped[0] += 1
    else:
        real(self, event)
observe.Hints.on_any_event = deaf
loop.LOOK_SECONDS = 5.0
import atexit, sys
atexit.register(lambda: print(f"dropped {dropped[0]}", file=sys.stderr))
"""


class Watched:
    """A running ``assetgen watch``."""

    def __init__(self, project: Path, prepare: str = "") -> None:
        code = f"{prepare}\nfrom asset_gen.cli import main; main()"
        command = [sys.executable, "-c", code, "watch", "--project", str(project), "--json", "--device", "cpu"]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.events: list[dict[str, Any]] = []
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.events.append(json.loads(line))

    def count(self, kind: str) -> int:
        """How many events of a kind were told."""
        return sum(event["event"] == kind for event in self.events)

    def cpu(self) -> float:
        """Seconds of processor time so far, user and system."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def end(self) -> str:
        """Stop it; returns what it said on stderr."""
        self.process.terminate()
        self.process.wait()
        self._reader.join()
        assert self.process.stderr is not None
        return self.process.stderr.read()


@contextmanager
def watched(project: Path, prepare: str = "") -> Iterator[Watched]:
    """A watch that has come to rest."""
    watch = Watched(project, prepare)
    try:
        wait_for(lambda: watch.count("watching") > 0, 300)
        yield watch
    finally:
        if watch.process.poll() is None:
            watch.end()


def wait_for(true: Callable[[], bool], seconds: float = 60) -> float:
    """Wait until it is true; returns the seconds that took."""
    begun = time.monotonic()
    while not true():
        if time.monotonic() - begun > seconds:
            raise SystemExit("it never came true")
        time.sleep(0.005)
    return time.monotonic() - begun


def sprites(project: Path) -> list[dict[str, Any]]:
    """All published sprites, as the manifest lists them."""
    manifest = json.loads((project / OUT / "manifest.json").read_text())
    return [sprite | {"run": manifest["run"]} for sheet in manifest["sheets"] for sprite in sheet["sprites"]]


def latencies(project: Path, changes: int) -> list[float]:
    """Seconds from a rejection to the new manifest."""
    chance = random.Random(0)
    found = []
    with watched(project) as watch:
        for _ in range(changes):
            sprite = chance.choice(sprites(project))
            quiet = watch.count("watching")
            before = (project / OUT / "manifest.json").stat().st_mtime_ns
            reject = project / OUT / "candidates~" / "reject" / f"{sprite['name']}.png"
            reject.write_bytes(b"a sprite by its name")
            found.append(wait_for(lambda before=before: _newer(project, before)))  # type: ignore[misc]
            wait_for(lambda quiet=quiet: watch.count("watching") > quiet)  # type: ignore[misc]
    return found


def _newer(project: Path, before: int) -> bool:
    return (project / OUT / "manifest.json").stat().st_mtime_ns != before


def idle_share(project: Path, minutes: float) -> float:
    """Share of one processor that a watch takes when nothing happens."""
    with watched(project) as watch:
        time.sleep(2)
        begun, before = time.monotonic(), watch.cpu()
        time.sleep(minutes * 60)
        return (watch.cpu() - before) / (time.monotonic() - begun)


def published(project: Path) -> dict[str, bytes]:
    """What engines see, without the files in the way."""
    out = project / OUT
    return {
        path.relative_to(out).as_posix(): path.read_bytes()
        for path in sorted(out.rglob("*"))
        if path.is_file() and not path.relative_to(out).parts[0].startswith(("candidates~", "clutter"))
    }


def torture(project: Path, rounds: int, files: int) -> dict[str, int]:
    """Deletions under an observer that drops events: how many there were, and how many files came back."""
    clutter = project / OUT / "clutter"
    clutter.mkdir()
    for number in range(files):
        (clutter / f"{number:05d}.txt").write_text("in the way")
    before = published(project)
    chance = random.Random(1)
    deleted = 0
    watch = Watched(project, DROPPING)
    wait_for(lambda: watch.count("watching") > 0, 300)
    for _ in range(rounds):
        for path in chance.sample(sorted(set(before) - {"manifest.json"}), 5):
            (project / OUT / path).unlink(missing_ok=True)
            deleted += 1
        for path in chance.sample(sorted(clutter.iterdir()), 50):
            path.write_text("in the way, and changed")
        time.sleep(chance.uniform(0, 1))
    wait_for(lambda: published(project) == before, 120)
    dropped = int(watch.end().split("dropped ")[1].split()[0])
    after = published(project)
    return {
        "files deleted": deleted,
        "events dropped": dropped,
        "files that differ in the end": sum(after.get(path) != data for path, data in before.items()),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--changes", type=int, default=30)
    parser.add_argument("--idle", type=float, default=10.0, metavar="MINUTES")
    parser.add_argument("--count", type=int, default=500, help="sprites in the project")
    parser.add_argument("--rounds", type=int, default=20, help="of deletions under an observer that drops events")
    parser.add_argument("--files", type=int, default=10_000, help="other files beside the sheets")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        project = Path(folder) / "game"
        project.mkdir()
        (project / "assetgen.toml").write_text(f"count = {options.count}\n")
        seconds = sorted(latencies(project, options.changes))
        figures: dict[str, float] = {
            "changes": len(seconds),
            "latency p50, s": round(statistics.median(seconds), 3),
            "latency p99, s": round(seconds[min(len(seconds) - 1, round(0.99 * (len(seconds) - 1)))], 3),
            "idle minutes": options.idle,
            "CPU share when idle, %": round(100 * idle_share(project, options.idle), 3),
            **torture(project, options.rounds, options.files),
        }
    print("| figure | measured | limit |\n|---|---|---|")
    limits = {"latency p99, s": "≤ 2", "CPU share when idle, %": "≤ 0.2", "files that differ in the end": "0"}
    for name, value in figures.items():
        print(f"| {name} | {value} | {limits.get(name, '')} |")
    if options.json:
        options.json.write_text(json.dumps(figures, indent=1) + "\n")


if __name__ == "__main__":
    main()
