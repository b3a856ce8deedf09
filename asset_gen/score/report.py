"""How good is what a folder, an output, a candidate set or a model holds? All figures asked for, in one call."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

import numpy as np

from asset_gen.bundle import BUILT_IN, Bundle, load_bundle
from asset_gen.errors import DeviceError, UsageError
from asset_gen.score.cache import Convert
from asset_gen.score.evaluate import (
    ALONE,
    COLLECTED,
    METRICS,
    Evaluation,
    Figure,
    Progress,
    Settings,
    evaluate,
)
from asset_gen.score.scorer import OUTSIDE, SCORERS, Opening, Outside, open_scorer
from asset_gen.score.sources import Asked, Source, Sprites, open_source, resized
from asset_gen.score.weights import at_hand, find_weights

PAPER = {"real": (3.2631, 0.4095), "generated": (2.2936, 0.3265)}
"""Inception Score as printed by Trần Quý Nam (2023), over Veekun's sprites: mean, standard deviation over splits."""
VEEKUN = 801
VEEKUN_TYPES = {
    *("bug", "dark", "dragon", "electric", "fairy", "fighting", "fire", "flying", "ghost"),
    *("grass", "ground", "ice", "normal", "poison", "psychic", "rock", "steel", "water"),
}


class Accuracy(Protocol):
    """What ``cas`` finds."""

    generated: float
    real: float
    held_out: int


@dataclass(frozen=True, slots=True)
class Request:
    """What a person wants to know."""

    source: Path
    against: Path | None = None
    metrics: Sequence[str] = ()
    """Empty: ``is`` alone, or with ``against`` all but ``cas``."""
    scorers: Sequence[str] = ()
    """Empty: ``types`` where the model is known, otherwise ``imagenet``."""
    model: Path | None = None
    """A bundle whose classifier ``types`` asks; None takes the source's own."""
    splits: int = 10
    seed: int = 0
    count: int | None = None
    weights: Path | None = None
    device: str = "auto"


@dataclass(frozen=True, slots=True)
class Floors:
    """What needs PyTorch, handed in by whoever has it."""

    convert: Mapping[str, Convert] = field(default_factory=dict)
    official: Callable[[Sprites, Path, int, int], tuple[float, float]] | None = None
    """(sprites, weights, splits, seed) → Inception Score by pytorch_gan_metrics."""
    accuracy: Callable[[Path, Sprites, Sequence[str], int], Accuracy] | None = None
    """(real sprites, generated ones, their types, seed) → classification accuracy score."""


@dataclass(frozen=True, slots=True)
class Report:
    """The answer."""

    source: Source
    reference: Source | None
    figures: list[Figure]
    notices: list[str]
    paper: bool
    """Whether the paper's figures are of the same sprites."""


def score(
    request: Request,
    floors: Floors,
    progress: Progress = lambda what, done, total: None,
    outside: Mapping[str, Outside] = OUTSIDE,
) -> Report:
    """Compute the figures.

    Raises:
        UsageError: unknown names, too few sprites, nothing to compare with.
        SpriteError, ModelError, ProjectError: something is damaged, or isn't what it claims.
        DeviceError: PyTorch or ONNX Runtime is missing where it is needed.
    """
    metrics = _metrics(request)
    reference = open_source(request.against, Asked(seed=request.seed)) if request.against else None
    asked = Asked(request.count, request.seed, reference, request.device)
    source = open_source(request.source, asked)
    notices = []
    if reference is not None and reference.size != source.size:
        notices.append(f"{reference.name}: sprites of {reference.size} px were compared at {source.size} px.")
        reference = resized(reference, source.size)
    scorers = []
    if {*metrics} - {"copies", "cas"}:
        bundle = _bundle(request, source)
        opening = Opening(bundle, request.device, request.weights, floors.convert)
        names = request.scorers or (("types",) if bundle else ("imagenet",))
        scorers = [open_scorer(name, opening, outside) for name in dict.fromkeys(names)]
    settings = Settings([name for name in metrics if name != "cas"], request.splits, request.seed)
    found = evaluate(source, scorers, settings, reference, progress)
    figures = found.figures
    if "is" in metrics and any(scorer.name == "inception" for scorer in scorers):
        by_package, notice = _official(request, floors, source, found, outside["inception"])
        figures = by_package + figures
        notices += notice
    if "cas" in metrics:
        figures = [*figures, _accuracy(request, floors, source, found)]
    if reference is not None and found.same:
        share = "all" if found.same == len(source) else f"{found.same:,} of {len(source):,}"
        notices.append(
            f"{share} sprites of {source.name} are in {reference.name}, too, pixel by pixel: a distance of 0 says "
            f"nothing then."
        )
    paper = any(_is_veekun(side) for side in (source, reference) if side is not None)
    return Report(source, reference, sorted(figures, key=_place), notices, paper)


