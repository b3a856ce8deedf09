"""``assetgen score`` says how good any set of sprites is; beside each figure stand numbers, seed and network."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from asset_gen import pixels
from asset_gen.bundle import load_bundle
from asset_gen.errors import DownloadError, UsageError
from asset_gen.metrics.copies import share_of_copies
from asset_gen.metrics.fid import frechet_distance
from asset_gen.metrics.inception_score import inception_score
from asset_gen.metrics.kid import kernel_distance
from asset_gen.metrics.prdc import precision_recall
from asset_gen.runtime import Session
from asset_gen.score import evaluate as evaluation
from asset_gen.score import weights
from asset_gen.score.evaluate import Settings, evaluate
from asset_gen.score.report import VEEKUN, VEEKUN_TYPES, Floors, Request, score
from asset_gen.score.scorer import Scorer
from asset_gen.score.sources import Asked, Source, open_source
from tests.conftest import Cli
from tests.creatures import KINDS, creature, write_set

ALL = ("is", "fid", "kid", "prdc", "copies")


class Corners(Session):
    """A network that is quick: goes by the mean colours of four corners."""

    def __init__(self) -> None:
        self.provider = "CPUExecutionProvider"

    def run_all(self, **inputs: NDArray[np.float32]) -> dict[str, NDArray[np.float32]]:
        sprites = inputs["sprites"]
        half = sprites.shape[1] // 2
        corners = sprites.reshape(len(sprites), 2, half, 2, half, 4).mean(axis=(2, 4), dtype=np.float32) / 255
        features = np.asarray(corners.reshape(len(sprites), 16), np.float32)
        return {"logits": 30 * features[:, 8:11], "features": features}


CORNERS = Scorer(
    name="types",
    network="corners",
    heading="IS of corners",
    side=32,
    session=Corners(),
    input="sprites",
    show=lambda sprites: sprites.astype(np.float32),
    batch=16,
)


def source_of(sprites: NDArray[np.uint8], kinds: Sequence[int], name: str = "art", batch: int = 7) -> Source:
    """A source that holds its sprites."""

    def read() -> Iterator[NDArray[np.uint8]]:
        for start in range(0, len(sprites), batch):
            yield sprites[start : start + batch]

    return Source("folder", name, sprites.shape[1], list(KINDS), np.array(kinds), read)


OURS = np.stack([creature(kind, 100 + seed) for kind in KINDS for seed in range(15)])
REAL = np.stack([creature(kind, seed) for kind in KINDS for seed in range(20)])
OUR_KINDS, REAL_KINDS = np.repeat(range(4), 15), np.repeat(range(4), 20)


def figures_of(**changes: Any) -> dict[tuple[str, str], evaluation.Figure]:
    """(metric, set) → figure of ours against the real ones."""
    settings = Settings(**({"metrics": ALL, "splits": 3} | changes))
    found = evaluate(source_of(OURS, OUR_KINDS), [CORNERS], settings, source_of(REAL, REAL_KINDS, "real"))
    return {(figure.metric, figure.set): figure for figure in found.figures}


def test_every_figure_is_that_of_its_metric_and_names_what_it_depends_on() -> None:
    found = figures_of()
    ours, real = CORNERS.judge(OURS), CORNERS.judge(REAL).features
    mean, deviation = inception_score(ours.p, 3)
    is_ = found["is", "all"]
    assert (is_.value, is_.deviation) == pytest.approx((mean, deviation))
    assert (is_.name, is_.n, is_.splits, is_.seed, is_.network) == ("IS of corners", 60, 3, 0, "corners")
    assert found["fid", "all"].value == pytest.approx(frechet_distance(ours.features, real), rel=1e-6)
    assert found["kid", "all"].value == pytest.approx(1000 * kernel_distance(ours.features, real))
    assert (found["kid", "all"].n, found["kid", "all"].against) == (60, 80)
    spread = precision_recall(real, ours.features)
    for name in ("precision", "recall", "density", "coverage"):
        assert found[name, "all"].value == pytest.approx(getattr(spread, name))
    assert found["copies", "all"].value == share_of_copies(OURS, REAL)


def test_a_type_is_compared_with_its_own_type() -> None:
    found = figures_of()
    ours, real = CORNERS.judge(OURS), CORNERS.judge(REAL).features
    for column, kind in enumerate(KINDS):
        mine, theirs = column == OUR_KINDS, column == REAL_KINDS
        assert found["kid", kind].value == pytest.approx(1000 * kernel_distance(ours.features[mine], real[theirs]))
        assert (found["kid", kind].n, found["kid", kind].against) == (15, 20)
        assert found["is", kind].value == pytest.approx(inception_score(ours.p[mine], 3)[0])
        assert ("fid", kind) not in found  # fifteen sprites have no covariance worth the name


def test_types_with_fewer_than_five_sprites_a_split_have_no_score() -> None:
    found = figures_of(metrics=("is",), splits=4)
    assert set(found) == {("is", "all")}


@pytest.mark.parametrize("batch", [1, 13, 60])
def test_figures_do_not_depend_on_how_sprites_come(batch: int) -> None:
    whole = figures_of()
    parts = evaluate(
        source_of(OURS, OUR_KINDS, batch=batch),
        [CORNERS],
        Settings(metrics=ALL, splits=3),
        source_of(REAL, REAL_KINDS, "real", batch),
    )
    assert {(figure.metric, figure.set) for figure in parts.figures} == set(whole)
    for figure in parts.figures:
        assert figure.value == pytest.approx(whole[figure.metric, figure.set].value, rel=1e-5, abs=1e-9)


def test_large_sets_are_compared_in_blocks_and_in_part_and_say_so(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = figures_of()
    monkeypatch.setattr(evaluation, "KID_ROWS", 30)
    monkeypatch.setattr(evaluation, "PAIRED", 40)
    found = figures_of()
    assert found["kid", "all"].note == "mean of 3 blocks of at most 30"
    assert found["precision", "all"].n == 40
    assert found["precision", "all"].note
    assert not whole["precision", "all"].note


def test_sprites_that_are_in_both_sets_are_counted() -> None:
    both = np.concatenate([OURS, REAL[:5]])
    found = evaluate(
        source_of(both, [*OUR_KINDS, 0, 0, 0, 0, 0]), [], Settings(metrics=("copies",)), source_of(REAL, REAL_KINDS)
    )
    assert found.same == 5


@pytest.mark.parametrize(
    ("metrics", "count", "said"),
    [
        (("is",), 4, "4 sprites are fewer than 5 splits"),
        (("fid",), 1, "needs at least 2 on each side"),
        (("prdc",), 5, "needs at least 6 on each side"),
    ],
)
def test_too_few_sprites_are_refused(metrics: tuple[str, ...], count: int, said: str) -> None:
    few = source_of(OURS[:count], OUR_KINDS[:count])
    with pytest.raises(UsageError, match=said):
        evaluate(few, [CORNERS], Settings(metrics=metrics, splits=5), source_of(REAL, REAL_KINDS))


def test_memory_does_not_grow_with_the_set(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing holds the sprites but the batch that goes by, once there are more than are collected."""
    monkeypatch.setattr(evaluation, "COLLECTED", 59)
    found = evaluate(source_of(OURS, OUR_KINDS), [CORNERS], Settings(splits=5))
    assert found.sprites is None


