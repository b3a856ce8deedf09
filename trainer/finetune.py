"""What does a training that starts from a finished one take over?

Generator, moving average and discriminator, from a run folder or from a bundle exported with ``--tunable``. Types of
the same name keep what was learnt about them. A new type starts as a point drawn from the spread of the known ones: at
their mean, nothing would tell new types apart at first (KID × 10³ after 300 steps on 100 sprites of six new types: 53
from the mean, 31 from such points).
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any
from zlib import crc32

import torch
from safetensors import SafetensorError
from safetensors.torch import load
from torch import Tensor, nn

from asset_gen.bundle import WEIGHTS, load_bundle
from asset_gen.data_card import Ancestor, ancestry, read_card
from asset_gen.errors import ModelError, UsageError
from trainer.checkpoint import Checkpoint, load_best
from trainer.config import load_config, outside_networks, run_report
from trainer.loop import Training
from trainer.presets import PRESETS

MAX_WIDTH = 8.0


@dataclass(frozen=True, slots=True)
class Lineage:
    """What a run says of the model that it started from; part of ``config.json``."""

    name: str
    sha256: str
    """Of the bundle's ``weights.safetensors``, or of the run's checkpoint."""
    generator: str
    """The preset whose generator it is."""
    width: float
    size: int
    outside_networks: list[str]
    """Networks trained by others that it had seen."""
    data: dict[str, Any]
    """What it was trained on: name, licence, sprites."""
    earlier: list[dict[str, Any]] = field(default_factory=list)
    """Likewise of the models that it started from itself, the nearest first."""

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Source:
    """A model to start from."""

    lineage: Lineage
    preset: str
    types: tuple[str, ...]
    weights: Checkpoint
    ancestors: tuple[Ancestor, ...] = ()
    """The model and those that it started from, with the files that they have seen."""


def load_source(path: Path) -> Source:
    """Read a run folder, or a bundle exported with ``--tunable``.

    Raises:
        ModelError: it is neither, or is damaged.
        UsageError: the bundle carries no weights to train on.
    """
    return _from_bundle(path) if (path / "bundle.json").is_file() else _from_run(path)


def _from_bundle(path: Path) -> Source:
    bundle = load_bundle(path)
    info = bundle.info
    if info.tunable is None or WEIGHTS not in info.files:
        raise UsageError(f"--from {path}: carries no weights to train on. Export it with assetgen export … --tunable.")
    if info.tunable.generator not in PRESETS or not 0 < info.tunable.width <= MAX_WIDTH:
        raise ModelError(f"{path}: its generator ({info.tunable}) is none that this assetgen knows. Update assetgen.")
    data = (path / WEIGHTS).read_bytes()
    digest = sha256(data).hexdigest()
    if digest != info.files[WEIGHTS].sha256:
        raise ModelError(f"{path / WEIGHTS}: was changed: its sha256 isn't the one in bundle.json. Export it again.")
    try:
        weights = load(data)
    except SafetensorError as error:
        raise ModelError(f"{path / WEIGHTS}: is damaged ({error}). Export it again.") from None
    lineage = Lineage(
        name=info.name,
        sha256=digest,
        generator=info.tunable.generator,
        width=info.tunable.width,
        size=info.size,
        outside_networks=info.outside_networks,
        data={"name": info.data.name, "licence": info.data.licence, "sprites": info.data.sprites},
        earlier=_sets_of(info.training.get("finetuned_from")),
    )
    ancestors = ancestry(info.name, digest, read_card(path))
    return Source(lineage, info.preset, tuple(info.types), Checkpoint(weights, {}), tuple(ancestors))


def _from_run(path: Path) -> Source:
    config = load_config(path)
    saved, _ = load_best(path)
    if saved is None or config.size is None:
        raise ModelError(f"{path}: has no checkpoint yet. Train it with assetgen train … --resume.")
    lineage = Lineage(
        name=path.resolve().name,
        sha256=str(saved.state.get("sha256", "")),
        generator=config.settings.generator or config.preset,
        width=config.settings.width,
        size=config.size,
        outside_networks=outside_networks(config),
        data={"name": Path(config.sprites).name, "licence": "unstated", "sprites": run_report(path)["read"]},
        earlier=_sets_of(config.lineage),
    )
    ancestors = ancestry(lineage.name, lineage.sha256, read_card(path))
    return Source(lineage, config.preset, tuple(config.types), saved, tuple(ancestors))


def _sets_of(lineage: dict[str, Any] | None) -> list[dict[str, Any]]:
    """What a model's ancestors were trained on."""
    return [lineage["data"], *lineage.get("earlier", [])] if lineage else []


def take_over(training: Training, source: Source, types: list[str]) -> list[str]:
    """Put the source's weights into a training that hasn't begun; returns what a person should know.

    Raises:
        ModelError: the source's generator is not the one its description says.
    """
    notices = []
    for prefix in ("generator", "average"):
        network = getattr(training, prefix)
        state = source.weights.part(prefix)
        try:
            network.load_state_dict(_with_types(network, state, source.types, types))
        except RuntimeError as error:
            reason = str(error).splitlines()[0]
            raise ModelError(f"{source.lineage.name}: its weights don't fit ({reason}). Export it again.") from None
    if training.preset.name == source.preset:
        state = _with_types(training.discriminator, source.weights.part("discriminator"), source.types, types)
        try:
            training.discriminator.load_state_dict(state)
        except RuntimeError:
            notices.append("the discriminator starts anew: the model's had another shape.")
    else:
        notices.append(f"the discriminator starts anew: the model's was that of {source.preset}.")
    if new := [name for name in types if name not in source.types]:
        notices.append(f"new to the model: {', '.join(new)}.")
    for network in (training.generator, training.discriminator, training.average):
        if "ramp" in dict(network.named_buffers()):
            network.get_buffer("ramp").fill_(1.0)
    return notices


def _with_types(
    network: nn.Module, state: dict[str, Tensor], old: tuple[str, ...], new: list[str]
) -> dict[str, Tensor]:
    """``state`` with a column for each of the ``new`` types in every embedding of the ``old`` ones."""
    fitted = {}
    for name, ours in network.state_dict().items():
        if name not in state:
            continue
        theirs = state[name]
        if _is_embedding(name) and theirs.shape[1:] == (len(old),):
            columns = [theirs[:, old.index(kind)] if kind in old else _drawn(theirs, kind) for kind in new]
            theirs = torch.stack(columns, dim=1)
        elif "projection.parametrizations" in name and theirs.shape != ours.shape:
            theirs = ours  # spectral normalisation's estimates, which find themselves again
        fitted[name] = theirs
    return fitted


def _drawn(known: Tensor, kind: str) -> Tensor:
    """A column like those of ``known`` [n, types], the same for the same name in generator and average."""
    noise = torch.randn(len(known), generator=torch.Generator().manual_seed(crc32(kind.encode())))
    return known.mean(dim=1) + known.std(dim=1, correction=0) * noise.to(known)


def _is_embedding(name: str) -> bool:
    """Whether a weight is a table with one column a type: the generator's, or a discriminator's projection."""
    projections = ("projection.weight", "projection.parametrizations.weight.original")
    return name == "embedding.weight" or name.endswith(projections)
