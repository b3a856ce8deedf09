"""Which runs, bundles and published sprites saw a file, and how is a model made that hasn't?

A file is known by its sha256, wherever it lies and whatever it is called now; data cards say who saw it.
"""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from asset_gen.bundle import Bundle, load_bundle
from asset_gen.data_card import DataCard, read_card
from asset_gen.errors import AssetgenError, SpriteError
from asset_gen.files import file_sha256
from asset_gen.manifest import Origin, read_manifest

DEPTH = 4
"""Folders below a given one in which runs and bundles are looked for."""


@dataclass(frozen=True, slots=True)
class Witness:
    """A run or bundle, and which of the files it saw."""

    path: Path
    saw: list[str]
    """Their names when it saw them."""
    command: str
    """What trains it again without them; empty where only its run can tell."""


@dataclass(frozen=True, slots=True)
class Findings:
    """Who saw the files."""

    runs: list[Witness] = field(default_factory=list)
    bundles: list[Witness] = field(default_factory=list)
    sprites: dict[str, list[str]] = field(default_factory=dict)
    """Manifest → published sprites of models that saw one, or explored from one."""
    unknown: list[str] = field(default_factory=list)
    """What can't be told, and why: a sentence each."""


def digests_of(files: Sequence[str]) -> dict[str, str]:
    """sha256 → file, for paths, or sha256s of files that are gone already.

    Raises:
        SpriteError: there is no such file.
    """
    found = {}
    for file in files:
        digest = file if re.fullmatch("[0-9a-f]{64}", file) else file_sha256(Path(file))
        if digest is None:
            raise SpriteError(f"{file}: there is no such file. Give its path, or its sha256 from a data_card.json.")
        found[digest] = file
    return found


def forget(digests: Iterable[str], runs: Sequence[Path], bundles: Sequence[Path], outputs: Sequence[Path]) -> Findings:
    """Look through folders of runs and bundles, and through folders with a manifest; nothing is changed.

    Raises:
        SpriteError: a folder that was named isn't there.
        ProjectError: a manifest can't be read.
    """
    wanted, findings = set(digests), Findings()
    for path in _holding("config.json", runs, "--runs"):
        if (card := _card(path, findings)) and (saw := _seen(card, wanted)):
            findings.runs.append(Witness(path, saw, _command(path, card, wanted, findings)))
    models: dict[str, bool] = {}
    for path in _holding("bundle.json", bundles, "--bundles"):
        bundle = _bundle(path, findings)
        card = _card(path, findings) if bundle else None
        if bundle is None or card is None:
            continue
        saw = _seen(card, wanted)
        models[bundle.sha256] = bool(saw)
        if saw:
            findings.bundles.append(Witness(path, saw, ""))
    for out in outputs:
        manifest = read_manifest(out)
        if manifest is None:
            findings.unknown.append(f"{out}: nothing is published there.")
            continue
        named = [(sprite.name, sprite.origin) for sheet in manifest.sheets for sprite in sheet.sprites]
        if tainted := sorted(
            name for name, origin in named if models.get(origin.model) or wanted.intersection(_pictures(origin))
        ):
            findings.sprites[str(out)] = tainted
        for model in sorted({origin.model for _, origin in named} - set(models)):
            count = sum(origin.model == model for _, origin in named)
            findings.unknown.append(
                f"{out}: {count} sprites are of the model {model[:16]}, whose data card is in none of the --bundles."
            )
    return findings


def _pictures(origin: Origin) -> set[str]:
    """sha256 of the artists' pictures that an explored sprite was made of."""
    return {origin.parameters.picture}.union(*map(_pictures, origin.parents))


def _holding(name: str, folders: Sequence[Path], option: str) -> list[Path]:
    """Folders that hold a file of that name: the given ones and those below."""
    found: list[Path] = []
    for folder in folders:
        if not folder.is_dir():
            raise SpriteError(f"{option} {folder}: there is no such folder.")
        patterns = ["/".join(["*"] * depth + [name]) for depth in range(DEPTH + 1)]
        found += sorted(path.parent for pattern in patterns for path in folder.glob(pattern))
    return list(dict.fromkeys(found))


def _card(path: Path, findings: Findings) -> DataCard | None:
    """A data card; where there is none, or an ancestor's is missing, that is noted."""
    try:
        card = read_card(path)
    except AssetgenError as error:
        findings.unknown.append(str(error))
        return None
    if card is None:
        findings.unknown.append(f"{path}: has no data card; an earlier assetgen made it. What it saw isn't known.")
        return None
    findings.unknown.extend(
        f"{path}: started from {ancestor.name}, which has no data card. What that one saw isn't known."
        for ancestor in card.ancestors
        if ancestor.files is None
    )
    return card


def _bundle(path: Path, findings: Findings) -> Bundle | None:
    try:
        return load_bundle(path)
    except AssetgenError as error:
        findings.unknown.append(str(error))
        return None


def _seen(card: DataCard, wanted: set[str]) -> list[str]:
    return sorted(file.file for digest, file in card.seen().items() if digest in wanted)


OPTIONS: Mapping[str, tuple[str, object]] = {
    "seed": ("--seed", 0),
    "batch": ("--batch-size", None),
    "width": ("--width", 1.0),
    "precision": ("--precision", "float32"),
    "loss": ("--loss", None),
    "critic_steps": ("--critic-steps", 1),
}
"""Setting of a run's configuration → its option, and what is usual and needn't be said."""


def _command(run: Path, card: DataCard, wanted: set[str], findings: Findings) -> str:
    """The command that trains a run again, as its ``config.json`` says, without these files."""
    own = [file.file for file in card.files if file.sha256 in wanted]
    if len(own) < len(_seen(card, wanted)):
        names = ", ".join(ancestor.name for ancestor in card.ancestors)
        findings.unknown.append(
            f"{run}: a model that it started from saw them, too; train that one again first ({names})."
        )
    try:
        config: dict[str, Any] = json.loads((run / "config.json").read_text(encoding="utf-8"))
        settings, sprites = config.get("settings", {}), config["sprites"]
        words = ["assetgen", "train", sprites, "--run", f"{run}-without"]
        words += ["--preset", config["preset"], "--size", str(config["size"])]
        for source, target in config.get("merge", {}).items():
            words += ["--merge", f"{source}={target}"]
        words += ["--background", "auto"] if config.get("background") else []
        for key, (option, usual) in OPTIONS.items():
            words += [option, str(settings[key])] if settings.get(key, usual) != usual else []
        for name, value in settings.get("changes", {}).items():
            words += ["--set", f"{name}={value:g}"]
        words += ["--no-pretrained"] if config.get("judge") == "classifier" else []
        words += ["--from", "MODEL"] if config.get("lineage") else []
        for file in sorted({*config.get("without", []), *own}):
            words += ["--without", file]
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        findings.unknown.append(f"{run / 'config.json'}: can't be read ({error!r}).")
        return ""
    return shlex.join(words)
