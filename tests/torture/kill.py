"""SIGKILL at random moments: python tests/torture/kill.py [--kills N] [--what NAMES] [--seed S] [--json FILE]

Each command runs in a process of its own, forked from one that has loaded its modules, so that no kill is wasted on
imports; moments are drawn over how long the command takes undisturbed, but for a quarter of them, which fall when a
change has just been decided. fsync and rename take 20 ms more than the disk needs, and drawing 64 candidates 100 ms
more, so that kills fall into all of it. After every kill, and after kills of the recovery, too:

* torn: no published file is anything but the old or the new one, byte for byte, and none that both have is missing;
* lost: the picture of every sprite that stays lies on its sheet, at its old or its new place;
* edited: what a person edited is as they left it;
* then the same command runs to its end (a watch: ``--once``), ``assetgen verify`` finds nothing, and nothing is left
  over of what was staged;
* differing: the whole project (of a training: the last checkpoint's tensors) is, byte for byte, that of an
  undisturbed run.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import signal
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from functools import partial
from hashlib import sha256
from importlib import import_module
from io import BytesIO
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[2]))

import numpy as np
from PIL import Image

from asset_gen import judge, staged
from asset_gen.decisions import NAME as DECISIONS
from asset_gen.decisions import read_decisions
from tests.creatures import write_set
from tests.fakes import write_bundle

OUT = "assets/generated"
DISK_SECONDS = 0.02
BATCH_SECONDS = 0.1
AGAIN = 0.25
"""Share of recoveries that are killed, too."""
PATIENCE = 60.0
"""Seconds after which an aimed kill falls anyway."""
AIMED = 0.25
"""Share of kills that are aimed: they fall within a tenth of a second after a change was decided."""
HEAVY = ("onnx", "onnxruntime")
MEASURE_EVERY = 10
"""Rounds after which an undisturbed run is timed anew, since a busy machine's speed drifts."""

Tree = Mapping[str, bytes]
"""Path → content of every file below a folder, assetgen's own state left out."""


