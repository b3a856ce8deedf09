"""A run folder → a bundle folder, staged and renamed when it is whole."""

from __future__ import annotations

import copy
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import msgspec
import torch
from safetensors.torch import save
from torch import Tensor, nn

from asset_gen import data_card
from asset_gen.bundle import (
    FORMAT,
    NETWORKS,
    WEIGHTS,
    Bundle,
    BundleInfo,
    DataRecord,
    Tunable,
    load_bundle,
)
from asset_gen.errors import ModelError, SpriteError, UsageError
from exporter.calibrate import explored, remember
from exporter.critic import add_critic, critic_of
from exporter.encoder import add_encoder
from exporter.onnx_graph import Typed, Untyped, export_onnx
from exporter.stage import file_record, memory_of, staging, swap, write_info
from exporter.verify import check_parity
from trainer.checkpoint import LAST, Checkpoint, load_best, load_checkpoint
from trainer.classifier import load_classifier
from trainer.config import Config, load_config, outside_networks, run_report
from trainer.dataset import Dataset, load_dataset
from trainer.evaluate import read_evaluations
from trainer.loop import new_generator, resolve
from trainer.presets import PRESETS


@dataclass(frozen=True, kw_only=True, slots=True)
class Labelling:
    """What a person says about the model."""

    name: str
    licence: str
    data_name: str | None
    data_licence: str | None
    """None: as ``credits.csv`` says, where it says so of every sprite."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Form:
    """How the bundle shall be made."""

    half: bool = False
    """Store weights in 16 bits."""
    tunable: bool = False
    """Carry the networks to train on, too."""
    last: bool = False
    """Take the newest checkpoint, even where an earlier one was judged better."""
    features: str | None = None
    """The network by which sets are compared: one of ``exporter.feature_network.NETWORKS``; None: the usual one."""
    critic: bool = False
    """Write the discriminator, too."""
    encoder: float = 0
    """Minutes in which an encoder is trained; 0: there is none."""
    force: bool = False
    """Replace an existing bundle."""


def export_run(
    run: Path,
    out: Path,
    labelling: Labelling,
    form: Form | None = None,
    say: Callable[[str], None] = lambda notice: None,
) -> Bundle:
    """Export a checkpoint of a run (the best, where one was judged) and its classifier.

    ``say`` hears of damaged checkpoints passed over, and of an encoder's progress.

    Raises:
        UsageError: ``out`` exists and ``force`` is False, or is no bundle; or the run can't have a critic, or
            its sprites aren't there for one, or for an encoder.
        ModelError: the run isn't finished or is damaged, or ONNX Runtime doesn't reproduce PyTorch.
    """
    form = form or Form()
    if out.exists() and not (form.force and (out / "bundle.json").is_file()):
        cure = "Pass --force to replace it" if (out / "bundle.json").is_file() else "Give another folder"
        raise UsageError(f"{out}: exists already. {cure}.")
    config = load_config(run)
    generator, saved = load_generator(run, config, form.last, say)
    critic = None
    if form.critic:
        recipe, discriminator = resolve(config.preset, config.settings), saved.part("discriminator")
        critic = critic_of(recipe, len(config.types), config.size or 0, config.settings.width, discriminator, run)
    classifier, figures = load_classifier(run, len(config.types), config.size or 0)
    report = run_report(run)
    preset = PRESETS[config.preset]
    stage = staging(out)
    stage.mkdir(parents=True)
    try:
        shell = Typed if preset.conditional else Untyped
        drawing: nn.Module = shell(generator)
        stored = shell(copy.deepcopy(generator), torch.float16) if form.half else drawing

        def latents(rows: int) -> Mapping[str, Tensor]:
            chance = torch.Generator().manual_seed(rows)
            z = {"z": torch.randn(rows, preset.latent, generator=chance)}
            if not preset.conditional:
                return z
            kinds = torch.randint(0, len(config.types), (rows,), generator=chance)
            return z | {"label": torch.eye(len(config.types))[kinds]}

        def pictures(rows: int) -> Mapping[str, Tensor]:
            with torch.no_grad():
                return {"rgba": drawing(*latents(rows).values())}

        export_onnx(stored, latents(4), "rgba", stage / "generator.onnx")
        export_onnx(classifier, pictures(4), "logits", stage / "classifier.onnx")
        parity = {
            "generator": check_parity(stage / "generator.onnx", drawing, latents, form.half),
            "classifier": check_parity(stage / "classifier.onnx", classifier, pictures),
        }
        if form.tunable:
            networks = {name: value for name, value in saved.tensors.items() if not name.startswith("optimiser.")}
            (stage / WEIGHTS).write_bytes(save(networks))
        card = data_card.read_card(run)
        if card is not None:
            (stage / data_card.NAME).write_bytes(data_card.encode_card(card))
        evaluation = read_evaluations(run).get(saved.state["step"])
        labelling = replace(labelling, data_licence=labelling.data_licence or data_card.licence_of(card))
        info = _info(config, report, labelling, saved.state, figures, evaluation, parity, stage)
        info = msgspec.structs.replace(info, memory=max(memory_of(stage / name) for name in NETWORKS))
        dataset = sprites_of(config, say)
        info = explored(stage, info)
        if dataset is not None:
            info = remember(stage, info, dataset, form.features)
        for flag, asked in (("--critic", critic is not None), ("--encoder", form.encoder > 0)):
            if asked and dataset is None:
                raise UsageError(f"{flag}: needs the training sprites as they were. Restore {config.sprites}.")
        if critic is not None and dataset is not None:
            info = add_critic(stage, info, critic, dataset)
        if form.encoder and dataset is not None:
            info = add_encoder(stage, info, dataset, form.encoder, say)
        write_info(stage, info)
        load_bundle(stage)
        swap(stage, out)
    finally:
        shutil.rmtree(stage, ignore_errors=True)
    return load_bundle(out)


def load_generator(
    run: Path, config: Config, last: bool = False, say: Callable[[str], None] = lambda notice: None
) -> tuple[nn.Module, Checkpoint]:
    """The run's generator to draw with (the moving average where there is one), and the checkpoint it comes from.

    Raises:
        ModelError: there is no checkpoint yet, or it doesn't fit the run's configuration.
    """
    preset = PRESETS[config.preset]
    saved, notices = load_checkpoint(run, LAST) if last else load_best(run)
    for notice in notices:
        say(notice)
    if saved is None or config.size is None:
        raise ModelError(f"{run}: has no checkpoint yet. Train it with assetgen train … --resume.")
    generator = new_generator(config.preset, config.settings, len(config.types), config.size)
    try:
        generator.load_state_dict(saved.part("average" if preset.ema_half_life else "generator"))
    except RuntimeError as error:
        raise ModelError(
            f"{run}: its checkpoint doesn't fit its config.json ({str(error).splitlines()[0]}). "
            f"Restore what was changed, or train again in another folder."
        ) from None
    return generator.eval(), saved


def sprites_of(config: Config, say: Callable[[str], None]) -> Dataset | None:
    """The sprites of the run; None, and a notice, where they aren't there any more as they were."""
    without = "the bundle is written without what it would remember of them (assetgen calibrate adds it)"
    try:
        dataset = load_dataset(Path(config.sprites), config.size, config.merge, config.background, config.without)
    except (SpriteError, OSError) as error:
        say(f"The training sprites can't be read ({error}); {without}.")
        return None
    if dataset.digest() != config.data_sha256:
        say(f"{config.sprites}: the sprites have changed since the training; {without}.")
        return None
    return dataset


