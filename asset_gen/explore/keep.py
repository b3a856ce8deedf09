"""How do explored sprites become candidates of a project, and published ones?"""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path

import msgspec
import numpy as np
from numpy.typing import NDArray

from asset_gen.batch import Outcome, preview, run_batch
from asset_gen.candidates import EXPLORED, FOLDER, CandidateWriter, Near, Row, candidate_name
from asset_gen.catalogue import Entry, open_catalogue
from asset_gen.decisions import decide, person, record
from asset_gen.errors import UsageError
from asset_gen.explore.origins import truncated
from asset_gen.explore.source import Project
from asset_gen.explore.space import Space
from asset_gen.manifest import Manifest, Origin, read_manifest
from asset_gen.metrics.inception_score import entropy
from asset_gen.pixels import as_drawn
from asset_gen.publish import Place, opened
from asset_gen.request import requests_of
from asset_gen.runtime import open_session
from asset_gen.sanity import MEASURES, measure
from asset_gen.score.types import type_probabilities
from asset_gen.spares import origin_of
from asset_gen.training_set import TrainingSet


@dataclass(frozen=True, slots=True)
class Added:
    """Explored sprites that are candidates now."""

    run: str
    """Their candidate set."""
    names: list[str]
    """In the order in which they were given; equal sprites share a name."""


def add_candidates(space: Space, project: Project, origins: Sequence[Origin], sprites: NDArray[np.uint8]) -> Added:
    """Write explored sprites as a candidate set of their own, with what the model's judges say of them.

    Nothing else changes: they are published when somebody keeps them and a slot is free, or by ``publish``.

    Args:
        space: of the model.
        project: with one set, in which sprites of the model are published.
        origins: what they are.
        sprites: [n, s, s, 4], as ``draw`` made them.

    Raises:
        UsageError: nothing is published there, or what is comes from another model.
        ProjectError: the project can't be written.
    """
    place, manifest = published_place(space, project)
    own = [_of_set(origin, manifest) for origin in origins]
    names = [candidate_name(origin.type, origin.index) for origin in own]
    digest = sha256(msgspec.json.encode([msgspec.to_builtins(manifest.choice), names])).hexdigest()[:16]
    once = list({name: row for row, name in reversed(list(enumerate(names)))}.values())[::-1]
    run = {
        "run": digest,
        "model_name": space.info.name,
        "choice": msgspec.to_builtins(manifest.choice),
        "quotas": {kind: sum(own[row].type == kind for row in once) for kind in sorted({one.type for one in own})},
        "scorer": msgspec.to_builtins(manifest.scorer),
        "held": {},
        "dropped": {},
    }
    with opened(place):
        folder = place.out / FOLDER / digest
        if not (folder / "run.json").is_file():
            with closing(CandidateWriter(place.candidates, sharded=False)) as writer:
                for row in once:
                    writer.add(own[row].type, names[row], sprites[row])
                writer.finish(_rows(space, [own[row] for row in once], sprites[once]), run)
            folder.parent.mkdir(parents=True, exist_ok=True)
            (folder.parent / ".gdignore").touch()
            shutil.rmtree(folder, ignore_errors=True)
            writer.stage.rename(folder)
    return Added(digest, names)


def published_place(space: Space, project: Project) -> tuple[Place, Manifest]:
    """Where the model's sprites are published in a project, and what is.

    Raises:
        UsageError: nowhere, or in several sets.
    """
    held = [(part.name, part.place, read_manifest(part.place.out)) for part in project.parts]
    found = [(name, place, manifest) for name, place, manifest in held if manifest is not None]
    if not found:
        raise UsageError(
            f"--project {project.folder}: nothing is published there, so there is nothing to add to. "
            f"Run assetgen batch first."
        )
    fitting = [(name, place, one) for name, place, one in found if one.choice.model == space.bundle.sha256]
    if not fitting:
        raise UsageError(
            f"--project {project.folder}: is published from another model ({found[0][2].choice.model[:16]}) than "
            f"{space.bundle.path} ({space.bundle.sha256[:16]}). Give that one with --model."
        )
    if len(fitting) > 1:
        names = ", ".join(name for name, _, _ in fitting)
        raise UsageError(f"--project {project.folder}: has the sets {names}. Say which with --set NAME.")
    return fitting[0][1:]


def publish(
    project: Project, name: str, slot: tuple[str, int], model: Path | None = None, who: str | None = None
) -> tuple[Outcome, Entry]:
    """Keep a candidate, and put it into a slot in place of what is there, which is rejected.

    Args:
        project: with one set.
        name: of the candidate, ``<run>/dragon_c…``, or without the run where that is enough.
        slot: (type, slot) of the same type.
        model: the bundle, where it isn't the recipe's.
        who: decides; None: as git and the account say.

    Raises:
        UsageError: no such candidate or slot, one of another type, or one that can't be published (a copy).
        ProjectError: the project can't be written.
    """
    entry = open_catalogue(project.folder).find(name, project.part)
    kind, number = slot
    if entry.origin.type != kind:
        raise UsageError(
            f"--into {kind}:{number}: {name} is of the type {entry.origin.type}. Give a slot of that type."
        )
    if entry.slot:
        raise UsageError(f"{name}: is published already, in {entry.slot}.")
    (request,) = requests_of(project.folder, {"model": model} if model else {}, entry.part or None, reject=(slot,))
    request = replace(request, instead=entry.origin)
    _, plan = preview(request)
    offered = plan.spares.rows.get(kind, [])
    if [origin_of(row, plan.choice) for row in offered[:1]] != [entry.origin]:
        raise UsageError(
            f"{name}: can't be published: {entry.reason or 'its candidate set is not here, or of another choice'}. "
            f"Choose another candidate."
        )
    by = who or person(request.project)
    record(request.project.resolve(), [decide(entry.subject, "keep", entry.origin, by, f"for {kind}:{number}")])
    return run_batch(request), entry


def _of_set(origin: Origin, manifest: Manifest) -> Origin:
    """The origin as a candidate's: one that is drawn as it is counts as brought no nearer to the mean at all."""
    explored = origin if origin.operation else truncated(origin, 1)
    return msgspec.structs.replace(explored, seed=manifest.choice.seed)


def _rows(space: Space, origins: Sequence[Origin], sprites: NDArray[np.uint8]) -> list[Row]:
    """What ``scores.csv`` says of them."""
    judge = open_session(space.bundle.classifier, space.device, space.bundle.memory)
    p = type_probabilities(judge, as_drawn(sprites, alpha=True))
    doubt, training = entropy(p), TrainingSet.load(space.bundle)
    measures = measure(sprites) if training else {}
    near = training.nearest(sprites) if training else None
    rows = []
    for row, origin in enumerate(origins):
        nearest: tuple[Near, ...] = ()
        reason = f"{EXPLORED} {origin.operation}"
        if training and near:
            pairs = zip(near.rows[row], near.distances[row], strict=True)
            nearest = tuple(Near(training.names[real], float(distance)) for real, distance in pairs)
            if nearest[0].distance < training.copy_limit:
                reason = f"copy of {nearest[0].name}"
        rows.append(
            Row(
                name=candidate_name(origin.type, origin.index),
                type=origin.type,
                p_type=float(p[row, space.info.types.index(origin.type)]),
                entropy=float(doubt[row]),
                kept=False,
                seed=origin.seed,
                index=origin.index,
                reason=reason,
                scores={name: float(measures[name][row]) for name in MEASURES} if training else {},
                nearest=nearest,
                explored=origin,
            )
        )
    return rows
