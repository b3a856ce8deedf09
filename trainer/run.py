"""A run folder: one training from its configuration to its last checkpoint, in as many sittings as it takes.

config.json        what was asked for and what was read; a resumed run must match it
data.json          the report on the sprites: counts, sizes, refused files, notices
types.png          sprites per type
stats.jsonl        one line every 20 steps
samples/*.png      rows = types, fixed latents
curves.png         losses and D(x), D(G(z))
checkpoints/       the state to continue from
classifier/        the type classifier, once the generator is done
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import msgspec
import torch

from asset_gen import pixels
from asset_gen.errors import DeviceError, ModelError, UsageError
from trainer import checkpoint, curves
from trainer.dataset import Dataset, load_dataset
from trainer.loop import Settings, Training, draw
from trainer.presets import PRESETS, Preset

LOG_EVERY = 20  # steps
SHEET_COLUMNS = 8


@dataclass(frozen=True, kw_only=True, slots=True)
class Config:
    """What a run is; written once, compared on resume."""

    preset: str
    sprites: str
    """Folder of the training sprites, absolute."""
    size: int | None
    """Side of the canvas in pixels; None until the sprites are read."""
    merge: dict[str, str] = field(default_factory=dict)
    background: bool = False
    settings: Settings = field(default_factory=Settings)
    types: dict[str, str] = field(default_factory=dict)
    """Slug → label as written; filled in when the sprites are read."""
    data_sha256: str = ""
    """Digest of the sprites as trained on; filled in when they are read."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Limit:
    """When to stop; the first that is reached. Minutes count the run's training time over all sittings."""

    minutes: float | None = None
    steps: int | None = None
    epochs: int | None = None

    def reached(self, training: Training) -> bool:
        """Whether the run has had its share."""
        return (
            (self.minutes is not None and training.seconds >= self.minutes * 60)
            or (self.steps is not None and training.step >= self.steps)
            or (self.epochs is not None and training.step >= self.epochs * training.steps_per_epoch)
        )

    def share(self, training: Training) -> float:
        """How much of the way is behind us, 0–1."""
        shares = [
            training.seconds / (self.minutes * 60) if self.minutes else 0.0,
            training.step / self.steps if self.steps else 0.0,
            training.step / (self.epochs * training.steps_per_epoch) if self.epochs else 0.0,
        ]
        return min(1.0, max(shares))


Report = Callable[[Training, dict[str, float]], None]
"""Called after every step with the training and the step's figures."""


def default_limit(preset: Preset) -> Limit:
    """The preset's own length."""
    return Limit(minutes=preset.default_minutes, epochs=preset.default_epochs)


def read_sprites(config: Config) -> tuple[Config, Dataset]:
    """Read the sprites a configuration names, and complete it by what they turned out to be."""
    preset = PRESETS[config.preset]
    size = config.size or preset.default_size
    if size is not None and size not in preset.sizes:
        raise UsageError(
            f"--size {size}: {config.preset} draws {', '.join(map(str, preset.sizes))} pixels. "
            f"Leave --size out to have it chosen."
        )
    dataset = load_dataset(Path(config.sprites), size, config.merge, config.background)
    completed = asdict(config) | {
        "settings": config.settings,
        "size": dataset.size,
        "types": dataset.types,
        "data_sha256": dataset.digest(),
    }
    return Config(**completed), dataset


def open_run(run: Path, config: Config, resume: bool) -> tuple[Config, Dataset]:
    """Create the run folder, or check that an existing one is the same training.

    Raises:
        UsageError: the folder holds a run and ``resume`` is False, or the other way round.
        ModelError: the run was made with another preset, other sprites or other settings.
    """
    path = run / "config.json"
    if run.exists() and not run.is_dir():
        raise UsageError(f"--run {run}: is a file. Give a folder.")
    if run.resolve().is_relative_to(config.sprites):  # its sample sheets would be sprites of the next sitting
        raise UsageError(f"--run {run}: lies inside the sprites {config.sprites}. Give a folder outside them.")
    if resume and not path.is_file():
        raise UsageError(f"{run}: holds no run to resume. Leave --resume out to start one.")
    if not resume and path.is_file():
        raise UsageError(f"{run}: holds a run already. Continue it with --resume, or give another --run folder.")
    config, dataset = read_sprites(config)
    if resume:
        recorded = load_config(run)
        for name in ("preset", "size", "types", "settings", "data_sha256"):
            before, now = getattr(recorded, name), getattr(config, name)
            if before != now:
                what = (
                    "the sprites have changed" if name in {"data_sha256", "types"} else f"{name} was {before}, is {now}"
                )
                raise ModelError(
                    f"{run}: {what} since the run began, so it can't be continued exactly. "
                    f"Restore what it was, or start a new run in another folder."
                )
        return config, dataset
    run.mkdir(parents=True, exist_ok=True)
    data = {
        "sprites": config.sprites,
        "read": len(dataset.files),
        "size": dataset.size,
        "counts": dataset.counts(),
        "refused": dataset.refused,
        "notices": dataset.notices,
    }
    _write_json(run / "data.json", data)
    curves.types_chart(dataset.counts(), run / "types.png")
    _write_json(path, asdict(config))
    return config, dataset


def _write_json(path: Path, document: dict[str, Any]) -> None:
    """Names that aren't UTF-8 (Python reads their bytes as lone surrogates) become escapes of JSON's own."""
    text = json.dumps(document, indent=1, ensure_ascii=False)
    path.write_text(text, encoding="utf-8", errors="backslashreplace")


