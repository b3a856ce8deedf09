"""What would publishing change, and how is it done and taken back? As of ``assetgen batch``."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from threading import Lock
from typing import Any

from asset_gen.batch import Outcome, preview, run_batches
from asset_gen.decisions import read_decisions
from asset_gen.errors import UsageError
from asset_gen.loaded import Models
from asset_gen.manifest import NAME as MANIFEST
from asset_gen.manifest import SpriteRecord, read_manifest
from asset_gen.plan import Plan, Request
from asset_gen.publish import Place
from asset_gen.recipe import NAME as RECIPE
from asset_gen.recipe import project_sets
from asset_gen.request import requests_of
from asset_gen.restore import history_of, restore
from asset_gen.review.gallery import id_of
from asset_gen.spares import origin_of

Tell = Callable[[str, int, int], None]
"""(what is being done, how much of it, of how much)."""
OFTEN_SECONDS = 0.1
"""Between two signs of progress."""


class Publisher:
    """Publishes what a project's recipe and decisions ask for; keeps its models loaded. One at a time."""

    def __init__(self, project: Path) -> None:
        self.project = project
        self.models = Models()
        self._busy = Lock()
        self._done: list[Place] = []
        """Output folders that the last publication changed."""

    def plan(self) -> dict[str, Any]:
        """What would be done to every set, and what can be taken back. Reads only.

        Raises:
            AssetgenError: it can't be done; the message says why.
        """
        parts = [(request, *preview(request, self.models)) for request in self._requests()]
        return {
            "sets": [_told(request, place, plan) for request, place, plan in parts],
            "busy": self._busy.locked(),
            "back": [place.out.relative_to(place.project).as_posix() for place in self._to_restore()],
        }

    def publish(self, agreed: Sequence[str], tell: Tell) -> dict[str, Any]:
        """Do what the plan says; ``agreed``: the questions of the plan that a person has said yes to.

        Raises:
            AssetgenError: as of ``run_batches``, or this studio is at it already.
        """
        with self._alone():
            outcomes = run_batches(
                self._requests(), lambda question: question in agreed, _seldom(tell), models=self.models
            )
            self._done = [one.place for one in outcomes if one.files.written or one.files.removed] or self._done
        return {"sets": [_outcome(one) for one in outcomes]}

    def take_back(self) -> dict[str, Any]:
        """Go back to what was published before; once more goes forward again.

        Raises:
            UsageError: there is nothing to go back to.
        """
        with self._alone():
            places = self._to_restore()
            if not places:
                raise UsageError("Nothing was published here before. assetgen restore --list shows what is kept.")
            done = [(place, restore(place, 1)) for place in places]
        return {
            "sets": [
                {
                    "out": _out(place),
                    "written": one.files.written,
                    "removed": one.files.removed,
                    "edited": one.files.kept,
                }
                for place, one in done
            ]
        }

    def _to_restore(self) -> list[Place]:
        """What the last publication changed; where that isn't known, the project's only folder."""
        places = self._done or [part.place for part in project_sets(self.project)]
        if not self._done and len(places) > 1:
            return []
        return [place for place in places if history_of(place).sets()]

    def _requests(self) -> list[Request]:
        """What the recipe asks for; without one, what is published, with rejected sprites replaced."""
        requests = requests_of(self.project)
        if (self.project / RECIPE).is_file():
            return requests
        place = project_sets(self.project)[0].place
        old = read_manifest(place.out)
        if old is None:
            return requests
        rejected = read_decisions(self.project).rejected
        only = tuple((one.type, one.slot) for sheet in old.sheets for one in sheet.sprites if one.origin in rejected)
        if only and self.models.bundle(requests[0].model).sha256 != old.choice.model:
            raise UsageError(
                f"{place.out}: was published from another model than the built-in one, and no {RECIPE} names it. "
                f"assetgen init writes one; name the model there."
            )
        return [replace(requests[0], only=only)] if only else []

    @contextmanager
    def _alone(self) -> Iterator[None]:
        if not self._busy.acquire(blocking=False):
            raise UsageError("The studio is publishing already. Wait until it is done.")
        try:
            yield
        finally:
            self._busy.release()


def _told(request: Request, place: Place, plan: Plan) -> dict[str, Any]:
    """A set's part of the plan."""
    swaps = _swaps(request.name, plan)
    return {
        "set": request.name,
        "out": _out(place),
        "stay": sum(map(len, plan.kept.values())),
        "added": plan.added,
        "replaced": plan.replaced,
        "freed": plan.freed,
        "draws": plan.draws,
        "question": plan.question,
        "swaps": [{"slot": slot, "before": before, "after": after} for slot, before, after in swaps],
        "files": _files(plan),
    }


def _swaps(part: str, plan: Plan) -> list[tuple[str, str, str | None]]:
    """(slot, id of what leaves it, id of what fills it); None: it is drawn."""
    stays = {sprite.name for sprites in plan.kept.values() for sprite in sprites}
    if plan.old is None or not plan.replaced:
        return []
    leaves = [one for one in _published(plan) if one.name not in stays and one.slot < plan.quotas.get(one.type, 0)]
    rows = {kind: list(found) for kind, found in plan.spares.rows.items()}
    swaps = []
    for sprite in sorted(leaves, key=lambda sprite: (sprite.type, sprite.slot)):
        found = rows.get(sprite.type)
        after = id_of(part, origin_of(found.pop(0), plan.choice)) if found else None
        swaps.append((sprite.name, id_of(part, sprite.origin), after))
    return swaps


def _published(plan: Plan) -> list[SpriteRecord]:
    return [sprite for sheet in plan.old.sheets for sprite in sheet.sprites] if plan.old else []


def _files(plan: Plan) -> list[str]:
    """Published files that may change, relative to the output folder; all, where another choice replaces everything."""
    if plan.old is None:
        return []
    if not (plan.added or plan.replaced or plan.freed or plan.draws):
        return []
    touched = {kind for kind in {**plan.old.quotas, **plan.quotas} if _differs(plan, kind)}
    sheets = {s.image.rpartition("/")[0] for s in plan.old.sheets if s.type in touched or not s.type}
    paths = [entry.path for entry in plan.old.files]
    return [*(path for path in paths if path.rpartition("/")[0] in {*sheets, ""}), MANIFEST]


def _differs(plan: Plan, kind: str) -> bool:
    """Whether sprites of a type come or go."""
    assert plan.old is not None
    stay = len(plan.kept.get(kind, ()))
    return not stay == plan.quotas.get(kind, 0) == plan.old.quotas.get(kind, 0)


def _outcome(one: Outcome) -> dict[str, Any]:
    files = one.files
    return {
        "out": _out(one.place),
        "written": files.written,
        "removed": files.removed,
        "edited": files.kept,
        "replaced": one.plan.replaced,
        "added": one.plan.added,
        "freed": one.plan.freed,
    }


def _out(place: Place) -> str:
    return place.out.relative_to(place.project).as_posix()


def _seldom(tell: Tell) -> Tell:
    """Progress, a few times a second."""
    last = 0.0

    def telling(what: str, done: int, total: int) -> None:
        nonlocal last
        now = time.monotonic()
        if now - last >= OFTEN_SECONDS or done == total:
            last = now
            tell(what, done, total)

    return telling
