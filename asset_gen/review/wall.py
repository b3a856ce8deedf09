"""What does a page have to know of all sprites, and of one? The same for the server and for the twin on disk."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from asset_gen.contact_sheet import OWN_SCORES
from asset_gen.review.gallery import Gallery, Shown

COLOURS = 32
"""Of a palette that are named, the most frequent first."""
USUAL_SIDE = 32


def wall(gallery: Gallery) -> dict[str, Any]:
    """All sprites: what the grid sorts, filters and draws."""
    shown = list(gallery.shown.values())
    types = sorted({one.entry.origin.type for one in shown})
    parts = sorted({one.entry.part for one in shown})
    scores = _scores(shown)
    return {
        "version": gallery.version,
        "project": gallery.project.name,
        "side": _side(gallery, shown),
        "types": types,
        "sets": parts,
        "scores": list(scores.values()),
        "sprites": [_row(one, types, parts, list(scores)) for one in shown],
        "problems": gallery.problems,
    }


def changes(shown: Iterable[Shown]) -> list[list[Any]]:
    """What a decision changes of sprites: [id, state, reason, rating]."""
    return [[one.id, one.entry.state, one.entry.reason, one.rating] for one in shown]


def about(gallery: Gallery, one: Shown) -> dict[str, Any]:
    """All that is known of one sprite."""
    entry, origin = one.entry, one.entry.origin
    pixels = gallery.pictures.pixels(entry)
    figures = {"p_type": entry.p_type, "entropy": entry.entropy, **entry.scores}
    return {
        "id": one.id,
        "name": entry.name,
        "slot": entry.slot,
        "state": entry.state,
        "reason": entry.reason,
        "verdict": entry.verdict,
        "rating": one.rating,
        "set": entry.part,
        "run": entry.run,
        "scores": [[_label(name), value] for name, value in figures.items()],
        "nearest": [[near.name, near.distance] for near in gallery.pictures.nearest(entry)],
        "origin": msgspec.to_builtins(origin),
        "size": None if pixels is None else [pixels.shape[1], pixels.shape[0]],
        "palette": [] if pixels is None else _palette(pixels),
        "decisions": [
            {
                "who": line.who,
                "when": line.when.isoformat(),
                "action": line.action,
                "value": line.value,
                "why": line.why,
            }
            for line in gallery.told(origin)
        ],
    }


def _row(one: Shown, types: Sequence[str], parts: Sequence[str], scores: Sequence[str]) -> list[Any]:
    """[id, name, slot, type, set, state, reason, rating, scores]; type and set by their place in the lists."""
    entry = one.entry
    figures = [_figure(entry.p_type), _figure(entry.entropy), *(_figure(entry.scores.get(name)) for name in scores[2:])]
    place = types.index(entry.origin.type), parts.index(entry.part)
    return [one.id, entry.name, entry.slot, *place, entry.state, entry.reason, one.rating, figures]


def _scores(shown: Sequence[Shown]) -> dict[str, dict[str, Any]]:
    """Name → name, label, and the least and the greatest that a sprite has of it."""
    names = dict.fromkeys([*OWN_SCORES, *(name for one in shown for name in one.entry.scores)])
    found = {}
    for name in names:
        values = [value for one in shown if (value := _score(one, name)) is not None]
        ends = {"low": _figure(min(values)), "high": _figure(max(values))} if values else {"low": None, "high": None}
        found[name] = {"name": name, "label": _label(name), **ends}
    return found


def _score(one: Shown, name: str) -> float | None:
    entry = one.entry
    return {"p_type": entry.p_type, "entropy": entry.entropy}.get(name, entry.scores.get(name))


def _label(name: str) -> str:
    return OWN_SCORES.get(name, name.replace("_", " "))


def _figure(value: float | None) -> float | None:
    return None if value is None else float(f"{value:.4g}")


def _side(gallery: Gallery, shown: Sequence[Shown]) -> int:
    """Of a sprite in pixels."""
    for one in [one for one in shown if one.entry.run][:3] or shown[:3]:
        if (pixels := gallery.pictures.pixels(one.entry)) is not None:
            return int(max(pixels.shape[:2]))
    return USUAL_SIDE


def _palette(pixels: NDArray[np.uint8]) -> list[list[Any]]:
    """[colour, share of the visible pixels], the most frequent first."""
    visible = pixels[pixels[..., 3] > 0][:, :3]
    if not len(visible):
        return []
    colours, counts = np.unique(visible, axis=0, return_counts=True)
    order = np.argsort(-counts, kind="stable")[:COLOURS]
    return [
        [f"#{red:02x}{green:02x}{blue:02x}", round(float(counts[place] / len(visible)), 4)]
        for place in order
        for red, green, blue in [colours[place].tolist()]
    ]
