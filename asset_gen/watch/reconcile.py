"""From what was seen to what must be done: no clock, no thread, no disk.

Nothing here depends on events. A change counts when a file has rested, that is when two looks found it alike some time
apart, and it is compared with what was last dealt with. Whoever loses events, or starts in the middle, therefore ends
in the same state a little later.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from asset_gen.publish import Place
from asset_gen.watch.scene import Role, Seen, Stamp, State

REST = 0.25
"""Seconds for which a file must rest: writers that take a break are rarely that slow, and people don't notice."""
REST_SPRITES = 5.0
"""Seconds for which all training sprites must rest: an artist saves several, and training is dear."""
REJECTED = "a rejected sprite"
"""The reason for making again what people reject."""


@dataclass(slots=True)
class Memory:
    """What is known from before."""

    known: dict[Path, Seen] = field(default_factory=dict)
    """Every file as it was when it was last dealt with."""
    hashes: dict[Path, str] = field(default_factory=dict)
    """sha256 of the content with which it was last dealt with."""
    resting: dict[Path, tuple[Stamp | None, float]] = field(default_factory=dict)
    """Files that are something else now: how they look, and since when they look so."""


@dataclass(frozen=True, slots=True)
class Settled:
    """What has come to rest."""

    changes: dict[Path, Seen]
    wait: float | None
    """Seconds until the next may have; None: all rest."""


@dataclass(frozen=True, slots=True)
class Reject:
    """A sprite was moved into the folder of rejected ones."""

    path: Path
    place: Place


@dataclass(frozen=True, slots=True)
class Regenerate:
    """Make the project what recipe and decisions ask for."""

    places: frozenset[Place] | None
    """Only these output folders; None: all."""
    reasons: tuple[str, ...]
    """For people."""


@dataclass(frozen=True, slots=True)
class Retrain:
    """The training sprites are others."""


@dataclass(frozen=True, slots=True)
class Edited:
    """Somebody changed a published file; it is left alone."""

    path: Path


Action = Reject | Regenerate | Retrain | Edited


def settle(memory: Memory, scene: Mapping[Path, Seen], now: float) -> Settled:
    """What differs from what is known and has rested; remembers what hasn't. ``now``: seconds of a steady clock."""
    waits: list[float] = []
    changes: dict[Path, Seen] = {}
    for path in {**memory.known, **scene}:
        before = memory.known.get(path)
        seen = scene.get(path) or (Seen(before.role, None, before.place) if before else None)
        if seen is None:
            continue
        if before is not None and before.stamp == seen.stamp:
            memory.resting.pop(path, None)
            continue
        stamp, since = memory.resting.get(path, (seen.stamp, now))
        if stamp != seen.stamp or now < since:
            since = now
        memory.resting[path] = seen.stamp, since
        left = since + (REST_SPRITES if seen.role is Role.SPRITE else REST) - now
        if left > 0:
            waits.append(left)
        else:
            changes[path] = seen
    if any(path not in changes and _seen_role(memory, scene, path) is Role.SPRITE for path in memory.resting):
        changes = {path: seen for path, seen in changes.items() if seen.role is not Role.SPRITE}
    for path in changes:
        del memory.resting[path]
    return Settled(changes, min(waits, default=None))


def remember(memory: Memory, path: Path, seen: Seen, digest: str | None) -> None:
    """This file has been dealt with as it was seen."""
    if seen.stamp is None and seen.role in (Role.REJECTED, Role.SPRITE):  # it came and went
        memory.known.pop(path, None)
        memory.hashes.pop(path, None)
        return
    memory.known[path] = seen
    if digest is None:
        memory.hashes.pop(path, None)
    else:
        memory.hashes[path] = digest


def reconcile(changes: Mapping[Path, tuple[Seen, State]]) -> list[Action]:
    """What must be done about files that changed and rest: rejections first, since they decide what is made again."""
    actions: list[Action] = []
    reasons: dict[str, None] = {}
    places: set[Place] = set()
    everywhere = retrain = False
    for path, (seen, state) in changes.items():
        if state is State.SAME:
            continue
        match seen.role:
            case Role.REJECTED:
                if state is not State.MISSING and seen.place is not None:
                    actions.append(Reject(path, seen.place))
                    places.add(seen.place)
                    reasons[REJECTED] = None
            case Role.OUTPUT if state is State.EDITED:
                actions.append(Edited(path))
            case Role.OUTPUT | Role.MANIFEST if seen.place is not None:
                places.add(seen.place)
                reasons[f"{path.name} is {state}"] = None
            case Role.SPRITE:
                retrain = True
            case _:
                everywhere = True
                reasons[f"{path.name} is {state}"] = None
    if everywhere or places:
        actions.append(Regenerate(None if everywhere else frozenset(places), tuple(reasons)))
    if retrain:
        actions.append(Retrain())
    return actions


def _seen_role(memory: Memory, scene: Mapping[Path, Seen], path: Path) -> Role | None:
    seen: Iterable[Seen | None] = (scene.get(path), memory.known.get(path))
    return next((one.role for one in seen if one is not None), None)
