"""A whole training: from a folder of sprites to a run folder that is judged and ready for export."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np
import torch
from numpy.typing import NDArray

from asset_gen import pixels
from asset_gen.errors import AssetgenError, UsageError
from trainer import classifier
from trainer.checkpoint import BEST, LAST, sweep
from trainer.config import OWN_JUDGE, Config, only_trainer, open_run, outside_networks, read_sprites
from trainer.curves import SHEET_COLUMNS
from trainer.dataset import Dataset
from trainer.diary import fixed_sprites
from trainer.distributed import Group, join, leave, together
from trainer.dry_run import device_name, rehearse
from trainer.evaluate import Evaluator, Judging, read_evaluations
from trainer.finetune import Source, load_source, take_over
from trainer.judge import CheckpointJudge, ClassifierFeatures, EfficientNetFeatures, FeatureNetwork
from trainer.loop import Training
from trainer.presets import PRESETS
from trainer.report import write_report
from trainer.run import Limit, Report, Rhythm, Say, device_named, open_training, train


@dataclass(frozen=True, kw_only=True, slots=True)
class Job:
    """What a person asked for."""

    run: Path
    config: Config
    """Not yet completed by what is read."""
    limit: Limit
    resume: bool = False
    source: Path | None = None
    """A run or bundle to start from; None: random weights."""
    device: str = "auto"
    compiled: bool = False
    dry_run: bool = False
    rhythm: Rhythm = Rhythm()  # noqa: RUF009 (frozen)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of it."""

    training: Training
    dataset: Dataset
    figures: dict[str, Any]
    """Of the type classifier."""
    best: dict[str, Any] | None
    """The best checkpoint's line of ``evaluations.jsonl``."""


def rehearse_job(job: Job) -> dict[str, Any]:
    """The resolved configuration, and what the training would cost; nothing is written."""
    config, source = _with_source(job)
    config, dataset = read_sprites(config)
    training, _ = open_training(job.run, config, dataset, device_named(job.device), compiled=job.compiled)
    if source:
        take_over(training, source, list(dataset.types))
    with _memory_advice(training.batch):
        return rehearse(config, dataset, training, job.limit)


def run_job(job: Job, report: Report, say: Say) -> Outcome:
    """Train, as one process or as one of those that ``torchrun`` started.

    Raises:
        AssetgenError: see ``open_run``, ``open_training``, ``load_source`` and ``train``.
    """
    with ExitStack() as stack:
        group, device = join(device_named(job.device))
        stack.callback(leave)
        stack.enter_context(together(group))
        config, source = _with_source(job)
        if not group.leads:
            group.wait()  # until the leader has made the folder
        config, dataset = open_run(job.run, config, job.resume or not group.leads, source.ancestors if source else ())
        if group.leads:
            stack.enter_context(only_trainer(job.run))
            for folder in (LAST, BEST):
                sweep(job.run, folder)
            group.wait()
        if config.lineage and source is None and not (job.run / LAST).is_dir():
            raise UsageError(f"{job.run}: was stopped before its first checkpoint. Give --from again.")
        told = say if group.leads else _silent
        return _run(job, config, dataset, source, group, device, report, told)


def _silent(notice: str) -> None:
    """The others train, and leave talking to the leader."""


def _run(
    job: Job,
    config: Config,
    dataset: Dataset,
    source: Source | None,
    group: Group,
    device: torch.device,
    report: Report,
    say: Say,
) -> Outcome:
    _introduce(job.run, config, dataset, say)
    alpha = PRESETS[config.preset].alpha
    figures: dict[str, Any] = {}
    evaluator = None
    if group.leads:
        say("type classifier, which is trained first …")
        figures = classifier.ensure_classifier(job.run, dataset, alpha, config.settings.seed, device, _quarters(say))
        evaluator = Evaluator(dataset, _judging(job.run, config, dataset, device))
    training, notices = open_training(job.run, config, dataset, device, group, job.compiled)
    if source and training.step == 0:
        notices += take_over(training, source, list(dataset.types))
    for notice in notices:
        say(f"  {notice}")
    with _memory_advice(training.batch):
        train(job.run, training, job.limit, report, evaluator, job.rhythm, say)
    if group.leads:
        _report(job.run, dataset, training, figures)
    best = min(read_evaluations(job.run).values(), key=lambda line: float(line["kid"]), default=None)
    return Outcome(training, dataset, figures, best)


