"""Which candidates are drawn, and which of them are chosen? Leaves a whole candidate set, or none.

Pictures go to disk as they come; probabilities and thumbnails are all that stays in memory.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass, field

import msgspec
import numpy as np
from numpy.typing import NDArray

from asset_gen.bundle import Bundle, BundleInfo
from asset_gen.candidates import FOLDER, SHARD_FROM, SPARE, CandidateWriter, Row, candidate_name
from asset_gen.errors import ProjectError, QuotaError
from asset_gen.generate import Drawn, Wanted, generate
from asset_gen.manifest import Figure, ScorerRecord
from asset_gen.metrics.inception_score import SPLITS, entropy, inception_score
from asset_gen.plan import Plan
from asset_gen.publish import Place
from asset_gen.runtime import Session, open_session
from asset_gen.score.types import type_probabilities
from asset_gen.select import RATED, near_duplicates, select, thumbnails

DRAW_AT_MOST = 16
"""Times the quota that is drawn before a type is given up."""
RANDOM_SETS = 10
"""Random sets whose mean score stands beside the kept set's."""

Progress = Callable[[str, int, int], None]
"""(what is being done, how much is done, of how much)."""


class Networks:
    """A bundle's generator and classifier, loaded onto a device."""

    def __init__(self, bundle: Bundle, device: str) -> None:
        self.info: BundleInfo = bundle.info
        self.generator: Session = open_session(bundle.generator, device, bundle.memory)
        self.classifier: Session = open_session(bundle.classifier, device, bundle.memory)


@dataclass(slots=True)
class _Pool:
    """What is remembered of the candidates, batch by batch; ``join`` makes one array of each list."""

    p: list[NDArray[np.float32]] = field(default_factory=list)
    kinds: list[NDArray[np.int64]] = field(default_factory=list)
    indices: list[NDArray[np.int64]] = field(default_factory=list)
    thumbs: list[NDArray[np.uint8]] = field(default_factory=list)

    def join(self) -> _Candidates:
        self.p = [np.concatenate(self.p)]  # the joined array takes the place of its parts
        self.kinds = [np.concatenate(self.kinds)]
        self.indices = [np.concatenate(self.indices)]
        self.thumbs = [np.concatenate(self.thumbs)]
        return _Candidates(self.p[0], self.kinds[0], self.indices[0], self.thumbs[0])


@dataclass(frozen=True, slots=True)
class _Candidates:
    """All candidates so far."""

    p: NDArray[np.float32]
    """p(type | sprite) [n, types]."""
    kinds: NDArray[np.int64]
    """[n]: the type each stands for: the one asked for, or the classifier's where none can be asked for."""
    indices: NDArray[np.int64]
    """[n]: counter within (seed, type)."""
    thumbs: NDArray[np.uint8]
    """[n, 256]."""


class _Supply:
    """Which sprites to draw next: ``quota × oversample`` of each stream at first, then more where it is short.

    A stream is a type, or "" for a generator that can't be asked for one.
    """

    def __init__(self, plan: Plan, info: BundleInfo) -> None:
        self.info = info
        total = sum(plan.quotas.values())
        self.quotas = dict(plan.quotas) if info.conditional else {"": total}
        self.pinned: dict[str, set[int]] = {stream: set() for stream in self.quotas}
        for kind, sprites in plan.kept.items():
            self.pinned[kind if info.conditional else ""] |= {sprite.origin.index for sprite in sprites}
        self.reached = dict.fromkeys(self.quotas, 0)
        self.oversample = plan.choice.oversample
        self.reach = max(DRAW_AT_MOST, self.oversample)

    def first(self) -> Wanted:
        """The first round, with the sprites that are published already."""
        rounds = {}
        for stream, quota in self.quotas.items():
            self.reached[stream] = quota * self.oversample
            rounds[stream] = sorted({*range(self.reached[stream]), *self.pinned[stream]})
        return self._wanted(rounds)

    def more(self, streams: list[str]) -> Wanted:
        """One more quota of each of these streams, as far as 16 × the quota; empty when all have got there."""
        rounds = {}
        for stream in streams:
            quota = self.quotas[stream]
            start, stop = self.reached[stream], min(self.reached[stream] + quota, quota * self.reach)
            self.reached[stream] = max(start, stop)
            rounds[stream] = [index for index in range(start, stop) if index not in self.pinned[stream]]
        return self._wanted(rounds)

    def _wanted(self, rounds: dict[str, list[int]]) -> Wanted:
        columns = {kind: column for column, kind in enumerate(self.info.types)}
        kinds = [np.full(len(indices), columns.get(stream, 0), np.int64) for stream, indices in rounds.items()]
        indices = [np.array(indices, np.int64) for indices in rounds.values()]
        return Wanted(np.concatenate(kinds), np.concatenate(indices))


