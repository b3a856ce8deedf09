"""What does a project hold already, and what must change to give a person what they asked for?

The rules for rerunning: the same request changes nothing; a rejected picture is replaced in its slot, and nothing else
changes; a larger count adds slots, a smaller one frees the last; pictures stay as they are unless a person says yes to
choosing anew, and those that people keep stay unless they say yes to that.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from hashlib import sha256
from pathlib import Path
from typing import Any

import msgspec

from asset_gen.bundle import CRITIC, WEIGHTS, Bundle, BundleInfo
from asset_gen.candidates import FOLDER, SHARD_FROM
from asset_gen.decisions import read_decisions
from asset_gen.errors import UsageError
from asset_gen.layout import largest_sprite
from asset_gen.manifest import Choice, Layout, Manifest, Origin, SheetRecord, SpriteRecord, read_manifest
from asset_gen.names import nearest
from asset_gen.poll.ratings import Ratings
from asset_gen.publish import Place
from asset_gen.select import FILTERS, RATED, USUAL
from asset_gen.spares import Spares, find_spares

MAX_COUNT = 10_000_000
FLOOR = ", IS from "
"""Between a filter's name and the least Inception Score."""
DISK_BLOCK = 4096  # bytes that the smallest file takes


@dataclass(frozen=True, kw_only=True, slots=True)
class Request:
    """What the person asked for."""

    project: Path
    name: str = ""
    """Of the recipe's set; empty where it has none."""
    out: str | None = None
    """Relative to the project; None: where this kind of project keeps generated assets."""
    count: int | None = None
    """None: the sum of ``quotas``, or 500."""
    quotas: Mapping[str, int | None] | None = None
    """Type → sprites; None for a number: share ``count``; None for all: all types of the model."""
    model: Path
    seed: int = 0
    oversample: int = 4
    scorer: str = "types"
    filter: str | None = None
    """One of ``asset_gen.select.FILTERS``; None: that by which the project was filled so far, or ``USUAL``."""
    min_is: float = 0
    """Least Inception Score of what is chosen, as it is reported."""
    ratings: Ratings | None = None
    """What people like; chosen by in place of ``filter``."""
    min_score: float = 0
    """Least p(type | sprite) of what is chosen."""
    targets: tuple[str, ...] = ()
    scale: int = 1
    size: int | None = None
    """Side of a finished sprite in pixels, in place of ``scale``."""
    palette: str | None = None
    """A number of colours, or the path of a palette file."""
    alpha: str = "hard"
    optimize: bool = False
    """Whether sheets are made as small as oxipng can."""
    layout: Layout = Layout()
    device: str = "auto"
    engine: str = "local"
    """One of ``asset_gen.engines.ENGINES``."""
    engine_options: Mapping[str, Any] = field(default_factory=dict)
    """What else its class takes."""
    yes: bool = False
    only: tuple[tuple[str, int], ...] = ()
    """(type, slot): touch nothing else, and leave all other settings as they are published."""
    reject: tuple[tuple[str, int], ...] = ()
    """(type, slot): reject what is published there and replace it; otherwise like ``only``."""

    instead: Origin | None = None
    """What shall take the place of the one that is rejected; None: the next best."""

    @property
    def named(self) -> tuple[tuple[str, int], ...]:
        """The slots that alone are to be touched; none: all."""
        return self.only + self.reject


@dataclass(frozen=True, kw_only=True, slots=True)
class Plan:
    """What will be done."""

    quotas: dict[str, int]
    """Type → slots, in name order."""
    choice: Choice
    old: Manifest | None
    kept: dict[str, list[SpriteRecord]]
    """Published sprites that stay, by type, in slot order."""
    run: str
    draws: bool
    """Whether candidates are needed."""
    added: int
    freed: int
    question: str | None
    """What needs a person's yes, or None."""
    replaced: int = 0
    """Slots whose picture was rejected."""
    restores: bool = False
    """Whether what is drawn is the published candidate set, as it was, because it is lost."""
    spares: Spares = field(default_factory=lambda: Spares({}))
    """What fills rejected slots without drawing."""
    short: tuple[str, ...] = ()
    """Types for whose rejected slots candidates must be drawn; nothing else is drawn then."""
    turned_down: tuple[SpriteRecord, ...] = ()
    """Published sprites whose rejection, which the request brings, must still be written down."""
    only: frozenset[tuple[str, int]] = frozenset()
    """The slots that alone are touched; none: all."""
    ratings: Ratings | None = None
    """What to choose by, where ``choice.filter`` names them."""
    notice: str | None = None
    """What a person should know about how sprites are chosen, or None."""
    redrawn: tuple[str, ...] = ()
    """What changes in how published sprites are drawn, e.g. ``scale 2 → 1``: every sheet is written anew."""
    rejected: frozenset[Origin] = frozenset()
    """Pictures of this model and seed that must not be chosen."""

    def drawing(self) -> Plan:
        """What must be drawn, as a plan of its own."""
        if self.restores:
            return replace(self, kept={kind: [] for kind in self.quotas})
        if self.short:
            quotas = {kind: self.quotas[kind] for kind in self.short}
            return replace(self, quotas=quotas, kept={kind: self.kept[kind] for kind in self.short})
        return self

    @property
    def min_is(self) -> float:
        """The least Inception Score that is asked for; 0: none."""
        return float(self.choice.filter.rpartition(FLOOR)[2]) if FLOOR in self.choice.filter else 0.0

    def columns(self, kind: str) -> int | None:
        """Columns of the type's sheet, if it was published on a grid before."""
        if self.old is None or self.old.layout.sheets != "type":
            return None
        return next((sheet.columns for sheet in self.old.sheets if sheet.type == kind), None) or None

    def old_sheets(self, kind: str) -> list[SheetRecord]:
        """The published sheets on which sprites of the type lie, or for "" those that types share."""
        if self.old is None:
            return []
        return [s for s in self.old.sheets if s.type == kind or any(sprite.type == kind for sprite in s.sprites)]