def _quarters(say: Say) -> Callable[[float], None]:
    """Says how much of the type classifier's training is done, at each quarter: on a busy machine it takes minutes."""
    told = 0

    def progress(share: float) -> None:
        nonlocal told
        if told < int(4 * share) < 4:
            told = int(4 * share)
            say(f"  {told * 25} %")

    return progress


def _report(run: Path, dataset: Dataset, training: Training, figures: dict[str, Any]) -> None:
    """``report.html``, with sprites of the last weights."""
    sprites = fixed_sprites(training)
    typed = training.preset.conditional
    write_report(
        run,
        dataset,
        sprites if training.preset.alpha else pixels.key_out(sprites),
        np.repeat(np.arange(len(dataset.types)), SHEET_COLUMNS) if typed else None,
        step=training.step,
        device=device_name(training.device),
        classifier=figures,
    )


def _with_source(job: Job) -> tuple[Config, Source | None]:
    """The configuration as the model to start from completes it.

    Raises:
        UsageError: the model draws another kind or size of sprite than was asked for.
    """
    if job.source is None:
        return job.config, None
    source = load_source(job.source)
    lineage, config = source.lineage, job.config
    ours, theirs = PRESETS[config.preset], PRESETS[lineage.generator]
    if (ours.alpha, ours.conditional) != (theirs.alpha, theirs.conditional):
        raise UsageError(
            f"--from {job.source}: is a generator of {lineage.generator}, which {config.preset} can't train. "
            f"Give --preset {source.preset}."
        )
    if config.size not in (None, lineage.size):
        raise UsageError(f"--size {config.size}: {job.source} draws {lineage.size} pixels. Leave --size out.")
    settings = replace(config.settings, generator=lineage.generator, width=lineage.width, finetuned=True)
    return replace(config, settings=settings, size=lineage.size, lineage=lineage.as_dict()), source


def _judging(run: Path, config: Config, dataset: Dataset, device: torch.device) -> Judging:
    """What chooses the run's checkpoints."""

    @cache
    def judge() -> CheckpointJudge:
        """Made when it is first needed: a sitting may end before."""
        if config.judge == OWN_JUDGE:
            network, _ = classifier.load_classifier(run, len(dataset.types), dataset.size)
            return CheckpointJudge(dataset.sprites, ClassifierFeatures(network, PRESETS[config.preset].alpha, device))
        features = EfficientNetFeatures(config.judge, device)
        return CheckpointJudge(dataset.sprites, features, _real_features(run, features, dataset))

    return lambda sprites: judge().verdict(sprites)


def _real_features(run: Path, network: FeatureNetwork, dataset: Dataset) -> NDArray[np.float32]:
    """Features of the training sprites, which an earlier sitting may have left in ``judge.npz``: a minute on a CPU."""
    path, key = run / "judge.npz", f"{network.name} {dataset.digest()}"
    try:
        with np.load(path) as kept:
            if str(kept["key"]) == key and len(kept["features"]) == len(dataset.sprites):
                return np.asarray(kept["features"], np.float32)
    except (OSError, ValueError, KeyError, BadZipFile, EOFError):
        pass  # none yet, or torn: they can always be computed again
    features = network.features(dataset.sprites)
    stage = path.with_suffix(".tmp")
    with stage.open("wb") as file:
        np.savez(file, key=key, features=features)
    stage.replace(path)
    return features


def _introduce(run: Path, config: Config, dataset: Dataset, say: Say) -> None:
    """What a person should know before the training begins."""
    size, report = dataset.size, run / "data.json"
    say(f"{len(dataset.files)} sprites of {len(dataset.types)} types at {size} px; report in {report}")
    for notice in dataset.notices:
        say(f"  {notice}")
    for reason in dataset.refused.values():
        say(f"  refused: {reason}")
    if len(dataset.types) == 1:
        say("  one type only: sprites can't be scored by type, and the Inception Score isn't defined.")
    networks = outside_networks(config)
    say(f"  networks trained by others: {', '.join(networks) or 'none'}")


@contextmanager
def _memory_advice(batch: int) -> Iterator[None]:
    """Turn what torch says of memory into a sentence with a cure."""
    try:
        yield
    except RuntimeError as error:
        if not isinstance(error, torch.OutOfMemoryError) and "can't allocate memory" not in str(error):
            raise
        raise AssetgenError(
            f"out of memory with {batch} sprites a step. Try --batch-size {max(2, batch // 2)} in a new run folder; "
            f"a batch of its own is part of what a run is."
        ) from None
