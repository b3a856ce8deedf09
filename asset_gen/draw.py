"""Which candidates are drawn, and which of them are chosen? Leaves a whole candidate set, or none.

Pictures go to disk as they come, and so does what is known of each: of a candidate a few bytes stay in memory.
"""

from __future__ import annotations

import errno
import json
import shutil
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from asset_gen import __version__
from asset_gen.bundle import CRITIC, FEATURES, TRAINING_SET, BundleInfo
from asset_gen.candidates import FOLDER, SHARD_FROM, CandidateWriter, candidate_name
from asset_gen.engines import Engine, open_engine
from asset_gen.errors import ProjectError, QuotaError
from asset_gen.files import move_file
from asset_gen.fitness import Fitness, counted, listed
from asset_gen.generate import Wanted
from asset_gen.judge import Task
from asset_gen.manifest import ChooserRecord, Figure, ScorerRecord
from asset_gen.metrics.inception_score import SPLITS, inception_score
from asset_gen.networks import Networks
from asset_gen.plan import Plan, filter_name
from asset_gen.pool import CandidateRows, Candidates, Pool
from asset_gen.proportions import types_in
from asset_gen.publish import Place
from asset_gen.rejection import luck_of
from asset_gen.row_file import Reordered, RowFile, Rows, blocks, worked_out
from asset_gen.select import RATED, near_duplicates, raised, select
from asset_gen.staged import Part, Staging

DRAW_AT_MOST = 16
"""Times the quota that is drawn before a type is given up."""
MOST = 256
"""Candidates for a sprite that can be asked for."""
RANDOM_SETS = 10
"""Random sets whose mean score stands beside the kept set's."""

NO_ROOM = (errno.ENOSPC, errno.EDQUOT)

Progress = Callable[[str, int, int], None]
"""(what is being done, how much is done, of how much)."""


@dataclass(frozen=True, slots=True)
class DrawnSet:
    """What came of drawing."""

    count: int
    """Candidates."""
    dropped: dict[str, int]
    """How many of them mustn't be chosen, by cause."""
    provider: str = ""
    """The ONNX Runtime execution provider that drew; empty where nothing was drawn."""


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
            drawn = {sprite.origin.index for sprite in sprites if not sprite.origin.operation}
            self.pinned[kind if info.conditional else ""] |= drawn
        self.reached = dict.fromkeys(self.quotas, 0)
        self.oversample = plan.choice.oversample
        self.reach = max(DRAW_AT_MOST, self.oversample)

    def first(self) -> Wanted:
        """The first round, with the sprites that are published already."""
        rounds = {}
        for stream, quota in self.quotas.items():
            self.reached[stream] = quota * self.oversample
            pinned = np.array(sorted(self.pinned[stream]), np.int64)
            rounds[stream] = np.append(np.arange(self.reached[stream]), pinned[pinned >= self.reached[stream]])
        return self._wanted(rounds)

    def more(self, streams: list[str]) -> Wanted:
        """One more quota of each of these streams, as far as 16 × the quota; empty when all have got there."""
        rounds = {}
        for stream in streams:
            quota = self.quotas[stream]
            start, stop = self.reached[stream], min(self.reached[stream] + quota, quota * self.reach)
            self.reached[stream] = max(start, stop)
            rounds[stream] = np.setdiff1d(np.arange(start, stop), [*self.pinned[stream]])
        return self._wanted(rounds)

    def _wanted(self, rounds: dict[str, NDArray[np.int64]]) -> Wanted:
        columns = {kind: column for column, kind in enumerate(self.info.types)}
        kinds = np.array([columns.get(stream, 0) for stream in rounds], np.int64)
        indices = np.concatenate([*rounds.values()]).astype(np.int64, copy=False)
        return Wanted(np.repeat(kinds, [*map(len, rounds.values())]), indices)