def tree_of(folder: Path) -> dict[str, bytes]:
    """What an engine, or a person, sees."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and ".assetgen" not in path.parts and path.name != DECISIONS
    }


def decided_in(project: Path) -> set[tuple[str, str]]:
    """(subject, action) of every decision; when it was made differs from run to run."""
    return {(line.subject, line.action) for line in read_decisions(project).lines}


def start(arguments: list[str], log: Path) -> int:
    """``assetgen`` in a forked process; returns its id. What it says goes to ``log``."""
    sys.stdout.flush()
    child = os.fork()
    if child:
        return child
    code = 70
    try:
        handle = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        os.dup2(handle, 1)
        os.dup2(handle, 2)
        for name in ("fsync", "replace", "rename"):
            setattr(os, name, partial(_slowly, DISK_SECONDS, getattr(os, name)))
        if arguments[0] == "train":
            _hurry()
        else:
            staged.BATCHES = 1  # so that few candidates fill a block
            judge.look = partial(_slowly, BATCH_SECONDS, judge.look)
        from asset_gen.cli import run

        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        code = run(arguments)
    finally:
        os._exit(code)


def _slowly(seconds: float, call: Callable[..., Any], *arguments: Any, **named: Any) -> Any:
    """As on a slow disk, or with a large model."""
    time.sleep(seconds)
    return call(*arguments, **named)


def _hurry() -> None:
    """A short training as eventful as a long one: checkpoints all the time, a classifier and a judge of little work."""
    import trainer.classifier
    import trainer.job
    import trainer.run

    trainer.classifier.STEPS = (2, 2)
    trainer.job.Evaluator = partial(trainer.job.Evaluator, samples=32)
    trainer.run.Rhythm = partial(trainer.run.Rhythm, checkpoint_seconds=0.02)


def finish(arguments: list[str], log: Path) -> float:
    """Run to the end; seconds it took.

    Raises:
        SystemExit: it failed.
    """
    begun = time.monotonic()
    _, status = os.waitpid(start(arguments, log), 0)
    if code := os.waitstatus_to_exitcode(status):
        raise SystemExit(f"assetgen {' '.join(arguments)}: exit {code}\n{log.read_text()}")
    return time.monotonic() - begun


def kill(arguments: list[str], after: float, log: Path, aim: Callable[[], bool] | None = None) -> bool:
    """Start, and SIGKILL after so many seconds (``aim``: counted from when it is true); whether it was at work."""
    child, done, status = start(arguments, log), 0, 0
    limit = time.monotonic() + PATIENCE
    while aim is not None and not aim() and not done and time.monotonic() < limit:
        time.sleep(0.001)
        done, status = os.waitpid(child, os.WNOHANG)
    if not done:
        time.sleep(after)
        os.kill(child, signal.SIGKILL)
        _, status = os.waitpid(child, 0)
    if os.WIFSIGNALED(status):
        return True
    if code := os.waitstatus_to_exitcode(status):
        raise SystemExit(f"assetgen {' '.join(arguments)}: exit {code}\n{log.read_text()}")
    return False


@dataclass
class Row:
    """A line of the torture table."""

    command: str
    kills: int = 0
    recoveries_killed: int = 0
    """Of the kills."""
    decided: int = 0
    """Kills after which a journal, or a checkpoint half written, waited."""
    drawn: int = 0
    """Kills after which candidates waited that were drawn already."""
    torn: int = 0
    lost: int = 0
    edited: int = 0
    left: int = 0
    """Files of ours that nothing will ever read, after the run that made good."""
    differing: int = 0
    seconds: float = 0
    """An undisturbed run takes, as median."""
    moments: list[float | str] = field(default_factory=list)
    """Shares of that time at which kills fell; ``aimed``: when a change had just been decided."""


class Batch:
    """A project with sprites, some of which somebody edited, is asked for more, fewer and others of them."""

    name = "batch"
    first = ("--types", "beetle=6,flask=4", "--oversample", "16")
    then = ("--types", "beetle=9,mushroom=4", "--oversample", "16", "--yes")
    edited = f"{OUT}/beetle/beetle.json"
    gone = frozenset[str]()
    """What a person deleted: missing until it is made again."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.log = folder, folder / "log"
        self.old, self.new, self.place = folder / "old", folder / "new", folder / "game"
        self.model = write_bundle(folder / "model")
        self.old.mkdir(parents=True)
        self.prepare()
        with (self.old / self.edited).open("a") as file:
            file.write("\n")
        shutil.copytree(self.old, self.new)
        self.seconds = finish(self.completing(self.new), self.log)
        self.before, self.after = tree_of(self.old), tree_of(self.new)

    def prepare(self) -> None:
        """What is there before."""
        finish(self.command(self.old, *self.first), self.log)

    def command(self, project: Path, *more: str) -> list[str]:
        return ["batch", "-q", "--project", str(project), "--model", str(self.model), *more]

    def disturbed(self, project: Path) -> list[str]:
        """What is killed."""
        return self.command(project, *self.then)

    def completing(self, project: Path) -> list[str]:
        """What makes good."""
        return self.disturbed(project)

    def reset(self) -> None:
        shutil.rmtree(self.place, ignore_errors=True)
        shutil.copytree(self.old, self.place)

    def decided(self) -> bool:
        """Whether a journal waits to be carried out."""
        return (self.place / ".assetgen" / "journal.json").exists()

    def inspect(self, row: Row) -> None:
        """After a kill."""
        row.drawn += any(self.place.glob(f".assetgen/{staged.FOLDER}/*/*"))
        found = tree_of(self.place)
        row.torn += sum(data not in (self.before.get(path), self.after.get(path)) for path, data in found.items())
        row.torn += len((self.before.keys() & self.after.keys()) - found.keys() - self.gone)
        row.edited += found.get(self.edited) != self.before[self.edited]
        row.lost += len(lost(self.before, self.after, found))

    def compare(self, row: Row) -> None:
        """After the run that made good."""
        finish(["verify", "--project", str(self.place)], self.log)
        found = tree_of(self.place)
        row.differing += sum(found.get(path) != self.after.get(path) for path in {*found, *self.after})
        row.differing += decided_in(self.place) != decided_in(self.new)
        row.left += sum(path.name not in STATE for path in (self.place / ".assetgen").iterdir())


STATE = (
    ".gdignore",
    ".gitignore",
    "history",
    "lock",
    "decisions.lock",
    "catalogue.lock",
    "catalogue.sqlite",
    "rejected",
)
"""What assetgen's own folder holds when nothing is under way."""


