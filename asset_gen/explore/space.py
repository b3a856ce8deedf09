"""What can a bundle's generator be asked beside its latents? Codes, level by level.

Codes are float32 [n, levels, code], coarse levels first. The first ``latent`` numbers of a code are those of z,
normalised where the generator does so; the others tell the type, and those of a mixed type lie between.
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from asset_gen import pixels
from asset_gen.bundle import Bundle
from asset_gen.explore.levels import Levels, cut
from asset_gen.runtime import Session, open_session

if TYPE_CHECKING:
    from asset_gen.explore.search import Search

BATCH = 8
"""Sprites a call, always: a network's last digits depend on the number of rows, and a picture mustn't."""

Codes = NDArray[np.float32]  # [n, levels, code]


class Space:
    """A bundle's latent space."""

    def __init__(self, bundle: Bundle, device: str = "auto") -> None:
        self.bundle, self.info, self.device = bundle, bundle.info, device

    @cached_property
    def levels(self) -> Levels:
        """The generator in two parts."""
        import onnx

        return cut(onnx.load_model(str(self.bundle.generator)), self.info.latent)

    @cached_property
    def _mapping(self) -> Session | None:
        graph = self.levels.mapping
        return open_session(self.bundle.generator, self.device, self.bundle.memory, graph) if graph else None

    @cached_property
    def _synthesis(self) -> Session:
        return open_session(self.bundle.generator, self.device, self.bundle.memory, self.levels.synthesis)

    @cached_property
    def search(self) -> Search:
        """What finds a picture's codes."""
        from asset_gen.explore.search import Search

        return Search(self)

    def codes(self, z: NDArray[np.float32], label: NDArray[np.float32]) -> Codes:
        """Codes of latents [n, latent] and distributions over types [n, types], the same for all levels."""
        inputs = {"z": z, "label": label} if self.info.conditional else {"z": z}
        mapping = self._mapping
        code = mapping.run(**inputs) if mapping else np.concatenate(list(inputs.values()), axis=1)
        return np.repeat(code[:, None], self.levels.count, axis=1)

    def draw(self, codes: Codes) -> NDArray[np.uint8]:
        """Sprites [n, s, s, 4], straight alpha."""
        return self.pictures(codes)[1]

    def pictures(self, codes: Codes) -> tuple[NDArray[np.float32], NDArray[np.uint8]]:
        """What the network draws, [n, 4, s, s] as the classifier sees it, and the same as sprites [n, s, s, 4]."""
        side = self.info.size
        rgba = np.empty((len(codes), 4, side, side), np.float32)
        for start in range(0, len(codes), BATCH):
            part = codes[start : start + BATCH]
            padded = np.concatenate([part, np.repeat(part[-1:], BATCH - len(part), axis=0)])
            inputs = {f"code_{level}": padded[:, level] for level in range(self.levels.count)}
            rgba[start : start + BATCH] = self._synthesis.run(**inputs)[: len(part)]
        sprites = pixels.from_network(rgba)
        if self.info.alpha == "none":
            sprites = pixels.key_out(sprites)
            rgba = pixels.to_network(sprites)
        return rgba, sprites

    def label(self, kinds: NDArray[np.int64]) -> NDArray[np.float32]:
        """[n, types]: distributions of sprites that are of one type alone."""
        return np.eye(len(self.info.types), dtype=np.float32)[kinds]
