"""What do the lab's sliders stand for? A sprite, and what was done to it: an origin, as of ``asset_gen.explore``."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from typing import Annotated, Any, Literal

import msgspec
import numpy as np

from asset_gen.errors import UsageError
from asset_gen.explore import (
    Direction,
    Origin,
    Space,
    between,
    codes_of,
    direction_named,
    drawn,
    encoded,
    load_directions,
    moved,
    on_the_way,
    retyped,
    truncated,
)
from asset_gen.explore.packed import pack, unpack
from asset_gen.review.making import Made, Maker, check_model

FRAMES = 64
"""Pictures of an animation, at most."""
SCALE, PACE = 4, 12
"""Of what is saved: times every pixel is enlarged, pictures a second."""
FORMATS = {"png": "image/png", "gif": "image/gif", "apng": "image/apng"}
LARGEST_NETWORK = 100_000_000
"""Bytes that a browser is asked to load."""

Amount = Annotated[float, msgspec.Meta(ge=-4, le=4)]
Natural = Annotated[int, msgspec.Meta(ge=0, lt=2**32)]


class Sliders(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where everything in the lab stands."""

    sprite: str = ""
    """Id of a sprite on the wall; empty: drawn from the next three."""
    type: str = ""
    seed: Natural = 0
    index: Natural = 0
    towards: str = ""
    """Another type …"""
    far: Annotated[float, msgspec.Meta(ge=0, le=1)] = 0
    """… and how far on the way to it."""
    moves: dict[str, Amount] = {}
    """Direction → how far along it."""
    truncation: Annotated[float, msgspec.Meta(ge=0, le=1)] = 1


class Way(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """From one state of the sliders to another, both ends among the pictures."""

    first: Sliders
    second: Sliders
    count: Annotated[int, msgspec.Meta(ge=2, le=FRAMES)] = 16
    there_and_back: bool = False
    format: Literal["png", "gif", "apng"] = "apng"


def start_of(space: Space, sliders: Sliders, sprite: Origin | None) -> Origin:
    """The sprite that the sliders change; ``sprite``: what their id stands for.

    Raises:
        UsageError: it was drawn by another model, or there is no such type.
    """
    if sprite is None:
        return drawn(space, sliders.type, sliders.index, sliders.seed)
    check_model(space, sprite)
    return sprite


def origin_of(space: Space, sliders: Sliders, sprite: Origin | None, directions: Sequence[Direction]) -> Origin:
    """What the sliders show.

    Raises:
        UsageError: as of ``start_of``, or there is no such direction or type.
    """
    origin = start_of(space, sliders, sprite)
    if sliders.towards and sliders.far:
        origin = on_the_way(origin, retyped(space, origin, sliders.towards), sliders.far)
    for name, amount in sorted(sliders.moves.items()):
        if amount:
            origin = moved(origin, direction_named(list(directions), name), amount)
    return origin if sliders.truncation == 1 else truncated(origin, sliders.truncation)


class Lab:
    """Draws what sliders stand for, and gives a browser what it needs to draw that itself."""

    def __init__(self, maker: Maker) -> None:
        self.maker = maker

    def equipment(self, part: str) -> dict[str, Any]:
        """What a page must know of a model; numbers are little-endian float32 in base64.

        Raises:
            AssetgenError: as of ``Maker.space``.
        """
        space = self.maker.space(part)
        info, latent = space.info, space.info.latent
        known, why = _directions(space)
        kinds = info.types if info.conditional else []
        nothing = np.ones((len(kinds), latent), np.float32)
        codes = space.codes(nothing, space.label(np.arange(len(kinds)))) if kinds else np.zeros((0, 1, latent))
        runs = info.alpha == "true" and len(space.levels.synthesis) <= LARGEST_NETWORK
        return {
            "model": info.name,
            "types": {kind: _packed(code[0, latent:]) for kind, code in zip(kinds, codes, strict=True)},
            "first": info.types[0],
            "side": info.size,
            "latent": latent,
            "levels": space.levels.count,
            "width": space.levels.width,
            "directions": [
                {
                    "name": one.name,
                    "label": one.name.replace("_", " → "),
                    "vector": _packed(unpack(pack(one.vector), latent)),
                }
                for one in known
            ],
            "without": why,
            "network": f"/lab/network.onnx?set={part}&model={space.bundle.sha256[:16]}" if runs else "",
        }

    def network(self, part: str) -> bytes:
        """ONNX: ``code_0``, ``code_1`` … → ``rgba``, as ``asset_gen.explore.levels`` cuts it."""
        return self.maker.space(part).levels.synthesis

    def code(self, part: str, sliders: Sliders, sprite: Origin | None) -> dict[str, Any]:
        """What a browser draws from, before any slider is moved.

        Raises:
            AssetgenError: as of ``start_of`` and ``Maker.space``.
        """
        space = self.maker.space(part)
        start = start_of(space, sliders, sprite)
        return {"type": start.type, "code": _packed(codes_of(space, [start])[0])}

    def draw(self, part: str, sliders: Sliders, sprite: Origin | None) -> Made:
        """What the sliders show.

        Raises:
            AssetgenError: as of ``origin_of`` and ``Maker.space``.
        """
        return self.maker.again(part, [self._origin(part, sliders, sprite)])

    def way(self, part: str, way: Way, sprites: tuple[Origin | None, Origin | None]) -> Made:
        """Pictures on the way.

        Raises:
            AssetgenError: as of ``draw``.
        """
        ends = [
            self._origin(part, sliders, sprite)
            for sliders, sprite in zip((way.first, way.second), sprites, strict=True)
        ]
        steps = between(ends[0], ends[1], way.count)
        return self.maker.again(part, [*steps, *steps[-2:0:-1]] if way.there_and_back else steps)

    def file(self, part: str, way: Way, sprites: tuple[Origin | None, Origin | None]) -> bytes:
        """The way as a file that says that a model made it: a sheet, or an animation that goes there and back."""
        back = way.format != "png"
        made = self.way(part, msgspec.structs.replace(way, there_and_back=back), sprites)
        return encoded(made.sprites, f".{way.format}", columns=way.count, scale=SCALE, pace=PACE)

    def _origin(self, part: str, sliders: Sliders, sprite: Origin | None) -> Origin:
        space = self.maker.space(part)
        return origin_of(space, sliders, sprite, _directions(space)[0])


def _directions(space: Space) -> tuple[list[Direction], str]:
    """Those that the bundle has, or why it has none."""
    try:
        return load_directions(space.bundle), ""
    except UsageError as error:
        return [], str(error)


def _packed(values: np.ndarray[Any, np.dtype[Any]]) -> str:
    return base64.b64encode(np.ascontiguousarray(values, "<f4").tobytes()).decode()
