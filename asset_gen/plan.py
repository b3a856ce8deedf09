"""What does a project hold already, and what must change to give a person what they asked for?

The rules for rerunning: the same request changes nothing; a larger count adds slots, a smaller one frees the last;
pictures stay as they are unless a person says yes to choosing anew.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

import msgspec

from asset_gen.bundle import Bundle, BundleInfo
from asset_gen.candidates import FOLDER, SHARD_FROM
from asset_gen.errors import UsageError
from asset_gen.layout import largest_sprite
from asset_gen.manifest import Choice, Layout, Manifest, Origin, SheetRecord, SpriteRecord, read_manifest
from asset_gen.names import nearest
from asset_gen.poll.ratings import Ratings
from asset_gen.publish import Place
from asset_gen.select import RATED

MAX_COUNT = 10_000_000
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
    filter: str = "is"
    """One of ``asset_gen.select.FILTERS``."""
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
    layout: Layout = Layout()
    device: str = "auto"
    yes: bool = False


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
    ratings: Ratings | None = None
    """What to choose by, where ``choice.filter`` names them."""
    rejected: frozenset[Origin] = frozenset()
    """Pictures of this model and seed that must not be chosen."""

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
        raise UsageError(f"--count {total}: at least one sprite must be asked for.")
    return {name: quotas[name] for name in sorted(quotas) if quotas[name]}


def check_room(request: Request, quotas: Mapping[str, int], size: int, layout: Layout) -> None:
    """Refuse, before any work, what a sheet or the disk can't hold.

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
    need = candidates * picture + count * (size * request.scale) ** 2 * 2
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
        filter=_filter(request, bundle),
        min_score=request.min_score,
    )
    published = [sprite for sheet in old.sheets for sprite in sheet.sprites] if old else []
    same_choice = old is not None and old.choice == choice
    kept: dict[str, list[SpriteRecord]] = {kind: [] for kind in quotas}
    if same_choice:
        for sprite in sorted(published, key=lambda sprite: sprite.slot):
            if sprite.slot < quotas.get(sprite.type, 0):
                kept[sprite.type].append(sprite)
    stay = sum(map(len, kept.values()))
    same_quotas = old is not None and old.quotas == quotas
    fresh_run = run_name(choice, quotas, {})
    run, draws = run_name(choice, quotas, kept), True
    if old is not None and same_choice and same_quotas and stay == sum(quotas.values()):
        run = old.run
        lost = not (place.out / FOLDER / run / "run.json").is_file()
        draws = lost and run == fresh_run  # a set that was chosen around kept sprites can't be told apart afterwards
        if draws:
            kept = {kind: [] for kind in quotas}
    total = sum(quotas.values())
    return Plan(
        quotas=quotas,
        choice=choice,
        old=old,
        kept=kept,
        run=run,
        draws=draws,
        added=total - stay,
        freed=len(published) - stay if same_choice else 0,
        question=_question(old, choice, quotas, len(published)),
        ratings=request.ratings,
    )


def _filter(request: Request, bundle: Bundle) -> str:
    """The filter's name; that of ratings holds what they say, since others would choose other sprites.

    Raises:
        UsageError: the ratings are of another model's or seed's candidates.
    """
    ratings = request.ratings
    if ratings is None:
        return "none" if request.oversample == 1 else request.filter
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


def run_name(choice: Choice, quotas: Mapping[str, int], kept: Mapping[str, list[SpriteRecord]]) -> str:
    """Name of a candidate set: a hash of model, seed, quotas, oversample, scorer, filter and filled slots."""
    slots = [sprite.name + str(sprite.origin.index) for sprites in kept.values() for sprite in sprites]
    document = [msgspec.to_builtins(choice), dict(quotas), slots]
    return sha256(json.dumps(document, sort_keys=True).encode()).hexdigest()[:16]


def _question(old: Manifest | None, choice: Choice, quotas: Mapping[str, int], published: int) -> str | None:
    """What a person has to agree to: other pictures in slots that exist, or whole types removed."""
    if old is None:
        return None
    files = len(old.files) + 1
    changed = [
        f"{name} ({getattr(old.choice, name)!s:.12} → {getattr(choice, name)!s:.12})"
        for name in Choice.__struct_fields__
        if getattr(old.choice, name) != getattr(choice, name)
    ]
    if changed:
        return f"A change of {', '.join(changed)} would replace all {published} published sprites in {files} files."
    if gone := sorted(set(old.quotas) - set(quotas)):
        lost = sum(old.quotas[name] for name in gone)
        return f"{lost} published sprites of {len(gone)} types would be removed: {', '.join(gone)}."
    return None


def _gigabytes(size: int) -> str:
    tenths = size * 10 // 2**30  # whole numbers: what somebody asks for may be more than a float holds
    return f"{tenths // 10:,}.{tenths % 10} GiB"
