"""Fixtures of the attacks."""

from __future__ import annotations

import pytest


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> tuple[object, ...]:
    """Options of a training of one step; its classifier takes two."""
    monkeypatch.setattr("trainer.classifier.STEPS", (2, 2))
    return ("--steps", 1, "--width", 0.25, "--batch-size", 8)
