"""How good is a set of sprites? Figures, each with what it was computed from.

Sprites go by once; probabilities are summed up, features lie in a temporary file, so memory doesn't grow with the set
(but for one number a sprite). What needs pairs of sprites is computed in blocks, or on a stated part of the set.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from asset_gen.errors import UsageError
from asset_gen.metrics.copies import copy_limit, nearest_distances
from asset_gen.metrics.fid import Moments, distance_of, moments
from asset_gen.metrics.inception_score import SplitScores
from asset_gen.metrics.kid import kernel_distance_in_blocks
from asset_gen.metrics.prdc import NEIGHBOURS, precision_recall
from asset_gen.score.scorer import Scorer
from asset_gen.score.sources import Source, Sprites

METRICS = ("is", "fid", "kid", "prdc", "copies", "cas")
ALONE = ("is",)
"""What needs no other set to compare with."""
LEAST = {"fid": 2, "kid": 2, "prdc": NEIGHBOURS + 1, "copies": 2}
"""Sprites a side that a metric needs."""
A_SPLIT = 5
"""Sprites a split, at least, of a type that gets a score: of one sprite it is 1, of two at most 2."""
KID_ROWS = 5000
"""Sprites a side of one block."""
PAIRED = 10_000
"""Sprites a side, at most, whose neighbours are looked for."""
COLLECTED = 5000
"""Sprites, at most, that are held in memory for what can't be streamed."""

Progress = Callable[[str, int, int], None]


@dataclass(frozen=True, slots=True)
class Figure:
    """A number, and all that it depends on."""

    metric: str
    """``is``, ``fid``, ``kid``, ``precision``, ``recall``, ``density``, ``coverage``, ``copies`` or ``cas``."""
    name: str
    """How people call it; a score that isn't the Inception Score is called otherwise."""
    set: str
    """``all``, ``kept`` or a type."""
    value: float
    deviation: float | None
    """Standard deviation over the splits, for scores."""
    n: int
    """Sprites it was computed from."""
    against: int | None
    """Sprites of the other set."""
    splits: int | None
    seed: int
    network: str | None
    """None where no network takes part."""
    note: str = ""


@dataclass(frozen=True, slots=True)
class Evaluation:
    """Figures of a set."""

    figures: list[Figure]
    same: int
    """How many sprites are in the other set, too, pixel by pixel."""
    sprites: Sprites | None
    """All of them in order, where there are at most ``COLLECTED``."""


@dataclass(frozen=True, slots=True)
class Settings:
    """What is computed, and how."""

    metrics: Sequence[str] = ALONE
    splits: int = 10
    seed: int = 0


@dataclass(frozen=True, slots=True)
class _Reference:
    """What is known of the set that others are compared with."""

    source: Source
    features: list[NDArray[np.float32]]
    """Of every scorer, [m, d], in a file."""
    moments: list[Moments | None]
    digests: frozenset[bytes]
    sprites: Sprites | None
    limit: float


def evaluate(
    source: Source,
    scorers: Sequence[Scorer],
    settings: Settings,
    reference: Source | None = None,
    progress: Progress = lambda what, done, total: None,
) -> Evaluation:
    """Figures of all sprites, of the kept ones among candidates, and of every type.

    ``reference`` must have the same side (``sources.resized``).

    Raises:
        UsageError: fewer sprites than splits, too few to compare, or nothing to compare with.
        SpriteError, ModelError: a sprite can't be read, or a network fails.
    """
    wanted = [name for name in METRICS if name in settings.metrics]
    if reference is None and (lacking := [name for name in wanted if name not in ALONE]):
        raise UsageError(f"--metric {','.join(lacking)}: compares with real sprites. Name them with --against SPRITES.")
    if "is" in wanted and len(source) < settings.splits:
        raise UsageError(
            f"{source.name}: {len(source)} sprites are fewer than {settings.splits} splits. "
            f"Score more, or give --splits {max(1, len(source) // 10)}."
        )
    if reference is not None:
        for side in (source, reference):
            _enough(side, wanted)
    with tempfile.TemporaryDirectory(prefix="assetgen-") as folder:
        known = _reference(reference, scorers, wanted, Path(folder), progress) if reference is not None else None
        return _Pass(source, scorers, settings, wanted, known, Path(folder), progress).evaluation()


