"""Where do sprites lie on a sheet that doesn't say so? On a grid, or wherever something opaque is."""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from asset_gen.errors import SpriteError, UsageError
from asset_gen.images import Rgba

MAX_FIGURES = 20_000
MAX_RUNS = 2_000_000  # of visible pixels in a row
MIN_AREA = 4  # visible pixels, below which something is dust


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle on a sheet, in pixels."""

    x: int
    y: int
    width: int
    height: int

    def cut(self, sheet: Rgba) -> Rgba:
        """What lies in it: [height, width, 4]."""
        return sheet[self.y : self.y + self.height, self.x : self.x + self.width].copy()

    def inside(self, sheet: Rgba) -> bool:
        """Whether it lies on the sheet."""
        height, width = map(int, sheet.shape[:2])
        return 0 <= self.x < self.x + self.width <= width and 0 <= self.y < self.y + self.height <= height


@dataclass(frozen=True, slots=True)
class Grid:
    """Cells of one size."""

    width: int
    height: int
    padding: int = 0
    """Pixels between two cells; the same around all of them, where the sheet's size says so."""

    def boxes(self, sheet: Rgba) -> list[tuple[Box, int]]:
        """Every cell with its row, row by row.

        Raises:
            UsageError: not one cell fits on the sheet.
        """
        height, width = sheet.shape[:2]
        columns, left = _fit(width, self.width, self.padding)
        rows, top = _fit(height, self.height, self.padding)
        if not columns or not rows:
            raise UsageError(
                f"--grid {self}: the sheet has {width}×{height} pixels, too few for one cell. Give a smaller one."
            )
        return [
            (Box(left + column * (self.width + self.padding), top + row * (self.height + self.padding),
                 self.width, self.height), row)
            for row in range(rows)
            for column in range(columns)
        ]  # fmt: skip

    def __str__(self) -> str:
        return f"{self.width}x{self.height}" + (f"+{self.padding}" if self.padding else "")


def parse_grid(text: str) -> Grid:
    """``32x32`` or ``32x32+2``.

    Raises:
        UsageError: it is neither.
    """
    found = re.fullmatch(r"([1-9][0-9]{0,3})[x×]([1-9][0-9]{0,3})(?:\+([0-9]{1,3}))?", text.strip())
    if not found:
        raise UsageError(f"--grid {text!r}: write WIDTHxHEIGHT or WIDTHxHEIGHT+PADDING, for example 32x32+2.")
    return Grid(int(found[1]), int(found[2]), int(found[3] or 0))


def _fit(side: int, cell: int, padding: int) -> tuple[int, int]:
    """How many cells a side holds, and where the first one begins.

    Padding goes around the cells, too, where they fill the side exactly that way.
    """
    around = side - padding
    if padding and around > 0 and around % (cell + padding) == 0:
        return around // (cell + padding), padding
    return (side + padding) // (cell + padding), 0


def figures(sheet: Rgba, gap: int = 1) -> list[tuple[Box, int]]:
    """Every figure (pixels that touch, also over a corner) with its row, in reading order.

    Parts that at most ``gap`` transparent pixels part belong together; specks of fewer than four pixels that belong to
    nothing are dust.

    Raises:
        SpriteError: there are more figures than a sheet of sprites has.
    """
    parts = _components(sheet[..., 3] > 0)
    if len(parts) > MAX_FIGURES:
        raise SpriteError(f"{len(parts)} separate figures are more than a sheet of sprites has. Give --grid.")
    boxes = _joined(parts, gap)
    kept = [box for box in boxes if np.count_nonzero(box.cut(sheet)[..., 3]) >= MIN_AREA]
    return _in_reading_order(kept)