def draw_candidates(
    networks: Networks, plan: Plan, place: Place, progress: Progress, engine: str = "local", **options: Any
) -> DrawnSet:
    """Draw, judge and choose; a set of this name that is whole already is left as it is.

    ``engine``: a name in ``asset_gen.engines.ENGINES``, where it is drawn and judged; ``options``: what else it takes.

    Raises:
        QuotaError: too few sprites of a type after drawing 16 times its quota, or no set scores as high as asked for.
        ProjectError: ``candidates~`` is a link that leads out of the project.
    """
    folder = place.out / FOLDER / plan.run
    if not folder.resolve().is_relative_to(place.out):
        raise ProjectError(f"{folder.parent}: a link leads out of {place.out}. Remove the link.")
    if (folder / "run.json").is_file():
        return DrawnSet(0, {})
    networks.load_for(_strategy(plan))
    info, choice = networks.info, plan.choice
    numbers = [info.types.index(kind) for kind in plan.quotas]
    chooser = _chooser(info, _strategy(plan))
    judge, known = chooser and chooser.sha256, info.files.get(TRAINING_SET)
    inputs = [__version__, networks.generator.provider, choice.model, choice.seed, numbers, _strategy(plan), judge]
    inputs += [known and known.sha256]
    sharded = sum(plan.quotas.values()) * choice.oversample > SHARD_FROM
    could_be = partial(_could_be, networks, numbers)
    staging = Staging(place, plan.run, json.dumps(inputs), info.size, could_be, sharded)
    try:
        with (
            closing(CandidateWriter(staging.stage, sharded, goes_on=sharded)) as writer,
            closing(
                open_engine(engine, networks, Task(choice.seed, tuple(numbers), _strategy(plan)), **options)
            ) as opened,
            closing(Pool(place.state)) as pool,
        ):
            found = _drawn_set(networks, plan, progress, staging, writer, opened, pool)
            found = replace(found, provider=opened.provider)
        folder.parent.mkdir(parents=True, exist_ok=True)
        (folder.parent / ".gdignore").touch()
        shutil.rmtree(folder, ignore_errors=True)  # a set of this name that isn't whole
        move_file(writer.stage, folder)
    except KeyboardInterrupt:
        raise KeyboardInterrupt(f"{staging.kept:,} candidates are kept; " if staging.kept else "") from None
    except QuotaError:
        staging.end()  # the same again would end alike
        raise
    except OSError as error:
        if error.errno in NO_ROOM and sharded:
            raise ProjectError(
                f"{error.filename or staging.stage}: {error.strerror}. {staging.kept:,} candidates are kept; make "
                f"room, and run the same command again: it goes on from there."
            ) from error
        if error.errno in NO_ROOM:
            staging.end()  # for what matters more
        raise
    staging.end()
    progress("choosing", 1, 1)
    return found


def _drawn_set(
    networks: Networks,
    plan: Plan,
    progress: Progress,
    staging: Staging,
    writer: CandidateWriter,
    engine: Engine,
    pool: Pool,
) -> DrawnSet:
    """Draw, judge and choose, and hand it all to ``writer``."""
    info = networks.info
    strategy = _strategy(plan)
    supply = _Supply(plan, info)
    wanted, done = supply.first(), 0
    quotas = {info.types.index(kind): quota for kind, quota in plan.quotas.items()}
    fitness: Fitness | None = None
    while True:
        total = done + len(wanted)
        for part in staging.drawn(wanted, engine.draw, writer.shards):
            for kind, index, png in zip(part.arrays["kinds"], part.arrays["indices"], part.pngs, strict=True):
                name = info.types[kind]
                writer.add_png(name, candidate_name(name, int(index)), png, info.size)
            pool.add(**part.arrays)
            done += part.drawn
            progress("drawing candidates", done, total)
        del wanted
        candidates = pool.join()
        fixed, rejected = _rows_of(candidates, _published(info, plan)), _rows_of(candidates, _rejected(info, plan))
        worth = _worth(info, plan, candidates)
        if strategy == "none":
            twins = np.full(len(candidates), -1, np.int32)
        else:
            first = np.concatenate([fixed, rejected])  # what looks like a rejected one goes, too
            twins = _twins(candidates, first, worth)
        own, types = candidates.own, len(info.types)
        if fitness is None:  # later candidates are held to the same limits
            known = None if strategy == "none" else networks.training
            fitness = Fitness.of(known, strategy, candidates.figures, own, types)
        causes = fitness.causes(candidates.figures, own, types, twins, rejected, fixed, plan.choice.min_score)
        allowed = causes == 0
        have = {kind: int(((candidates.kinds == kind) & allowed).sum()) for kind in quotas}
        short = [kind for kind in quotas if have[kind] < quotas[kind]]
        if not short:
            break
        wanted = supply.more([info.types[kind] for kind in short] if info.conditional else [""])
        if not len(wanted):
            mine = np.isin(candidates.kinds, short)
            raise QuotaError(_too_few(info, supply.reach, have, quotas, short, counted(causes[mine])))
    if writer.shards is not None:
        networks.rest()  # to choose from many takes as much memory as to draw
    progress("choosing", 0, 1)
    look = None
    if candidates.points is not None:
        points: Rows = candidates.points
        if info.features is not None and not info.features.outside:
            points = networks.aim.aligned(points, candidates.kinds)
        some = (points[block] for block in blocks(len(points)))
        look = points, pool.work_out(networks.aim.likeness(block, quotas) for block in some)
    judged = None
    if candidates.logits is not None:
        kinds, indices = candidates.kinds, candidates.indices
        luck = (luck_of(info, plan.choice.seed, kinds[block], indices[block]) for block in blocks(len(candidates)))
        judged = candidates.logits, pool.work_out(luck)
    chosen, best = (
        select(candidates.p, candidates.kinds, quotas, name, fixed, allowed, worth, look, judged)
        for name in (strategy, "is")
    )
    if plan.min_is:
        try:
            chosen = raised(candidates.p, candidates.kinds, chosen, best, plan.min_is)
        except ValueError as error:
            raise QuotaError(
                f"--min-is {plan.min_is:g}: {error} of {len(chosen)} of these {done} candidates. Ask for less, or draw "
                f"more of them with --oversample. Nothing was published."
            ) from None
    scorer = figures(plan.choice.scorer, candidates.p, candidates.kinds, chosen, quotas, allowed, best)
    scorer = msgspec.structs.replace(scorer, chooser=_chooser(info, strategy))
    dropped = counted(causes)
    run = {
        "run": plan.run,
        "model_name": info.name,
        "choice": msgspec.to_builtins(plan.choice),
        "quotas": plan.quotas,
        "scorer": msgspec.to_builtins(scorer),
        "held": fitness.held,
        "dropped": dropped,
    }
    likeness = look and look[1]
    writer.finish(CandidateRows(info, networks.training, plan, candidates, chosen, twins, causes, likeness), run)
    return DrawnSet(len(candidates), dropped)


