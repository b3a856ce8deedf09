"""Which type is a sprite? Trained on the same sprites as the generator, and told how far to trust itself.

Softmax outputs of a small network are over-confident, which would make every Inception Score the number of types; so
the logits are divided by a temperature that fits held-out sprites (Guo et al. 2017, arXiv:1706.04599).
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.torch import load, save
from torch import Tensor
from torch.nn import functional as F

from asset_gen import pixels
from asset_gen.errors import ModelError
from trainer.augment import Augment
from trainer.checkpoint import write_synced
from trainer.dataset import Dataset
from trainer.draws import Draws
from trainer.models.classifier import Classifier

PASSES = 55  # over the training sprites
STEPS = (100, 900)  # at least, at most
BATCH = 64
HELD_OUT = 0.2
MIN_FOR_HOLDING_OUT = 5  # sprites of a type, below which none is held out
VIEWS = replace(Augment(), hole_chance=0.0)


def hold_out(first_types: NDArray[np.int64], seed: int) -> NDArray[np.bool_]:
    """[n]: True for a fifth of every type that has at least five sprites."""
    held = np.zeros(len(first_types), bool)
    chance = np.random.default_rng(seed)
    for kind in np.unique(first_types):
        rows = chance.permutation(np.flatnonzero(first_types == kind))
        if len(rows) >= MIN_FOR_HOLDING_OUT:
            held[rows[: round(len(rows) * HELD_OUT)]] = True
    return held


def fit(
    pictures: Tensor, labels: Tensor, seed: int, progress: Callable[[float], None] = lambda share: None
) -> Classifier:
    """A classifier for rgba pictures [n, 4, s, s] and type distributions [n, types], still at temperature 1.

    ``progress``: is told the share of its steps that are done, after each.
    """
    steps = int(np.clip(PASSES * len(pictures) // BATCH, *STEPS))
    torch.manual_seed(seed)
    network = Classifier(labels.shape[1], pictures.shape[-1]).to(pictures.device).train()
    optimiser = torch.optim.AdamW(network.parameters(), lr=2e-3, weight_decay=0.05)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, max_lr=4e-3, total_steps=steps)
    counts = labels.sum(dim=0)
    weight = (labels @ counts.clamp_min(1e-6) ** -0.5).double().cpu().numpy()  # types by n^0.5, as the generator draws
    chance = np.random.default_rng(seed)
    draws = Draws(torch.Generator(pictures.device).manual_seed(seed), BATCH)
    for step in range(steps):
        rows = torch.from_numpy(chance.choice(len(pictures), BATCH, p=weight / weight.sum()))
        loss = F.cross_entropy(network(VIEWS(pictures[rows], draws)), labels[rows], label_smoothing=0.05)
        optimiser.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        optimiser.step()
        schedule.step()
        progress((step + 1) / steps)
    return network.eval()


@torch.no_grad()
def best_temperature(logits: Tensor, labels: Tensor) -> float:
    """The temperature from 0.25 to 8 at which held-out labels are most likely."""
    candidates = torch.logspace(-2, 3, 201, base=2.0)
    losses = [F.cross_entropy(logits / temperature, labels).item() for temperature in candidates]
    return float(candidates[int(np.argmin(losses))])


def train_classifier(
    run: Path,
    dataset: Dataset,
    alpha: bool,
    seed: int,
    device: torch.device,
    progress: Callable[[float], None] = lambda share: None,
) -> dict[str, Any]:
    """Train, calibrate and keep the classifier in ``<run>/classifier``.

    ``progress``: is told the share of the training that is done, 0–1.

    Returns: ``accuracy`` on held-out sprites (top 1 against the first type; null where none could be held out),
    ``held_out`` (how many), ``temperature``.
    """
    pictures = torch.from_numpy(pixels.as_drawn(dataset.sprites, alpha)).to(device)
    labels = torch.from_numpy(dataset.labels).to(device)
    held = hold_out(dataset.first_types, seed)
    network = fit(pictures[~held], labels[~held], seed, progress)
    figures: dict[str, Any] = {"accuracy": None, "held_out": int(held.sum()), "temperature": 1.0}
    if held.any():
        with torch.no_grad():
            logits = network(pictures[held]).cpu()
        hits = logits.argmax(dim=1).numpy() == dataset.first_types[held]
        figures["accuracy"] = round(float(hits.mean()), 4)
        figures["temperature"] = round(best_temperature(logits, labels[held].cpu()), 4)
        network.temperature.fill_(figures["temperature"])
    data = save({name: value.cpu().contiguous() for name, value in network.state_dict().items()})
    folder = run / "classifier"
    folder.mkdir(exist_ok=True)
    write_synced(folder / "weights.tmp", data)
    (folder / "weights.tmp").replace(folder / "weights.safetensors")
    record = figures | {"sha256": sha256(data).hexdigest()}
    write_synced(folder / "figures.tmp", json.dumps(record, indent=1).encode())
    (folder / "figures.tmp").replace(folder / "figures.json")
    return figures


def ensure_classifier(
    run: Path,
    dataset: Dataset,
    alpha: bool,
    seed: int,
    device: torch.device,
    progress: Callable[[float], None] = lambda share: None,
) -> dict[str, Any]:
    """The figures of the run's classifier, which is trained where there is no whole one yet."""
    try:
        return load_classifier(run, len(dataset.types), dataset.size)[1]
    except ModelError:
        return train_classifier(run, dataset, alpha, seed, device, progress)


def load_classifier(run: Path, types: int, size: int) -> tuple[Classifier, dict[str, Any]]:
    """The run's classifier and its figures.

    Raises:
        ModelError: it wasn't trained yet, its file is damaged, or it is that of another run.
    """
    folder = run / "classifier"
    try:
        figures = dict(json.loads((folder / "figures.json").read_bytes()))
        data = (folder / "weights.safetensors").read_bytes()
    except (OSError, ValueError, TypeError) as error:
        raise ModelError(
            f"{folder}: no type classifier ({error}). Finish the run with assetgen train … --resume."
        ) from None
    if sha256(data).hexdigest() != figures.pop("sha256", None):
        raise ModelError(
            f"{folder / 'weights.safetensors'}: was changed. Train it again with assetgen train … --resume."
        )
    network = Classifier(types, size)
    try:
        network.load_state_dict(load(data))
    except RuntimeError as error:
        raise ModelError(
            f"{folder}: doesn't fit the run's config.json ({str(error).splitlines()[0]}). "
            f"Restore what was changed, or train again in another folder."
        ) from None
    return network.eval(), figures
