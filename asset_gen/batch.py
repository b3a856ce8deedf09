"""The pipeline: latents → generator → classifier → candidate set → selection → finishing → sheets → project."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from asset_gen.blas import on_one_core
from asset_gen.bundle import Bundle, load_bundle
from asset_gen.decisions import Decision, decide, person, record
from asset_gen.deliver import deliver
from asset_gen.draw import DrawnSet, Progress, draw_candidates
from asset_gen.errors import AssetgenError, ProjectError, UsageError
from asset_gen.finish import finish_changes, read_palette_option
from asset_gen.layout import IMAGES, fit_layout
from asset_gen.loaded import Models
from asset_gen.manifest import Layout, ScorerRecord, read_manifest
from asset_gen.networks import Networks
from asset_gen.plan import Plan, Request, check_room, make_plan, resolve_quotas
from asset_gen.png import optimizer
from asset_gen.publish import Place, Published, locate, opened
from asset_gen.recipe import check_apart
from asset_gen.select import RATED
from asset_gen.sheet import Target
from asset_gen.staged import forget, held_bytes
from asset_gen.targets import DEFAULT, default_out, load_targets

MAX_SCALE = 16
"""How many times a sprite can be enlarged."""
Ask = Callable[[str], bool]
"""A question to a person → their yes."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a batch did."""

    place: Place
    plan: Plan
    files: Published
    scorer: ScorerRecord
    drawn: int
    """How many candidates were drawn; 0 where none were needed."""
    dropped: dict[str, int]
    """How many of them mustn't be chosen, by cause (``asset_gen.fitness.CAUSES``)."""
    targets: str
    """Whose files were written, for people: ``godot (found)``."""
    sheets: str
    """Where sheets lie in the output folder, for people: ``<type>/<type>.png``."""
    provider: str
    """The ONNX Runtime execution provider that drew."""
    blank: list[str]
    """Names of published sprites of which nothing can be seen."""


@dataclass(frozen=True, slots=True)
class _Job:
    """A request with all that could be refused before any work."""

    request: Request
    bundle: Bundle
    place: Place
    quotas: dict[str, int]
    targets: list[Target]
    layout: Layout


def preview(request: Request, models: Models | None = None) -> tuple[Place, Plan]:
    """What ``run_batch`` would do. Reads only. ``models``: keeps them loaded between calls."""
    job = _resolve(request, models)
    plan = make_plan(job.request, job.bundle, job.place, job.quotas)
    return job.place, plan if plan.only else replace(plan, redrawn=finish_changes(job.request, plan.old))


def run_batch(request: Request, ask: Ask = lambda question: False, progress: Progress = lambda *_: None) -> Outcome:
    """Give a project the sprites that were asked for.

    Raises:
        AssetgenError: with the project as it was, or, after a kill or a full disk, to be finished by the next call.
    """
    (outcome,) = run_batches([request], ask, progress)
    return outcome


def run_batches(
    requests: Sequence[Request],
    ask: Ask = lambda question: False,
    progress: Progress = lambda *_: None,
    models: Models | None = None,
) -> list[Outcome]:
    """Give a project all its sets, one after another; every other assetgen waits until the last is done.

    ``models``: keeps them loaded between calls; None: every call loads what it needs.

    Raises:
        AssetgenError: names the set; those before it are published, and it and those behind it are as they were.
    """
    jobs = [_named(request, _resolve, request, models) for request in requests]
    check_apart({job.request.name: job.place for job in jobs})
    loaded: dict[Path, Networks] = {}  # by folder: of one model, one may have a critic and another not
    for job in jobs:
        if job.bundle.path not in loaded:
            load = models.networks if models else Networks
            loaded[job.bundle.path] = load(job.bundle, _device(job.request))
    with opened(jobs[0].place), on_one_core():
        return [_named(job.request, _run, job, loaded[job.bundle.path], ask, progress) for job in jobs]


