"""Where is the lowest place for a rectangle among others? The skyline heuristic.

J. Jylänki, *A Thousand Ways to Pack the Bin* (2010), section 2.4: only the outline of what is placed is remembered,
here from above, and a rectangle goes where its far edge comes out nearest to the top, then furthest to the left.
"""

from __future__ import annotations


class Skyline:
    """The free room of an area ``width`` × ``height`` pixels, y counted downwards."""

    def __init__(self, width: int, height: int) -> None:
        self.width, self.height = width, height
        self._steps: list[tuple[int, int]] = [(0, 0)]
        """(x, y): from this x on, everything above y is taken; by x."""

    def place(self, width: int, height: int) -> tuple[int, int] | None:
        """Take the best place, and return its upper left corner; None where there is none."""
        best: tuple[int, int] | None = None
        for first, (x, _) in enumerate(self._steps):
            if x + width > self.width:
                break
            y = self._top(first, x + width)
            if y + height <= self.height and (best is None or y < best[1]):
                best = x, y
        if best is not None:
            self.take(*best, width, height)
        return best

    def take(self, x: int, y: int, width: int, height: int) -> None:
        """Mark a rectangle as taken, with everything above it; what of it lies outside is of no account."""
        left, right, bottom = x, min(x + width, self.width), y + height
        after = self._height_at(right) if right < self.width else None
        kept = [step for step in self._steps if step[0] < left or step[0] >= right]
        covered = [step for step in self._steps if left < step[0] < right]
        raised = [(left, max(bottom, self._height_at(left)))]
        raised += [(at, max(bottom, depth)) for at, depth in covered]
        if after is not None and all(at != right for at, _ in kept):
            kept.append((right, after))
        steps = sorted(kept + raised)
        self._steps = [step for n, step in enumerate(steps) if n == 0 or steps[n - 1][1] != step[1]]

    def _top(self, first: int, right: int) -> int:
        """The lowest edge that a rectangle from step ``first`` to ``right`` must clear."""
        top = 0
        for x, y in self._steps[first:]:
            if x >= right:
                break
            top = max(top, y)
        return top

    def _height_at(self, x: int) -> int:
        depth = 0
        for at, y in self._steps:
            if at > x:
                break
            depth = y
        return depth