def _info(
    config: Config,
    report: dict[str, Any],
    labelling: Labelling,
    state: dict[str, Any],
    figures: dict[str, Any],
    evaluation: dict[str, Any] | None,
    parity: dict[str, Any],
    stage: Path,
) -> BundleInfo:
    preset = PRESETS[config.preset]
    names = [name for name in (*NETWORKS, WEIGHTS, data_card.NAME) if (stage / name).is_file()]
    files = {name: file_record(stage / name) for name in names}
    training = {
        "steps": state["step"],
        "minutes": round(state["seconds"] / 60, 1),
        "seed": config.settings.seed,
        "precision": config.settings.precision,
        "classifier": figures,
    }
    if evaluation:
        training["evaluation"] = evaluation
    if config.lineage:
        training["finetuned_from"] = config.lineage
    return BundleInfo(
        format=FORMAT,
        name=labelling.name,
        licence=labelling.licence,
        types=list(config.types),
        labels=config.types,
        size=config.size or 0,
        latent=preset.latent,
        preset=preset.name,
        conditional=preset.conditional,
        alpha="true" if preset.alpha else "none",
        outside_networks=outside_networks(config),
        data=DataRecord(
            name=labelling.data_name or Path(config.sprites).name,
            licence=labelling.data_licence or "unstated",
            sprites=report["read"],
            sha256=config.data_sha256,
        ),
        training=training,
        parity=parity,
        files=files,
        tunable=_tunable(config) if WEIGHTS in files else None,
    )


def _tunable(config: Config) -> Tunable:
    recipe = resolve(config.preset, config.settings)
    return Tunable(
        generator=config.settings.generator or config.preset,
        width=config.settings.width,
        shown_side=recipe.shown_side if recipe.name == "projected" else None,
    )