def sheets_of(tree: Tree) -> dict[str, tuple[str, tuple[int, int, int, int], dict[str, Any]]]:
    """Sprite → (its sheet, its rectangle there, its origin), by a project's manifest."""
    manifest = json.loads(tree[f"{OUT}/manifest.json"])
    return {
        sprite["name"]: (f"{OUT}/{sheet['image']}", tuple(sprite["rect"]), sprite["origin"])
        for sheet in manifest["sheets"]
        for sprite in sheet["sprites"]
    }


def pixels_of(tree: Tree, sheet: str, rect: tuple[int, int, int, int]) -> bytes | None:
    """A region's RGBA bytes; None where there is no such sheet, or it breaks off."""
    try:
        picture = np.asarray(Image.open(BytesIO(tree[sheet])).convert("RGBA"))
    except (KeyError, OSError, SyntaxError):
        return None
    x, y, width, height = rect
    return picture[y : y + height, x : x + width].tobytes()


def lost(before: Tree, after: Tree, found: Tree) -> list[str]:
    """Sprites that stay, and whose picture is on their sheet neither at their old nor at their new place."""
    old, new = sheets_of(before), sheets_of(after)
    gone = []
    for name in old.keys() & new.keys():
        sheet, rect, origin = old[name]
        if origin != new[name][2]:
            continue
        picture = pixels_of(before, sheet, rect)
        if picture not in (pixels_of(found, sheet, rect), pixels_of(found, *new[name][:2])):
            gone.append(name)
    return gone


class Watch(Batch):
    """The same while a watch runs: a recipe changes, a file goes, a sprite is moved to where the rejected ones go."""

    name = "watch"
    gone = frozenset({f"{OUT}/provenance.json"})

    def prepare(self) -> None:
        self.say("beetle = 6\nflask = 4")
        finish(self.completing(self.old), self.log)
        self.say("beetle = 9\nmushroom = 4")
        for path in self.gone:
            (self.old / path).unlink()
        manifest = json.loads((self.old / OUT / "manifest.json").read_text())
        index = manifest["sheets"][0]["sprites"][2]["origin"]["index"]
        candidates = self.old / OUT / "candidates~"
        reject = candidates / "reject"
        reject.mkdir(exist_ok=True)
        name = f"beetle_c{index:06d}.png"
        shutil.copy(candidates / manifest["run"] / "beetle" / name, reject / name)

    def say(self, types: str) -> None:
        """Write the recipe."""
        text = f'model = "{self.model}"\noversample = 2\n\n[types]\n{types}\n'
        (self.old / "assetgen.toml").write_text(text)

    def disturbed(self, project: Path) -> list[str]:
        return ["watch", "-q", "--yes", "--project", str(project)]

    def completing(self, project: Path) -> list[str]:
        return [*self.disturbed(project), "--once"]


class Reject(Batch):
    """Two sprites are rejected and replaced, each in its slot; the same again would reject what replaced them."""

    name = "reject"
    then = ("--reject", "beetle:2", "--reject", "flask:1")

    def completing(self, project: Path) -> list[str]:
        """The rejection where it wasn't written down, or else what a person runs who doesn't know how far it got."""
        return self.command(project, *self.first) if decided_in(project) else self.disturbed(project)


class Train:
    """A training with a checkpoint after nearly every step; the last one's tensors must be the undisturbed run's."""

    name = "train"

    def __init__(self, folder: Path) -> None:
        self.log, self.place = folder / "log", folder / "run"
        folder.mkdir()
        self.sprites = write_set(folder / "sprites", each=4, size=16)
        self.seconds = finish(self.disturbed(folder / "undisturbed"), self.log)
        self.wanted = self.tensors(folder / "undisturbed")

    def disturbed(self, run: Path) -> list[str]:
        options = "--steps 12 --width 0.25 --batch-size 4 --evaluate-every 0.02 --patience 0 --no-pretrained -q"
        return ["train", str(self.sprites), "--run", str(run), *options.split()]

    def completing(self, run: Path) -> list[str]:
        """Goes on where there is something to go on from."""
        return [*self.disturbed(run), *(["--resume"] if (run / "config.json").exists() else [])]

    def reset(self) -> None:
        shutil.rmtree(self.place, ignore_errors=True)

    def tensors(self, run: Path) -> dict[str, str]:
        """sha256 of generator, discriminator, average and optimisers, and of the classifier."""
        return {
            path.relative_to(run).as_posix(): sha256(path.read_bytes()).hexdigest()
            for path in [*sorted(run.glob("checkpoints/*/*.safetensors"))[-1:], *run.glob("classifier/*.safetensors")]
        }

    def decided(self) -> bool:
        """Whether a checkpoint is being written."""
        return any(self.place.glob("*/.*.tmp"))

    def inspect(self, row: Row) -> None:
        """Every checkpoint that can be seen is whole."""
        for folder in [*self.place.glob("checkpoints/[0-9]*"), *self.place.glob("best/[0-9]*")]:
            try:
                state = json.loads((folder / "state.json").read_bytes())
                data = (folder / "tensors.safetensors").read_bytes()
                row.torn += sha256(data).hexdigest() != state["sha256"]
            except (OSError, ValueError, KeyError):
                row.torn += 1

    def compare(self, row: Row) -> None:
        found = self.tensors(self.place)
        row.differing += sum(found.get(name) != self.wanted.get(name) for name in {*found, *self.wanted})
        row.left += sum(len([*self.place.glob(f"*/.*.{ending}")]) for ending in ("tmp", "old", "gone"))


