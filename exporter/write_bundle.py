"""A run folder → a bundle folder, staged and renamed when it is whole."""

from __future__ import annotations

import copy
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

import msgspec
import torch
from torch import Tensor, nn

from asset_gen.bundle import FORMAT, NETWORKS, Bundle, BundleInfo, DataRecord, FileRecord, load_bundle
from asset_gen.errors import ModelError, UsageError
from exporter.onnx_graph import Typed, Untyped, export_onnx
from exporter.verify import check_parity
from trainer.checkpoint import load_checkpoint
from trainer.classifier import load_classifier
from trainer.presets import PRESETS
from trainer.run import Config, load_config, run_report


@dataclass(frozen=True, kw_only=True, slots=True)
class Labelling:
    """What a person says about the model."""

    name: str
    licence: str
    data_name: str | None
    data_licence: str


def export_run(
    run: Path,
    out: Path,
    labelling: Labelling,
    half: bool = False,
    force: bool = False,
    say: Callable[[str], None] = lambda notice: None,
) -> Bundle:
    """Export the newest whole checkpoint of a run and its classifier; ``say`` hears of damaged ones passed over.

    Raises:
        UsageError: ``out`` exists and ``force`` is False, or is no bundle.
        ModelError: the run isn't finished or is damaged, or ONNX Runtime doesn't reproduce PyTorch.
    """
    if out.exists() and not (force and (out / "bundle.json").is_file()):
        cure = "Pass --force to replace it" if (out / "bundle.json").is_file() else "Give another folder"
        raise UsageError(f"{out}: exists already. {cure}.")
    config = load_config(run)
    generator, state = load_generator(run, config, say)
    classifier, figures = load_classifier(run, len(config.types), config.size or 0)
    report = run_report(run)
    preset = PRESETS[config.preset]
    stage = out.resolve().with_name(f".{out.resolve().name}.tmp")
    shutil.rmtree(stage, ignore_errors=True)
    stage.mkdir(parents=True)
    try:
        shell = Typed if preset.conditional else Untyped
        drawing: nn.Module = shell(generator)
        stored = shell(copy.deepcopy(generator), torch.float16) if half else drawing

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
            "generator": check_parity(stage / "generator.onnx", drawing, latents, half),
            "classifier": check_parity(stage / "classifier.onnx", classifier, pictures),
        }
        info = _info(config, report, labelling, state, figures, parity, stage)
        (stage / "bundle.json").write_bytes(msgspec.json.format(msgspec.json.encode(info), indent=1) + b"\n")
        load_bundle(stage)
        former = stage.with_suffix(".former")
        shutil.rmtree(former, ignore_errors=True)
        if out.exists():
            out.rename(former)  # a kill between the two renames loses neither
        stage.rename(out)
        shutil.rmtree(former, ignore_errors=True)
    finally:
        shutil.rmtree(stage, ignore_errors=True)
    return load_bundle(out)


def load_generator(
    run: Path, config: Config, say: Callable[[str], None] = lambda notice: None
) -> tuple[nn.Module, dict[str, Any]]:
    """The run's generator to draw with (the moving average where there is one), and the checkpoint's state.

    Raises:
        ModelError: there is no checkpoint yet, or it doesn't fit the run's configuration.
    """
    preset = PRESETS[config.preset]
    saved, notices = load_checkpoint(run)
    for notice in notices:
        say(notice)
    if saved is None or config.size is None:
        raise ModelError(f"{run}: has no checkpoint yet. Train it with assetgen train … --resume.")
    prefix = "average." if preset.ema_half_life else "generator."
    generator = preset.generator(len(config.types), config.size, config.settings.width)
    try:
        generator.load_state_dict(
            {name.removeprefix(prefix): value for name, value in saved.tensors.items() if name.startswith(prefix)}
        )
    except RuntimeError as error:
        raise ModelError(
            f"{run}: its checkpoint doesn't fit its config.json ({str(error).splitlines()[0]}). "
            f"Restore what was changed, or train again in another folder."
        ) from None
    return generator.eval(), saved.state


def _info(
    config: Config,
    report: dict[str, Any],
    labelling: Labelling,
    state: dict[str, Any],
    figures: dict[str, Any],
    parity: dict[str, Any],
    stage: Path,
) -> BundleInfo:
    preset = PRESETS[config.preset]
    files = {
        name: FileRecord(sha256=sha256((stage / name).read_bytes()).hexdigest(), size=(stage / name).stat().st_size)
        for name in NETWORKS
    }
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
        outside_networks=[],
        data=DataRecord(
            name=labelling.data_name or Path(config.sprites).name,
            licence=labelling.data_licence,
            sprites=report["read"],
            sha256=config.data_sha256,
        ),
        training={
            "steps": state["step"],
            "minutes": round(state["seconds"] / 60, 1),
            "seed": config.settings.seed,
            "precision": config.settings.precision,
            "classifier": figures,
        },
        parity=parity,
        files=files,
    )