def border_area(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """The part of [h, w] that is connected with its border by sides, however large the picture is."""
    height, width = mask.shape
    rows, starts, ends = _runs(mask)
    roots = _roots(rows, starts, ends, height, corners=False)
    touches = (rows == 0) | (rows == height - 1) | (starts == 0) | (ends == width)
    reached = np.isin(roots, roots[touches])
    steps = np.zeros((height, width + 1), np.int8)
    steps[rows[reached], starts[reached]] = 1
    steps[rows[reached], ends[reached]] = -1
    return steps.cumsum(axis=1)[:, :width] > 0


def _components(visible: NDArray[np.bool_]) -> list[Box]:
    """Bounding boxes of the areas of [h, w] that touch, also over a corner."""
    rows, starts, ends = _runs(visible)
    roots = _roots(rows, starts, ends, visible.shape[0], corners=True)
    boxes = []
    order = np.argsort(roots, kind="stable")
    for group in np.split(order, np.flatnonzero(np.diff(roots[order])) + 1) if len(order) else []:
        x, y = int(starts[group].min()), int(rows[group].min())
        boxes.append(Box(x, y, int(ends[group].max()) - x, int(rows[group].max()) + 1 - y))
    return boxes


def _roots(
    rows: NDArray[np.int64], starts: NDArray[np.int64], ends: NDArray[np.int64], height: int, corners: bool
) -> NDArray[np.int64]:
    """For every run the number of its area: runs of neighbouring rows that overlap (or touch at a corner) are one."""
    if len(rows) > MAX_RUNS:
        raise SpriteError("the sheet is noise: far more separate pixels than a sheet of sprites has. Give --grid.")
    parent = list(range(len(rows)))

    def root(run: int) -> int:
        while parent[run] != run:
            parent[run] = parent[parent[run]]
            run = parent[run]
        return run

    reach = int(corners)  # ends are exclusive
    first = np.searchsorted(rows, np.arange(height + 1)).tolist()
    start, end = starts.tolist(), ends.tolist()
    for y in range(1, height):
        above, here = first[y - 1], first[y]
        while above < first[y] and here < first[y + 1]:
            if start[above] < end[here] + reach and start[here] < end[above] + reach:
                parent[root(here)] = root(above)
            if end[above] < end[here]:
                above += 1
            else:
                here += 1
    return np.array([root(run) for run in range(len(rows))], np.int64)


def _runs(visible: NDArray[np.bool_]) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Row, start and end (exclusive) of every run of visible pixels, row by row."""
    edges = np.diff(np.pad(visible, ((0, 0), (1, 1))).astype(np.int8), axis=1)
    rows, starts = np.nonzero(edges == 1)
    ends = np.nonzero(edges == -1)[1]
    return rows, starts, ends


def _joined(boxes: list[Box], gap: int) -> list[Box]:
    """Boxes at most ``gap`` pixels apart become one, until none are."""
    sides = np.array([[b.x, b.y, b.x + b.width, b.y + b.height] for b in boxes], np.int64).reshape(-1, 4)
    alive = np.ones(len(sides), bool)
    waiting = list(range(len(sides)))
    while waiting:
        place = waiting.pop()
        if not alive[place]:
            continue
        own = sides[place]
        near = alive & (sides[:, :2] <= own[2:] + gap).all(axis=1) & (sides[:, 2:] >= own[:2] - gap).all(axis=1)
        if near.sum() > 1:
            sides[place] = [*sides[near, :2].min(axis=0), *sides[near, 2:].max(axis=0)]
            alive[near] = False
            alive[place] = True
            waiting.append(place)  # it has grown, and may have new neighbours
    return [Box(int(x), int(y), int(right - x), int(bottom - y)) for x, y, right, bottom in sides[alive].tolist()]


def _in_reading_order(boxes: list[Box]) -> list[tuple[Box, int]]:
    """By rows, which are boxes that overlap the row's first one vertically by half of the lower of the two."""
    rows: list[list[Box]] = []
    for box in sorted(boxes, key=lambda box: (box.y, box.x)):
        for row in rows:
            shared = min(row[0].y + row[0].height, box.y + box.height) - max(row[0].y, box.y)
            if 2 * shared >= min(row[0].height, box.height):
                row.append(box)
                break
        else:
            rows.append([box])
    return [(box, number) for number, row in enumerate(rows) for box in sorted(row, key=lambda box: box.x)]