def resolve_quotas(request: Request, info: BundleInfo) -> dict[str, int]:
    """Sprites per type, in name order: ``count`` spread evenly, the remainder in name order.

    Raises:
        UsageError: an unknown type, a count that contradicts the quotas, or one out of range.
    """
    asked = request.quotas or {}
    for name in asked:
        if name not in info.types:
            raise UsageError(
                f"--types: {info.name} has no type {name!r}.{nearest(name, info.types)} It has {', '.join(info.types)}."
            )
    fixed = {name: number for name, number in asked.items() if number is not None}
    if fixed and len(fixed) < len(asked):
        raise UsageError("--types: give a number for every type (a=40,b=10), or for none (a,b).")
    if fixed:
        total = sum(fixed.values())
        if request.count not in (None, total):
            raise UsageError(
                f"--count {request.count}: the numbers in --types add up to {total}. Leave one of them out."
            )
        quotas = fixed
    else:
        total = 500 if request.count is None else request.count
        names = sorted(asked or info.types)
        share, rest = divmod(total, len(names))
        quotas = {name: share + (place < rest) for place, name in enumerate(names)}
    if min(quotas.values()) < 0 or total < 1:
        option = "--types" if fixed else f"--count {total}"
        raise UsageError(f"{option}: at least one sprite must be asked for.")
    return {name: quotas[name] for name in sorted(quotas) if quotas[name]}


