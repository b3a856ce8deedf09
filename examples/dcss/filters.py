"""Does a filter make a set better, to a judge that took no part in choosing? Prints one table.

    python examples/dcss/filters.py asset_gen/models/dcss SPRITES --merge unique=humanoid --cache FOLDER

Needs pip install 'assetgen[train,cpu,pretrained]'. Each of ten seeds draws its own candidates; from them every filter
chooses sets of a half to a sixteenth, and beside each stands a random set of the same size and types from the same
candidates, under the same hard limits (no near-duplicates, no copies, nothing odd). What is shown is the mean over
seeds of the difference to that random set, with its 95 % interval (Student's t). Filters are tuned with --judge lite1
and reported once with lite2. What was computed is kept in FOLDER, so that an interrupted call goes on where it was.

A bundle with a critic (assetgen calibrate … --critic) is filtered by that, too: by discriminator rejection sampling,
and by the greatest logits. What a call without it has computed is taken over.
"""

from __future__ import annotations

import json
import time
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
import numpy as np
import torch
from numpy.typing import NDArray

from asset_gen.bundle import CRITIC, Bundle, load_bundle
from asset_gen.cli.train import parse_merge
from asset_gen.errors import AssetgenError, UsageError
from asset_gen.fitness import Figures, Fitness
from asset_gen.generate import BATCH, Wanted, generate
from asset_gen.herding import Aim
from asset_gen.metrics.inception_score import score_of
from asset_gen.metrics.kid import kernel_distance
from asset_gen.metrics.prdc import precision_recall
from asset_gen.pixels import to_network
from asset_gen.proportions import rows_in_proportion
from asset_gen.rejection import luck_of
from asset_gen.runtime import Session, open_session
from asset_gen.sanity import measure
from asset_gen.score.types import type_probabilities
from asset_gen.select import RATED, near_duplicates, select, thumbnails
from asset_gen.training_set import TrainingSet
from exporter.feature_network import Pretrained, write_features
from exporter.onnx_graph import export_onnx
from trainer.cas import AccuracyTest
from trainer.dataset import Dataset, load_dataset
from trainer.judge import NATIVE

FACTORS = (2, 4, 8, 16)
FILTERS = ("set (lite0)", "set (own)", "is", "top-p")
CRITICS = ("critic", "critic, best")
"""Filters of a bundle with a critic."""
FIGURES = ("kid", "precision", "recall", "coverage")
HEADINGS = ("KID × 10³", "KID better by", "precision", "recall", "coverage", "IS")
T_95 = {2: 12.71, 3: 4.30, 4: 3.18, 5: 2.78, 6: 2.57, 7: 2.45, 8: 2.36, 9: 2.31, 10: 2.26}
"""Student's t for the two-sided 95 % interval of a mean of so many."""
START = time.monotonic()
Arrays = dict[str, NDArray[Any]]


@dataclass(frozen=True, slots=True)
class Study:
    """What every seed shares."""

    bundle: Bundle
    dataset: Dataset
    cache: Path
    judge: str
    each: int
    """Candidates of a seed."""

    @property
    def filters(self) -> tuple[str, ...]:
        """What is compared with random sets."""
        return FILTERS if self.bundle.info.critic is None else FILTERS + CRITICS

    @property
    def indices(self) -> NDArray[np.int64]:
        """[each]: counters within (seed, type)."""
        return np.concatenate([np.arange(n) for n in np.bincount(self.kinds)])

    @property
    def kinds(self) -> NDArray[np.int64]:
        """[each], in training proportions, sorted."""
        first = self.dataset.first_types
        return np.asarray(first[rows_in_proportion(first, self.each)])


def kept(path: Path, make: Any) -> Arrays:
    """The arrays in a file, which is made where it isn't whole yet."""
    if not path.is_file():
        part = path.with_suffix(".part")
        with part.open("wb") as file:
            np.savez(file, **make())
        part.rename(path)
    with np.load(path, allow_pickle=False) as file:
        return dict(file)


def candidates_of(study: Study, seed: int) -> Arrays:
    """Sprites, type posteriors, and what the filters see."""
    kinds = study.kinds
    networks = {name: open_session(network(study, name), "cpu") for name in ("lite0", "own")}
    generator, classifier = (open_session(path, "cpu") for path in (study.bundle.generator, study.bundle.classifier))
    parts: dict[str, list[NDArray[Any]]] = {}
    for drawn in generate(generator, study.bundle.info, seed, Wanted(kinds, study.indices)):
        arrays = {name: session.run(rgba=drawn.rgba) for name, session in networks.items()}
        arrays |= {"sprites": drawn.sprites, "p": type_probabilities(classifier, drawn.rgba)}
        for name, array in arrays.items():
            parts.setdefault(name, []).append(array)
    return {name: np.concatenate(arrays) for name, arrays in parts.items()}


