"""How is the state of a training kept, whole or not at all, and read back without unpickling?

    <run>/checkpoints/<step>/tensors.safetensors   every tensor of networks, average and optimisers
    <run>/checkpoints/<step>/state.json            step, seconds trained, sha256 of the tensors

The newest whole folder counts; a folder appears by one rename and disappears by one, so that a kill leaves none of
which half is gone, and there is no pointer that could disagree with it. Hidden folders are being written (``.tmp``),
are being replaced (``.old``: come back unless they were), or are going (``.gone``).
"""

from __future__ import annotations

import json
import os
import shutil
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load, save
from torch import Tensor

from asset_gen.errors import ModelError
from asset_gen.files import sync_folder

KEEP = 2
LAST, BEST = "checkpoints", "best"
"""Folders of a run: the newest states, to go on from; and the one that was judged best, to export."""


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A moment of a training."""

    tensors: dict[str, Tensor]
    """``generator.…``, ``discriminator.…``, ``average.…``, ``optimiser.generator.<parameter>.<field>``."""
    state: dict[str, Any]
    """``step``, ``seconds`` and what else the loop counts."""

    def part(self, prefix: str) -> dict[str, Tensor]:
        """The state of one network: ``generator``, ``discriminator`` or ``average``."""
        start = f"{prefix}."
        return {name.removeprefix(start): value for name, value in self.tensors.items() if name.startswith(start)}


def save_checkpoint(run: Path, checkpoint: Checkpoint, keep: int = KEEP, folder: str = LAST) -> Path:
    """Stage, sync, rename; afterwards only the newest ``keep - 1`` others are beside it, and no leftovers.

    Raises:
        OSError: with the file's name; whatever was there before is still there and whole.
    """
    root = run / folder
    root.mkdir(parents=True, exist_ok=True)
    sweep(run, folder)
    name = f"{checkpoint.state['step']:09d}"
    stage, aside = root / f".{name}.tmp", root / f".{name}.old"
    stage.mkdir()
    try:
        data = save({key: tensor.detach().cpu().contiguous() for key, tensor in checkpoint.tensors.items()})
        write_synced(stage / "tensors.safetensors", data)
        state = checkpoint.state | {"sha256": sha256(data).hexdigest()}
        write_synced(stage / "state.json", json.dumps(state, indent=1).encode())
        final = root / name
        sync_folder(stage)
        if final.exists():
            final.rename(aside)  # until the new one is there, a kill brings it back
        stage.rename(final)
        sync_folder(root)
    finally:
        sweep(run, folder)
    others = sorted(p for p in root.iterdir() if p.is_dir() and p.name.isdigit() and p != final)
    for old in others[: len(others) - (keep - 1)]:
        old.rename(old.with_name(f".{old.name}.gone"))
    sweep(run, folder)
    return final


def sweep(run: Path, folder: str = LAST) -> None:
    """Put right what a kill left among checkpoints; only for whoever trains in the run."""
    root = run / folder
    for aside in root.glob(".*.old"):
        final = root / aside.name.removeprefix(".").removesuffix(".old")
        aside.rename(aside.with_suffix(".gone") if final.exists() else final)
    for ending in ("tmp", "gone"):
        for left in root.glob(f".*.{ending}"):
            shutil.rmtree(left, ignore_errors=True)


def load_best(run: Path) -> tuple[Checkpoint | None, list[str]]:
    """The checkpoint that was judged best, or the newest one where none was judged, or that one is damaged.

    Raises:
        ModelError: there are checkpoints, and all are damaged.
    """
    try:
        best, notices = load_checkpoint(run, BEST)
    except ModelError:
        best, notices = None, [f"{run / BEST} is damaged; the newest checkpoint is used."]
    if best is not None:
        return best, notices
    newest, others = load_checkpoint(run)
    return newest, notices + others


def load_checkpoint(run: Path, folder: str = LAST) -> tuple[Checkpoint | None, list[str]]:
    """The newest whole checkpoint (None where there is none yet), and a notice for each damaged one passed over.

    Raises:
        ModelError: there are checkpoints, and all are damaged.
    """
    root = run / folder
    names = sorted((p.name for p in root.glob("[0-9]*") if p.is_dir()), reverse=True) if root.is_dir() else []
    notices: list[str] = []
    for name in names:
        place = root / name
        try:
            state = json.loads((place / "state.json").read_bytes())
            data = (place / "tensors.safetensors").read_bytes()
            if sha256(data).hexdigest() != state["sha256"]:
                raise ValueError("its sha256 isn't the one recorded")
            if state["step"] != int(name) or not float(state["seconds"]) >= 0:
                raise ValueError("its state.json isn't what was written")
            return Checkpoint(load(data), state), notices
        except (OSError, ValueError, KeyError, TypeError, RecursionError, SafetensorError) as error:
            notices.append(f"{place} is damaged ({error}); the one before it is used.")
    if names:
        raise ModelError(f"{root}: no checkpoint is whole. Start again in a new run folder.\n  " + "\n  ".join(notices))
    return None, notices


def write_synced(path: Path, data: bytes) -> None:
    """Write a file and wait until the disk has it.

    Raises:
        OSError: with the file's name, which errors of write and fsync lack.
    """
    try:
        with path.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        error.filename = error.filename or str(path)
        raise


def optimiser_tensors(prefix: str, network: torch.nn.Module, optimiser: torch.optim.Optimizer) -> dict[str, Tensor]:
    """The optimiser's state as named tensors, so that it needs no pickle."""
    names: dict[Tensor, str] = {parameter: name for name, parameter in network.named_parameters()}
    return {
        f"{prefix}.{names[parameter]}.{field}": value
        for parameter, fields in optimiser.state.items()
        for field, value in fields.items()
    }


def restore_optimiser(
    prefix: str, network: torch.nn.Module, optimiser: torch.optim.Optimizer, tensors: dict[str, Tensor]
) -> None:
    """The inverse of ``optimiser_tensors``."""
    for name, parameter in network.named_parameters():
        start = f"{prefix}.{name}."
        fields = {key.removeprefix(start): value for key, value in tensors.items() if key.startswith(start)}
        optimiser.state[parameter] = {
            field: value.clone() if field == "step" else value.clone().to(parameter.device)
            for field, value in fields.items()
            if "." not in field
        }