def check_room(request: Request, quotas: Mapping[str, int], size: int, layout: Layout, held: int = 0) -> None:
    """Refuse, before any work, what a sheet or the disk can't hold.

    ``held``: bytes of the disk that an interrupted run takes, which this one goes on with or removes.

    Raises:
        UsageError: too large sprites, or too many; the message names the disk they would need.
    """
    largest = largest_sprite(layout)
    if size * request.scale > largest:
        raise UsageError(
            f"--scale {request.scale}: sprites of {size} pixels would be enlarged to {size * request.scale}, and a "
            f"sheet has {layout.max_side} a side, with gaps and variants taken off. "
            + (f"At most --scale {largest // size} is possible." if largest >= size else "Allow larger sheets.")
        )
    count = sum(quotas.values())
    candidates = count * request.oversample
    picture = size * size * 2 + 1024  # generated sprites compress to about half
    if candidates <= SHARD_FROM:
        picture = -(-picture // DISK_BLOCK) * DISK_BLOCK
    need = max(0, candidates * picture - held) + count * (size * request.scale) ** 2 * 2
    free = shutil.disk_usage(request.project).free
    if need > free * 0.9 or count > MAX_COUNT:
        raise UsageError(
            f"--count {count:,} × --oversample {request.oversample}: would need about {_gigabytes(need)} of disk; "
            f"{_gigabytes(free)} are free in {request.project}, and {MAX_COUNT:,} sprites are the most. Ask for fewer."
        )


def make_plan(request: Request, bundle: Bundle, place: Place, quotas: dict[str, int]) -> Plan:
    """Compare what is published with what is asked for."""
    old = read_manifest(place.out)
    choice = Choice(
        model=bundle.sha256,
        seed=request.seed,
        oversample=request.oversample,
        scorer=request.scorer,
        filter=_filter(request, bundle, old),
        min_score=request.min_score,
    )
    published = [sprite for sheet in old.sheets for sprite in sheet.sprites] if old else []
    decided = read_decisions(place.project)
    named = _named_slots(request, place, published)
    turned_down = [sprite for sprite in named if (sprite.type, sprite.slot) in request.reject]
    out = decided.rejected | {sprite.origin for sprite in turned_down}
    rejected = frozenset(origin for origin in out if (origin.model, origin.seed) == (choice.model, choice.seed))
    same_choice = old is not None and old.choice == choice
    kept: dict[str, list[SpriteRecord]] = {kind: [] for kind in quotas}
    holes: dict[str, int] = {}
    if same_choice:
        for sprite in sorted(published, key=lambda sprite: sprite.slot):
            if sprite.slot >= quotas.get(sprite.type, 0):
                continue
            if sprite.origin in rejected and (not named or sprite in named):
                holes[sprite.type] = holes.get(sprite.type, 0) + 1
            else:
                kept[sprite.type].append(sprite)
    stay, replaced, total = sum(map(len, kept.values())), sum(holes.values()), sum(quotas.values())
    same_quotas = old is not None and old.quotas == quotas
    plan = Plan(
        quotas=quotas,
        choice=choice,
        old=old,
        kept=kept,
        run=run_name(choice, quotas, kept, rejected),
        draws=True,
        added=total - stay - replaced,
        freed=len(published) - stay - replaced if same_choice else 0,
        question=_question(old, choice, quotas, published, decided.kept),
        ratings=request.ratings,
        notice=_notice(request, bundle, choice),
        rejected=rejected,
        replaced=replaced,
        turned_down=tuple(sprite for sprite in turned_down if sprite.origin not in decided.rejected),
        only=frozenset(request.named),
    )
    if old is not None and same_choice and same_quotas and stay + replaced == total:
        return _rerun(plan, old, place, holes, decided.kept, request.instead)
    return plan


def _rerun(
    plan: Plan,
    old: Manifest,
    place: Place,
    holes: Mapping[str, int],
    preferred: Collection[Origin],
    instead: Origin | None,
) -> Plan:
    """The plan where all that is asked for is published, rejected or not: as little as possible is drawn."""
    folder = place.out / FOLDER
    plan = replace(plan, run=old.run, draws=False)
    lost = not (folder / old.run / "run.json").is_file()
    for rejected in (frozenset[Origin](), plan.rejected):  # it was drawn before anything was rejected, or since
        # a set that was chosen around kept sprites can't be told apart afterwards
        if lost and not (plan.only and not holes) and old.run == run_name(plan.choice, plan.quotas, {}, rejected):
            return replace(plan, draws=True, restores=True, rejected=rejected)
    if not holes:
        return plan
    taken = plan.rejected | {sprite.origin for sprites in plan.kept.values() for sprite in sprites}
    if instead is not None:
        preferred = [instead]
    spares = find_spares(folder, plan.choice, holes, taken, preferred, plan.ratings)
    short = tuple(kind for kind in holes if kind not in spares.rows)
    if not short:
        return replace(plan, spares=spares)
    plan = replace(plan, spares=spares, short=short, draws=True)
    part = plan.drawing()
    return replace(plan, run=run_name(plan.choice, part.quotas, part.kept, plan.rejected))


def _named_slots(request: Request, place: Place, published: Iterable[SpriteRecord]) -> list[SpriteRecord]:
    """What fills the slots that the request names.

    Raises:
        UsageError: nothing does.
    """
    filled = {(sprite.type, sprite.slot): sprite for sprite in published}
    for flag, slots in (("--only", request.only), ("--reject", request.reject)):
        for kind, slot in slots:
            if (kind, slot) in filled:
                continue
            kinds = sorted({other for other, _ in filled})
            held = sum(other == kind for other, _ in filled)
            known = f"{kind} has the slots 0 to {held - 1}" if held else f"published are {', '.join(kinds) or 'none'}"
            raise UsageError(
                f"{flag} {kind}:{slot}: nothing is published in that slot of {place.out}; {known}."
                + ("" if held else nearest(kind, kinds))
            )
    return [filled[key] for key in request.named]


def _filter(request: Request, bundle: Bundle, old: Manifest | None) -> str:
    """The filter's name, and what else decides; that of ratings holds what they say, since others would choose other
    sprites.

    Raises:
        UsageError: the ratings are of another model's or seed's candidates, or the bundle has no critic for its filter.
    """
    ratings = request.ratings
    if ratings is None:
        if request.oversample == 1:
            return "none"
        _check_critic(request.filter or _usual(request, bundle, old), bundle)
        if request.filter and request.filter not in FILTERS:  # as it is published, with what else decides
            return request.filter
        name = request.filter or _usual(request, bundle, old)
        if name == "set" and bundle.info.features is None:
            name = "is"
        return f"{name}{FLOOR}{request.min_is:g}" if request.min_is else name
    if ratings.model != bundle.sha256:
        raise UsageError(
            f"--filter: the ratings are of sprites of another model ({ratings.model[:16]}) than "
            f"{bundle.path} ({bundle.sha256[:16]}). Give that --model, or poll the candidates of this one."
        )
    if ratings.seed != request.seed:
        raise UsageError(f"--filter: the ratings are of sprites of seed {ratings.seed}. Give --seed {ratings.seed}.")
    if request.oversample == 1:
        raise UsageError("--filter: --oversample 1 leaves nothing to choose. Give that of the rated candidates.")
    return f"{RATED} {ratings.digest()}"


def _check_critic(name: str, bundle: Bundle) -> None:
    if name.split(",")[0] == "critic" and bundle.info.critic is None:
        raise UsageError(
            f"--filter critic: {bundle.path} has no {CRITIC}. Add it with 'assetgen calibrate {bundle.path} SPRITES "
            f"--critic', where the bundle carries its networks ({WEIGHTS}), or export its run again with 'assetgen "
            f"export … --critic'; or choose another --filter."
        )


def _usual(request: Request, bundle: Bundle, old: Manifest | None) -> str:
    """The filter where none is asked for: a new default doesn't replace what is published."""
    if old is None:
        return USUAL
    former = old.choice
    same = (former.model, former.seed, former.oversample) == (bundle.sha256, request.seed, request.oversample)
    name = filter_name(former)
    return name if same and name in FILTERS else USUAL


def filter_name(choice: Choice) -> str:
    """One of ``FILTERS``, or ``RATED``, without what else decides."""
    return choice.filter.split(",")[0].split(" ")[0]


def _notice(request: Request, bundle: Bundle, choice: Choice) -> str | None:
    if filter_name(choice) == "is" and request.filter in (None, "set") and bundle.info.features is None:
        return (
            f"{bundle.info.name} doesn't know its training sprites, so the set is chosen by its Inception Score, and "
            f"copies aren't found. assetgen calibrate makes it know them."
        )
    return None


def run_name(
    choice: Choice,
    quotas: Mapping[str, int],
    kept: Mapping[str, list[SpriteRecord]],
    rejected: Collection[Origin] = frozenset(),
) -> str:
    """Name of a candidate set: a hash of the choice, the quotas, the filled slots and what mustn't be chosen."""
    slots = [sprite.name + str(sprite.origin.index) for sprites in kept.values() for sprite in sprites]
    document = [msgspec.to_builtins(choice), dict(quotas), slots]
    if barred := sorted([origin.type, origin.index] for origin in rejected if origin.type in quotas):
        document.append(barred)
    return sha256(json.dumps(document, sort_keys=True).encode()).hexdigest()[:16]


def _question(
    old: Manifest | None,
    choice: Choice,
    quotas: Mapping[str, int],
    published: Iterable[SpriteRecord],
    wanted: Collection[Origin],
) -> str | None:
    """What a person has to agree to: other pictures in slots that exist, whole types or kept sprites removed."""
    if old is None:
        return None
    files, sprites = len(old.files) + 1, list(published)
    changed = [
        f"{name} ({_brief(getattr(old.choice, name))} → {_brief(getattr(choice, name))})"
        for name in Choice.__struct_fields__
        if getattr(old.choice, name) != getattr(choice, name)
    ]
    if changed:
        loved = sum(sprite.origin in wanted for sprite in sprites)
        among = f", {loved} that people keep among them," if loved else ""
        return (
            f"A change of {', '.join(changed)} would replace all {len(sprites)} published sprites{among} in "
            f"{files} files."
        )
    freed = [sprite for sprite in sprites if sprite.slot >= quotas.get(sprite.type, 0)]
    loved_names = [sprite.name for sprite in freed if sprite.origin in wanted]
    if loved_names:
        return (
            f"{len(freed)} sprites would be removed, and people keep {len(loved_names)} of them: {_few(loved_names)}."
        )
    if gone := sorted(set(old.quotas) - set(quotas)):
        lost = sum(old.quotas[name] for name in gone)
        return f"{lost} published sprites of {len(gone)} types would be removed: {', '.join(gone)}."
    return None


def _brief(value: object) -> str:
    """A setting as a question names it: of hashes the beginning, all else whole."""
    return " ".join(word[:12] if len(word) > 24 else word for word in str(value).split(" "))


def _few(names: list[str], shown: int = 5) -> str:
    return ", ".join(names[:shown]) + (f" and {len(names) - shown} more" if len(names) > shown else "")


def _gigabytes(size: int) -> str:
    tenths = size * 10 // 2**30  # whole numbers: what somebody asks for may be more than a float holds
    return f"{tenths // 10:,}.{tenths % 10} GiB"