def judged_of(study: Study, seed: int) -> Arrays:
    """What the critic makes of the candidates, and the luck that each has with it."""
    info, critic = study.bundle.info, study.bundle.optional(CRITIC)
    assert critic is not None
    rgba = to_network(kept(study.cache / f"candidates_{seed}.npz", dict)["sprites"])
    labels = np.eye(len(info.types), dtype=np.float32)[study.kinds]
    session = open_session(critic, "cpu")
    batches = np.array_split(np.arange(len(rgba)), -(-len(rgba) // BATCH))
    logits = np.concatenate([session.run(rgba=rgba[rows], label=labels[rows]) for rows in batches])
    return {"logits": logits, "luck": luck_of(info, seed, study.kinds, study.indices)}


def network(study: Study, name: str) -> Path:
    """The feature network ``lite0``, ``lite1`` or ``lite2`` as ONNX, or the bundle's own; judges at their own side."""
    path = study.cache / f"{name}.onnx"
    if not path.is_file():
        size, part = study.bundle.info.size, path.with_suffix(".part")
        if name in ("lite0", "own"):
            write_features(name, study.bundle.classifier, size, part)
        else:
            judge = Pretrained(name, NATIVE[name]).eval()
            export_onnx(judge, {"rgba": torch.zeros(2, 4, size, size)}, "features", part)
        part.rename(path)
    return path


def features(session: Session, sprites: NDArray[np.uint8]) -> NDArray[np.float32]:
    """[n, d] of sprites [n, s, s, 4]."""
    rgba = to_network(sprites)
    return np.concatenate([session.run(rgba=rgba[start : start + BATCH]) for start in range(0, len(rgba), BATCH)])


def allowed_of(training: TrainingSet, candidates: Arrays, kinds: NDArray[np.int64]) -> NDArray[np.bool_]:
    """[n]: what any set may hold; near-duplicates and limits as ``asset_gen.draw`` finds them."""
    p, sprites = candidates["p"], candidates["sprites"]
    own = p[np.arange(len(p)), kinds]
    twins = np.full(len(p), -1, np.int64)
    thumbs = thumbnails(sprites)
    for kind in np.unique(kinds):
        mine = np.flatnonzero(kinds == kind)
        mine = mine[np.argsort(-own[mine], kind="stable")]
        first = near_duplicates(thumbs[mine])
        twins[mine] = np.where(first >= 0, mine[first], -1)
    near = training.nearest(sprites)
    figures = Figures(measure(sprites), near.rows, near.distances)
    fitness = Fitness.of(training, "set", figures, own, p.shape[1])
    nobody = np.zeros(0, np.int64)
    return np.asarray(fitness.causes(figures, own, p.shape[1], twins, nobody, nobody, 0.0) == 0)


def sets_of(study: Study, seed: int, factor: int, wanted: Collection[str]) -> dict[str, NDArray[np.int64]]:
    """Filter → rows of what it keeps of a seed's candidates; ``random`` beside it, and ``as drawn`` without limits.

    ``wanted``: names of filters; others are left out where they take time.
    """
    kinds = study.kinds
    candidates = kept(study.cache / f"candidates_{seed}.npz", lambda: candidates_of(study, seed))
    real = kept(study.cache / "real.npz", lambda: {name: real_features(study, name) for name in ("lite0", "own")})
    training = TrainingSet.load(study.bundle)
    assert training is not None
    free = kept(study.cache / f"allowed_{seed}.npz", lambda: {"allowed": allowed_of(training, candidates, kinds)})[
        "allowed"
    ]
    quotas = {
        int(kind): min(max(1, round(int((kinds == kind).sum()) / factor)), int((free & (kinds == kind)).sum()))
        for kind in np.unique(kinds)
    }
    quotas = {kind: quota for kind, quota in quotas.items() if quota}
    simple = [name for name in ("is", "top-p") if name in wanted]
    chosen = {name: select(candidates["p"], kinds, quotas, name, allowed=free) for name in simple}
    for name in ("lite0", "own"):
        if f"set ({name})" not in wanted:
            continue
        aim = Aim.of(real[name], study.dataset.first_types)
        points = aim.points_of(candidates[name])
        if name == "own":
            points = aim.aligned(points, kinds)
        look = points, aim.likeness(points, quotas)
        chosen[f"set ({name})"] = select(candidates["p"], kinds, quotas, "set", allowed=free, look=look)
    if not set(CRITICS).isdisjoint(wanted):
        seen = kept(study.cache / f"critic_{seed}.npz", lambda: judged_of(study, seed))
        judged = seen["logits"], seen["luck"]
        chosen["critic"] = select(candidates["p"], kinds, quotas, "critic", allowed=free, judged=judged)
        chosen["critic, best"] = select(
            candidates["p"], kinds, quotas, RATED, allowed=free, worth=seen["logits"].astype(np.float64)
        )
    chance = np.random.default_rng([seed, factor])
    for name, pool in (("random", free), ("as drawn", np.ones(len(kinds), bool))):
        rows = [chance.choice(np.flatnonzero(pool & (kinds == kind)), n, replace=False) for kind, n in quotas.items()]
        chosen[name] = np.sort(np.concatenate(rows))
    return {name: rows for name, rows in chosen.items() if name in wanted}


def real_features(study: Study, name: str) -> NDArray[np.float32]:
    """[m, d] of the training sprites."""
    return features(open_session(network(study, name), "cpu"), study.dataset.sprites)


def figures_of(study: Study, seed: int) -> dict[str, dict[str, list[float]]]:
    """Factor → filter → the judge's figures and the Inception Score over types."""
    path = study.cache / f"figures_{study.judge}_{seed}.json"
    found: dict[str, dict[str, list[float]]] = {str(factor): {} for factor in FACTORS}
    if path.is_file():
        found = json.loads(path.read_text())
    wanted = [name for name in ("as drawn", "random", *study.filters) if name not in found[str(FACTORS[0])]]
    if not wanted:
        return found
    say(f"seed {seed}: candidates and sets")
    sets = {str(factor): sets_of(study, seed, factor, wanted) for factor in FACTORS}
    candidates = kept(study.cache / f"candidates_{seed}.npz", lambda: candidates_of(study, seed))
    needed = np.unique(np.concatenate([rows for chosen in sets.values() for rows in chosen.values()]))
    rows, seen = seen_of(study, seed, candidates["sprites"], needed)
    real = kept(study.cache / f"real_{study.judge}.npz", lambda: {"features": real_features(study, study.judge)})
    for factor, chosen in sets.items():
        for name, mine in chosen.items():
            ours = seen[np.searchsorted(rows, mine)]
            spread = precision_recall(real["features"], ours)
            kid = 1000 * kernel_distance(ours, real["features"])
            score = score_of(candidates["p"][mine])
            found[factor][name] = [kid, spread.precision, spread.recall, spread.coverage, score]
    path.with_suffix(".part").write_text(json.dumps(found))
    path.with_suffix(".part").rename(path)
    return found


def seen_of(
    study: Study, seed: int, sprites: NDArray[np.uint8], needed: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """Rows of a seed's candidates, ascending, and the judge's features of them; the judge looks at new ones only."""
    path = study.cache / f"{study.judge}_{seed}.npz"
    session = open_session(network(study, study.judge), "cpu")
    rows, seen = np.zeros(0, np.int64), np.zeros((0, 0), np.float32)
    if path.is_file():
        with np.load(path, allow_pickle=False) as file:
            rows, seen = file["rows"], file["features"]
    new = np.setdiff1d(needed, rows)
    if len(new):
        say(f"seed {seed}: {len(new)} sprites before the judge")
        found = features(session, sprites[new])
        seen = np.concatenate([seen, found]) if len(rows) else found
        rows = np.concatenate([rows, new])
        order = np.argsort(rows)
        rows, seen = rows[order], seen[order]
        path.unlink(missing_ok=True)
        kept(path, lambda: {"rows": rows, "features": seen})
    return rows, seen


def interval(values: NDArray[np.float64]) -> tuple[float, float]:
    """Mean, and half the width of its 95 % interval."""
    n = len(values)
    return float(values.mean()), float(T_95.get(n, 1.96) * values.std(ddof=1) / np.sqrt(n)) if n > 1 else float("nan")


def cell(values: NDArray[np.float64], form: str) -> str:
    """``mean ± half width``."""
    mean, half = interval(values)
    return f"{mean:{form}} ± {half:{form.lstrip('+')}}".replace("-", "−")


def table(found: list[dict[str, dict[str, list[float]]]], filters: tuple[str, ...]) -> str:
    """A row for every oversampling and filter; ``random`` in its own figures, filters as differences to it."""
    lines = ["| oversampling | filter | " + " | ".join(HEADINGS) + " |", "|---" * (len(HEADINGS) + 2) + "|"]
    for factor in map(str, FACTORS):
        base = np.array([seed[factor]["random"] for seed in found])
        for name in ("as drawn", "random", *filters):
            ours = np.array([seed[factor][name] for seed in found])
            change, cells = ours - base, [cell(ours[:, 0], ".1f")]
            if name == "random":
                cells += ["", *(cell(ours[:, place], ".3f") for place in (1, 2, 3))]
            else:  # of the mean, since a KID near nought has no ratio of its own
                better, half = interval(-100 * change[:, 0] / base[:, 0].mean())
                cells.append(f"{better:.0f} % ± {half:.0f}".replace("-", "−"))
                cells += [cell(change[:, place], "+.3f") for place in (1, 2, 3)]
            lines.append(f"| {factor} | {name} | " + " | ".join([*cells, f"{ours[:, 4].mean():.2f}"]) + " |")
    return "\n".join(lines)


def taught(study: Study, seeds: int, factor: int) -> dict[str, float]:
    """Filter → classification accuracy score of the sets of all seeds together: no network of others takes part."""
    path = study.cache / f"cas_{factor}.json"
    done: dict[str, float] = json.loads(path.read_text()) if path.is_file() else {}
    test = AccuracyTest(study.dataset)
    for name in ("random", *study.filters):
        if name in done:
            continue
        say(f"a classifier learns from: {name}")
        sprites, kinds = [], []
        for seed in range(1, seeds + 1):
            rows = sets_of(study, seed, factor, (name,))[name]
            sprites.append(kept(study.cache / f"candidates_{seed}.npz", dict)["sprites"][rows])
            kinds.append(study.kinds[rows])
        labels = np.eye(len(study.dataset.types), dtype=np.float32)[np.concatenate(kinds)]
        done[name] = test.score(np.concatenate(sprites), labels).generated
        path.write_text(json.dumps(done))
    return done


def say(what: str) -> None:
    """Progress, beside the table rather than in it."""
    click.echo(f"[{time.monotonic() - START:5.0f} s] {what}", err=True)


@click.command()
@click.argument("model", type=click.Path(path_type=Path))
@click.argument("sprites", type=click.Path(path_type=Path))
@click.option("--merge", multiple=True, metavar="FROM=TO")
@click.option("--cache", type=click.Path(path_type=Path), required=True, help="Folder for what was computed.")
@click.option("--judge", type=click.Choice(["lite1", "lite2"]), default="lite2", show_default=True)
@click.option("--candidates", default=20_000, show_default=True, help="In all.")
@click.option("--seeds", default=10, show_default=True, help="Among which they are divided.")
@click.option("--cas/--no-cas", default=True, show_default=True, help="Train type classifiers on what is kept.")
def main(
    model: Path, sprites: Path, merge: tuple[str, ...], cache: Path, judge: str, candidates: int, seeds: int, cas: bool
) -> None:
    """Compare the filters on the bundle MODEL, which knows its training SPRITES."""
    try:
        bundle = load_bundle(model)
        dataset = load_dataset(sprites, bundle.info.size, parse_merge(merge))
        if dataset.digest() != bundle.info.data.sha256 or bundle.info.features is None:
            raise UsageError(f"{model}: wasn't trained on {sprites}, or doesn't know it (assetgen calibrate).")
        folder = cache / f"{bundle.sha256[:16]}_{candidates}_{seeds}"
        folder.mkdir(parents=True, exist_ok=True)
        study = Study(bundle, dataset, folder, judge, candidates // seeds)
        found = [figures_of(study, seed) for seed in range(1, seeds + 1)]
        print(f"EfficientNet-{judge.capitalize()} at {NATIVE[judge]} px, {candidates} candidates, {seeds} seeds.\n")
        print(table(found, study.filters), flush=True)
        if cas:
            scores = taught(study, seeds, 4)
            error = 0.5 / np.sqrt(max(1, round(0.2 * len(dataset.sprites))))
            print(f"\nClassification accuracy score at oversampling 4 (standard error at most {error:.3f}): ", end="")
            print(", ".join(f"{name} {score:.3f}" for name, score in scores.items()))
    except AssetgenError as error:
        raise click.ClickException(str(error)) from None


if __name__ == "__main__":
    main()