def draw_candidates(networks: Networks, plan: Plan, place: Place, progress: Progress) -> None:
    """Draw, judge and choose; a set of this name that is whole already is left as it is.

    Raises:
        QuotaError: too few sprites of a type after drawing 16 times its quota.
        ProjectError: ``candidates~`` is a link that leads out of the project.
    """
    folder = place.out / FOLDER / plan.run
    if not folder.resolve().is_relative_to(place.out):
        raise ProjectError(f"{folder.parent}: a link leads out of {place.out}. Remove the link.")
    if (folder / "run.json").is_file():
        return
    info = networks.info
    sharded = sum(plan.quotas.values()) * plan.choice.oversample > SHARD_FROM
    writer = CandidateWriter(place.candidates, sharded)
    pool, supply = _Pool(), _Supply(plan, info)
    wanted, done = supply.first(), 0
    quotas = {info.types.index(kind): quota for kind, quota in plan.quotas.items()}
    while True:
        total = done + len(wanted)
        for drawn in generate(networks.generator, info, plan.choice.seed, wanted):
            _collect(networks, drawn, wanted, quotas, writer, pool)
            progress("drawing candidates", done + drawn.rows.stop, total)
        done = total
        candidates = pool.join()
        fixed = _rows_of_kept(info, plan, candidates)
        twins = np.full(len(candidates.p), -1, np.int64)
        worth = _worth(info, plan, candidates)
        rejected = _rows_of_rejected(info, plan, candidates)
        if plan.choice.filter != "none":
            twins = _twins(candidates, np.union1d(fixed, rejected), worth)  # what looks like a rejected one goes, too
        barred = _barred(plan, candidates, fixed, rejected)
        allowed = (twins < 0) & (barred == "")
        have = {kind: int(((candidates.kinds == kind) & allowed).sum()) for kind in quotas}
        short = [kind for kind in quotas if have[kind] < quotas[kind]]
        if not short:
            break
        wanted = supply.more([info.types[kind] for kind in short] if info.conditional else [""])
        if not len(wanted):
            counts = ", ".join(f"{info.types[kind]} {have[kind]} of {quotas[kind]}" for kind in short)
            raise QuotaError(
                f"After drawing {supply.reach} times the quota there are too few different sprites of these types: "
                f"{counts}. Ask for fewer, or use a model that knows them better. Nothing was published."
            )
    progress("choosing", 0, 1)
    strategy = RATED if plan.ratings else plan.choice.filter
    chosen = select(candidates.p, candidates.kinds, quotas, strategy, fixed, allowed, worth)
    scorer = figures(plan.choice.scorer, candidates.p, candidates.kinds, chosen, quotas, allowed)
    run = {
        "run": plan.run,
        "model_name": info.name,
        "choice": msgspec.to_builtins(plan.choice),
        "quotas": plan.quotas,
        "scorer": msgspec.to_builtins(scorer),
    }
    writer.finish(_rows(info, plan, candidates, chosen, twins, barred), run)
    folder.parent.mkdir(parents=True, exist_ok=True)
    (folder.parent / ".gdignore").touch()
    shutil.rmtree(folder, ignore_errors=True)  # a set of this name that isn't whole
    writer.stage.rename(folder)
    progress("choosing", 1, 1)


def _collect(
    networks: Networks, drawn: Drawn, wanted: Wanted, quotas: dict[int, int], writer: CandidateWriter, pool: _Pool
) -> None:
    """Judge a batch, write its pictures, remember its figures."""
    info = networks.info
    p = type_probabilities(networks.classifier, drawn.rgba)
    kinds = wanted.kinds[drawn.rows] if info.conditional else p.argmax(axis=1)
    useful = np.isin(kinds, list(quotas))  # a generator without types also draws what nobody asked for
    indices = wanted.indices[drawn.rows]
    for row in np.flatnonzero(useful):
        kind = info.types[kinds[row]]
        writer.add(kind, candidate_name(kind, int(indices[row])), drawn.sprites[row])
    pool.p.append(p[useful])
    pool.kinds.append(kinds[useful])
    pool.indices.append(indices[useful])
    pool.thumbs.append(thumbnails(drawn.sprites[useful]))


def _worth(info: BundleInfo, plan: Plan, candidates: _Candidates) -> NDArray[np.float64]:
    """[n]: how much people like each candidate; 0 where nobody was asked."""
    worth = np.zeros(len(candidates.kinds))
    if plan.ratings is None:
        return worth
    for kind in np.unique(candidates.kinds):
        mine = candidates.kinds == kind
        worth[mine] = plan.ratings.of(info.types[kind], candidates.indices[mine])
    return worth


def _rows_of_kept(info: BundleInfo, plan: Plan, candidates: _Candidates) -> NDArray[np.int64]:
    """Rows of the candidates that are published already and stay."""
    stays = np.zeros(len(candidates.kinds), bool)
    for kind, sprites in plan.kept.items():
        published = np.array([sprite.origin.index for sprite in sprites], np.int64)
        stays |= (candidates.kinds == info.types.index(kind)) & np.isin(candidates.indices, published)
    return np.flatnonzero(stays)


