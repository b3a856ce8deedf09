"""A discriminator → ``critic.onnx``: of how many real sprites to a generated one does a picture come?

It is shown sprites as they are, never views of them; one that knows no alpha sees them on white. Its logit means what
its loss made it mean (the hinge loss stops at ±1), so a factor and a summand are fitted to it, on as many real sprites
as generated ones, by which σ(logit) is the chance that a sprite is real (Platt 1999; Azadi et al. 2019,
arXiv:1810.06758, train its last layer on). It has seen the real ones in training, and is surer of them than it would
be of others.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping
from pathlib import Path

import msgspec
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn.utils.parametrize import is_parametrized, remove_parametrizations

from asset_gen.bundle import CRITIC, WEIGHTS, Bundle, BundleInfo, CriticRecord, model_sha256
from asset_gen.errors import ModelError, UsageError
from asset_gen.memory import MAX_UNDECLARED, ROWS
from asset_gen.pixels import Network, as_drawn
from asset_gen.proportions import rows_in_proportion
from asset_gen.uncurated import stream_uncurated
from exporter.onnx_graph import export_onnx
from exporter.stage import file_record, memory_of
from exporter.verify import check_parity
from trainer.dataset import Dataset
from trainer.finetune import load_source
from trainer.presets import PRESETS, Preset, with_changes

SPRITES = 512
"""Real ones, and as many generated ones, by which a logit gets its meaning."""
SEED = 0
STEPS = 50
RIDGE = 1e-3
"""Keeps the factor finite where all are told apart."""


class Critic(nn.Module):
    """(rgba [n, 4, s, s] in [-1, 1], label [n, types], where there are types to ask for) → logit [n]."""

    scale: Tensor
    shift: Tensor

    def __init__(self, discriminator: nn.Module, alpha: bool) -> None:
        """``alpha``: whether the discriminator sees it; otherwise it sees RGB on white."""
        super().__init__()
        self.discriminator = copy.deepcopy(discriminator).eval().requires_grad_(False)
        for module in list(self.discriminator.modules()):
            if is_parametrized(module, "weight"):
                remove_parametrizations(module, "weight", leave_parametrized=True)
        outside = getattr(self.discriminator, "_outside", None)
        self.outside = outside[0] if outside else None  # what it looks through has weights, too
        self.alpha = alpha
        self.register_buffer("scale", torch.ones(()))
        self.register_buffer("shift", torch.zeros(()))

    def forward(self, rgba: Tensor, label: Tensor | None = None) -> Tensor:
        shown = rgba if self.alpha else (rgba[:, :3] + 1 - rgba[:, 3:]).clamp(-1, 1)
        logits: Tensor = self.discriminator(shown, label)
        return self.scale * logits.reshape(rgba.shape[0], -1).mean(dim=1) + self.shift


def critic_of(
    preset: Preset, types: int, size: int, width: float, weights: Mapping[str, Tensor], where: Path
) -> Critic:
    """The critic of a preset, with its changes, from the weights of its discriminator.

    Raises:
        UsageError: its discriminator compares the sprites of a batch, so that it has no logit of a single one.
        ModelError: the weights are of another one.
    """
    if preset.compares:
        can = ", ".join(name for name, other in PRESETS.items() if not other.compares)
        raise UsageError(
            f"--critic: the discriminator of {preset.name} compares the sprites of a batch with each other, so none "
            f"has a logit of its own. Leave --critic out; models of {can} can have one."
        )
    discriminator = preset.discriminator(types, size, width, preset)
    try:
        discriminator.load_state_dict(dict(weights))
    except RuntimeError as error:
        raise ModelError(
            f"{where}: holds no discriminator of {preset.name} as its description says "
            f"({str(error).splitlines()[0]}). Export the run again, with --critic."
        ) from None
    return Critic(discriminator, preset.alpha and not (preset.augment and preset.augment.backdrop))


def critic_in(bundle: Bundle) -> Critic:
    """The critic of a bundle that carries its networks.

    Raises:
        UsageError: it doesn't, or see ``critic_of``.
        ModelError: they are damaged.
    """
    info = bundle.info
    if info.tunable is None or WEIGHTS not in info.files or info.preset not in PRESETS:
        raise UsageError(
            f"--critic: {bundle.path} carries no discriminator ({WEIGHTS}). Export its run again with 'assetgen export "
            f"… --critic'."
        )
    preset = PRESETS[info.preset]
    if info.tunable.shown_side is not None:
        preset = with_changes(preset, {"shown_side": info.tunable.shown_side})
    weights = load_source(bundle.path).weights.part("discriminator")
    return critic_of(preset, len(info.types), info.size, info.tunable.width, weights, bundle.path / WEIGHTS)


def add_critic(folder: Path, info: BundleInfo, critic: Critic, dataset: Dataset) -> BundleInfo:
    """Give its logit a meaning, and write ``critic.onnx`` into a bundle folder that has its generator.

    Returns ``info`` with it.

    Raises:
        ModelError: ONNX Runtime says something else than PyTorch.
    """
    first = dataset.first_types
    shown = rows_in_proportion(first, SPRITES)
    kinds = first[shown]
    real = as_drawn(dataset.sprites[shown], info.alpha == "true")
    bundle = Bundle(folder, info, model_sha256(info.files))
    generated = np.concatenate([drawn.rgba for drawn in stream_uncurated(bundle, kinds, SEED, "cpu")])

    def inputs(pictures: Network, rows: NDArray[np.int64]) -> dict[str, Tensor]:
        rgba = {"rgba": torch.from_numpy(pictures[rows])}
        return rgba | {"label": torch.eye(len(info.types))[kinds[rows]]} if info.conditional else rgba

    def logits(pictures: Network) -> NDArray[np.float64]:
        batches = np.array_split(np.arange(SPRITES), SPRITES // ROWS)
        with torch.no_grad():
            parts = [critic(*inputs(pictures, rows).values()).numpy() for rows in batches]
        return np.concatenate(parts).astype(np.float64)

    def spread(count: int) -> dict[str, Tensor]:
        return inputs(generated, np.arange(count) * (SPRITES // count))

    ours, theirs = logits(real), logits(generated)
    scale, shift = fitted(ours, theirs)
    critic.scale.fill_(scale)
    critic.shift.fill_(shift)
    right = (scale * ours + shift > 0).mean() + (scale * theirs + shift <= 0).mean()
    export_onnx(critic, spread(4), "logit", folder / CRITIC)
    parity = check_parity(folder / CRITIC, critic, spread)
    need = memory_of(folder / CRITIC)
    return msgspec.structs.replace(
        info,
        critic=CriticRecord(preset=info.preset, scale=scale, shift=shift, told_apart=round(float(right) / 2, 4)),
        files=dict(info.files) | {CRITIC: file_record(folder / CRITIC)},
        parity=dict(info.parity) | {"critic": parity},
        memory=need if need > (info.memory or MAX_UNDECLARED) else info.memory,
    )


def fitted(real: NDArray[np.float64], generated: NDArray[np.float64]) -> tuple[float, float]:
    """Factor and summand by which logits [n] of as many real and generated sprites become log odds: logistic
    regression by Newton's method, with a ridge of ``RIDGE`` on the standardised factor."""
    x = np.concatenate([real, generated])
    middle, deviation = x.mean(), max(float(x.std()), 1e-9)
    rows = np.stack([(x - middle) / deviation, np.ones_like(x)], axis=1)
    wanted = np.arange(len(x)) < len(real)
    ridge = np.diag([RIDGE, 0.0])
    weights = np.zeros(2)
    for _ in range(STEPS):
        p = 1 / (1 + np.exp(-rows @ weights))
        slope = rows.T @ (p - wanted) / len(x) + ridge @ weights
        curve = (rows * (p * (1 - p))[:, None]).T @ rows / len(x) + ridge + 1e-9 * np.eye(2)
        step = np.linalg.solve(curve, slope)
        weights = weights - step / max(1.0, float(np.abs(step).max()))
    return float(weights[0] / deviation), float(weights[1] - weights[0] * middle / deviation)
