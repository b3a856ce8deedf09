"""From where in the latent space does the model draw a given picture, as nearly as it can?

A search: it begins at what ``encoder.onnx`` says, or at the best of some drawn sprites where the bundle has none, and
goes down along the generator's gradient; at first with one code for all levels, then with each level on its own, held
near to what was found, so that variations stay sprites.
"""

from __future__ import annotations

import io
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from asset_gen import pixels
from asset_gen.bundle import ENCODER
from asset_gen.errors import SpriteError
from asset_gen.explore.mixing import palettes_apart
from asset_gen.explore.origins import draw, made
from asset_gen.explore.packed import pack
from asset_gen.explore.search import overlap
from asset_gen.explore.space import Codes, Space
from asset_gen.images import read_rgba
from asset_gen.latents import latents
from asset_gen.manifest import Origin, Parameters
from asset_gen.runtime import open_session
from asset_gen.score.types import type_probabilities

TOGETHER, APART = 30, 120
"""Steps with one code for all levels, and with each level on its own."""
RATES = (0.08, 0.05)
"""Of Adam (Kingma & Ba 2015) in both."""
HOLD = 5e-4
"""Weight of the mean square between a level's code and the common one."""
STARTS = 64
"""Sprites drawn to begin with where there is no encoder."""
LEAST_OVERLAP = 0.5
"""Of silhouettes, below which the model can't draw the picture."""
MOST_COLOUR = 0.15
"""Distance of palettes in OKLab, above which the picture's colours are none of the model's."""


@dataclass(frozen=True, slots=True)
class Found:
    """What the model draws in a picture's place."""

    origin: Origin
    overlap: float
    """Intersection over union of silhouettes, 0–1."""
    colour: float
    """Distance of palettes in OKLab."""

    @property
    def tells(self) -> str:
        """For people."""
        return f"silhouettes overlap by {self.overlap:.0%}, palettes are {self.colour:.3f} apart in OKLab"


def read_picture(space: Space, path: Path) -> tuple[NDArray[np.uint8], str]:
    """A picture that the model might have drawn, [s, s, 4], and the sha256 of its file.

    One that was enlarged by whole pixels is brought back to the model's size.

    Raises:
        SpriteError: it can't be read, has another size, no background, or nothing on it.
    """
    side = space.info.size
    try:
        data = path.read_bytes()
    except OSError as error:
        raise SpriteError(f"{path}: {error.strerror}. Give the path of a picture.") from None
    sprite = read_rgba(path, io.BytesIO(data))
    height, width = sprite.shape[:2]
    factor = height // side
    if (height, width) == (factor * side, factor * side) and factor > 1:
        small = sprite[::factor, ::factor]
        if np.array_equal(pixels.enlarge(small[None], factor)[0], sprite):
            sprite = small
    if sprite.shape[:2] != (side, side):
        raise SpriteError(
            f"{path}: is {width}×{height} pixels, and {space.info.name} draws sprites of {side}×{side}. Lay it on a "
            f"canvas of that size, or shrink it by whole pixels."
        )
    seen = sprite[..., 3] >= pixels.OPAQUE
    if not seen.any():
        raise SpriteError(f"{path}: nothing can be seen on it. Give a picture with a figure.")
    if seen.all() and space.info.alpha == "true":
        raise SpriteError(f"{path}: has no transparent pixel. Take its background away first.")
    return sprite, sha256(data).hexdigest()