def _reference(
    source: Source, scorers: Sequence[Scorer], wanted: Sequence[str], folder: Path, progress: Progress
) -> _Reference:
    compared = {"fid", "kid", "prdc"} & {*wanted}
    store = _Store(folder / "reference", len(source), len(scorers) if compared else 0)
    digests: set[bytes] = set()
    held: list[Sprites] = []
    done = 0
    for sprites in source.read():
        for number in range(len(store.files)):
            store.add(number, done, scorers[number].judge(sprites).features)
        digests.update(_digests(sprites))
        if "copies" in wanted:
            held.append(sprites)
        done += len(sprites)
        progress("reference", done, len(source))
    features = [store.features(number) for number in range(len(store.files))]
    together = np.concatenate(held) if held else None
    return _Reference(
        source=source,
        features=features,
        moments=[moments(rows) if "fid" in wanted else None for rows in features],
        digests=frozenset(digests),
        sprites=together,
        limit=copy_limit(together) if together is not None and len(together) > 1 else 0.0,
    )


class _Pass:
    """One look at every sprite of a source."""

    def __init__(
        self,
        source: Source,
        scorers: Sequence[Scorer],
        settings: Settings,
        wanted: Sequence[str],
        known: _Reference | None,
        folder: Path,
        progress: Progress,
    ) -> None:
        self.source, self.scorers, self.settings, self.wanted, self.known = source, scorers, settings, wanted, known
        self.compared = known is not None and bool({"fid", "kid", "prdc"} & {*wanted})
        self.store = _Store(folder / "source", len(source), len(scorers) if self.compared else 0)
        self.sets = dict(_sets(source))
        self.scores: list[dict[str, SplitScores]] = [{} for _ in scorers]
        self.nearest = np.zeros(len(source), np.float32)
        self.same = 0
        self.held: list[Sprites] | None = [] if len(source) <= COLLECTED else None
        self._look(progress)

    def _look(self, progress: Progress) -> None:
        done = 0
        for sprites in self.source.read():
            rows = slice(done, done + len(sprites))
            for number, scorer in enumerate(self.scorers):
                judgement = scorer.judge(sprites)
                if "is" in self.wanted:
                    self._score(number, rows, judgement.p)
                if self.compared:
                    self.store.add(number, done, judgement.features)
            if self.known is not None:
                self.same += sum(digest in self.known.digests for digest in _digests(sprites))
                if self.known.sprites is not None:
                    self.nearest[rows] = nearest_distances(sprites, self.known.sprites)
            if self.held is not None:
                self.held.append(sprites)
            done += len(sprites)
            progress("scoring", done, len(self.source))

    def _score(self, number: int, rows: slice, p: NDArray[np.float32]) -> None:
        for name, members in self.sets.items():
            if name != "all" and members.sum() < A_SPLIT * self.settings.splits:
                continue
            if name not in self.scores[number]:
                scores = SplitScores(members, p.shape[1], self.settings.splits, self.settings.seed)
                self.scores[number][name] = scores
            self.scores[number][name].add(rows, p)

    def evaluation(self) -> Evaluation:
        figures = [figure for number in range(len(self.scorers)) for figure in self._of_network(number)]
        if "copies" in self.wanted and self.known is not None:
            figures += self._copies(self.known)
        sprites = None if self.held is None else np.concatenate(self.held)
        return Evaluation(figures, self.same, sprites)

    def _figure(self, metric: str, name: str, group: str, value: float, n: int, **others: Any) -> Figure:
        facts = {"deviation": None, "against": None, "splits": None, "network": None} | others
        return Figure(metric=metric, name=name, set=group, value=value, n=n, seed=self.settings.seed, **facts)

    def _of_network(self, number: int) -> Iterator[Figure]:
        scorer = self.scorers[number]
        for group, scores in self.scores[number].items():
            value, deviation = scores.figure()
            facts = {"deviation": deviation, "splits": self.settings.splits, "network": scorer.network}
            yield self._figure("is", scorer.heading, group, value, scores.count, **facts)
        if self.compared and self.known is not None:
            for group, members in self.sets.items():
                ours = self.store.features(number)
                rows = np.flatnonzero(members)
                yield from self._compared(number, group, ours if group == "all" else ours[rows], self.known)

    def _compared(self, number: int, group: str, ours: NDArray[np.float32], known: _Reference) -> Iterator[Figure]:
        """Distances of one set to the reference; a type is compared with its own type."""
        theirs, a_type = known.features[number], group not in ("all", "kept")
        network, seed = self.scorers[number].network, self.settings.seed
        if a_type:
            if group not in known.source.types:
                return
            theirs = theirs[known.source.kinds == known.source.types.index(group)]
        if min(len(ours), len(theirs)) < 2:
            return
        if "fid" in self.wanted and not a_type and (real := known.moments[number]) is not None:
            few = min(len(ours), len(theirs)) <= ours.shape[1]
            note = f"fewer sprites than its {ours.shape[1]:,} features: compare sets of equal size only" if few else ""
            facts = {"against": len(theirs), "network": network, "note": note}
            yield self._figure("fid", "FID", group, distance_of(moments(ours), real), len(ours), **facts)
        if "kid" in self.wanted:
            kid, blocks = kernel_distance_in_blocks(ours, theirs, KID_ROWS, seed)
            note = f"mean of {blocks} blocks of at most {KID_ROWS:,}" if blocks > 1 else ""
            facts = {"against": len(theirs), "network": network, "note": note}
            yield self._figure("kid", "KID × 10³", group, 1000 * kid, len(ours), **facts)
        if "prdc" in self.wanted and not a_type and min(len(ours), len(theirs)) > NEIGHBOURS:
            a, b = _part(theirs, seed), _part(ours, seed)
            note = "of a part of the sprites, drawn by the seed" if len(a) + len(b) < len(ours) + len(theirs) else ""
            found = precision_recall(a, b)
            for name in ("precision", "recall", "density", "coverage"):
                facts = {"against": len(a), "network": network, "note": note}
                yield self._figure(name, name, group, getattr(found, name), len(b), **facts)

    def _copies(self, known: _Reference) -> Iterator[Figure]:
        for group, members in self.sets.items():
            share = float((self.nearest[members] < known.limit).mean())
            note = f"nearer than {known.limit:.3f}"
            yield self._figure(
                "copies", "copies", group, share, int(members.sum()), against=len(known.source), note=note
            )


