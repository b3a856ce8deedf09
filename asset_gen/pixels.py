"""Alpha, palette, pixel scale: how does network output become pixel art, and pixel art network input?

Sprites are uint8 [n, h, w, 4] with straight alpha. Networks see float32 [n, 4, h, w] in [-1, 1] with premultiplied
alpha, where −1 everywhere is a transparent pixel.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray
from PIL import Image

Sprites = NDArray[np.uint8]  # [n, h, w, 4], straight alpha
Network = NDArray[np.float32]  # [n, 4, h, w] in [-1, 1], premultiplied alpha
Colours = NDArray[np.uint8]  # [k, 3]

OPAQUE = 128  # alpha from here on is opaque when alpha is hard
WHITE = 236  # a channel from here on counts as the white paper of a generator without alpha


def to_network(sprites: Sprites) -> Network:
    """Premultiply and scale uint8 [n, h, w, 4] to float32 [n, 4, h, w] in [-1, 1]."""
    pixels = sprites.astype(np.float32) / 255
    pixels[..., :3] *= pixels[..., 3:]
    return np.asarray(pixels.transpose(0, 3, 1, 2) * 2 - 1, np.float32, order="C")


def from_network(output: Network) -> Sprites:
    """Un-premultiply float32 [n, 4, h, w] in [-1, 1] to uint8 [n, h, w, 4] with straight alpha."""
    pixels = np.clip((output.transpose(0, 2, 3, 1) + 1) / 2, 0, 1)
    alpha = pixels[..., 3:]
    colour = np.clip(pixels[..., :3] / np.maximum(alpha, 1 / 255), 0, 1)
    sprites = np.concatenate([colour, alpha], axis=3)
    return np.asarray(np.rint(sprites * 255), np.uint8)


def harden(sprites: Sprites) -> Sprites:
    """Alpha 0 or 255 and nothing between, as pixel art has it; colour under alpha 0 becomes 0."""
    hard = sprites.copy()
    opaque = sprites[..., 3] >= OPAQUE
    hard[..., 3] = np.where(opaque, 255, 0)
    hard[~opaque] = 0
    return hard


def opaque_box(sprite: NDArray[np.uint8]) -> tuple[int, int, int, int]:
    """x, y, width, height of what can be seen of a sprite [h, w, 4]; one pixel where nothing can."""
    rows, columns = (np.flatnonzero(sprite[..., 3].any(axis=axis)) for axis in (1, 0))
    if not len(rows):
        return 0, 0, 1, 1
    left, top = int(columns[0]), int(rows[0])
    return left, top, int(columns[-1]) - left + 1, int(rows[-1]) - top + 1


def enlarge(sprites: Sprites, factor: int) -> Sprites:
    """Every pixel becomes ``factor`` × ``factor`` pixels."""
    return sprites.repeat(factor, axis=1).repeat(factor, axis=2)


def on_white(sprites: Sprites) -> NDArray[np.uint8]:
    """RGB uint8 [n, h, w, 3] of sprites laid on white, as the paper's data and Inception networks expect."""
    alpha = sprites[..., 3:].astype(np.uint16)
    return ((sprites[..., :3] * alpha + 255 * (255 - alpha) + 127) // 255).astype(np.uint8)


def as_drawn(sprites: Sprites, alpha: bool) -> Network:
    """Sprites as a generator would show them to its classifier: float32 [n, 4, s, s] in [-1, 1].

    Without ``alpha`` they are laid on white and keyed out of it again, as ``asset_gen.generate`` does.
    """
    if not alpha:
        white = np.concatenate([on_white(sprites), np.full_like(sprites[..., 3:], 255)], axis=3)
        sprites = key_out(white)
    return to_network(sprites)


def key_out(sprites: Sprites, colour: tuple[int, int, int] = (255, 255, 255), tolerance: int = 255 - WHITE) -> Sprites:
    """Make the area of ``colour`` that touches the border transparent; the same colour inside a figure stays.

    ``tolerance`` is the largest difference a channel may have, 0–255. Works on the whole stack at once: the border
    grows inwards through background pixels, four neighbours at a time, until it grows no more.
    """
    distance = np.abs(sprites[..., :3].astype(np.int16) - np.array(colour, np.int16)).max(axis=3)
    background = distance <= tolerance
    reached = np.zeros_like(background)
    reached[:, [0, -1], :] = background[:, [0, -1], :]
    reached[:, :, [0, -1]] = background[:, :, [0, -1]]
    while True:
        grown = reached.copy()
        grown[:, 1:] |= reached[:, :-1]
        grown[:, :-1] |= reached[:, 1:]
        grown[:, :, 1:] |= reached[:, :, :-1]
        grown[:, :, :-1] |= reached[:, :, 1:]
        grown &= background
        if np.array_equal(grown, reached):
            break
        reached = grown
    keyed = sprites.copy()
    keyed[reached] = 0
    return keyed


def border_colour(sprite: NDArray[np.uint8]) -> tuple[int, int, int] | None:
    """The one opaque colour of the border of uint8 [h, w, 4], or None where it isn't uniform (95 % within 8 levels)."""
    edge = np.concatenate([sprite[0], sprite[-1], sprite[1:-1, 0], sprite[1:-1, -1]])
    if (edge[:, 3] < 255).any():
        return None
    colours, counts = np.unique(edge[:, :3], axis=0, return_counts=True)
    common = colours[counts.argmax()]
    near = np.abs(edge[:, :3].astype(np.int16) - common).max(axis=1) <= 8
    return (int(common[0]), int(common[1]), int(common[2])) if near.mean() >= 0.95 else None


def pixel_grid(sprite: NDArray[np.uint8]) -> tuple[int, int]:
    """The pixel size at which uint8 [h, w, 4] was drawn, and the evidence for it.

    The size is the greatest common divisor of the distances between all rows, and all columns, where the picture
    changes; the evidence is how many such places there are. One in 2^evidence pictures shows a size by chance.
    """
    seen = sprite * (sprite[..., 3:] > 0)
    steps: list[int] = []
    for axis in (0, 1):
        other = 1 - axis
        places = np.flatnonzero((np.diff(seen.astype(np.int16), axis=axis) != 0).any(axis=(other, 2)))
        steps.extend(int(step) for step in np.diff(places))
    return (math.gcd(*steps) if steps else 1), len(steps)


def shrink_grid(sprite: NDArray[np.uint8], factor: int) -> NDArray[np.uint8]:
    """Keep one pixel of every ``factor`` × ``factor`` block; the grid starts where the picture first changes."""
    if factor == 1:
        return sprite
    seen = sprite * (sprite[..., 3:] > 0)
    offsets = []
    for axis in (0, 1):
        changed = (np.diff(seen.astype(np.int16), axis=axis) != 0).any(axis=(1 - axis, 2))
        first = int(changed.argmax()) + 1 if changed.any() else 0
        offsets.append(min((first + factor // 2) % factor, sprite.shape[axis] - 1))
    return np.ascontiguousarray(sprite[offsets[0] :: factor, offsets[1] :: factor])


def at_side(sprites: Sprites, side: int) -> Sprites:
    """Sprites [n, s, s, 4] enlarged by whole pixels, or reduced by averaging, to [n, side, side, 4]."""
    size = sprites.shape[1]
    if side % size == 0:
        return enlarge(sprites, side // size)
    return np.stack([shrink_area(sprite, side, side) for sprite in sprites])


def shrink_area(sprite: NDArray[np.uint8], width: int, height: int) -> NDArray[np.uint8]:
    """Reduce uint8 [h, w, 4] with an area filter; Pillow averages premultiplied colour, so that edges don't darken."""
    return np.array(Image.fromarray(sprite, "RGBA").resize((width, height), Image.Resampling.BOX))


def content_box(sprite: NDArray[np.uint8]) -> tuple[int, int, int, int] | None:
    """(left, top, right, bottom) of the pixels that aren't transparent, or None where there are none."""
    rows = np.flatnonzero(sprite[..., 3].any(axis=1))
    columns = np.flatnonzero(sprite[..., 3].any(axis=0))
    if not len(rows):
        return None
    return int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1


def bleed(sprites: Sprites) -> Sprites:
    """Give transparent pixels beside the figure its colour, so that a filtering engine draws no dark halo."""
    result = sprites.copy()
    visible = sprites[..., 3] > 0
    coloured = visible.copy()
    for axis, step in ((1, 1), (1, -1), (2, 1), (2, -1)):
        source = np.roll(sprites, step, axis)
        beside = np.roll(visible, step, axis)
        wrapped: list[slice | int] = [slice(None)] * 3
        wrapped[axis] = 0 if step > 0 else -1
        beside[tuple(wrapped)] = False
        taken = beside & ~coloured
        result[taken, :3] = source[taken, :3]
        coloured |= taken
    return result
