"""Fixtures of the attacks."""

from __future__ import annotations

from functools import partial

import pytest


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> tuple[object, ...]:
    """Options of a training of one step; its classifier takes two, and its judge 32 sprites."""
    from trainer.evaluate import Evaluator

    monkeypatch.setattr("trainer.classifier.STEPS", (2, 2))
    monkeypatch.setattr("trainer.job.Evaluator", partial(Evaluator, samples=32))
    return ("--steps", 1, "--width", 0.25, "--batch-size", 8)
