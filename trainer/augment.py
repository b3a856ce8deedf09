"""What may differ between two views of the same sprite?

Differentiable augmentation of real and generated sprites alike (Zhao et al. 2020, arXiv:2006.10738), on the device,
in the networks' rendering: float [n, 4, h, w] in [-1, 1], premultiplied alpha.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from trainer.draws import Draws


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
    hue: float = 0.0
    """Largest turn of the hue in degrees; beyond 10, fire becomes grass."""
    hole: float = 0.3125
    """Side of the square hole, as a share of the sprite's side."""
    hole_chance: float = 0.3
    """Probability of a hole; higher values leak into the generator."""
    backdrop: bool = False
    """True: views are RGB on a plain random colour, for a discriminator that knows no alpha; a wrong alpha shows."""

    def __call__(self, x: Tensor, draws: Draws) -> Tensor:
        """A new view of every sprite of ``x`` [n, 4, s, s]: [n, 4, s, s], or [n, 3, s, s] on a backdrop."""
        size = x.shape[-1]
        pixels = (x + 1) / 2  # 0 is transparent, so that masks multiply
        pixels = _place(pixels, *self._moves(size, x.device, draws))
        colour, alpha = pixels[:, :3], pixels[:, 3:]
        uniform = draws.uniform(3, 1, 1, 1) * 2 - 1
        weight = alpha.sum(dim=(2, 3), keepdim=True) + 1e-6
        mean = colour.sum(dim=(2, 3), keepdim=True) / weight
        centre = mean.mean(dim=1, keepdim=True) * alpha
        colour = centre + (colour - centre) * (1 + self.contrast * uniform[:, 0])
        colour = colour * (1 + self.gain * uniform[:, 1])
        if self.hue:
            colour = _turn_hue(colour, uniform[:, 2, 0, 0, 0] * math.radians(self.hue))
        colour = torch.minimum(colour.clamp_min(0), alpha)
        pixels = torch.cat([colour, alpha], dim=1) * self._holes(size, x.device, draws)
        if self.backdrop:
            pixels = pixels[:, :3] + (1 - pixels[:, 3:]) * draws.uniform(3, 1, 1)
        return pixels * 2 - 1

    def _moves(self, size: int, device: torch.device, draws: Draws) -> tuple[Tensor, Tensor]:
        """Rows and columns [n, size] to read from, after flip and translation; outside means transparent."""
        reach = round(self.shift * size)
        places = torch.arange(size, device=device)
        offsets = draws.integers(-reach, reach + 1, 2)
        flipped = draws.uniform(1) < self.flip
        rows = places + offsets[:, :1]
        columns = torch.where(flipped, size - 1 - places, places) + offsets[:, 1:]
        return rows, columns

    def _holes(self, size: int, device: torch.device, draws: Draws) -> Tensor:
        """Masks [n, 1, size, size] with one square hole each, with probability ``hole_chance``."""
        side = round(self.hole * size)
        places = torch.arange(size, device=device)
        corner = draws.integers(-side // 2, size - side // 2, 2, 1)
        inside = (places >= corner) & (places < corner + side)
        present = draws.uniform(1, 1) < self.hole_chance
        hole = inside[:, 0, :, None] & inside[:, 1, None, :] & present
        return (~hole)[:, None].float()


def _turn_hue(colour: Tensor, angle: Tensor) -> Tensor:
    """Turn RGB [n, 3, h, w] by ``angle`` [n] (radians) around the grey axis (Rodrigues' formula)."""
    cosine, sine = angle.cos()[:, None, None], angle.sin()[:, None, None]
    third = torch.full((3, 3), 1 / 3, device=colour.device)
    cross = torch.tensor([[0.0, -1.0, 1.0], [1.0, 0.0, -1.0], [-1.0, 1.0, 0.0]], device=colour.device) / math.sqrt(3)
    turn = cosine * torch.eye(3, device=colour.device) + sine * cross + (1 - cosine) * third
    return torch.einsum("nij,njhw->nihw", turn, colour)


def _place(pixels: Tensor, rows: Tensor, columns: Tensor) -> Tensor:
    """Read [n, c, size, size] at ``rows`` × ``columns`` [n, size]; outside the picture is 0."""
    n, channels, size, _ = pixels.shape
    inside = ((rows >= 0) & (rows < size))[:, :, None] & ((columns >= 0) & (columns < size))[:, None, :]
    source = rows.clamp(0, size - 1)[:, :, None] * size + columns.clamp(0, size - 1)[:, None, :]
    flat = pixels.reshape(n, channels, size * size)
    moved = flat.gather(2, source.reshape(n, 1, -1).expand(n, channels, -1))
    return moved.reshape(n, channels, size, size) * inside[:, None]