def _run(job: _Job, networks: Networks, ask: Ask, progress: Progress) -> Outcome:
    """Publish one set."""
    request, bundle, place = job.request, job.bundle, job.place
    try:
        plan = make_plan(request, bundle, place, job.quotas)
        if plan.question and not (request.yes or ask(plan.question)):
            raise ProjectError(f"{plan.question} Nothing was changed; pass --yes to agree.")
        if plan.turned_down:
            record(place.project, _rejections(plan, place.project))
        drawn, restored = DrawnSet(0, {}), plan.restores
        if restored:
            drawn = draw_candidates(networks, plan.drawing(), place, progress, request.engine, **request.engine_options)
            plan = make_plan(request, bundle, place, job.quotas)
        if plan.draws:
            _check_ratings(plan)
            drawn = draw_candidates(networks, plan.drawing(), place, progress, request.engine, **request.engine_options)
        files, scorer, blank = deliver(request, bundle, networks, plan, place, job.targets, job.layout, progress)
        forget(place)
    except OSError as error:
        path = error.filename2 or error.filename or place.out  # of a rename, the place that a file was meant for
        raise ProjectError(
            f"{path}: {error.strerror or error}. No file was half-written; make room, mend "
            f"the permissions or remove what is in the way, and run the same command again."
        ) from error
    names = ", ".join(target.name for target in job.targets)
    if not request.targets:
        names += " (no engine's files were found)" if names == DEFAULT else " (found from the project's files)"
    plan = replace(plan, draws=plan.draws or restored)
    return Outcome(
        place,
        plan,
        files,
        scorer,
        drawn.count,
        drawn.dropped,
        names,
        IMAGES[job.layout.sheets],
        drawn.provider or networks.generator.provider,
        blank,
    )


def _device(request: Request) -> str:
    """Where this process's own networks run: what draws on a cluster needn't be here."""
    return "cpu" if request.engine_options.get("address") else request.device


def _rejections(plan: Plan, project: Path) -> list[Decision]:
    who = person(project)
    return [decide(sprite.name, "reject", sprite.origin, who) for sprite in plan.turned_down]


def _check_ratings(plan: Plan) -> None:
    """
    Raises:
        UsageError: what is published was chosen by ratings, and they aren't at hand.
    """
    if plan.ratings is None and plan.choice.filter.startswith(RATED):
        raise UsageError("--filter: the published sprites were chosen by ratings. Give their file to draw further.")


def _named(request: Request, step: Callable[..., Any], *arguments: Any) -> Any:
    """What ``step`` returns; its errors name the set, where there is one."""
    try:
        return step(*arguments)
    except AssetgenError as error:
        if request.name:
            error.args = (f"set {request.name!r}: {error}",)
        raise


def _resolve(request: Request, models: Models | None = None) -> _Job:
    """Everything that can be refused before any work."""
    bundle = models.bundle(request.model) if models else load_bundle(request.model)
    request = replace(request, scale=_scale(request, bundle))
    targets = load_targets(request.targets, request.project)
    layout = fit_layout(request.layout, targets)
    place = locate(request.project, request.out or default_out(request.project, targets))
    if request.named:
        return _as_published(request, bundle, place)
    quotas = resolve_quotas(request, bundle.info)
    check_room(request, quotas, bundle.info.size, layout, held_bytes(place))
    read_palette_option(request.palette)
    if request.optimize:
        optimizer()
    return _Job(request, bundle, place, quotas, targets, layout)


def _as_published(request: Request, bundle: Bundle, place: Place) -> _Job:
    """A request that names slots: all else stays as it is published, whatever recipe and flags say.

    Raises:
        UsageError: nothing is published there, it comes from another model, or what made its sheets small isn't
            installed.
    """
    flag = "--only" if request.only else "--reject"
    old = read_manifest(place.out)
    if old is None:
        raise UsageError(
            f"{flag}: nothing is published in {place.out}. Give the folder with --out, or run batch first."
        )
    if old.choice.model != bundle.sha256:
        raise UsageError(
            f"{flag}: {place.out} is published from another model ({old.choice.model[:16]}) than {bundle.path} "
            f"({bundle.sha256[:16]}). Give that one with --model."
        )
    ratings = request.ratings
    if ratings is not None and old.choice.filter != f"{RATED} {ratings.digest()}":
        ratings = None
    request = replace(
        request,
        count=None,
        quotas=dict(old.quotas),
        seed=old.choice.seed,
        oversample=old.choice.oversample,
        scorer=old.choice.scorer,
        filter=old.choice.filter,
        ratings=ratings,
        min_score=old.choice.min_score,
        targets=tuple(old.targets),
        scale=old.finish.scale,
        palette=old.finish.palette_asked or None,
        alpha=old.finish.alpha,
        optimize=old.finish.optimize,
        layout=old.layout,
    )
    if request.optimize:
        optimizer()
    return _Job(request, bundle, place, old.quotas, load_targets(old.targets, request.project), old.layout)


def _scale(request: Request, bundle: Bundle) -> int:
    """By what factor sprites are enlarged.

    Raises:
        UsageError: the size that is asked for is no whole multiple of the model's.
    """
    if request.size is None:
        return request.scale
    own = bundle.info.size
    factor, rest = divmod(request.size, own)
    if rest or not 1 <= factor <= MAX_SCALE:
        possible = ", ".join(str(own * n) for n in range(1, 5))
        raise UsageError(
            f"--size {request.size}: {bundle.info.name} draws sprites of {own} pixels, which are enlarged by whole "
            f"numbers: {possible} … {own * MAX_SCALE} are possible."
        )
    return factor
