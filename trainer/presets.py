"""Which recipes are there? A table of frozen configurations; a new recipe is one row here."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from torch import nn

from trainer.augment import Augment
from trainer.models import dcgan, relativistic


@dataclass(frozen=True, kw_only=True, slots=True)
class Preset:
    """Everything that distinguishes one way of training from another."""

    name: str
    summary: str
    """One line for ``--help``."""
    generator: Callable[[int, int, float], nn.Module]
    """(types, size, width) → generator."""
    discriminator: Callable[[int, int, float], nn.Module]
    """(types, size, width) → discriminator."""
    sizes: tuple[int, ...]
    """Canvas sizes the networks can be built for."""
    default_size: int | None
    """None: found from the sprites."""
    conditional: bool
    """Whether a type can be asked for."""
    alpha: bool
    """Whether pictures are RGBA; otherwise RGB on white."""
    loss: str
    """A key of ``trainer.losses.LOSSES``."""
    penalty_weight: float = 0.0
    """γ of R1 + R2, applied as γ/2 · ``penalty_every`` every so many steps; 0 turns it off."""
    penalty_every: int = 8
    lr: float = 2e-4
    betas: tuple[float, float] = (0.0, 0.99)
    batch: int = 64
    latent: int = 128
    epochs_sampling: bool = False
    """True: each epoch shows every sprite once; False: types are drawn by p ∝ n^``type_power``."""
    type_power: float = 0.5
    augment: Augment | None = None
    ema_half_life: float = 0.0
    """In thousands of sprites; 0: no averaging."""
    ramp: tuple[float, float] = (0.0, 0.0)
    """Conditioning grows linearly from 0 to 1 between these two points, in thousands of sprites."""
    default_minutes: float | None = None
    default_epochs: int | None = None


PRESETS: dict[str, Preset] = {
    preset.name: preset
    for preset in (
        Preset(
            name="relativistic",
            summary="typed RGBA sprites at native resolution, from random weights; 30 minutes on two CPU cores",
            generator=lambda types, size, width: relativistic.Generator(types, size, width=width),
            discriminator=lambda types, size, width: relativistic.Discriminator(types, size, width=width),
            sizes=(32, 48, 64, 96, 128),
            default_size=None,
            conditional=True,
            alpha=True,
            loss="relativistic",
            penalty_weight=1.0,
            augment=Augment(),
            ema_half_life=20.0,
            ramp=(60.0, 150.0),
            default_minutes=30.0,
        ),
        Preset(
            name="paper-dcgan",
            summary="the DCGAN of Trần Quý Nam 2023, kept exact: untyped RGB on white, 500 epochs",
            generator=lambda types, size, width: dcgan.Generator(size),
            discriminator=lambda types, size, width: dcgan.Discriminator(size),
            sizes=dcgan.SIZES,
            default_size=64,
            conditional=False,
            alpha=False,
            loss="non-saturating",
            betas=(0.5, 0.999),
            epochs_sampling=True,
            default_epochs=500,
        ),
    )
}
