"""Which candidate takes the place of a rejected sprite? The next best one of its type that no set dropped."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from math import isnan, nan
from pathlib import Path

import msgspec
import numpy as np

from asset_gen.candidates import EXPLORED, SPARE, Row, read_rows
from asset_gen.manifest import Choice, Origin
from asset_gen.poll.ratings import Ratings


def _sureness(row: Row) -> float:
    return row.p_type


def _likeness(row: Row) -> float:
    return _score_or_sureness(row, "likeness")


def _logit(row: Row) -> float:
    return _score_or_sureness(row, "critic")


def _score_or_sureness(row: Row, name: str) -> float:
    told = row.scores.get(name, nan)
    return row.p_type if isnan(told) else told


MEASURES: dict[str, Callable[[Row], float]] = {"none": lambda row: 0.0, "set": _likeness, "critic": _logit}
"""What a filter goes by where it is asked for one sprite more; others go by p(type | sprite)."""


@dataclass(frozen=True, slots=True)
class Spares:
    """What candidate sets offer."""

    rows: dict[str, list[Row]]
    """Type → candidates, the best first; as many as are wanted, or the type is left out."""
    runs: tuple[str, ...] = ()
    """Names of the sets that were looked through."""


def find_spares(
    folder: Path,
    choice: Choice,
    wanted: Mapping[str, int],
    taken: Collection[Origin],
    preferred: Collection[Origin],
    ratings: Ratings | None,
) -> Spares:
    """The best candidates of the sets in ``folder`` (``candidates~``) that were drawn for ``choice``.

    An explored sprite is offered where people keep it, and else never.
    A candidate that one set dropped (because it nearly equals another, or scores too little) is none. People's
    decisions come first, then their ratings, then the filter's order: as drawn, by likeness to the training set, by the
    critic's logit, or by p(type | sprite).

    Args:
        folder: where candidate sets lie; one that is damaged offers nothing.
        choice: model, seed and filter.
        wanted: type → how many.
        taken: origins that can't be had: published ones and rejected ones.
        preferred: origins that people keep.
        ratings: what people like, or None.
    """
    measure = MEASURES.get(choice.filter.partition(",")[0], _sureness)
    found: dict[tuple[str, int], Row] = {}
    dropped: set[tuple[str, int]] = set()
    runs = []
    for run in sorted(path.parent for path in folder.glob("*/run.json")):
        try:
            document = json.loads((run / "run.json").read_text(encoding="utf-8"))
            if msgspec.convert(document["choice"], Choice) != choice:
                continue
            rows = [row for row in read_rows(run) if row.type in wanted]
        except (OSError, ValueError, LookupError, TypeError, csv.Error, msgspec.MsgspecError):
            continue
        runs.append(run.name)
        for row in rows:
            found[row.type, row.index] = row
            if not (row.kept or row.reason.startswith((SPARE, EXPLORED))):
                dropped.add((row.type, row.index))

    def order(row: Row) -> tuple[bool, float, float, int]:
        liked = float(ratings.of(row.type, np.array([row.index]))[0]) if ratings else 0.0
        score = measure(row)
        return origin_of(row, choice) not in preferred, -liked, -score, row.index

    offers: dict[str, list[Row]] = {}
    for key in sorted(found.keys() - dropped):
        row = found[key]
        origin = origin_of(row, choice)
        if origin not in taken and (row.explored is None or origin in preferred):
            offers.setdefault(row.type, []).append(row)
    best = {kind: sorted(offers.get(kind, []), key=order)[:count] for kind, count in wanted.items()}
    return Spares({kind: rows for kind, rows in best.items() if len(rows) == wanted[kind]}, tuple(runs))


def origin_of(row: Row, choice: Choice) -> Origin:
    """From what a candidate can be made again."""
    return row.explored or Origin(model=choice.model, seed=row.seed, type=row.type, index=row.index)