def _metrics(request: Request) -> list[str]:
    for option, names, known in (("--metric", request.metrics, METRICS), ("--scorer", request.scorers, SCORERS)):
        if unknown := [name for name in names if name not in known]:
            raise UsageError(f"{option}: there is no {unknown[0]!r}. There are {', '.join(known)}.")
    if request.metrics:
        return [name for name in METRICS if name in request.metrics]
    return [name for name in METRICS if name != "cas"] if request.against else [*ALONE]


def _bundle(request: Request, source: Source) -> Bundle | None:
    """Whose classifier judges types."""
    if request.model is not None:
        return load_bundle(request.model)
    if source.what == "bundle":
        return load_bundle(request.source)
    if source.model and (built_in := load_bundle(BUILT_IN)).sha256 == source.model:
        return built_in
    return None


def _official(
    request: Request, floors: Floors, source: Source, found: Evaluation, network: Outside
) -> tuple[list[Figure], list[str]]:
    """The score by the package that the paper used; without it, why not."""
    if floors.official is None:
        return [], []
    if found.sprites is None:
        return [], [f"pytorch_gan_metrics was not asked about more than {COLLECTED:,} sprites; ours equals it to 1e-4."]
    path = request.weights or at_hand(network.weights)
    if path is None:
        return [], [f"pytorch_gan_metrics was not asked: {network.weights.file} isn't at hand."]
    find_weights(network.weights, path)
    try:
        mean, deviation = floors.official(found.sprites, path, request.splits, request.seed)
    except DeviceError as error:
        return [], [f"{error}"]
    if not math.isfinite(mean):
        return [], ["pytorch_gan_metrics gives NaN, as it does where a class has probability 0; ours doesn't."]
    figure = Figure(
        metric="is",
        name="Inception Score",
        set="all",
        value=mean,
        deviation=deviation,
        n=len(source),
        against=None,
        splits=request.splits,
        seed=request.seed,
        network=f"{network.network}, by pytorch_gan_metrics",
    )
    return [figure], []


def _accuracy(request: Request, floors: Floors, source: Source, found: Evaluation) -> Figure:
    if request.against is None:
        raise UsageError("--metric cas: compares with real sprites. Name them with --against SPRITES.")
    if floors.accuracy is None:
        raise DeviceError("--metric cas trains a classifier. Install PyTorch with pip install 'assetgen[train]'.")
    if (source.kinds < 0).any():
        raise UsageError("--metric cas: needs sprites of known types, and this model knows none.")
    sprites = found.sprites
    if sprites is None:
        source = open_source(request.source, Asked(COLLECTED, request.seed, device=request.device))
        sprites = np.concatenate([*source.read()])
    kinds = [source.types[kind] for kind in source.kinds]
    accuracy = floors.accuracy(request.against, sprites, kinds, request.seed)
    return Figure(
        metric="cas",
        name="classification accuracy score",
        set="all",
        value=accuracy.generated,
        deviation=None,
        n=len(sprites),
        against=accuracy.held_out,
        splits=None,
        seed=request.seed,
        network=None,
        note=f"real sprites teach {accuracy.real:.2f}",
    )


def _place(figure: Figure) -> tuple[int, str]:
    """Whole sets first, then type by type; figures of one set stay in their order."""
    first = ("all", "kept")
    return (first.index(figure.set), "") if figure.set in first else (len(first), figure.set)


def _is_veekun(source: Source) -> bool:
    return len(source) == VEEKUN and {*source.types} == VEEKUN_TYPES
