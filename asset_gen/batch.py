"""The pipeline: latents → generator → classifier → candidate set → selection → finishing → sheets → project."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from asset_gen.bundle import Bundle, load_bundle
from asset_gen.deliver import deliver
from asset_gen.draw import Networks, Progress, draw_candidates
from asset_gen.errors import ProjectError
from asset_gen.finish import read_palette_option
from asset_gen.layout import IMAGES, fit_layout
from asset_gen.manifest import Layout, ScorerRecord
from asset_gen.plan import Plan, Request, check_room, make_plan, resolve_quotas
from asset_gen.publish import Place, Published, locate, opened
from asset_gen.sheet import Target
from asset_gen.targets import DEFAULT, default_out, load_targets

Ask = Callable[[str], bool]
"""A question to a person → their yes."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a batch did."""

    place: Place
    plan: Plan
    files: Published
    scorer: ScorerRecord
    targets: str
    """Whose files were written, for people: ``godot (found)``."""
    sheets: str
    """Where sheets lie in the output folder, for people: ``<type>/<type>.png``."""
    provider: str
    """The ONNX Runtime execution provider that drew."""


def preview(request: Request) -> tuple[Place, Plan]:
    """What ``run_batch`` would do. Reads only."""
    bundle, place, quotas, _, _ = _resolve(request)
    return place, make_plan(request, bundle, place, quotas)


def run_batch(request: Request, ask: Ask = lambda question: False, progress: Progress = lambda *_: None) -> Outcome:
    """Give a project the sprites that were asked for.

    Raises:
        AssetgenError: with the project as it was, or, after a kill or a full disk, to be finished by the next call.
    """
    bundle, place, quotas, targets, layout = _resolve(request)
    networks = Networks(bundle, request.device)
    try:
        with opened(place):
            plan = make_plan(request, bundle, place, quotas)
            if plan.question and not (request.yes or ask(plan.question)):
                raise ProjectError(f"{plan.question} Nothing was changed; pass --yes to agree.")
            if plan.draws:
                draw_candidates(networks, plan, place, progress)
            files, scorer = deliver(request, bundle, networks, plan, place, targets, layout, progress)
    except OSError as error:
        path = error.filename2 or error.filename or place.out  # of a rename, the place that a file was meant for
        raise ProjectError(
            f"{path}: {error.strerror or error}. No file was half-written; make room, mend "
            f"the permissions or remove what is in the way, and run the same command again."
        ) from error
    names = ", ".join(target.name for target in targets)
    if not request.targets:
        names += " (no engine's files were found)" if names == DEFAULT else " (found from the project's files)"
    return Outcome(place, plan, files, scorer, names, IMAGES[layout.sheets], networks.generator.provider)


def _resolve(request: Request) -> tuple[Bundle, Place, dict[str, int], list[Target], Layout]:
    """Everything that can be refused before any work."""
    bundle = load_bundle(request.model)
    targets = load_targets(request.targets, request.project)
    layout = fit_layout(request.layout, targets)
    place = locate(request.project, request.out or default_out(request.project, targets))
    quotas = resolve_quotas(request, bundle.info)
    check_room(request, quotas, bundle.info.size, layout)
    read_palette_option(request.palette)
    return bundle, place, quotas, targets, layout
