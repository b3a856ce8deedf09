"""What may differ between two views of the same sprite?

Differentiable augmentation of real and generated sprites alike (Zhao et al. 2020, arXiv:2006.10738), on the device,
in the networks' rendering: float [n, 4, h, w] in [-1, 1], premultiplied alpha.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True, kw_only=True, slots=True)
class Augment:
    """How strongly views differ."""

    flip: float = 0.5
    """Probability of a horizontal flip."""
    shift: float = 0.125
    """Largest translation, as a share of the sprite's side."""
    contrast: float = 0.3
    """Colour contrast within 1 ± this."""
    gain: float = 0.2
    """Brightness within 1 ± this."""
    hole: float = 0.3125
    """Side of the square hole, as a share of the sprite's side."""
    hole_chance: float = 0.3
    """Probability of a hole; higher values leak into the generator."""

    def __call__(self, x: Tensor, draws: torch.Generator) -> Tensor:
        """A new view of every sprite of ``x``; ``draws`` supplies all randomness."""
        n, size = x.shape[0], x.shape[-1]
        pixels = (x + 1) / 2  # 0 is transparent, so that masks multiply
        pixels = _place(pixels, *self._moves(n, size, x.device, draws))
        colour, alpha = pixels[:, :3], pixels[:, 3:]
        uniform = torch.rand(n, 3, 1, 1, 1, device=x.device, generator=draws) * 2 - 1
        weight = alpha.sum(dim=(2, 3), keepdim=True) + 1e-6
        mean = colour.sum(dim=(2, 3), keepdim=True) / weight
        centre = mean.mean(dim=1, keepdim=True) * alpha
        colour = centre + (colour - centre) * (1 + self.contrast * uniform[:, 0])
        colour = colour * (1 + self.gain * uniform[:, 1])
        colour = torch.minimum(colour.clamp_min(0), alpha)
        pixels = torch.cat([colour, alpha], dim=1) * self._holes(n, size, x.device, draws)
        return pixels * 2 - 1

    def _moves(self, n: int, size: int, device: torch.device, draws: torch.Generator) -> tuple[Tensor, Tensor]:
        """Rows and columns [n, size] to read from, after flip and translation; outside means transparent."""
        reach = round(self.shift * size)
        places = torch.arange(size, device=device)
        offsets = torch.randint(-reach, reach + 1, (n, 2), device=device, generator=draws)
        flipped = torch.rand(n, 1, device=device, generator=draws) < self.flip
        rows = places + offsets[:, :1]
        columns = torch.where(flipped, size - 1 - places, places) + offsets[:, 1:]
        return rows, columns

    def _holes(self, n: int, size: int, device: torch.device, draws: torch.Generator) -> Tensor:
        """Masks [n, 1, size, size] with one square hole each, with probability ``hole_chance``."""
        side = round(self.hole * size)
        places = torch.arange(size, device=device)
        corner = torch.randint(-side // 2, size - side // 2, (n, 2, 1), device=device, generator=draws)
        inside = (places >= corner) & (places < corner + side)
        present = torch.rand(n, 1, 1, device=device, generator=draws) < self.hole_chance
        hole = inside[:, 0, :, None] & inside[:, 1, None, :] & present
        return (~hole)[:, None].float()


def _place(pixels: Tensor, rows: Tensor, columns: Tensor) -> Tensor:
    """Read [n, c, size, size] at ``rows`` × ``columns`` [n, size]; outside the picture is 0."""
    n, channels, size, _ = pixels.shape
    inside = ((rows >= 0) & (rows < size))[:, :, None] & ((columns >= 0) & (columns < size))[:, None, :]
    source = rows.clamp(0, size - 1)[:, :, None] * size + columns.clamp(0, size - 1)[:, None, :]
    flat = pixels.reshape(n, channels, size * size)
    moved = flat.gather(2, source.reshape(n, 1, -1).expand(n, channels, -1))
    return moved.reshape(n, channels, size, size) * inside[:, None]
