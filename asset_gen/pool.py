"""What is remembered of candidates that are drawn, and what is said of each in the end?"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from asset_gen import fitness
from asset_gen.bundle import BundleInfo
from asset_gen.candidates import SPARE, Near, Row, candidate_name
from asset_gen.fitness import CAUSES, UNLIKELY, Figures
from asset_gen.metrics.inception_score import entropy
from asset_gen.plan import Plan
from asset_gen.proportions import types_in
from asset_gen.row_file import RowFile, Rows, blocks
from asset_gen.sanity import MEASURES
from asset_gen.training_set import TrainingSet


@dataclass(frozen=True, slots=True)
class Candidates:
    """All candidates so far."""

    p: RowFile
    """p(type | sprite) [n, types]."""
    own: RowFile
    """[n] float32: p(type it stands for | sprite)."""
    kinds: NDArray[np.int16]
    """[n]: the type each stands for: the one asked for, or the classifier's where none can be asked for."""
    indices: RowFile
    """[n] int64: counter within (seed, type)."""
    thumbs: RowFile
    """[n, 256] uint8."""
    figures: Figures | None
    """None where the bundle knows no training sprites."""
    points: RowFile | None
    """[n, d], by which a set is compared with the training set; None where it isn't."""
    logits: RowFile | None = None
    """[n] float32, by the critic; None where it isn't asked."""

    def __len__(self) -> int:
        return len(self.kinds)


WRITTEN_AS, READ_AS = {"kinds": np.int16}, {"points": np.float32}
"""Arrays of another kind on the disk than they come, and of another than they are there."""

TOGETHER = 1024
"""Candidates that are written at once."""


class Pool:
    """Remembers candidates, batch by batch, on the disk."""

    def __init__(self, folder: Path) -> None:
        """``folder``: on whose disk."""
        self._folder = folder
        self._files: dict[str, RowFile] = {}
        self._further: list[RowFile] = []
        self._waiting: list[dict[str, NDArray[Any]]] = []

    def add(self, **arrays: NDArray[Any]) -> None:
        """Remember a batch; always the same names."""
        arrays["own"] = arrays["p"][np.arange(len(arrays["p"])), arrays["kinds"]]
        self._waiting.append(arrays)
        if sum(len(batch["p"]) for batch in self._waiting) >= TOGETHER:
            self._write()

    def _write(self) -> None:
        """Put what waits on the disk."""
        waiting, self._waiting = self._waiting, []
        for name in waiting[0] if waiting else ():
            if name not in self._files:
                self._files[name] = RowFile(self._folder, READ_AS.get(name))
            array = np.concatenate([batch[name] for batch in waiting])
            self._files[name].append(array.astype(WRITTEN_AS.get(name, array.dtype), copy=False))

    def work_out(self, parts: Iterable[NDArray[Any]]) -> RowFile:
        """What is known of all candidates beside them, a block at a time."""
        self._further.append(RowFile(self._folder))
        for part in parts:
            self._further[-1].append(part)
        return self._further[-1]

    def join(self) -> Candidates:
        """All so far; of what there is of each, only its type is in memory."""
        self._write()
        whole: dict[str, Any] = dict(self._files)
        whole["kinds"] = whole["kinds"][:]
        figures = None
        if "nearest" in whole:
            measures = {name: whole.pop(name) for name in MEASURES}
            figures = Figures(measures, whole.pop("nearest"), whole.pop("distances"))
        return Candidates(figures=figures, points=whole.pop("points", None), **whole)

    def close(self) -> None:
        """Let go of the files: of all of them, even where one can't write what it still holds."""
        with ExitStack() as ends:
            for file in (*self._files.values(), *self._further):
                ends.callback(file.close)


