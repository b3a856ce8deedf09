"""``assetgen watch --retrain``: a training and an export in processes of their own, so that the watch stays small."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from hashlib import sha256
from pathlib import Path

from asset_gen.bundle import load_bundle
from asset_gen.errors import AssetgenError, PartialError
from asset_gen.files import file_sha256, write_file
from asset_gen.images import SUFFIXES
from asset_gen.watch.scene import files_below

ASSETGEN = (sys.executable, "-c", "from asset_gen.cli import main; main()")
RECORD = "sprites.sha256"
"""In a run folder: the sprites that the exported model was made of."""


class Rounds:
    """Fine-tunes a model in rounds: ``RUN``, then ``RUN-0001`` from its last checkpoint, ``RUN-0002`` from that one …

    A round that was stopped goes on where it was, as long as the sprites are the same.
    """

    def __init__(self, sprites: Path, run: Path, model: Path, minutes: float, device: str) -> None:
        self.sprites, self.run, self.model, self.minutes, self.device = sprites, run, model, minutes, device

    def due(self) -> bool:
        """Whether the sprites are others than those that the newest finished round was made of."""
        rounds = self._rounds()
        record = rounds[-1] / RECORD if rounds else None
        return record is None or not record.is_file() or record.read_text() != self._digest()

    def __call__(self, stopping: Callable[[], bool]) -> str:
        """Train a round, and export it to where the recipe's model lies.

        Raises:
            AssetgenError: training or exporting failed, or was stopped.
        """
        digest = self._digest()
        rounds = self._rounds()
        latest = rounds[-1] if rounds else None
        begun = latest is not None and (latest / f"{RECORD}.begun").is_file() and not (latest / RECORD).is_file()
        if latest is not None and begun and (latest / f"{RECORD}.begun").read_text() == digest:
            current, how = latest, ["--resume"]
        else:
            finished = [run for run in rounds if (run / RECORD).is_file() or run == self.run]
            current = self.run if not rounds else self.run.with_name(f"{self.run.name}-{len(rounds):04d}")
            how = ["--from", str(finished[-1])] if finished else []
        train = ["train", str(self.sprites), "--run", str(current), "--max-minutes", f"{self.minutes:g}", "-q"]
        _assetgen([*train, "--device", self.device, *how], stopping, lambda: _mark(current, digest))
        _assetgen(["export", str(current), "--out", str(self.model), "--force", *self._label()], stopping)
        write_file(current / RECORD, digest.encode())
        return f"{self.model} was made of the sprites as they are now ({current})."

    def _rounds(self) -> list[Path]:
        """Run folders, the first one first."""
        later = sorted(self.run.parent.glob(f"{self.run.name}-[0-9][0-9][0-9][0-9]"))
        return [run for run in (self.run, *later) if (run / "config.json").is_file()]

    def _digest(self) -> str:
        """Of names and contents of all sprites."""
        listing = sha256()
        for path in files_below(self.sprites):
            if path.suffix.lower() in SUFFIXES or path.suffix.lower() == ".csv":
                listing.update(f"{path.relative_to(self.sprites).as_posix()}\0{file_sha256(path)}\n".encode())
        return listing.hexdigest()

    def _label(self) -> list[str]:
        """Name and licences of the model that is replaced stay."""
        try:
            info = load_bundle(self.model).info
        except AssetgenError:
            return []
        words = ["--name", info.name, "--licence", info.licence, "--data-name", info.data.name]
        return [*words, "--data-licence", info.data.licence, *(["--tunable"] if info.tunable else [])]


def _mark(run: Path, digest: str) -> None:
    """Write down, as soon as the run's folder is there, which sprites it is made of."""
    if (run / "config.json").is_file() and not (run / f"{RECORD}.begun").is_file():
        write_file(run / f"{RECORD}.begun", digest.encode())


def _assetgen(
    arguments: Sequence[str], stopping: Callable[[], bool], meanwhile: Callable[[], object] = lambda: None
) -> None:
    """Run a command to its end, or end it cleanly when the watch stops."""
    process = subprocess.Popen([*ASSETGEN, *arguments], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    try:
        while process.poll() is None:
            meanwhile()
            if stopping():
                process.terminate()
                process.wait()
                raise PartialError(f"assetgen {arguments[0]} was stopped; it goes on with the next assetgen watch.")
            time.sleep(0.2)
        meanwhile()
        assert process.stderr is not None
        said = process.stderr.read().strip()
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()
        if process.stderr is not None:
            process.stderr.close()
    if process.returncode == PartialError.exit_code:
        return  # trained without some files that can't be used; they are listed in the run
    if process.returncode:
        raise AssetgenError(f"assetgen {arguments[0]} failed: {said.splitlines()[-1] if said else process.returncode}")