class _Store:
    """Features in files, one for each scorer, opened when the first come."""

    def __init__(self, path: Path, rows: int, scorers: int) -> None:
        self.path, self.rows = path, rows
        self.files: list[NDArray[np.float32] | None] = [None] * scorers

    def add(self, number: int, start: int, features: NDArray[np.float32]) -> None:
        file = self.files[number]
        if file is None:
            shape = (self.rows, features.shape[1])
            file = np.memmap(f"{self.path}{number}.f32", np.float32, "w+", shape=shape)
            self.files[number] = file
        file[start : start + len(features)] = features

    def features(self, number: int) -> NDArray[np.float32]:
        file = self.files[number]
        assert file is not None
        return file


def _enough(source: Source, wanted: Sequence[str]) -> None:
    """Refuse what can't be computed of so few sprites."""
    for name, least in LEAST.items():
        if name in wanted and len(source) < least:
            raise UsageError(
                f"{source.name}: {len(source)} sprites, and --metric {name} needs at least {least} on each side."
            )


def _sets(source: Source) -> Iterator[tuple[str, NDArray[np.bool_]]]:
    """Name → which sprites belong to it; types only where there are several."""
    yield "all", np.ones(len(source), bool)
    if source.kept is not None and source.kept.any():
        yield "kept", source.kept
    present = [column for column in range(len(source.types)) if (source.kinds == column).any()]
    if len(present) > 1:
        for column in present:
            yield source.types[column], source.kinds == column


def _part(features: NDArray[np.float32], seed: int) -> NDArray[np.float32]:
    """At most ``PAIRED`` rows."""
    if len(features) <= PAIRED:
        return np.asarray(features)
    return np.asarray(features[np.sort(np.random.default_rng(seed).permutation(len(features))[:PAIRED])])


def _digests(sprites: Sprites) -> Iterator[bytes]:
    """Of what can be seen of every sprite; colour under alpha 0 can't."""
    seen = sprites * (sprites[..., 3:] > 0)
    for sprite in seen:
        yield blake2b(sprite.tobytes(), digest_size=16).digest()