@pytest.fixture
def published(bundle: Path, game: Path, cli: Cli) -> Path:
    """An output folder, trimmed and enlarged, with its candidates."""
    done = cli("batch", "--project", game, "--model", bundle, "--count", "24", "--scale", "2", "--trim", "--yes")
    assert done.code == 0, done.err
    return game / "assets" / "generated"


def test_a_published_output_gives_back_the_sprites_at_their_own_size(published: Path, bundle: Path) -> None:
    source = open_source(published, Asked())
    (folder,) = (path for path in (published / "candidates~").iterdir() if path.is_dir())
    candidates = open_source(folder, Asked())
    assert (source.what, len(source), source.size, source.types) == ("published", 24, 32, list(KINDS))
    assert (candidates.what, candidates.size, candidates.model) == ("candidates", 32, load_bundle(bundle).sha256)
    assert candidates.kept is not None
    assert candidates.kept.sum() == 24
    kept = np.concatenate([*candidates.read()])[candidates.kept]
    drawn = {pixels.harden(sprite[None]).tobytes() for sprite in kept}
    cut = {pixels.harden(sprite[None]).tobytes() for sprite in np.concatenate([*source.read()])}
    assert cut == drawn


def test_candidates_are_scored_beside_those_that_were_kept(published: Path, bundle: Path, cli: Cli) -> None:
    (folder,) = (path for path in (published / "candidates~").iterdir() if path.is_dir())
    done = cli("score", folder, "--model", bundle, "--splits", "3", "--json")
    assert done.code == 0, done.err
    document = json.loads(done.out)
    sets = {figure["set"]: figure["n"] for figure in document["figures"]}
    assert (document["kind"], sets["all"], sets["kept"]) == ("candidates", 96, 24)


