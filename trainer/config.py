"""What is a run, and does a folder hold this one?

``config.json`` says what was asked for and what was read; ``data.json`` reports on the sprites; ``data_card.json``
lists every file that was trained on, with author and licence.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import filelock
import msgspec

from asset_gen import data_card
from asset_gen.errors import ModelError, UsageError
from asset_gen.lock import holder_of, holding
from trainer import curves
from trainer.dataset import Dataset, load_dataset
from trainer.loop import Settings, resolve
from trainer.presets import PRESETS
from trainer.pretrained import WEIGHTS, available, describe

JUDGE = "lite1"
"""The network that chooses checkpoints, where it is installed; the report is another's (Lite2)."""
OWN_JUDGE = "classifier"
"""The judge of runs that no outside network may touch: the run's own type classifier."""


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
    without: list[str] = field(default_factory=list)
    """Files of the set that are left out."""
    settings: Settings = field(default_factory=Settings)
    types: dict[str, str] = field(default_factory=dict)
    """Slug → label as written; filled in when the sprites are read."""
    data_sha256: str = ""
    """Digest of the sprites as trained on; filled in when they are read."""
    lineage: dict[str, Any] | None = None
    """The model it started from (``trainer.finetune.Lineage``); None: random weights."""
    judge: str = ""
    """What chooses checkpoints: a key of ``trainer.pretrained.WEIGHTS``, or ``classifier``, the run's own; empty until
    it is found what is installed."""


def read_sprites(config: Config) -> tuple[Config, Dataset]:
    """Read the sprites a configuration names, and complete it by what they turned out to be."""
    preset = resolve(config.preset, config.settings)
    size = config.size or preset.default_size
    if size is not None and size not in preset.sizes:
        raise UsageError(
            f"--size {size}: {config.preset} draws {', '.join(map(str, preset.sizes))} pixels. "
            f"Leave --size out to have it chosen."
        )
    folder = Path(config.sprites)
    dataset = load_dataset(folder, size, config.merge, config.background, config.without)
    data_card.check_licensed(folder, dataset.files, data_card.read_credits(folder))
    if config.judge == OWN_JUDGE and preset.outside:
        raise UsageError(
            f"--no-pretrained: {config.preset} learns against {describe(preset.outside[0])}. Use --preset relativistic."
        )
    completed = asdict(config) | {
        "settings": config.settings,
        "judge": config.judge or (JUDGE if available(JUDGE) else OWN_JUDGE),
        "size": dataset.size,
        "types": dataset.types,
        "data_sha256": dataset.digest(),
    }
    return Config(**completed), dataset


def open_run(
    run: Path, config: Config, resume: bool, ancestors: Sequence[data_card.Ancestor] = ()
) -> tuple[Config, Dataset]:
    """Create the run folder, or check that an existing one is the same training.

    ``ancestors``: what the model that it starts from has seen, for the data card.

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
    recorded = load_config(run) if resume else None
    if recorded and recorded.lineage and not config.lineage:  # --from needn't be said again
        taken = {name: getattr(recorded.settings, name) for name in ("generator", "width", "finetuned")}
        settings = replace(config.settings, **taken)
        config = replace(config, lineage=recorded.lineage, settings=settings, size=config.size or recorded.size)
    if recorded and not config.judge:
        config = replace(config, judge=recorded.judge)
    if recorded and not config.without:
        config = replace(config, without=recorded.without)
    config, dataset = read_sprites(config)
    if recorded:
        for name in ("preset", "size", "types", "settings", "data_sha256", "lineage", "judge"):
            before, now = getattr(recorded, name), getattr(config, name)
            if before != now:
                what = _difference(name, before, now)
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
    folder = Path(config.sprites)
    credited = data_card.read_credits(folder)
    card = data_card.make_card(folder, dataset.typed(), credited, outside_networks(config), ancestors)
    (run / data_card.NAME).write_bytes(data_card.encode_card(card))
    _write_json(path, asdict(config))
    return config, dataset


def _difference(name: str, before: Any, now: Any) -> str:
    """What a person would call the difference."""
    if name in {"data_sha256", "types"}:
        return "the sprites have changed"
    if name == "lineage":
        return "the model that it started from is another"
    if name == "settings":
        old, new = asdict(before), asdict(now)
        return "; ".join(f"{key} was {old[key]}, is {new[key]}" for key in old if old[key] != new[key])
    return f"{name} was {before}, is {now}"


def _write_json(path: Path, document: dict[str, Any]) -> None:
    """Names that aren't UTF-8 (Python reads their bytes as lone surrogates) become escapes of JSON's own."""
    text = json.dumps(document, indent=1, ensure_ascii=False)
    stage = path.with_suffix(".tmp")
    stage.write_text(text, encoding="utf-8", errors="backslashreplace")
    stage.replace(path)  # a run whose configuration breaks off could neither be resumed nor begun


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
    except (OSError, msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise ModelError(f"{path}: damaged ({error}). Restore it, or start a new run in another folder.") from None
    if config.preset not in PRESETS:
        raise ModelError(
            f"{path}: unknown preset {config.preset!r}; known: {', '.join(PRESETS)}. Use the assetgen that wrote it."
        )
    return config


def run_report(run: Path) -> dict[str, Any]:
    """What ``data.json`` says of the sprites.

    Raises:
        ModelError: it is missing or damaged.
    """
    try:
        report: dict[str, Any] = json.loads((run / "data.json").read_text(encoding="utf-8"))
        report["read"] = int(report["read"])
    except (OSError, ValueError, TypeError, KeyError, RecursionError) as error:
        raise ModelError(
            f"{run / 'data.json'}: can't be read ({error!r}). Restore it, or train again in another folder."
        ) from None
    return report


def outside_networks(config: Config) -> list[str]:
    """The networks trained by others that took part in a run: its teachers, its judge, and those of its ancestors."""
    names = [*PRESETS[config.preset].outside]
    if config.judge in WEIGHTS:
        names.append(config.judge)
    before = config.lineage["outside_networks"] if config.lineage else []
    return list(dict.fromkeys([*before, *map(describe, names)]))


@contextmanager
def only_trainer(run: Path) -> Iterator[None]:
    """Keep other processes from training in this folder, which exists.

    Raises:
        UsageError: one does; the message says which.
    """
    lock = run / "lock"
    with ExitStack() as held:
        try:
            held.enter_context(holding(lock, 0))
        except filelock.Timeout:
            raise UsageError(
                f"{run}: {holder_of(lock)} is training here. Wait for it, or give another --run."
            ) from None
        yield