def _rows_of_rejected(info: BundleInfo, plan: Plan, candidates: _Candidates) -> NDArray[np.int64]:
    """Rows of the candidates that somebody rejected."""
    found = np.zeros(len(candidates.kinds), bool)
    for kind in np.unique(candidates.kinds):
        mine = [origin.index for origin in plan.rejected if origin.type == info.types[kind]]
        found |= (candidates.kinds == kind) & np.isin(candidates.indices, np.array(mine, np.int64))
    return np.flatnonzero(found)


def _barred(
    plan: Plan, candidates: _Candidates, fixed: NDArray[np.int64], rejected: NDArray[np.int64]
) -> NDArray[np.str_]:
    """[n]: why a candidate mustn't be chosen, or "". What is published stays, whatever its score."""
    least = plan.choice.min_score
    own = candidates.p[np.arange(len(candidates.p)), candidates.kinds]
    reasons = np.where(own < least, f"p(type) is below {least:g}", "")
    reasons[fixed] = ""
    reasons = reasons.astype("<U40")
    reasons[rejected] = "rejected"
    return reasons


def _twins(candidates: _Candidates, fixed: NDArray[np.int64], worth: NDArray[np.float64]) -> NDArray[np.int64]:
    """[n]: for every candidate the row of the better one that it nearly equals, or −1.

    Published ones come first, then those of greater worth, then those whose own type is more probable.
    """
    twins = np.full(len(candidates.p), -1, np.int64)
    own = candidates.p[np.arange(len(candidates.p)), candidates.kinds].copy()
    own[fixed] = 2
    for kind in np.unique(candidates.kinds):
        mine = np.flatnonzero(candidates.kinds == kind)
        mine = mine[np.lexsort((-own[mine], -worth[mine], own[mine] < 2))]
        first = near_duplicates(candidates.thumbs[mine])
        twins[mine] = np.where(first >= 0, mine[first], -1)
    twins[fixed] = -1
    return twins


def figures(
    scorer: str,
    p: NDArray[np.float32],
    kinds: NDArray[np.int64],
    chosen: NDArray[np.int64],
    quotas: dict[int, int],
    allowed: NDArray[np.bool_],
) -> ScorerRecord:
    """Inception Score of the chosen rows, and its mean over ten random sets with the same quotas.

    Undefined (null) for one type, and for fewer sprites than splits.
    """
    count = len(chosen)
    if p.shape[1] < 2 or len(quotas) < 2 or count < SPLITS:
        nothing = Figure(n=count, mean=None, std=None)
        return ScorerRecord(name=scorer, splits=SPLITS, kept=nothing, all=nothing)
    mean, std = inception_score(p[chosen[np.argsort(kinds[chosen], kind="stable")]])  # by type, as random sets come
    random = []
    for number in range(RANDOM_SETS):
        chance = np.random.default_rng(number)
        rows = [
            chance.choice(np.flatnonzero((kinds == kind) & allowed), quota, replace=False)
            for kind, quota in quotas.items()
        ]
        random.append(inception_score(p[np.concatenate(rows)]))
    means, stds = np.mean(random, axis=0)
    return ScorerRecord(
        name=scorer,
        splits=SPLITS,
        kept=Figure(n=count, mean=round(mean, 4), std=round(std, 4)),
        all=Figure(n=count, mean=round(float(means), 4), std=round(float(stds), 4)),
    )


def _rows(
    info: BundleInfo,
    plan: Plan,
    candidates: _Candidates,
    chosen: NDArray[np.int64],
    twins: NDArray[np.int64],
    barred: NDArray[np.str_],
) -> list[Row]:
    """What ``scores.csv`` says, by type and index."""
    kept = np.zeros(len(candidates.p), bool)
    kept[chosen] = True
    doubt = entropy(candidates.p)
    names = [
        candidate_name(info.types[kind], int(index))
        for kind, index in zip(candidates.kinds, candidates.indices, strict=True)
    ]
    rows = []
    for row in np.lexsort((candidates.indices, candidates.kinds)):
        if kept[row]:
            reason = f"chosen by {plan.choice.filter}"
        elif barred[row]:
            reason = str(barred[row])
        elif twins[row] >= 0:
            reason = f"nearly equals {names[twins[row]]}"
        else:
            reason = f"{SPARE} {plan.choice.filter}"
        rows.append(
            Row(
                name=names[row],
                type=info.types[candidates.kinds[row]],
                p_type=float(candidates.p[row, candidates.kinds[row]]),
                entropy=float(doubt[row]),
                kept=bool(kept[row]),
                seed=plan.choice.seed,
                index=int(candidates.indices[row]),
                reason=reason,
            )
        )
    return rows
