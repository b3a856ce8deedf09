"""Where does a published sprite's picture come from? The old sheet, the candidate set, or its origin."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256

import numpy as np
from msgspec.structs import replace
from numpy.typing import NDArray

from asset_gen import sheet
from asset_gen.candidates import FOLDER, CandidateReader, candidate_name
from asset_gen.errors import SpriteError
from asset_gen.finish import finish_sprites
from asset_gen.generate import Wanted, generate
from asset_gen.images import read_whole
from asset_gen.manifest import Finish, Layout, Origin
from asset_gen.networks import Networks
from asset_gen.plan import Plan
from asset_gen.publish import Place


class Pictures:
    """Reads pictures in the cheapest way that gives exactly the published pixels."""

    def __init__(self, networks: Networks, plan: Plan, place: Place, layout: Layout) -> None:
        self.networks, self.plan, self.place, self.layout = networks, plan, place, layout
        runs = dict.fromkeys((plan.run, *plan.spares.runs))
        self.candidates = [CandidateReader(place.out / FOLDER / run) for run in runs]

    def finished(self, kind: str, slots: Sequence[tuple[int, Origin]], finish: Finish) -> list[NDArray[np.uint8]]:
        """The pictures of a type's (slot, origin) pairs, each uint8 [h, w, 4]."""
        found = self._cut_out(kind, {slot for slot, _ in slots}, finish)
        missing = [key for key in slots if key not in found]
        if missing:
            native = self.native(kind, [origin for _, origin in missing])
            found |= dict(zip(missing, finish_sprites(native, finish), strict=True))
        return [found[key] for key in slots]

    def native(self, kind: str, origins: Sequence[Origin]) -> NDArray[np.uint8]:
        """Unfinished sprites [n, s, s, 4] of a type."""
        info = self.networks.info
        found: dict[Origin, NDArray[np.uint8]] = {}
        for origin in origins:
            for candidates in self.candidates:
                try:
                    sprite = candidates.sprite(kind, candidate_name(kind, origin.index))
                except (SpriteError, OSError):
                    continue  # the candidate set is gone or incomplete; the origin is enough
                if sprite.shape == (info.size, info.size, 4):
                    found[origin] = sprite
                    break
        explored = [origin for origin in origins if origin not in found and origin.operation]
        if explored:
            from asset_gen.explore.origins import draw

            found |= dict(zip(explored, draw(self.networks.space, explored), strict=True))
        again = [origin for origin in origins if origin not in found]
        wanted = Wanted(
            np.full(len(again), info.types.index(kind), np.int64),
            np.array([origin.index for origin in again], np.int64),
        )
        for drawn in generate(self.networks.generator, info, self.plan.choice.seed, wanted):
            found |= dict(zip(again[drawn.rows], drawn.sprites, strict=True))
        return np.stack([found[origin] for origin in origins])

    def _cut_out(self, kind: str, slots: set[int], finish: Finish) -> dict[tuple[int, Origin], NDArray[np.uint8]]:
        """What published sheets hold of these slots, where they are untouched and were finished alike."""
        old = self.plan.old
        alike = old is not None and replace(old.finish, optimize=finish.optimize) == finish  # which changes no pixel
        cell = self.networks.info.size * finish.scale
        pieces: dict[tuple[int, Origin], NDArray[np.uint8]] = {}
        for record in self.plan.old_sheets(kind):
            wanted = [sprite for sprite in record.sprites if sprite.type == kind and sprite.slot in slots]
            if not wanted:
                continue
            try:
                picture = read_whole(self.place.out / record.image)
            except SpriteError:
                continue  # it is missing, or no picture any more
            untouched = sha256(picture.tobytes()).hexdigest() == record.pixels_sha256
            untouched &= (picture.shape[1], picture.shape[0], *record.cell) == (*record.size, cell, cell)
            if old is not None and old.layout.trim and not self.layout.trim:
                continue  # the colour that bled into transparent pixels was trimmed off
            if untouched and alike:
                for sprite in wanted:
                    if (kind, sprite.slot) in self.plan.only:
                        continue  # it shall be made again
                    piece = sheet.cut(picture, *sprite.rect)
                    if sprite.source is not None:
                        piece = untrimmed(piece, *sprite.offset, cell)
                    pieces[sprite.slot, sprite.origin] = piece
        return pieces


def untrimmed(piece: NDArray[np.uint8], left: int, top: int, cell: int) -> NDArray[np.uint8]:
    """The whole sprite [cell, cell, 4] that ``piece`` was trimmed from; what was trimmed off is transparent."""
    whole = np.zeros((cell, cell, 4), np.uint8)
    whole[top : top + piece.shape[0], left : left + piece.shape[1]] = piece
    return whole