def test_a_bundle_draws_types_in_the_proportions_of_the_real_sprites(bundle: Path, tmp_path: Path) -> None:
    art = write_set(tmp_path / "art", each=10)
    shutil.rmtree(art / "flask")
    for path in sorted((art / "beetle").iterdir())[5:]:
        path.unlink()
    like = open_source(art, Asked())
    source = open_source(bundle, Asked(count=50, like=like))
    assert np.bincount(source.kinds, minlength=4).tolist() == [10, 20, 0, 20]
    equally = open_source(bundle, Asked(count=40))
    assert np.bincount(equally.kinds).tolist() == [10] * 4
    assert np.array_equal(np.concatenate([*source.read()]), np.concatenate([*source.read()]))


def test_score_prints_a_table_with_all_that_figures_depend_on(bundle: Path, sprites: Path, cli: Cli) -> None:
    done = cli("score", bundle, "--against", sprites, "--count", "40", "--splits", "4", "--seed", "3")
    assert done.code == 0, done.err
    assert "40 drawn by creatures: 40 sprites of 32 px" in done.out
    for name in ("IS over types", "FID", "KID × 10³", "precision", "recall", "density", "coverage", "copies"):
        (row, *_) = [line for line in done.out.splitlines() if line.startswith(name) and " all " in line]
        assert " 40 " in row
        assert " 3 " in row
    assert "type classifier of creatures" in done.out
    assert "fewer sprites than its" in done.out
    again = cli("score", bundle, "--against", sprites, "--count", "40", "--splits", "4", "--seed", "3")
    assert again.out == done.out


def test_a_folder_compared_with_itself_warns(bundle: Path, sprites: Path, cli: Cli) -> None:
    done = cli("score", sprites, "--against", sprites, "--model", bundle, "--splits", "4", "--metric", "fid,copies")
    assert done.code == 0
    assert "are in" in done.err
    assert "a distance of 0 says nothing" in " ".join(done.err.split())


def test_flat_folders_and_other_sizes_are_compared_too(bundle: Path, sprites: Path, tmp_path: Path, cli: Cli) -> None:
    flat = tmp_path / "flat"
    flat.mkdir()
    for seed in range(20):
        Image.fromarray(creature("flask", seed, 64), "RGBA").save(flat / f"{seed}.png")
    done = cli("score", flat, "--against", sprites, "--model", bundle, "--metric", "kid", "--json")
    document = json.loads(done.out)
    assert (document["sprites"], document["size"]) == (20, 64)
    assert "32 px were compared at 64 px" in document["notices"][0]