class CandidateRows:
    """What ``scores.csv`` says, by type and index: rows that are made when somebody goes through them."""

    def __init__(
        self,
        info: BundleInfo,
        training: TrainingSet | None,
        plan: Plan,
        candidates: Candidates,
        chosen: NDArray[np.int64],
        twins: NDArray[np.int32],
        causes: NDArray[np.int8],
        likeness: Rows | None,
    ) -> None:
        """
        Args:
            chosen: rows.
            twins: [n], rows that candidates nearly equal, or −1.
            causes: [n], places in ``CAUSES``.
            likeness: [n], or None where the filter doesn't know it.
        """
        self._info, self._choice, self._candidates = info, plan.choice, candidates
        self._names = training.names if training else None
        self._twins, self._causes = twins, causes
        self._kept = np.zeros(len(twins), bool)
        self._kept[chosen] = True
        self._scores: dict[str, Rows] = dict(candidates.figures.measures) if candidates.figures else {}
        for name, values in (("critic", candidates.logits), ("likeness", likeness)):
            if values is not None:
                self._scores = {name: values} | self._scores

    def __len__(self) -> int:
        return len(self._candidates)

    def __iter__(self) -> Iterator[Row]:
        for kind in types_in(self._candidates.kinds):
            mine = np.flatnonzero(self._candidates.kinds == kind)
            mine = mine[np.argsort(self._candidates.indices[mine], kind="stable")]
            for block in blocks(len(mine)):
                yield from self._rows(mine[block])

    def _rows(self, rows: NDArray[np.integer[Any]]) -> Iterator[Row]:
        """Those of some candidates."""
        candidates, choice = self._candidates, self._choice
        names = self._names_of(rows)
        twins = self._twins[rows]
        twin_names = self._names_of(np.maximum(twins, 0))
        doubt = entropy(candidates.p[rows]).tolist()
        own, kept = candidates.own[rows].tolist(), self._kept[rows].tolist()
        kinds, indices = candidates.kinds[rows].tolist(), candidates.indices[rows].tolist()
        scores = {name: values[rows].tolist() for name, values in self._scores.items()}
        nearest = self._nearest(rows)
        for place, cause in enumerate(self._causes[rows].tolist()):
            near = nearest[place]
            yield Row(
                name=names[place],
                type=self._info.types[kinds[place]],
                p_type=own[place],
                entropy=doubt[place],
                kept=kept[place],
                seed=choice.seed,
                index=indices[place],
                reason=f"chosen by {choice.filter}"
                if kept[place]
                else self._reason(CAUSES[cause], near, twin_names[place]),
                scores={name: values[place] for name, values in scores.items()},
                nearest=near,
            )

    def _names_of(self, rows: NDArray[np.integer[Any]]) -> list[str]:
        pairs = zip(self._candidates.kinds[rows].tolist(), self._candidates.indices[rows].tolist(), strict=True)
        return [candidate_name(self._info.types[kind], index) for kind, index in pairs]

    def _nearest(self, rows: NDArray[np.integer[Any]]) -> list[tuple[Near, ...]]:
        figures, names = self._candidates.figures, self._names
        if figures is None or names is None:
            return [()] * len(rows)
        found = zip(figures.nearest[rows].tolist(), figures.distances[rows].tolist(), strict=True)
        return [tuple(map(Near, (names[real] for real in reals), distances)) for reals, distances in found]

    def _reason(self, cause: str, near: tuple[Near, ...], twin: str) -> str:
        """Why a candidate wasn't chosen."""
        match cause:
            case "":
                return f"{SPARE} {self._choice.filter}"
            case fitness.REJECTED:
                return "rejected"
            case fitness.SCORE:
                return f"p(type) is below {self._choice.min_score:g}"
            case fitness.COPY:
                return f"copy of {near[0].name}"
            case fitness.TWIN:
                return f"nearly equals {twin}"
        return ODD[cause]


ODD = {
    "coverage": "covers more or less than 98 of 100 training sprites",
    "border": "touches the border more or less than 98 of 100 training sprites",
    "specks": "has more or fewer loose specks than 98 of 100 training sprites",
    "colours": "has more or fewer colours than 98 of 100 training sprites",
    UNLIKELY: "is less probably of its type than by chance",
}
"""What is said of a candidate that doesn't keep a limit."""
