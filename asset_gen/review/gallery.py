"""What does the studio show, and what has become of it? The catalogue in memory, in step with the files.

Decisions go straight into ``assetgen.decisions.jsonl``, as those of ``assetgen catalogue`` do. What others do meanwhile
(a batch, a watch, a colleague's git pull) is noticed by ``refresh``, which looks at times and sizes alone.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from threading import RLock
from typing import Annotated

import msgspec

from asset_gen import decisions
from asset_gen.candidates import FOLDER
from asset_gen.catalogue import Entry, judged, open_catalogue
from asset_gen.decisions import Action, Decisions, decide, person, read_decisions, record
from asset_gen.errors import UsageError
from asset_gen.manifest import NAME as MANIFEST
from asset_gen.manifest import Origin
from asset_gen.publish import Place
from asset_gen.recipe import NAME as RECIPE
from asset_gen.recipe import project_sets
from asset_gen.review.pictures import Pictures

MOST = 20_000
"""Decisions that are taken at once."""


class Wish(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A decision as the page sends it."""

    id: Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{16}$")]
    action: Action
    value: Annotated[float, msgspec.Meta(ge=-1e6, le=1e6)] | None = None
    """Of a rating; None: it has none any more."""
    why: Annotated[str, msgspec.Meta(max_length=1000)] = ""


@dataclass(frozen=True, slots=True)
class Shown:
    """A candidate on the wall."""

    id: str
    """16 hexadecimal digits: what pages call it. No path is ever made of them."""
    entry: Entry
    rating: float | None
    """What people gave it last."""


@dataclass(frozen=True, slots=True)
class News:
    """What has changed."""

    version: str
    changed: list[Shown] = field(default_factory=list)
    whole: bool = False
    """Other candidates are there than before: everything is to be read again."""


class Gallery:
    """A project's candidates. May be used by several threads."""

    def __init__(self, project: Path) -> None:
        """
        Raises:
            AssetgenError: as of ``open_catalogue``.
        """
        self.project = project.resolve()
        self.pictures = Pictures()
        self.shown: dict[str, Shown] = {}
        """By id, in the order of the catalogue."""
        self.problems: list[str] = []
        self.who = ""
        """Who decides, where nobody says so."""
        self._by_origin: dict[Origin, list[str]] = {}
        self._lock = RLock()
        self._decided = Decisions()
        self._stamps: tuple[object, object] = (None, None)
        self._places: dict[str, Place] = {}
        self._recipe: object = None
        self._instance, self._changes = secrets.token_hex(4), 0
        self.refresh()

    @property
    def version(self) -> str:
        """Another one after every change, and in every process."""
        return f"{self._instance}.{self._changes}"

    def find(self, name: str) -> Shown:
        """
        Raises:
            UsageError: no sprite has this id.
        """
        found = self.shown.get(name)
        if found is None:
            raise UsageError("There is no such sprite any more. Load the page again.")
        return found

    def refresh(self) -> News | None:
        """Look at the files; what others changed, or None.

        Raises:
            AssetgenError: they can't be read; what was known stays.
        """
        with self._lock:
            stamps = self._look()
            if stamps == self._stamps:
                return None
            before = self._stamps
            same = stamps[0] == before[0]
            news = self._take(read_decisions(self.project)) if same else self._reopen()
            self._stamps = stamps
            return news

    def decide(self, wishes: Sequence[Wish], who: str | None = None) -> News:
        """Write down what a person wants: all of it, or nothing.

        Raises:
            UsageError: a sprite isn't there, or there are more than ``MOST``.
            ProjectError: the file of decisions can't be written; nothing was decided.
        """
        if len(wishes) > MOST:
            raise UsageError(f"{len(wishes)} decisions are more than are taken at once ({MOST}). Select fewer.")
        with self._lock:
            by = who or self.who
            entries = [self.find(wish.id).entry for wish in wishes]
            lines = [
                decide(entry.subject, wish.action, entry.origin, by, wish.why, wish.value)
                for wish, entry in zip(wishes, entries, strict=True)
            ]
            return self._take(self._decided.with_lines(record(self.project, lines)))

    def told(self, origin: Origin) -> list[decisions.Decision]:
        """Everything that was decided about a picture, by time."""
        return self._decided.about(origin)

    def _look(self) -> tuple[object, object]:
        """Stamps of all that candidates come from, and of the decisions."""
        recipe = _stamp(self.project / RECIPE)
        if not self._places or recipe != self._recipe:
            self._places = {part.name: part.place for part in project_sets(self.project)}
            self._recipe = recipe
        sources: list[object] = [recipe]
        for place in self._places.values():
            tables = sorted((place.out / FOLDER).glob("*/scores.csv"))
            sources += [_stamp(place.out / MANIFEST), *((str(one), _stamp(one)) for one in tables)]
        return sources, _stamp(self.project / decisions.NAME)

    def _reopen(self) -> News:
        catalogue = open_catalogue(self.project)
        ratings = _ratings(catalogue.decided)
        self.who = person(self.project)
        self.shown = {
            shown.id: shown
            for shown in (
                Shown(id_of(entry.part, entry.origin), entry, ratings.get(entry.origin))
                for entry in catalogue.entries
                if entry.state
            )
        }
        self._by_origin = {}
        for shown in self.shown.values():
            self._by_origin.setdefault(shown.entry.origin, []).append(shown.id)
        self.problems, self._decided = catalogue.problems, catalogue.decided
        self.pictures = Pictures(self._places)
        self._changes += 1
        return News(self.version, whole=True)

    def _take(self, decided: Decisions) -> News:
        """What other decisions make of the candidates."""
        before, self._decided = self._decided, decided
        ratings, earlier = _ratings(decided), _ratings(before)
        about = {
            origin
            for new, old in ((decided.standing, before.standing), (ratings, earlier))
            for origin in new.keys() | old.keys()
            if new.get(origin) != old.get(origin)
        }
        changed = []
        for shown in (self.shown[name] for origin in about for name in self._by_origin.get(origin, ())):
            entry = judged(shown.entry, decided.standing.get(shown.entry.origin))
            changed.append(Shown(shown.id, entry, ratings.get(entry.origin)))
        self.shown |= {shown.id: shown for shown in changed}
        self._changes += bool(changed)
        return News(self.version, changed)


def _ratings(decided: Decisions) -> Mapping[Origin, float | None]:
    return {line.origin: line.value for line in decided.lines if line.action == "rate"}


def id_of(part: str, origin: Origin) -> str:
    """What pages call a picture of one of the recipe's sets."""
    told = (part, origin.model, origin.seed, origin.type, origin.index)
    return sha256(repr(told).encode()).hexdigest()[:16]


def _stamp(path: Path) -> tuple[int, int, int] | None:
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_size, status.st_mtime_ns, status.st_ino