SCENARIOS: dict[str, Callable[[Path], Any]] = {kind.name: kind for kind in (Batch, Reject, Watch, Train)}


def torture(make: Callable[[Path], Any], folder: Path, kills: int, chance: random.Random) -> Row:
    """Kill a command so many times, and look after each."""
    scenario = make(folder)
    row, took = Row(scenario.name), [scenario.seconds]
    rounds = 0
    while row.kills < kills:
        scenario.reset()
        arguments, recovery, rounds = scenario.disturbed(scenario.place), False, rounds + 1
        if rounds % MEASURE_EVERY == 0:
            took.append(finish(scenario.completing(scenario.place), scenario.log))
            scenario.reset()
        while row.kills < kills:
            share = chance.random()
            aimed = chance.random() < AIMED
            after = share * (0.1 if aimed else statistics.median(took[-5:]))
            killed = kill(arguments, after, scenario.log, scenario.decided if aimed else None)
            scenario.inspect(row)
            if killed:
                row.kills += 1
                row.recoveries_killed += recovery
                row.decided += scenario.decided()
                row.moments.append("aimed" if aimed else round(share, 3))
            arguments, recovery = scenario.completing(scenario.place), True
            if chance.random() >= AGAIN:
                break
        finish(scenario.completing(scenario.place), scenario.log)
        scenario.compare(row)
        print(f"\r{row.command}: {row.kills} of {kills} kills", end="", file=sys.stderr, flush=True)
    print(file=sys.stderr)
    row.seconds = round(statistics.median(took), 2)
    return row


def markdown(rows: list[Row]) -> str:
    """The torture table."""
    lines = [
        "| command | kills | of recoveries | drawn, not chosen | decided, not done | torn files | lost kept sprites "
        "| edits lost | differing files | left over | a run takes |",
        "|---|---|---|---|---|---|---|---|---|---|---|",
    ]
    lines += [
        f"| `{row.command}` | {row.kills} | {row.recoveries_killed} | {row.drawn} | {row.decided} "
        f"| {row.torn} | {row.lost} | {row.edited} | {row.differing} | {row.left} | {row.seconds} s |"
        for row in rows
    ]
    return "\n".join(lines)


def main() -> int:
    parser = argparse.ArgumentParser(description="SIGKILL at random moments, and a look at what is left.")
    parser.add_argument("--kills", type=int, default=200, help="of each command")
    parser.add_argument("--what", default=",".join(SCENARIOS), help="commands, separated by commas")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the table there, too")
    arguments = parser.parse_args()
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    os.environ["ASSETGEN_NO_PRETRAINED"] = "1"
    for module in (
        "asset_gen.cli.batch",
        "asset_gen.cli.verify",
        "asset_gen.cli.watch",
        "asset_gen.watch.observe",
        *HEAVY,
    ):
        import_module(module)

    rows = []
    with tempfile.TemporaryDirectory() as folder:
        for name in arguments.what.split(","):
            if name == "train":
                import_module("trainer.job")
            place = Path(folder, name)
            rows.append(torture(SCENARIOS[name], place, arguments.kills, random.Random(f"{arguments.seed} {name}")))
    print(markdown(rows))
    if arguments.json:
        arguments.json.write_text(json.dumps([asdict(row) for row in rows], indent=1) + "\n")
    return int(any(row.torn or row.lost or row.edited or row.differing or row.left for row in rows))


if __name__ == "__main__":
    sys.exit(main())