def _too_few(
    info: BundleInfo,
    reach: int,
    have: dict[int, int],
    quotas: dict[int, int],
    short: list[int],
    dropped: dict[str, int],
) -> str:
    """Which quotas aren't met, why, and how many candidates would do at the rate so far."""
    counts = ", ".join(f"{info.types[kind]} {have[kind]} of {quotas[kind]}" for kind in short)
    factor = max(-(-11 * reach * quotas[kind] // (10 * have[kind])) if have[kind] else MOST + 1 for kind in short)
    cure = f"At this rate --oversample {factor} would do; or ask" if factor <= MOST else "Ask"
    return (
        f"After drawing {reach} times the quota there are too few different sprites of these types: {counts}. "
        f"Left out were {listed(dropped) or 'none'}. {cure} for fewer, use another --filter, or a model that knows "
        f"them better. Nothing was published."
    )


def _could_be(networks: Networks, numbers: Sequence[int], part: Part, wanted: Wanted) -> bool:
    """Whether candidates from a block can be what was wanted."""
    arrays, training = part.arrays, networks.training
    kinds, indices = arrays["kinds"], arrays["indices"]
    if networks.info.conditional:
        checks = [kinds.tolist() == wanted.kinds.tolist(), indices.tolist() == wanted.indices.tolist()]
    else:  # its stream goes upwards
        checks = [np.isin(kinds, numbers).all(), np.isin(indices, wanted.indices).all(), (np.diff(indices) > 0).all()]
    if training is not None:
        checks.append(np.isin(arrays["nearest"], np.arange(len(training.names))).all())
    return all(checks)


def _strategy(plan: Plan) -> str:
    """One of ``asset_gen.select.FILTERS``, or ``RATED``."""
    return RATED if plan.ratings else filter_name(plan.choice)


def _chooser(info: BundleInfo, strategy: str) -> ChooserRecord | None:
    """By which of the bundle's networks a filter chooses, beside the classifier."""
    if strategy == "set" and info.features is not None and FEATURES in info.files:
        return ChooserRecord(file=FEATURES, network=info.features.network, sha256=info.files[FEATURES].sha256)
    if strategy == "critic" and info.critic is not None and CRITIC in info.files:
        network = f"discriminator of {info.critic.preset}"
        return ChooserRecord(file=CRITIC, network=network, sha256=info.files[CRITIC].sha256)
    return None


def _worth(info: BundleInfo, plan: Plan, candidates: Candidates) -> NDArray[np.float64] | None:
    """[n]: how much people like each candidate; None where nobody was asked."""
    if plan.ratings is None:
        return None
    worth = np.zeros(len(candidates))
    for kind in types_in(candidates.kinds):
        mine = np.flatnonzero(candidates.kinds == kind)
        worth[mine] = plan.ratings.of(info.types[kind], candidates.indices[mine])
    return worth


def _published(info: BundleInfo, plan: Plan) -> dict[int, NDArray[np.int64]]:
    """Type → indices of the sprites that are published already and stay."""
    return {
        info.types.index(kind): np.array([sprite.origin.index for sprite in sprites], np.int64)
        for kind, sprites in plan.kept.items()
    }


def _rejected(info: BundleInfo, plan: Plan) -> dict[int, NDArray[np.int64]]:
    """Type → indices of the sprites that somebody rejected."""
    kinds = {origin.type for origin in plan.rejected} & set(info.types)
    return {
        info.types.index(kind): np.array([origin.index for origin in plan.rejected if origin.type == kind], np.int64)
        for kind in kinds
    }


def _rows_of(candidates: Candidates, indices: dict[int, NDArray[np.int64]]) -> NDArray[np.int64]:
    """Rows of the candidates of these types with these indices."""
    found = [np.zeros(0, np.int64)]
    for block in blocks(len(candidates)):
        kinds, mine = candidates.kinds[block], candidates.indices[block]
        which = np.zeros(len(kinds), bool)
        for kind, some in indices.items():
            which |= (kinds == kind) & np.isin(mine, some)
        found.append(block.start + np.flatnonzero(which))
    return np.concatenate(found)


def _twins(candidates: Candidates, fixed: NDArray[np.int64], worth: NDArray[np.float64] | None) -> NDArray[np.int32]:
    """[n]: for every candidate the row of the better one that it nearly equals, or −1.

    Published ones come first, then those of greater worth, then those whose own type is more probable.
    """
    twins = np.full(len(candidates), -1, np.int32)
    others = np.ones(len(candidates), bool)
    others[fixed] = False
    for kind in types_in(candidates.kinds):
        mine = np.flatnonzero(candidates.kinds == kind)
        later, doubt = others[mine], -candidates.own[mine]
        doubt[~later] = -2
        mine = mine[np.lexsort((doubt, later) if worth is None else (doubt, -worth[mine], later))]
        with worked_out(Reordered(candidates.thumbs, mine), np.asarray) as thumbs:  # in their order, to be read quickly
            first = near_duplicates(thumbs)
        twins[mine] = np.where(first >= 0, mine[first], -1)
    twins[fixed] = -1
    return twins


def figures(
    scorer: str,
    p: NDArray[np.float32] | RowFile,
    kinds: NDArray[np.integer[Any]],
    chosen: NDArray[np.int64],
    quotas: dict[int, int],
    allowed: NDArray[np.bool_],
    best: NDArray[np.int64] | None = None,
) -> ScorerRecord:
    """Inception Score of the chosen rows, its mean over ten random sets with the same quotas, and that of ``best``.

    Undefined (null) for one type, and for fewer sprites than splits.
    """
    count = len(chosen)
    if p.shape[1] < 2 or len(quotas) < 2 or count < SPLITS:
        nothing = Figure(n=count, mean=None, std=None)
        return ScorerRecord(name=scorer, splits=SPLITS, kept=nothing, all=nothing)
    random = []
    for number in range(RANDOM_SETS):
        chance = np.random.default_rng(number)
        rows = [
            chance.choice(np.flatnonzero((kinds == kind) & allowed), quota, replace=False)
            for kind, quota in quotas.items()
        ]
        random.append(inception_score(Reordered(p, np.concatenate(rows))))
    means, stds = np.mean(random, axis=0)
    return ScorerRecord(
        name=scorer,
        splits=SPLITS,
        kept=_figure(p, kinds, chosen),
        all=Figure(n=count, mean=round(float(means), 4), std=round(float(stds), 4)),
        best=None if best is None else _figure(p, kinds, best),
    )


def _figure(p: Rows, kinds: NDArray[np.integer[Any]], rows: NDArray[np.int64]) -> Figure:
    """Inception Score of rows, by type, as random sets come."""
    mean, std = inception_score(Reordered(p, rows[np.argsort(kinds[rows], kind="stable")]))
    return Figure(n=len(rows), mean=round(mean, 4), std=round(std, 4))
