"""Which codes does a generator draw a given picture from, as nearly as it can? Found by descent along its gradient."""

from __future__ import annotations

from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from asset_gen.explore.gradient import with_gradient
from asset_gen.explore.space import BATCH, Codes, Space
from asset_gen.runtime import Session, open_session

Pictures = NDArray[np.float32]  # [n, 4, s, s] in [-1, 1], premultiplied alpha


class Search:
    """Looks for codes in a bundle's latent space."""

    def __init__(self, space: Space) -> None:
        self.space = space

    @cached_property
    def _session(self) -> Session:
        """Draws, compares and tells the gradient; made of a network whose need is known, so it isn't held to it."""
        graph = with_gradient(self.space.levels.synthesis)
        return open_session(self.space.bundle.generator, self.space.device, None, graph)

    def gradient(self, codes: Codes, targets: Pictures) -> tuple[NDArray[np.float32], Codes]:
        """(mean square [n] between what is drawn and the targets, its gradient by codes [n, levels, code])."""
        loss, gradients = np.empty(len(codes), np.float32), np.empty_like(codes)
        for start in range(0, len(codes), 2 * BATCH):
            rows = slice(start, start + 2 * BATCH)
            inputs = {f"code_{level}": codes[rows, level] for level in range(codes.shape[1])}
            found = self._session.run_all(target=targets[rows], **inputs)
            loss[rows] = found["loss"]
            for level in range(codes.shape[1]):
                gradients[rows, level] = found[f"gradient_{level}"]
        return loss, gradients


def overlap(a: Pictures, b: Pictures) -> NDArray[np.float32]:
    """[n]: intersection over union of what can be seen of pictures, 0–1; 1 where nothing can be seen of either."""
    seen_a, seen_b = a[:, 3] > 0, b[:, 3] > 0
    union = (seen_a | seen_b).sum(axis=(1, 2))
    both = (seen_a & seen_b).sum(axis=(1, 2))
    return np.asarray(np.where(union, both / np.maximum(union, 1), 1), np.float32)