def find_picture(space: Space, path: Path, kind: str | None = None) -> Found:
    """Look for an artist's picture in the latent space; ``kind``: its type, or None for what the classifier says.

    Raises:
        SpriteError: it is none that the model could draw; the message says in what it differs.
        ModelError: the generator has an operator along which it can't be looked for.
    """
    sprite, digest = read_picture(space, path)
    info = space.info
    target = pixels.as_drawn(sprite[None], info.alpha == "true")
    if kind is None:
        judge = open_session(space.bundle.classifier, space.device, space.bundle.memory)
        kind = info.types[int(type_probabilities(judge, target)[0].argmax())]
    codes = find_codes(space, target, space.label(np.array([info.types.index(kind)])))
    told = Parameters(codes=pack(codes[0, :, : info.latent]), picture=digest)
    origin = made(kind, "picture", told, model=space.bundle.sha256)
    drawn = draw(space, [origin])
    met = float(overlap(pixels.to_network(drawn), target)[0])
    apart = palettes_apart(drawn[0], sprite)
    if met < LEAST_OVERLAP or apart > MOST_COLOUR:
        raise SpriteError(
            f"{path}: {info.name} can't draw it: silhouettes overlap by {met:.0%} (at least {LEAST_OVERLAP:.0%} is "
            f"needed), and palettes are {apart:.2f} apart in OKLab (at most {MOST_COLOUR}). Give a sprite in the style "
            f"and colours of its training sprites, or train a model on sprites like it."
        )
    return Found(origin, met, apart)


def find_codes(
    space: Space, targets: NDArray[np.float32], label: NDArray[np.float32], steps: tuple[int, int] = (TOGETHER, APART)
) -> Codes:
    """Codes [n, levels, code] for pictures [n, 4, s, s] in [-1, 1] of types [n, types].

    Raises:
        ModelError: the generator has an operator along which it can't be looked for.
    """
    z = _start(space, targets, label)
    base, latent = space.codes(z, label), space.info.latent
    z = base[:, 0, :latent]
    length = np.linalg.norm(z, axis=1, keepdims=True)
    descent = Adam(RATES[0])
    for _ in range(steps[0]):
        _, gradients = space.search.gradient(_with(base, z[:, None]), targets)
        pull = gradients[:, :, :latent].sum(axis=1)
        z = descent.step(z, pull - z * (pull * z).sum(axis=1, keepdims=True) / length**2)
        z *= length / np.linalg.norm(z, axis=1, keepdims=True)
    common = np.repeat(z[:, None], base.shape[1], axis=1)
    own, descent = common, Adam(RATES[1])
    for _ in range(steps[1]):
        _, gradients = space.search.gradient(_with(base, own), targets)
        own = descent.step(own, gradients[:, :, :latent] + 2 * HOLD / common[0].size * (own - common))
    return _with(base, own)


class Adam:
    """Descent with a step of its own for every number (Kingma & Ba 2015)."""

    def __init__(self, rate: float, first: float = 0.9, second: float = 0.99) -> None:
        self.rate, self.first, self.second = rate, first, second
        self.mean: NDArray[np.float32] | float = 0.0
        self.square: NDArray[np.float32] | float = 0.0
        self.count = 0

    def step(self, values: NDArray[np.float32], gradient: NDArray[np.float32]) -> NDArray[np.float32]:
        """Values that are better."""
        self.count += 1
        self.mean = self.first * self.mean + (1 - self.first) * gradient
        self.square = self.second * self.square + (1 - self.second) * gradient**2
        mean = self.mean / (1 - self.first**self.count)
        square = self.square / (1 - self.second**self.count)
        return np.asarray(values - self.rate * mean / (np.sqrt(square) + 1e-8), np.float32)


def _with(base: Codes, z: NDArray[np.float32]) -> Codes:
    """Codes with other z [n, levels or 1, latent]."""
    codes = base.copy()
    codes[..., : z.shape[-1]] = z
    return codes


def _start(space: Space, targets: NDArray[np.float32], label: NDArray[np.float32]) -> NDArray[np.float32]:
    """Latents [n, latent] to begin with."""
    path = space.bundle.optional(ENCODER)
    if path is not None:
        return open_session(path, space.device, space.bundle.memory).run(rgba=targets, label=label)
    z = np.empty((len(targets), space.info.latent), np.float32)
    offered = latents(0, "start", np.arange(STARTS), space.info.latent)
    for row in range(len(targets)):
        codes = space.codes(offered, np.repeat(label[row : row + 1], STARTS, axis=0))
        apart = ((space.pictures(codes)[0] - targets[row]) ** 2).mean(axis=(1, 2, 3))
        z[row] = offered[apart.argmin()]
    return z
