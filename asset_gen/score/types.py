"""The bundle's own type classifier, calibrated on held-out sprites when it was trained."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from asset_gen.runtime import Session

NAME = "types"


def type_probabilities(session: Session, rgba: NDArray[np.float32]) -> NDArray[np.float32]:
    """p(type | sprite) [n, types] for rgba [n, 4, h, w] in [-1, 1], premultiplied alpha."""
    logits = session.run(rgba=rgba).astype(np.float64)
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    return np.asarray(powers / powers.sum(axis=1, keepdims=True), np.float32)