@pytest.mark.parametrize(
    ("broken", "code", "said"),
    [
        ("nothing", 2, "there is no such folder"),
        ("empty", 1, "holds no sprites"),
        ("mixed", 1, "share one size"),
        ("oblong", 1, "networks look at squares"),
        ("damaged", 1, "broken.png"),
    ],
)
def test_bad_sources_are_refused_with_their_file_and_the_cure(
    broken: str, code: int, said: str, bundle: Path, tmp_path: Path, cli: Cli
) -> None:
    folder = tmp_path / broken
    if broken != "nothing":
        folder.mkdir()
    if broken in ("mixed", "damaged"):
        write_set(folder, each=3)
    if broken == "mixed":
        Image.new("RGBA", (16, 16)).save(folder / "crystal" / "small.png")
    if broken == "damaged":
        (folder / "crystal" / "broken.png").write_bytes(b"no picture")
    if broken == "oblong":
        Image.new("RGBA", (16, 24)).save(folder / "tall.png")
    done = cli("score", folder, "--model", bundle, "--splits", "2")
    assert (done.code, done.out) == (code, "")
    assert said in done.err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--metric", "fid"), "--against SPRITES"),
        (("--metric", "beauty"), "there is no 'beauty'"),
        (("--scorer", "types"), "--model BUNDLE"),
    ],
)
def test_what_cannot_be_computed_is_a_usage_error(
    arguments: tuple[str, ...], said: str, sprites: Path, cli: Cli
) -> None:
    done = cli("score", sprites, *arguments)
    assert (done.code, done.out) == (2, "")
    assert said in done.err


@pytest.mark.parametrize("given", [True, False])
def test_weights_that_cannot_be_had_end_with_5_and_say_which_file_belongs_where(
    given: bool, sprites: Path, tmp_path: Path, cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    def offline(*_: object) -> Path:
        raise DownloadError("the address: the connection failed.")

    monkeypatch.setattr(weights, "fetch", offline)
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    (tmp_path / "mine.pth").write_bytes(b"other weights")
    options = ("--weights", tmp_path / "mine.pth") if given else ()
    done = cli("score", sprites, "--scorer", "inception", *options)
    assert (done.code, done.out) == (5, "")
    assert "pt_inception-2015-12-05-6726825d.pth" in done.err
    assert str(tmp_path / "mine.pth" if given else tmp_path / "hub" / "checkpoints") in done.err
    assert (tmp_path / "mine.pth").read_bytes() == b"other weights"


def test_the_papers_figures_stand_beside_its_own_sprites(bundle: Path, tmp_path: Path, cli: Cli) -> None:
    sizes = np.bincount(np.arange(VEEKUN) % len(VEEKUN_TYPES))
    for kind, size in zip(sorted(VEEKUN_TYPES), sizes, strict=True):
        (tmp_path / kind).mkdir()
        for number in range(size):
            Image.new("RGBA", (8, 8), (number, 0, 0, 255)).save(tmp_path / kind / f"{number}.png")
    done = cli("score", tmp_path, "--model", bundle)
    assert "the paper: generated" in done.out
    assert "2.2936 ± 0.3265" in done.out


def test_classification_accuracy_is_asked_of_whoever_has_pytorch(bundle: Path, sprites: Path) -> None:
    asked: list[tuple[Path, int, Sequence[str]]] = []

    class Found:
        generated, real, held_out = 0.5, 0.8, 8

    def accuracy(folder: Path, drawn: NDArray[np.uint8], kinds: Sequence[str], seed: int) -> Found:
        asked.append((folder, len(drawn), kinds))
        return Found()

    request = Request(bundle, sprites, metrics=("cas",), count=40)
    (figure,) = score(request, Floors(accuracy=accuracy)).figures
    assert (figure.value, figure.n, figure.against, figure.note) == (0.5, 40, 8, "real sprites teach 0.80")
    assert asked == [(sprites, 40, [kind for kind in KINDS for _ in range(10)])]
