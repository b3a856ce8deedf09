"""On which sheets do sprites lie, and where? No sprite that is published ever moves.

On a grid a slot's place follows from the number of columns, which is fixed when the type is first published. Packed
sprites keep the rectangles that the manifest lists, and new ones are put below them. What doesn't fit on one sheet
goes on to the next.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import count
from pathlib import PurePosixPath

import msgspec

from asset_gen.errors import UsageError
from asset_gen.manifest import Layout, SheetRecord
from asset_gen.sheet import Region, Sheet, Target
from asset_gen.skyline import Skyline

USUAL = Layout()
SHARED = "all"
"""Stem of the sheets on which several types lie; a type of this name has a folder of its own."""
IMAGES = {"type": "<type>/<type>.png", "all": f"{SHARED}.png", "strip": "<type>/spr_<type>_strip<N>.png"}
"""Where each arrangement puts its sheets, for people."""
FILLED = 0.95
"""Share of a sheet that packed sprites are expected to fill, when its width is chosen."""


@dataclass(frozen=True, slots=True)
class Item:
    """A sprite to be packed."""

    type: str
    slot: int
    score: float
    box: tuple[int, int, int, int]
    """x, y, width, height of what is left of it, in pixels inside the whole sprite."""
    digest: bytes
    """Of these pixels: equal ones share a rectangle."""


def fit_layout(asked: Layout, targets: Sequence[Target]) -> Layout:
    """What all targets can read.

    Raises:
        UsageError: they can't be served by the same sheets, or what is asked for isn't possible on them.
    """
    strips = [target.name for target in targets if target.strip]
    if strips and len(strips) < len(targets):
        raise UsageError(
            f"--target {strips[0]}: wants every type in one row, and other engines don't. Run it alone, with an --out "
            f"of its own."
        )
    largest = min([asked.max_side, *(target.max_side for target in targets)])
    if strips:
        if asked.packed or asked.power_of_two or asked.extrude:
            raise UsageError(
                f"--target {strips[0]}: cuts strips into equal parts without gaps. Leave out --trim, --combined, "
                f"--extrude and --power-of-two."
            )
        largest = max(largest, min(target.max_side for target in targets))
        return msgspec.structs.replace(asked, sheets="strip", padding=0, max_side=largest)
    largest //= max(asked.variants, default=1)
    if asked.power_of_two:
        largest = 1 << (largest.bit_length() - 1)
    return msgspec.structs.replace(asked, max_side=largest)


def largest_sprite(layout: Layout) -> int:
    """Pixels a side of the largest sprite that fits on a sheet."""
    return layout.max_side - 2 * (layout.padding + layout.extrude)


def columns_for(number: int, cell: int, layout: Layout = USUAL) -> int:
    """Columns of a new sheet: as square as ``number`` cells allow."""
    columns = max(1, min(math.ceil(math.sqrt(number)), _fitting(cell, layout)))
    if layout.power_of_two:
        columns = (_power_of_two(_extent(columns, cell, layout)) - layout.padding) // _pitch(cell, layout)
    return columns


def lay_out(
    kind: str,
    label: str,
    slots: Sequence[tuple[int, float]],
    cell: int,
    columns: int,
    layout: Layout = USUAL,
) -> list[Sheet]:
    """Sheets for a type's (slot, score) pairs on grids, in slot order; ``cell`` is a sprite's side in pixels."""
    pitch, edge = _pitch(cell, layout), layout.padding + layout.extrude
    columns = min(columns, _fitting(cell, layout))  # a larger scale may need fewer columns than were published
    capacity = columns * _fitting(cell, layout)
    sheets: dict[int, list[Region]] = {}
    for slot, score in slots:
        number, place = divmod(slot, capacity)
        row, column = divmod(place, columns)
        x, y = edge + column * pitch, edge + row * pitch
        sheets.setdefault(number, []).append(Region(_name(kind, slot), slot, x, y, cell, cell, score, kind))
    return [
        Sheet(
            type=kind,
            label=label,
            image=_image(kind, number),
            width=_side(_extent(columns, cell, layout), layout),
            height=_side(max(region.y for region in regions) - edge + pitch + layout.padding, layout),
            cell=(cell, cell),
            columns=columns,
            regions=tuple(regions),
            margin=edge,
            spacing=edge + layout.extrude,
        )
        for number, regions in sheets.items()
    ]


def strips(kind: str, label: str, slots: Sequence[tuple[int, float]], cell: int, layout: Layout) -> list[Sheet]:
    """Sheets of one row without gaps, named as GameMaker wants: it cuts ``spr_dragon_strip8.png`` into eight."""
    length = layout.max_side // cell
    sheets = []
    for number, start in enumerate(range(0, len(slots), length)):
        row = slots[start : start + length]
        regions = tuple(
            Region(_name(kind, slot), slot, place * cell, 0, cell, cell, score, kind)
            for place, (slot, score) in enumerate(row)
        )
        name = f"spr_{kind}" if number == 0 else f"spr_{kind}_{number + 1}"
        image = f"{kind}/{name}_strip{len(row)}.png"
        size = len(row) * cell, cell
        sheets.append(Sheet(kind, label, image, *size, (cell, cell), len(row), regions, margin=0, spacing=0))
    return sheets


def pack(
    kind: str, label: str, items: Sequence[Item], cell: int, layout: Layout, held: Sequence[SheetRecord] = ()
) -> list[Sheet]:
    """Sheets on which sprites of different sizes lie as they fit.

    Args:
        kind: the type, or "" for sheets that types share.
        label: the type as its artist wrote it.
        items: what shall lie on them; equal pixels lie there once.
        cell: side of a whole sprite in pixels.
        layout: gaps and limits.
        held: published sheets of the same layout; what they hold stays where it is.
    """
    packer = _Packer(kind, layout, items)
    packer.hold(held, items)
    left = [item for item in items if (item.type, item.slot) not in packer.places]
    for item in sorted(left, key=lambda item: (-item.box[3], -item.box[2], item.type, item.slot)):
        packer.add(item)
    return packer.sheets(label, items, cell)


class _Packer:
    """Sheets being filled."""

    def __init__(self, kind: str, layout: Layout, items: Iterable[Item]) -> None:
        self.kind, self.layout = kind, layout
        self.gap = layout.padding + 2 * layout.extrude
        """Pixels that every sprite takes beyond its own, to the right and below."""
        area = sum((item.box[2] + self.gap) * (item.box[3] + self.gap) for item in items)
        widest = max((item.box[2] for item in items), default=1) + self.gap
        self.width = min(
            _side(max(math.ceil(math.sqrt(area / FILLED)), widest) + layout.padding, layout), layout.max_side
        )
        self.skylines: list[Skyline] = []
        self.images: list[str] = []
        self.places: dict[tuple[str, int], tuple[int, int, int]] = {}
        """(type, slot) → number of the sheet, x and y of the rectangle."""
        self.owners: dict[tuple[int, int, int], bytes] = {}
        """Rectangle → digest of what lies there."""
        self.twins: dict[bytes, tuple[int, int, int]] = {}
        """Digest → where these pixels lie."""

    def hold(self, held: Sequence[SheetRecord], items: Iterable[Item]) -> None:
        """Leave what is published where it is, as long as it has the same size."""
        wanted = {(item.type, item.slot): item for item in items}
        edge = self.layout.padding + self.layout.extrude
        for number, record in enumerate(held):
            self._new_sheet(record.size[0], record.image)
            for sprite in record.sprites:
                item = wanted.get((sprite.type, sprite.slot))
                x, y, *size = sprite.rect
                place = number, x, y
                if item is None or tuple(size) != item.box[2:] or self.owners.get(place, item.digest) != item.digest:
                    continue
                self._settle(item, place)
                self.skylines[number].take(x - edge, y - edge, size[0] + self.gap, size[1] + self.gap)

    def add(self, item: Item) -> None:
        """Put a sprite on the first sheet that has room for it, or where its equal lies."""
        place = self.twins.get(item.digest)
        for number in range(len(self.skylines) + 1):
            if place is not None:
                break
            if number == len(self.skylines):
                self._new_sheet(self.width, self._free_image())
            spot = self.skylines[number].place(item.box[2] + self.gap, item.box[3] + self.gap)
            if spot is not None:
                edge = self.layout.padding + self.layout.extrude
                place = number, spot[0] + edge, spot[1] + edge
        assert place is not None  # a sprite fits on an empty sheet: that was checked before any work
        self._settle(item, place)

    def sheets(self, label: str, items: Iterable[Item], cell: int) -> list[Sheet]:
        """What has been filled."""
        regions: list[list[Region]] = [[] for _ in self.skylines]
        for item in sorted(items, key=lambda item: (item.type, item.slot)):
            number, x, y = self.places[item.type, item.slot]
            left, top, width, height = item.box
            trimmed = (width, height) != (cell, cell)
            region = Region(_name(item.type, item.slot), item.slot, x, y, width, height, item.score, item.type)
            if trimmed:
                region = replace(region, offset=(left, top), source=(cell, cell))
            regions[number].append(region)
        edge = self.layout.padding + self.layout.extrude
        return [
            Sheet(
                type=self.kind,
                label=label,
                image=self.images[number],
                width=self.skylines[number].width + self.layout.padding,
                height=_side(max(region.y + region.height for region in own) + edge, self.layout),
                cell=(cell, cell),
                columns=0,
                regions=tuple(own),
                margin=edge,
                spacing=self.gap,
            )
            for number, own in enumerate(regions)
            if own
        ]

    def _new_sheet(self, width: int, image: str) -> None:
        padding = self.layout.padding
        self.skylines.append(Skyline(width - padding, self.layout.max_side - padding))
        self.images.append(image)

    def _free_image(self) -> str:
        return next(image for number in count() if (image := _image(self.kind, number)) not in self.images)

    def _settle(self, item: Item, place: tuple[int, int, int]) -> None:
        self.places[item.type, item.slot] = place
        self.owners[place] = item.digest
        self.twins.setdefault(item.digest, place)


def sheet_of(record: SheetRecord, label: str, layout: Layout) -> Sheet:
    """The sheet that a manifest describes."""
    gaps = 0 if layout.sheets == "strip" else 1
    return Sheet(
        type=record.type,
        label=label,
        image=record.image,
        width=record.size[0],
        height=record.size[1],
        cell=record.cell,
        columns=record.columns,
        regions=tuple(
            Region(sprite.name, sprite.slot, *sprite.rect, sprite.score, sprite.type, sprite.offset, sprite.source)
            for sprite in record.sprites
        ),
        margin=gaps * (layout.padding + layout.extrude),
        spacing=gaps * (layout.padding + 2 * layout.extrude),
    )


def enlarged(sheet: Sheet, factor: int) -> Sheet:
    """A sheet's variant ``dragon@2x.png``: everything ``factor`` times larger."""
    path = PurePosixPath(sheet.image)
    regions = tuple(
        replace(
            region,
            x=region.x * factor,
            y=region.y * factor,
            width=region.width * factor,
            height=region.height * factor,
            offset=(region.offset[0] * factor, region.offset[1] * factor),
            source=region.source and (region.source[0] * factor, region.source[1] * factor),
        )
        for region in sheet.regions
    )
    return replace(
        sheet,
        image=str(path.with_name(f"{path.stem}@{factor}x{path.suffix}")),
        width=sheet.width * factor,
        height=sheet.height * factor,
        cell=(sheet.cell[0] * factor, sheet.cell[1] * factor),
        regions=regions,
        margin=sheet.margin * factor,
        spacing=sheet.spacing * factor,
        scale=factor,
    )


def _name(kind: str, slot: int) -> str:
    return f"{kind}_{slot:06d}"


def _image(kind: str, number: int) -> str:
    stem = kind or SHARED
    file = f"{stem}.png" if number == 0 else f"{stem}_{number + 1}.png"
    return f"{kind}/{file}" if kind else file


def _pitch(cell: int, layout: Layout) -> int:
    return cell + 2 * layout.extrude + layout.padding


def _extent(columns: int, cell: int, layout: Layout) -> int:
    """Side in pixels of so many cells with the gaps around them."""
    return layout.padding + columns * _pitch(cell, layout)


def _fitting(cell: int, layout: Layout) -> int:
    """How many cells fit on a sheet's side."""
    return (layout.max_side - layout.padding) // _pitch(cell, layout)


def _side(pixels: int, layout: Layout) -> int:
    return _power_of_two(pixels) if layout.power_of_two else pixels


def _power_of_two(pixels: int) -> int:
    return 1 << (pixels - 1).bit_length()