def load_config(run: Path) -> Config:
    """The configuration of a run folder.

    Raises:
        ModelError: the folder is no run folder, or its configuration is damaged.
    """
    path = run / "config.json"
    try:
        config = msgspec.json.decode(path.read_bytes(), type=Config)
    except (FileNotFoundError, NotADirectoryError):
        raise ModelError(f"{run}: is no run folder (there is no config.json). Give the folder of --run.") from None
    except (OSError, msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise ModelError(f"{path}: damaged ({error}). Restore it, or start a new run in another folder.") from None
    if config.preset not in PRESETS:
        raise ModelError(
            f"{path}: unknown preset {config.preset!r}; known: {', '.join(PRESETS)}. Use the assetgen that wrote it."
        )
    return config


def resume_training(run: Path, config: Config, dataset: Dataset, device: torch.device) -> tuple[Training, list[str]]:
    """The training at the run's newest whole checkpoint (or at step 0), and notices about damaged ones."""
    training = Training(PRESETS[config.preset], dataset, config.settings, device)
    saved, notices = checkpoint.load_checkpoint(run)
    if saved is not None:
        try:
            training.restore(saved)
        except (RuntimeError, KeyError) as error:
            raise ModelError(
                f"{run}: its checkpoint doesn't fit its config.json ({str(error).splitlines()[0]}). "
                f"Restore what was changed, or start a new run in another folder."
            ) from None
    return training, notices


def train(
    run: Path,
    training: Training,
    limit: Limit,
    report: Report = lambda training, stats: None,
    checkpoint_seconds: float = 120.0,
    sample_kimg: float = 25.0,
) -> None:
    """Train until ``limit``, leaving statistics, sample sheets and checkpoints in the run folder.

    An interrupt (KeyboardInterrupt) saves a checkpoint first and is then passed on.
    """
    stats = _Statistics(run / "stats.jsonl", training.step)
    saved_at, sampled_at = training.seconds, training.sprites_seen // (sample_kimg * 1000)
    saved_step = training.step
    try:
        while not limit.reached(training):
            figures = training.advance()
            stats.add(training, figures)
            report(training, figures)
            if training.seconds - saved_at >= checkpoint_seconds:
                checkpoint.save_checkpoint(run, training.checkpoint())
                saved_at, saved_step = training.seconds, training.step
            if training.sprites_seen // (sample_kimg * 1000) != sampled_at:
                sampled_at = training.sprites_seen // (sample_kimg * 1000)
                save_samples(run, training)
    except KeyboardInterrupt:
        if saved_step != training.step:
            checkpoint.save_checkpoint(run, training.checkpoint())
        raise
    if saved_step != training.step or training.step == 0:
        checkpoint.save_checkpoint(run, training.checkpoint())
    save_samples(run, training)
    if lines := stats.lines():
        curves.training_curves(lines, run / "curves.png")


def save_samples(run: Path, training: Training) -> Path:
    """A sheet of eight sprites a type from latents that stay the same all through the run."""
    types = training.labels.shape[1] if training.preset.conditional else 8
    fixed = torch.Generator().manual_seed(training.settings.seed)
    z = torch.randn(types * SHEET_COLUMNS, training.preset.latent, generator=fixed)
    label = torch.eye(training.labels.shape[1]).repeat_interleave(SHEET_COLUMNS, dim=0)[: len(z)]
    if not training.preset.conditional:
        label = torch.zeros(len(z), training.labels.shape[1])
    output = draw(training.drawing, z.to(training.device), label.to(training.device)).cpu().numpy()
    folder = run / "samples"
    folder.mkdir(exist_ok=True)
    path = folder / f"{training.step:09d}.png"
    curves.sample_sheet(pixels.from_network(output), SHEET_COLUMNS).save(path)
    return path


class _Statistics:
    """``stats.jsonl``: the mean of every figure over the last ``LOG_EVERY`` steps."""

    def __init__(self, path: Path, step: int) -> None:
        self.path = path
        self.sums: dict[str, float] = defaultdict(float)
        self.count = 0
        kept = [
            line for line in self.lines() if line["step"] <= step
        ]  # what a killed sitting wrote past its checkpoint
        path.write_text("".join(json.dumps(line) + "\n" for line in kept))

    def add(self, training: Training, figures: dict[str, float]) -> None:
        for key, value in figures.items():
            self.sums[key] += value
        self.count += 1
        if training.step % LOG_EVERY == 0:
            means = {key: round(total / self.count, 6) for key, total in self.sums.items()}
            line = {"step": training.step, "kimg": training.sprites_seen / 1000, "seconds": round(training.seconds, 1)}
            with self.path.open("a") as file:
                file.write(json.dumps(line | means) + "\n")
            self.sums.clear()
            self.count = 0

    def lines(self) -> list[dict[str, float]]:
        """Every line so far; a torn last line is dropped."""
        if not self.path.exists():
            return []
        read = []
        for text in self.path.read_text().splitlines():
            try:
                read.append(json.loads(text))
            except ValueError:
                break
        return read


def device_named(name: str) -> torch.device:
    """``auto``, ``cpu`` or ``cuda`` as a device.

    Raises:
        DeviceError: CUDA was asked for and torch has none.
    """
    if name == "cuda" and not torch.cuda.is_available():
        raise DeviceError("--device cuda: this PyTorch sees no CUDA device. Install a CUDA build, or use --device cpu.")
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    return torch.device(name)


def run_report(run: Path) -> dict[str, Any]:
    """What ``data.json`` says of the sprites.

    Raises:
        ModelError: it is missing or damaged.
    """
    try:
        report: dict[str, Any] = json.loads((run / "data.json").read_text(encoding="utf-8"))
        report["read"] = int(report["read"])
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise ModelError(
            f"{run / 'data.json'}: can't be read ({error!r}). Restore it, or train again in another folder."
        ) from None
    return report
