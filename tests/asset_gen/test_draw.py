"""Candidates are drawn until every type has enough different sprites, or the quota is given up."""

from __future__ import annotations

import csv
import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
from numpy.typing import NDArray

from asset_gen.bundle import CriticRecord, FeatureRecord, FileRecord
from asset_gen.candidates import FOLDER, CandidateReader, Row, candidate_name, read_rows
from asset_gen.draw import draw_candidates, figures
from asset_gen.errors import ModelError, ProjectError, QuotaError
from asset_gen.generate import BATCH
from asset_gen.manifest import Choice, Origin, SpriteRecord
from asset_gen.metrics.inception_score import inception_score
from asset_gen.networks import Networks
from asset_gen.pixels import from_network, to_network
from asset_gen.plan import Plan, run_name
from asset_gen.poll.ratings import Rating, Ratings
from asset_gen.publish import Place
from asset_gen.runtime import Session
from asset_gen.sanity import MEASURES
from asset_gen.training_set import TrainingSet
from tests.fakes import MODEL, TYPES, Copyist, Eye, Painter, fake_bundle


def networks_of(generator: Session, monkeypatch: pytest.MonkeyPatch, conditional: bool = True) -> Networks:
    """A fake bundle's networks."""
    sessions = {"generator.onnx": generator, "classifier.onnx": Eye()}
    monkeypatch.setattr("asset_gen.networks.open_session", lambda path, *_, **__: sessions[path.name])
    return Networks(fake_bundle(conditional=conditional), "cpu")


def plan_of(
    quotas: dict[str, int], oversample: int = 4, strategy: str = "is", kept: dict[str, list[SpriteRecord]] | None = None
) -> Plan:
    choice = Choice(model=MODEL, seed=0, oversample=oversample, scorer="types", filter=strategy)
    kept = {kind: [] for kind in quotas} | (kept or {})
    run = run_name(choice, quotas, kept)
    stay = sum(map(len, kept.values()))
    added = sum(quotas.values()) - stay
    return Plan(
        quotas=quotas, choice=choice, old=None, kept=kept, run=run, draws=True, added=added, freed=0, question=None
    )


@pytest.fixture
def place(game: Path) -> Place:
    """An empty project."""
    (game / "out").mkdir()
    (game / ".assetgen").mkdir()
    return Place(game, game / "out")


def drawn(networks: Networks, plan: Plan, place: Place) -> list[Row]:
    draw_candidates(networks, plan, place, lambda *_: None)
    return list(read_rows(place.out / FOLDER / plan.run))


