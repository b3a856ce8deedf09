"""The same request changes nothing, more adds, less frees, and another choice needs a yes."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from asset_gen.bundle import CriticRecord, FeatureRecord
from asset_gen.candidates import FOLDER
from asset_gen.errors import UsageError
from asset_gen.layout import columns_for, lay_out
from asset_gen.manifest import (
    FORMAT,
    NAME,
    Choice,
    Figure,
    FileEntry,
    Finish,
    Layout,
    Manifest,
    Origin,
    ScorerRecord,
    SheetRecord,
    SpriteRecord,
    encode,
)
from asset_gen.plan import Plan, Request, check_room, filter_name, make_plan, resolve_quotas
from asset_gen.poll.ratings import Ratings
from asset_gen.publish import Place
from tests.fakes import MODEL, bundle_info, fake_bundle

REQUEST = Request(project=Path("game"), model=Path("model"))
NOTHING = Figure(n=0, mean=None, std=None)
QUOTAS = {"bat": 3, "imp": 2}


def manifest_of(plan: Plan) -> Manifest:
    """What is published once ``plan`` is carried out; new sprites get indices from 100 on."""
    sheets = []
    for kind, quota in plan.quotas.items():
        (laid,) = lay_out(kind, kind.title(), [(slot, 0.5) for slot in range(quota)], 16, columns_for(quota, 16))
        kept = [sprite.origin for sprite in plan.kept[kind]]
        fresh = [Origin(model=MODEL, seed=plan.choice.seed, type=kind, index=100 + n) for n in range(quota)]
        sprites = [
            SpriteRecord(
                name=region.name,
                type=kind,
                slot=region.slot,
                rect=(region.x, region.y, region.width, region.height),
                origin=([*kept, *fresh])[region.slot],
                score=region.score,
            )
            for region in laid.regions
        ]
        sheets.append(
            SheetRecord(
                type=kind,
                image=laid.image,
                size=(laid.width, laid.height),
                cell=laid.cell,
                columns=laid.columns,
                pixels_sha256="0" * 64,
                sprites=sprites,
            )
        )
    return Manifest(
        format=FORMAT,
        tool="assetgen",
        models=[],
        seed=plan.choice.seed,
        run=plan.run,
        choice=plan.choice,
        finish=Finish(alpha="hard", scale=1, palette=[], palette_asked=""),
        quotas=plan.quotas,
        labels={},
        targets=["generic"],
        scorer=ScorerRecord(name="types", splits=10, kept=NOTHING, all=NOTHING),
        sheets=sheets,
        files=[FileEntry(path=sheet.image, sha256="0" * 64) for sheet in sheets],
    )


@pytest.fixture
def place(game: Path) -> Place:
    """An empty project."""
    (game / "out").mkdir()
    return Place(game, game / "out")


def plan_of(place: Place, quotas: dict[str, int] = QUOTAS, **changes: Any) -> Plan:
    return make_plan(replace(REQUEST, **changes), fake_bundle(), place, quotas)


@pytest.fixture
def published(place: Place) -> Plan:
    """A project that has got ``QUOTAS``, and its plan then."""
    plan = plan_of(place)
    (place.out / NAME).write_bytes(encode(manifest_of(plan)))
    folder = place.out / FOLDER / plan.run
    folder.mkdir(parents=True)
    (folder / "run.json").touch()
    return plan


@given(st.integers(1, 10_000), st.sets(st.sampled_from(["bat", "imp", "owl"])))
def test_a_count_is_spread_evenly_with_remainders_in_name_order(count: int, asked: set[str]) -> None:
    types = dict.fromkeys(asked) or None
    quotas = resolve_quotas(replace(REQUEST, count=count, quotas=types), bundle_info())
    assert sum(quotas.values()) == count
    assert list(quotas) == sorted(quotas)
    assert set(quotas) <= (asked or {"bat", "imp", "owl"})
    names = sorted(asked or {"bat", "imp", "owl"})
    assert [quotas.get(name, 0) for name in names] == sorted((quotas.get(name, 0) for name in names), reverse=True)
    assert quotas[names[0]] - quotas.get(names[-1], 0) <= 1


@pytest.mark.parametrize(
    ("changes", "quotas"),
    [
        ({}, {"bat": 167, "imp": 167, "owl": 166}),  # 500
        ({"count": 2}, {"bat": 1, "imp": 1}),
        ({"quotas": {"owl": None, "bat": None}, "count": 5}, {"bat": 3, "owl": 2}),
        ({"quotas": {"owl": 40, "bat": 10}}, {"bat": 10, "owl": 40}),
        ({"quotas": {"owl": 40, "bat": 0}}, {"owl": 40}),
        ({"quotas": {"owl": 40, "bat": 10}, "count": 50}, {"bat": 10, "owl": 40}),
    ],
)
def test_types_and_count_together_make_quotas(changes: dict[str, Any], quotas: dict[str, int]) -> None:
    assert resolve_quotas(replace(REQUEST, **changes), bundle_info()) == quotas


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"quotas": {"bet": None}}, "fake has no type 'bet'. Did you mean 'bat'"),
        ({"quotas": {"bat": 4, "imp": None}}, "a number for every type"),
        ({"quotas": {"bat": 4, "imp": 5}, "count": 10}, "--count 10: the numbers in --types add up to 9"),
        ({"quotas": {"bat": 0}}, "at least one sprite"),
    ],
)
def test_requests_that_contradict_themselves_are_refused(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        resolve_quotas(replace(REQUEST, **changes), bundle_info())


def test_what_the_disk_cannot_hold_is_refused_before_any_work(game: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda path: SimpleNamespace(free=100 * 2**20))
    request = replace(REQUEST, project=game)
    check_room(request, {"bat": 1000}, 32, Layout())  # 4,000 files of one block each
    with pytest.raises(
        UsageError, match=r"--count 10,000 × --oversample 4: would need about 0\.1 GiB of disk; 0\.0 GiB"
    ):
        check_room(request, {"bat": 10_000}, 32, Layout())
    with pytest.raises(UsageError, match="10,000,000 sprites are the most"):
        check_room(replace(request, oversample=1), {"bat": 10**60}, 4, Layout())
    with pytest.raises(UsageError, match="At most --scale 31 is possible"):
        check_room(replace(request, scale=32), {"bat": 1}, 128, Layout())
    with pytest.raises(UsageError, match="Allow larger sheets"):
        check_room(request, {"bat": 1}, 128, Layout(max_side=128))


def test_an_empty_project_gets_everything(place: Place) -> None:
    plan = plan_of(place)
    assert (plan.draws, plan.added, plan.freed, plan.question) == (True, 5, 0, None)
    assert plan.kept == {"bat": [], "imp": []}


def test_the_same_request_draws_nothing(place: Place, published: Plan) -> None:
    plan = plan_of(place)
    assert (plan.draws, plan.added, plan.freed, plan.question) == (False, 0, 0, None)
    assert plan.run == published.run
    assert [sprite.slot for sprite in plan.kept["bat"]] == [0, 1, 2]


def test_a_lost_candidate_set_is_drawn_again_as_it_was(place: Place, published: Plan) -> None:
    shutil.rmtree(place.out / FOLDER)
    plan = plan_of(place)
    assert (plan.draws, plan.run, plan.added, plan.question) == (True, published.run, 0, None)


def test_a_lost_set_that_was_chosen_around_published_sprites_is_not_drawn_again(place: Place, published: Plan) -> None:
    more = plan_of(place, {"bat": 5, "imp": 2})
    (place.out / NAME).write_bytes(encode(manifest_of(more)))  # its candidate set isn't there
    plan = plan_of(place, {"bat": 5, "imp": 2})
    assert (plan.draws, plan.run, plan.added) == (False, more.run, 0)
    assert [sprite.origin.index for sprite in plan.kept["bat"]] == [100, 101, 102, 100, 101]


def test_a_larger_count_adds_and_a_smaller_one_frees_the_last(place: Place, published: Plan) -> None:
    more = plan_of(place, {"bat": 5, "imp": 2, "owl": 1})
    assert (more.draws, more.added, more.freed, more.question) == (True, 3, 0, None)
    assert [sprite.name for sprite in more.kept["bat"]] == ["bat_000000", "bat_000001", "bat_000002"]
    fewer = plan_of(place, {"bat": 1, "imp": 2})
    assert (fewer.added, fewer.freed, fewer.question) == (0, 2, None)
    assert [sprite.slot for sprite in fewer.kept["bat"]] == [0]


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"seed": 1}, "seed (0 → 1)"),
        ({"oversample": 2}, "oversample (4 → 2)"),
        ({"filter": "top-p"}, "filter (is → top-p)"),
        ({"min_is": 1.5}, "filter (is → is, IS from 1.5)"),
        ({"seed": 1, "filter": "none"}, "seed (0 → 1), filter (is → none)"),
    ],
)
def test_another_choice_would_replace_all_and_asks_first(
    changes: dict[str, Any], said: str, place: Place, published: Plan
) -> None:
    plan = plan_of(place, **changes)
    assert plan.question == f"A change of {said} would replace all 5 published sprites in 3 files."
    assert plan.kept == {"bat": [], "imp": []}
    assert plan.added == 5


def test_another_model_asks_first(place: Place, published: Plan) -> None:
    other = replace(fake_bundle(), sha256="f" * 64)
    question = make_plan(REQUEST, other, place, QUOTAS).question
    assert question is not None
    assert "model (mmmmmmmmmmmm → ffffffffffff)" in question


def test_removing_a_type_asks_first(place: Place, published: Plan) -> None:
    assert plan_of(place, {"bat": 3}).question == "2 published sprites of 1 types would be removed: imp."


LIKED = Ratings(model=fake_bundle().sha256, seed=0, voters=1, votes=1, ratings=[])
DECIDES: list[dict[str, Any]] = [
    {"seed": 1},
    {"oversample": 5},
    {"scorer": "imagenet"},
    {"filter": "none"},
    {"ratings": LIKED},
    {"ratings": msgspec.structs.replace(LIKED, votes=2)},
    {"min_score": 0.5},
    {"min_is": 2.5},
    {"quotas": {"bat": 4}},
]
DOES_NOT: list[dict[str, Any]] = [
    {"project": Path("elsewhere")},
    {"name": "icons"},
    {"out": "elsewhere"},
    {"model": Path("copy of the model")},
    {"targets": ("toy",)},
    {"scale": 2},
    {"size": 32},
    {"palette": "16"},
    {"alpha": "soft"},
    {"optimize": True},
    {"layout": Layout(trim=True)},
    {"device": "cuda"},
    {"engine": "ray"},
    {"engine_options": {"workers": 2}},
    {"yes": True},
    {"quotas": {"bat": 3, "imp": 2}},
]


def test_a_runs_name_depends_on_exactly_what_decides_which_sprites_are_drawn_and_chosen(place: Place) -> None:
    def run(**changes: Any) -> str:
        request = replace(replace(REQUEST, quotas=dict(QUOTAS)), **changes)
        return make_plan(request, fake_bundle(), place, resolve_quotas(request, bundle_info())).run

    assert len(run()) == 16
    assert len({run(), *(run(**changes) for changes in DECIDES)}) == 1 + len(DECIDES)
    assert {run(**changes) for changes in DOES_NOT} == {run()}
    assert make_plan(REQUEST, replace(fake_bundle(), sha256="f" * 64), place, dict(QUOTAS)).run != run()
    every = {field for changes in DECIDES + DOES_NOT for field in changes}
    assert every | {"count", "only", "reject", "instead"} == set(
        Request.__dataclass_fields__
    )  # a new option must be put on one of the lists


KNOWING = msgspec.structs.replace(
    bundle_info(), features=FeatureRecord(network="type classifier", outside=False, dimensions=4)
)


def test_sets_are_compared_with_the_training_set_where_the_bundle_knows_it(place: Place) -> None:
    known = replace(fake_bundle(), info=KNOWING)
    plans = [make_plan(REQUEST, bundle, place, dict(QUOTAS)) for bundle in (known, fake_bundle())]
    assert [plan.choice.filter for plan in plans] == ["set", "is"]
    assert plans[0].notice is None
    assert "doesn't know its training sprites" in str(plans[1].notice)
    assert make_plan(replace(REQUEST, filter="top-p"), fake_bundle(), place, dict(QUOTAS)).notice is None


def test_the_critics_filter_is_refused_where_there_is_no_critic_and_how_to_get_one_is_told(place: Place) -> None:
    for request in (replace(REQUEST, filter="critic"), replace(REQUEST, filter="critic", min_is=2)):
        with pytest.raises(UsageError, match=r"fake has no critic\.onnx.*assetgen calibrate fake SPRITES --critic"):
            make_plan(request, fake_bundle(), place, dict(QUOTAS))
    critic = CriticRecord(preset="projected", scale=1, shift=0, told_apart=0.5)
    plan = make_plan(replace(REQUEST, filter="critic"), fake_bundle(critic=critic), place, dict(QUOTAS))
    assert (plan.choice.filter, plan.notice) == ("critic", None)


def test_a_new_default_replaces_nothing_that_is_published(place: Place, published: Plan) -> None:
    known = replace(fake_bundle(), info=KNOWING)
    assert published.choice.filter == "is"
    plan = make_plan(REQUEST, known, place, dict(QUOTAS))
    assert (plan.choice.filter, plan.question) == ("is", None)
    asked = make_plan(replace(REQUEST, filter="set"), known, place, dict(QUOTAS))
    assert "filter (is → set)" in str(asked.question)
    assert make_plan(replace(REQUEST, seed=1), known, place, dict(QUOTAS)).choice.filter == "set"


def test_a_least_inception_score_is_part_of_the_choice(place: Place) -> None:
    plan = make_plan(replace(REQUEST, min_is=6.5), fake_bundle(), place, dict(QUOTAS))
    assert plan.choice.filter == "is, IS from 6.5"
    assert (plan.min_is, filter_name(plan.choice)) == (6.5, "is")


def test_without_oversampling_there_is_nothing_to_filter(place: Place) -> None:
    runs = {plan_of(place, oversample=1, filter=name).run for name in ("is", "top-p", "none")}
    assert len(runs) == 1
    assert plan_of(place, oversample=1).choice == Choice(
        model=MODEL, seed=0, oversample=1, scorer="types", filter="none"
    )


def test_the_columns_of_a_sheet_are_fixed_when_it_is_first_published(place: Place, published: Plan) -> None:
    assert published.columns("bat") is None
    plan = plan_of(place, {"bat": 300, "imp": 2})
    assert (plan.columns("bat"), plan.columns("owl")) == (2, None)
    assert [sheet.image for sheet in plan.old_sheets("bat")] == ["bat/bat.png"]
