"""``assetgen watch --retrain``: training and export in processes of their own, so that the watch stays small."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any

from asset_gen.bundle import load_bundle
from asset_gen.errors import AssetgenError, ModelError, PartialError
from asset_gen.files import file_sha256, write_file
from asset_gen.images import SUFFIXES
from asset_gen.watch.scene import files_below

ASSETGEN = (sys.executable, "-c", "from asset_gen.cli import main; main()")
DONE = "watch.done"
"""In a run folder: digest of the sprites of which the exported model was made."""
BEGUN = "watch.begun"
"""In a run folder: digest of the sprites with which the round began."""
LOOK_SECONDS = 0.2


class Rounds:
    """Fine-tunes a model in rounds: ``RUN-0001`` from the last checkpoint of ``RUN``, ``RUN-0002`` from that one …

    A round that was stopped goes on where it was, as long as the sprites are the same.
    """

    def __init__(self, sprites: Path, run: Path, model: Path, minutes: float, device: str) -> None:
        """Raises ModelError: ``run`` holds no training, or its reports are damaged."""
        self.sprites, self.run, self.model, self.minutes, self.device = sprites, run, model, minutes, device
        if not (run / DONE).is_file() and self._saw_all():
            write_file(run / DONE, self._digest().encode())

    def due(self) -> bool:
        """Whether the sprites are others than those of which the newest finished round was made."""
        done = [run for run in self._rounds() if (run / DONE).is_file()]
        return not done or (done[-1] / DONE).read_text() != self._digest()

    def __call__(self, stopping: Callable[[], bool]) -> str:
        """Train a round, and export it to where the recipe's model lies.

        Raises:
            AssetgenError: training or exporting failed, or was stopped.
        """
        digest, rounds = self._digest(), self._rounds()
        latest = rounds[-1]
        stopped = latest != self.run and not (latest / DONE).is_file()
        if stopped and (latest / BEGUN).is_file() and (latest / BEGUN).read_text() == digest:
            current, how = latest, ["--resume"]
        else:
            done = [run for run in rounds if run == self.run or (run / DONE).is_file()]
            number = 1 + (0 if latest == self.run else int(latest.name[-4:]))
            current, how = self.run.with_name(f"{self.run.name}-{number:04d}"), ["--from", str(done[-1])]
        train = ["train", str(self.sprites), "--run", str(current), "--max-minutes", f"{self.minutes:g}", "-q"]
        train += ["--device", self.device, *_same_kind(self.run), *how]
        _assetgen(train, stopping, lambda: _note(current, digest))
        _assetgen(["export", str(current), "--out", str(self.model), "--force", *self._label()], stopping)
        write_file(current / DONE, digest.encode())
        return f"{self.model} is made of the sprites as they are now ({current})."

    def _rounds(self) -> list[Path]:
        """Run folders, the first one first."""
        later = sorted(self.run.parent.glob(f"{self.run.name}-[0-9][0-9][0-9][0-9]"))
        return [self.run, *(run for run in later if (run / "config.json").is_file())]

    def _pictures(self) -> list[Path]:
        return [path for path in files_below(self.sprites) if path.suffix.lower() in SUFFIXES]

    def _saw_all(self) -> bool:
        """Whether the training that is there already saw as many pictures as there are."""
        report = _read(self.run / "data.json")
        seen = report.get("read", 0) + len(report.get("refused", {}))
        return (self.sprites / "labels.csv").is_file() or len(self._pictures()) == seen

    def _digest(self) -> str:
        """Of names and contents of all sprites, and of their labels."""
        listing = sha256()
        for path in [*self._pictures(), self.sprites / "labels.csv"]:
            listing.update(f"{path.relative_to(self.sprites).as_posix()}\0{file_sha256(path)}\n".encode())
        return listing.hexdigest()

    def _label(self) -> list[str]:
        """Names and licences of the model that is replaced stay."""
        try:
            info = load_bundle(self.model).info
        except AssetgenError:
            return []
        words = ["--name", info.name, "--licence", info.licence, "--data-name", info.data.name]
        return [*words, "--data-licence", info.data.licence, *(["--tunable"] if info.tunable else [])]


def _same_kind(run: Path) -> list[str]:
    """The options with which the first training read its sprites."""
    config = _read(run / "config.json")
    words = ["--preset", str(config["preset"])] if "preset" in config else []
    for source, target in config.get("merge", {}).items():
        words += ["--merge", f"{source}={target}"]
    if config.get("background"):
        words += ["--background", "auto"]
    return [*words, "--no-pretrained"] if config.get("judge") == "classifier" else words


def _read(path: Path) -> dict[str, Any]:
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
        if isinstance(document, dict):
            return document
        reason = "not a table"
    except (OSError, ValueError, RecursionError) as error:
        reason = str(error)
    raise ModelError(f"{path}: can't be read ({reason}). Give the folder of a training: assetgen train --run.")


def _note(run: Path, digest: str) -> None:
    """Write down, as soon as the run's folder is there, of which sprites it is made."""
    if (run / "config.json").is_file() and not (run / BEGUN).is_file():
        write_file(run / BEGUN, digest.encode())


def _assetgen(
    arguments: Sequence[str], stopping: Callable[[], bool], meanwhile: Callable[[], object] = lambda: None
) -> None:
    """Run a command to its end, or end it cleanly when the watch stops."""
    with subprocess.Popen([*ASSETGEN, *arguments], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE) as process:
        assert process.stderr is not None
        try:
            while process.poll() is None:
                meanwhile()
                if stopping():
                    raise PartialError(
                        f"assetgen {arguments[0]} was stopped, and goes on with the next assetgen watch."
                    )
                time.sleep(LOOK_SECONDS)
        finally:
            process.terminate()  # which keeps what was learnt; nothing where it has ended
        said = process.stderr.read().decode(errors="replace").strip()
    if process.returncode not in (0, PartialError.exit_code):  # some sprites can't be used; the run lists them
        last = said.splitlines()[-1] if said else f"exit code {process.returncode}"
        raise AssetgenError(f"assetgen {arguments[0]} failed: {last.removeprefix('assetgen: ')}")
    meanwhile()
