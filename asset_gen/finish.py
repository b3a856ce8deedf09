"""How are chosen sprites rendered? Alpha, palette and scale, the same for every sprite of a project."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from asset_gen import palette, pixels
from asset_gen.errors import UsageError
from asset_gen.manifest import Finish, Manifest
from asset_gen.palette_files import read_palette
from asset_gen.plan import Request


def read_palette_option(asked: str | None) -> tuple[palette.Colours | None, int]:
    """What ``--palette`` asks for: (colours of a file or None, number of colours to learn or 0).

    Raises:
        UsageError: neither a number from 2 to 256 nor a palette file.
    """
    if not asked:
        return None, 0
    if not re.fullmatch("[0-9]{1,9}", asked):
        return read_palette(Path(asked)), 0
    if not 2 <= int(asked) <= palette.MAX_COLOURS:
        raise UsageError(f"--palette {asked}: 2 to {palette.MAX_COLOURS} colours can be used.")
    return None, int(asked)


def resolve_finish(request: Request, old: Manifest | None, sample: Callable[[], NDArray[np.uint8]]) -> Finish:
    """The rendering that is asked for.

    Args:
        request: what the person asked for.
        old: what is published; colours learnt for it stay as long as the same number of them is asked for.
        sample: gives unfinished sprites [n, s, s, 4] to learn colours from.
    """
    asked = request.palette or ""
    given, learn = read_palette_option(asked)
    colours: list[str] = []
    if given is not None:
        colours = palette.to_hex(given)
    elif learn and old is not None and old.finish.palette_asked == asked:
        colours = old.finish.palette
    elif learn:
        colours = palette.to_hex(palette.learn_palette(pixels.harden(sample()), learn))
    return Finish(
        alpha=request.alpha, scale=request.scale, palette=colours, palette_asked=asked, optimize=request.optimize
    )


def finish_changes(request: Request, old: Manifest | None) -> tuple[str, ...]:
    """What a request changes in how published sprites are drawn, a word and both values each; nothing: no pixel."""
    if old is None:
        return ()
    pairs = {
        "alpha": (old.finish.alpha, request.alpha),
        "scale": (old.finish.scale, request.scale),
        "palette": (old.finish.palette_asked or "none", request.palette or "none"),
    }
    return tuple(f"{name} {was} → {now}" for name, (was, now) in pairs.items() if was != now)


def finish_sprites(sprites: NDArray[np.uint8], finish: Finish) -> NDArray[np.uint8]:
    """Unfinished [n, s, s, 4] → finished [n, s · scale, s · scale, 4], straight alpha."""
    if finish.alpha == "hard":
        sprites = pixels.harden(sprites)
    if finish.palette:
        sprites = palette.apply_palette(sprites, palette.from_hex(finish.palette))
    return pixels.enlarge(pixels.bleed(sprites), finish.scale)
