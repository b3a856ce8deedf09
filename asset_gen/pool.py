"""What is remembered of candidates that are drawn, and what is said of each in the end?"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from asset_gen.bundle import BundleInfo
from asset_gen.candidates import SPARE, Near, Row, candidate_name
from asset_gen.fitness import CAUSES, COPY, REJECTED, SCORE, TWIN, UNLIKELY, Figures
from asset_gen.metrics.inception_score import entropy
from asset_gen.plan import Plan
from asset_gen.point_file import PointFile
from asset_gen.sanity import MEASURES
from asset_gen.training_set import TrainingSet


@dataclass(frozen=True, slots=True)
class Candidates:
    """All candidates so far."""

    p: NDArray[np.float32]
    """p(type | sprite) [n, types]."""
    kinds: NDArray[np.int64]
    """[n]: the type each stands for: the one asked for, or the classifier's where none can be asked for."""
    indices: NDArray[np.int64]
    """[n]: counter within (seed, type)."""
    thumbs: NDArray[np.uint8]
    """[n, 256]."""
    figures: Figures | None
    """None where the bundle knows no training sprites."""
    points: PointFile | None
    """[n, d], by which a set is compared with the training set; None where it isn't."""
    logits: NDArray[np.float32] | None = None
    """[n], by the critic; None where it isn't asked."""

    @property
    def own(self) -> NDArray[np.float32]:
        """[n]: p(type it stands for | sprite)."""
        return np.asarray(self.p[np.arange(len(self.p)), self.kinds], np.float32)


class Pool:
    """Remembers candidates, batch by batch; ``join`` makes one array of each list. Points go to the disk."""

    def __init__(self, folder: Path) -> None:
        """``folder``: on whose disk."""
        self._parts: dict[str, list[NDArray[Any]]] = {}
        self._folder = folder
        self._points: PointFile | None = None

    def add(self, **arrays: NDArray[Any]) -> None:
        """Remember a batch; always the same names."""
        for name, array in arrays.items():
            if name == "points":
                self._points = self._points or PointFile(self._folder)
                self._points.append(array)
            else:
                self._parts.setdefault(name, []).append(array)

    def join(self) -> Candidates:
        """All so far."""
        for name, parts in self._parts.items():
            self._parts[name] = [np.concatenate(parts)]  # in place of its parts, one name after another
        whole = {name: parts[0] for name, parts in self._parts.items()}
        figures = None
        if "nearest" in whole:
            measures = {name: whole.pop(name) for name in MEASURES}
            figures = Figures(measures, whole.pop("nearest"), whole.pop("distances"))
        return Candidates(figures=figures, points=self._points, **whole)

    def close(self) -> None:
        """Let go of the points' file."""
        if self._points is not None:
            self._points.close()


def rows_of(
    info: BundleInfo,
    training: TrainingSet | None,
    plan: Plan,
    candidates: Candidates,
    chosen: NDArray[np.int64],
    twins: NDArray[np.int64],
    causes: NDArray[np.int8],
    likeness: NDArray[np.float32] | None,
) -> list[Row]:
    """What ``scores.csv`` says, by type and index."""
    known = candidates.figures
    kept = np.zeros(len(candidates.p), bool)
    kept[chosen] = True
    doubt, own = entropy(candidates.p), candidates.own
    names = [
        candidate_name(info.types[kind], int(index))
        for kind, index in zip(candidates.kinds, candidates.indices, strict=True)
    ]
    scores: dict[str, NDArray[np.float32]] = dict(known.measures) if known else {}
    for name, values in (("critic", candidates.logits), ("likeness", likeness)):
        if values is not None:
            scores = {name: values} | scores
    rows = []
    for row in np.lexsort((candidates.indices, candidates.kinds)):
        near: tuple[Near, ...] = ()
        if known and training:
            pairs = zip(known.nearest[row], known.distances[row], strict=True)
            near = tuple(Near(training.names[real], float(distance)) for real, distance in pairs)
        cause = CAUSES[causes[row]]
        reasons = {
            REJECTED: "rejected",
            SCORE: f"p(type) is below {plan.choice.min_score:g}",
            COPY: f"copy of {near[0].name}" if near else "",
            TWIN: f"nearly equals {names[twins[row]]}",
            "": f"{SPARE} {plan.choice.filter}",
        }
        rows.append(
            Row(
                name=names[row],
                type=info.types[candidates.kinds[row]],
                p_type=float(own[row]),
                entropy=float(doubt[row]),
                kept=bool(kept[row]),
                seed=plan.choice.seed,
                index=int(candidates.indices[row]),
                reason=f"chosen by {plan.choice.filter}" if kept[row] else reasons.get(cause) or ODD[cause],
                scores={name: float(values[row]) for name, values in scores.items()},
                nearest=near,
            )
        )
    return rows


ODD = {
    "coverage": "covers more or less than 98 of 100 training sprites",
    "border": "touches the border more or less than 98 of 100 training sprites",
    "specks": "has more or fewer loose specks than 98 of 100 training sprites",
    "colours": "has more or fewer colours than 98 of 100 training sprites",
    UNLIKELY: "is less probably of its type than by chance",
}
"""What is said of a candidate that doesn't keep a limit."""