def test_four_candidates_are_drawn_for_each_sprite_and_the_quotas_are_kept(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = drawn(networks_of(Painter(), monkeypatch), plan_of({"bat": 5, "owl": 3}), place)
    assert [(row.type, row.index) for row in rows] == [("bat", n) for n in range(20)] + [("owl", n) for n in range(12)]
    assert [sum(row.kept for row in rows if row.type == kind) for kind in ("bat", "owl")] == [5, 3]
    assert {row.reason for row in rows if row.kept} == {"chosen by is"}
    assert all(0 <= row.p_type <= 1 and 0 <= row.entropy <= np.log(3) + 1e-6 for row in rows)


def test_a_candidates_picture_is_in_the_set_and_engines_leave_it_alone(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = plan_of({"bat": 2})
    rows = drawn(networks_of(Painter(), monkeypatch), plan, place)
    reader = CandidateReader(place.out / FOLDER / plan.run)
    assert all(reader.sprite(row.type, row.name).shape == (16, 16, 4) for row in rows)
    assert (place.out / FOLDER / ".gdignore").is_file()
    assert not place.candidates.exists()  # it was renamed, not copied


def test_a_whole_set_is_put_in_place_also_where_windows_lets_others_hold_it_for_a_moment(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, waits = Path.replace, list[float]()

    def held(self: Path, target: Path) -> Path:
        if self == place.candidates and len(waits) < 2:
            error = PermissionError(13, "held by another process", str(self))
            error.winerror = 5  # type: ignore[attr-defined]
            raise error
        return real(self, target)

    monkeypatch.setattr(Path, "replace", held)
    monkeypatch.setattr("time.sleep", waits.append)
    assert len(drawn(networks_of(Painter(), monkeypatch), plan_of({"bat": 2}), place)) == 8
    assert len(waits) == 2


def knowing(monkeypatch: pytest.MonkeyPatch, also: NDArray[np.uint8] | None = None) -> Networks:
    """A fake bundle's networks that know sixty training sprites, and those of ``also`` besides."""
    sessions = {"generator.onnx": Painter(), "classifier.onnx": Eye()}
    monkeypatch.setattr("asset_gen.networks.open_session", lambda path, *_, **__: sessions[path.name])
    networks = Networks(fake_bundle(features=FeatureRecord(network="eye", outside=True, dimensions=3)), "cpu")
    z = np.random.default_rng(0).standard_normal((60, 12)).astype(np.float32)
    sprites = from_network(Painter().run(z=z))
    if also is not None:
        sprites = np.concatenate([sprites, also])
    names = [f"art/{n}.png" for n in range(len(sprites))]
    features = Eye().run(rgba=to_network(sprites))
    networks.training = TrainingSet.of(names, np.arange(len(sprites)) % 3, sprites, features)
    networks.features = Eye()
    return networks


def test_a_set_is_compared_with_the_training_set_and_every_figure_is_written_down(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    networks, plan = knowing(monkeypatch), plan_of({"bat": 6, "owl": 4}, strategy="set")
    rows = drawn(networks, plan, place)
    assert [sum(row.kept for row in rows if row.type == kind) for kind in ("bat", "owl")] == [6, 4]
    assert set(rows[0].scores) == {"likeness", *MEASURES}
    assert all(len(row.nearest) == 3 and row.nearest[0].name.startswith("art/") for row in rows)
    assert {row.reason for row in rows if row.kept} == {"chosen by set"}
    run = json.loads((place.out / FOLDER / plan.run / "run.json").read_text())
    assert run["scorer"]["best"]["mean"] >= run["scorer"]["kept"]["mean"]


@pytest.mark.parametrize(("strategy", "lacking"), [("set", "features.onnx"), ("critic", "critic.onnx")])
def test_a_network_that_a_filter_needs_and_that_cannot_be_loaded_is_told_before_anything_is_drawn(
    strategy: str, lacking: str, place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    painter = Painter()
    networks = networks_of(painter, monkeypatch)
    files = {lacking: FileRecord(sha256="f" * 64, size=1)}
    networks.bundle = fake_bundle(files=files)

    def refused(path: Path, *_: Any, **__: Any) -> Session:
        raise ModelError(f"{path.name}: ONNX Runtime refuses this network")

    monkeypatch.setattr("asset_gen.networks.open_session", refused)
    before = sorted(place.project.rglob("*"))
    with pytest.raises(ModelError, match=lacking):
        draw_candidates(networks, plan_of({"bat": 2}, strategy=strategy), place, lambda *_: None)
    assert painter.calls == []
    assert sorted(place.project.rglob("*")) == before


class Taste(Session):
    """A critic that likes light pictures, and is told of each what was asked for."""

    def __init__(self) -> None:
        self.provider = "CPUExecutionProvider"

    def run(self, **inputs: NDArray[np.float32]) -> NDArray[np.float32]:
        assert inputs["label"].sum(axis=1).tolist() == [1] * len(inputs["rgba"])
        return np.asarray(20 * inputs["rgba"][:, :3].mean(axis=(1, 2, 3)), np.float32)

    def rest(self) -> None:
        """It holds nothing."""


def critical(monkeypatch: pytest.MonkeyPatch) -> Networks:
    """The same that have a critic, too."""
    networks = knowing(monkeypatch)
    record = CriticRecord(preset="projected", scale=1, shift=0, told_apart=0.5)
    files = {"critic.onnx": FileRecord(sha256="c" * 64, size=1)}
    networks.info = msgspec.structs.replace(networks.info, critic=record, files=files)
    networks.critic = Taste()
    return networks


def test_the_critic_decides_under_the_same_limits_and_its_logits_are_written_down(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    networks, plan = critical(monkeypatch), plan_of({"bat": 8, "owl": 4}, strategy="critic")
    rows = drawn(networks, plan, place)
    assert [sum(row.kept for row in rows if row.type == kind) for kind in ("bat", "owl")] == [8, 4]
    assert set(rows[0].scores) == {"critic", *MEASURES}
    assert {row.reason for row in rows if row.kept} == {"chosen by critic"}
    free = [row for row in rows if row.kept or row.reason.startswith("not chosen")]
    kept, rest = ([row.scores["critic"] for row in free if row.kept is kind] for kind in (True, False))
    assert np.mean(kept) > np.mean(rest)
    run = json.loads((place.out / FOLDER / plan.run / "run.json").read_text())
    assert set(run["held"]) & set(MEASURES)
    chooser = {"file": "critic.onnx", "network": "discriminator of projected", "sha256": "c" * 64}
    assert run["scorer"]["chooser"] == chooser
    shutil.rmtree(place.out / FOLDER)
    assert drawn(critical(monkeypatch), plan, place) == rows


def test_the_network_that_a_set_is_compared_by_is_recorded_and_others_need_none(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    networks = knowing(monkeypatch)
    files = {"features.onnx": FileRecord(sha256="f" * 64, size=1)}
    networks.info = msgspec.structs.replace(networks.info, files=files)
    for strategy, expected in (
        ("set", {"file": "features.onnx", "network": "eye", "sha256": "f" * 64}),
        ("top-p", None),
    ):
        plan = plan_of({"bat": 4}, strategy=strategy)
        drawn(networks, plan, place)
        run = json.loads((place.out / FOLDER / plan.run / "run.json").read_text())
        assert run["scorer"].get("chooser") == expected


def test_a_copy_of_a_training_sprite_is_never_chosen_and_what_it_copies_is_named(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = plan_of({"bat": 4}, oversample=2)
    drawn(networks_of(Painter(), monkeypatch), plan, place)
    folder = place.out / FOLDER / plan.run
    learnt = CandidateReader(folder).sprite("bat", "bat_c000003")[:, ::-1]  # mirrored
    shutil.rmtree(folder)
    for strategy in ("set", "is"):
        rows = drawn(knowing(monkeypatch, learnt[None]), plan_of({"bat": 4}, 2, strategy), place)
        assert rows[3].reason == "copy of art/60.png"
        assert not rows[3].kept


def test_what_most_candidates_break_is_not_held_against_any(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    networks, plan = knowing(monkeypatch), plan_of({"bat": 4}, strategy="set")
    assert networks.training is not None
    limits = networks.training.limits | {"coverage": (0.9, 1.0)}  # every picture covers a quarter
    networks.training = replace(networks.training, limits=limits)
    assert sum(row.kept for row in drawn(networks, plan, place)) == 4
    run = json.loads((place.out / FOLDER / plan.run / "run.json").read_text())
    assert "coverage" not in run["held"]
    assert "border" in run["held"]


def test_more_than_the_greatest_inception_score_is_refused(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    plan = plan_of(dict.fromkeys(TYPES, 4), strategy="is, IS from 2.999")
    with pytest.raises(QuotaError, match=r"--min-is 2\.999: the greatest Inception Score is .* Ask for less"):
        drawn(networks_of(Painter(), monkeypatch), plan, place)
    assert not (place.out / FOLDER / plan.run).exists()


def test_a_set_that_is_whole_is_not_drawn_again(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    plan = plan_of({"bat": 2})
    first = drawn(networks_of(Painter(), monkeypatch), plan, place)
    idle = Painter()
    assert drawn(networks_of(idle, monkeypatch), plan, place) == first
    assert idle.calls == []


def test_a_generator_that_draws_one_picture_is_given_up_after_sixteen_times_the_quota(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    copyist = Copyist()
    with pytest.raises(QuotaError, match=r"After drawing 16 times the quota .*: bat 1 of 3, imp 1 of 2\. ") as refused:
        drawn(networks_of(copyist, monkeypatch), plan_of({"bat": 3, "imp": 2, "owl": 1}), place)
    assert refused.value.exit_code == 6
    assert not (place.out / FOLDER).exists()
    drawn_of = {kind: len(list((place.candidates / kind).iterdir())) for kind in ("bat", "imp", "owl")}
    assert drawn_of == {"bat": 48, "imp": 32, "owl": 4}  # owls were enough at once


class Stammerer(Painter):
    """Draws every second sprite like the one before."""

    def run(self, **inputs: NDArray[np.float32]) -> NDArray[np.float32]:
        z = inputs["z"]
        return super().run(**inputs | {"z": z[np.arange(len(z)) // 2 * 2]})


def published(*indices: int) -> dict[str, list[SpriteRecord]]:
    """Bats of these indices in slots 0, 1, …"""
    return {
        "bat": [
            SpriteRecord(
                name=f"bat_{slot:06d}",
                type="bat",
                slot=slot,
                rect=(0, 0, 16, 16),
                origin=Origin(model=MODEL, seed=0, type="bat", index=index),
                score=0.5,
            )
            for slot, index in enumerate(indices)
        ]
    }


def origins(*indices: int) -> frozenset[Origin]:
    return frozenset(Origin(model=MODEL, seed=0, type="bat", index=index) for index in indices)


def test_what_somebody_rejected_is_never_chosen_nor_what_looks_like_it(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = replace(plan_of({"bat": 4, "owl": 4}), rejected=origins(3, 8))
    rows = {row.name: row for row in drawn(networks_of(Stammerer(), monkeypatch), plan, place)}
    assert [rows[f"bat_c00000{n}"].reason for n in (3, 8)] == ["rejected", "rejected"]
    assert rows["bat_c000002"].reason == "nearly equals bat_c000003"
    assert rows["bat_c000009"].reason == "nearly equals bat_c000008"
    assert not any(rows[f"bat_c00000{n}"].kept for n in (2, 3, 8, 9))
    assert sum(row.kept for row in rows.values()) == 8


def test_what_scores_too_little_is_left_out_and_more_is_drawn(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    plain = plan_of({"bat": 4})
    least = max(row.p_type for row in drawn(networks_of(Painter(), monkeypatch), plain, place)) * 0.999
    choice = msgspec.structs.replace(plain.choice, min_score=least)
    plan = replace(plain, choice=choice, run=run_name(choice, plain.quotas, {}))
    rows = drawn(networks_of(Painter(), monkeypatch), plan, place)
    assert len(rows) > 16
    assert min(row.p_type for row in rows if row.kept) >= least - 1e-6
    assert {row.reason for row in rows if row.p_type < least - 1e-6} == {f"p(type) is below {least:g}"}


def test_near_duplicates_are_named_and_never_kept(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = drawn(networks_of(Stammerer(), monkeypatch), plan_of({"bat": 4}, oversample=2), place)
    twins = [row for row in rows if row.reason.startswith("nearly equals bat_c")]
    assert len(twins) == 4
    assert not any(row.kept for row in twins)
    assert sum(row.kept for row in rows) == 4


def test_of_near_duplicates_the_one_that_people_like_better_counts(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    liked = {1: 2.0, 3: -1.0, 4: -2.0, 5: -2.5}
    known = [
        Rating(name=candidate_name("bat", n), type="bat", index=n, rating=rating, low=-4, high=4, comparisons=3, wins=1)
        for n, rating in liked.items()
    ]
    ratings = Ratings(model=MODEL, seed=0, voters=1, votes=6, ratings=known)
    plan = replace(plan_of({"bat": 3}, oversample=3, strategy="rated 0123"), ratings=ratings)
    rows = drawn(networks_of(Stammerer(), monkeypatch), plan, place)
    reasons = {row.index: row.reason for row in rows}
    assert [reasons[n] for n in (0, 3, 5)] == [f"nearly equals bat_c00000{n}" for n in (1, 2, 4)]
    assert [row.index // 2 for row in rows if row.kept] == [0, 1, 3]  # the best, and two that nobody judged
    assert reasons[1] == "chosen by rated 0123"


def test_without_a_filter_the_first_ones_are_kept_duplicates_or_not(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = drawn(networks_of(Copyist(), monkeypatch), plan_of({"bat": 3}, oversample=1, strategy="none"), place)
    assert [row.kept for row in rows] == [True] * 3


def test_published_sprites_are_drawn_again_and_stay_chosen(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    plan = plan_of({"bat": 4}, kept=published(3, 70))  # 70 lies beyond the first round
    rows = drawn(networks_of(Painter(), monkeypatch), plan, place)
    assert [row.index for row in rows] == [*range(16), 70]
    assert {3, 70} <= {row.index for row in rows if row.kept}
    assert sum(row.kept for row in rows) == 4


def test_the_twin_of_a_published_sprite_is_never_added(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    plan = plan_of({"bat": 8}, oversample=2, kept=published(1, 3, 5))  # so all eight pairs are needed
    rows = drawn(networks_of(Stammerer(), monkeypatch), plan, place)
    reasons = {row.index: row.reason for row in rows}
    assert [reasons[index] for index in (0, 2, 4)] == [f"nearly equals bat_c00000{n}" for n in (1, 3, 5)]
    assert sorted(row.index // 2 for row in rows if row.kept) == list(range(8))


def test_a_generator_without_types_is_asked_until_the_classifier_has_seen_enough(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    painter = Painter()
    rows = drawn(networks_of(painter, monkeypatch, conditional=False), plan_of({"bat": 3, "imp": 3}), place)
    assert all(set(call) == {"z"} for call in painter.calls)
    assert {row.type for row in rows} == {"bat", "imp"}  # owls that nobody asked for aren't kept
    assert [sum(row.kept for row in rows if row.type == kind) for kind in ("bat", "imp")] == [3, 3]
    assert all(row.p_type >= 1 / 3 for row in rows)


def test_a_link_out_of_the_project_is_refused(place: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "elsewhere").mkdir()
    (place.out / FOLDER).symlink_to(tmp_path / "elsewhere")
    with pytest.raises(ProjectError, match="a link leads out"):
        drawn(networks_of(Painter(), monkeypatch), plan_of({"bat": 1}), place)
    assert list((tmp_path / "elsewhere").iterdir()) == []


def test_progress_is_told_from_nothing_to_all(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[tuple[str, int, int]] = []
    plan = plan_of({"bat": 20, "imp": 20})
    draw_candidates(networks_of(Painter(), monkeypatch), plan, place, lambda *step: told.append(step))
    assert told == [("drawing candidates", n, 160) for n in range(BATCH, 161, BATCH)] + [
        ("choosing", 0, 1),
        ("choosing", 1, 1),
    ]


def test_the_kept_sets_score_stands_beside_that_of_ten_random_ones() -> None:
    chance = np.random.default_rng(0)
    p = chance.dirichlet([0.3] * 3, 120).astype(np.float32)
    kinds = np.arange(120) % 3
    chosen = np.arange(30)
    quotas = dict.fromkeys(range(3), 10)
    record = figures("types", p, kinds, chosen, quotas, np.ones(120, bool))
    mean, std = inception_score(p[[*chosen[0::3], *chosen[1::3], *chosen[2::3]]])  # type by type
    assert (record.name, record.splits, record.kept.n, record.all.n) == ("types", 10, 30, 30)
    assert record.kept.mean == pytest.approx(mean, abs=1e-4)
    assert record.kept.std == pytest.approx(std, abs=1e-4)
    assert record.all.mean is not None
    assert 1 < record.all.mean < 3


def test_random_sets_are_drawn_from_what_could_have_been_chosen() -> None:
    kinds = np.arange(120) % 3
    p = np.eye(3, dtype=np.float32)[kinds]
    allowed = np.arange(120) < 60
    p[~allowed] = 1 / 3  # near-duplicates, which no set may hold
    record = figures("types", p, kinds, np.arange(30), dict.fromkeys(range(3), 10), allowed)
    assert record.all.mean == record.kept.mean  # of equally sure sets, neither is favoured by how it is split


@pytest.mark.parametrize(("classes", "quotas"), [(1, {0: 20}), (3, {0: 20}), (3, {0: 5, 1: 4})])
def test_no_score_is_invented_for_one_type_or_fewer_sprites_than_splits(classes: int, quotas: dict[int, int]) -> None:
    count = sum(quotas.values())
    kinds = np.repeat(list(quotas), list(quotas.values()))
    record = figures("types", np.full((count, classes), 1 / classes, np.float32), kinds, np.arange(count), quotas,
                     np.ones(count, bool))  # fmt: skip
    assert record.kept.mean is record.all.mean is None
    assert record.kept.n == count


def test_scores_name_every_candidate_once(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    plan = plan_of(dict.fromkeys(TYPES, 3))
    drawn(networks_of(Painter(), monkeypatch), plan, place)
    with (place.out / FOLDER / plan.run / "scores.csv").open() as file:
        names = [line["name"] for line in csv.DictReader(file)]
    assert len(names) == len(set(names)) == 36
    assert names == sorted(names)
