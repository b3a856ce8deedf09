"""Which recipes are there? A table of frozen configurations; a new recipe is one row here."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields, replace
from typing import Any

from torch import nn

from asset_gen.errors import UsageError
from asset_gen.names import nearest
from trainer.augment import Augment
from trainer.models import dcgan, projected, relativistic


@dataclass(frozen=True, kw_only=True, slots=True)
class Preset:
    """Everything that distinguishes one way of training from another."""

    name: str
    summary: str
    """One line for ``--help``."""
    generator: Callable[[int, int, float], nn.Module]
    """(types, size, width) → generator."""
    discriminator: Callable[[int, int, float, Preset], nn.Module]
    """(types, size, width, the preset with its changes) → discriminator."""
    sizes: tuple[int, ...]
    """Canvas sizes the networks can be built for."""
    default_size: int | None
    """None: found from the sprites."""
    conditional: bool
    """Whether a type can be asked for."""
    alpha: bool
    """Whether pictures are RGBA; otherwise RGB on white."""
    losses: tuple[str, ...]
    """Keys of ``trainer.losses.LOSSES`` that make sense with its discriminator, its own first."""
    gamma: float | None = None
    """Weight of the loss's penalty; None: the loss's own. 0 turns it off."""
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
    ramp_start: float = 0.0
    """Conditioning is off until here, in thousands of sprites …"""
    ramp_full: float = 0.0
    """… and grows linearly to its whole weight here; 0: whole from the start."""
    shown_side: int = 224
    """``projected``: what the frozen network is shown, in pixels."""
    compares: bool = False
    """Whether its discriminator looks at the sprites of a batch side by side, so that no logit is of one sprite."""
    outside: tuple[str, ...] = ()
    """Networks trained by others that it learns from: keys of ``trainer.pretrained.WEIGHTS``."""
    default_minutes: float | None = None
    default_epochs: int | None = None


_ALL_LOSSES = ("relativistic", "hinge", "non-saturating", "minimax", "wgan-gp", "dragan")

PRESETS: dict[str, Preset] = {
    preset.name: preset
    for preset in (
        Preset(
            name="relativistic",
            summary="typed RGBA sprites at native resolution, from your sprites alone",
            generator=relativistic.generator,
            discriminator=lambda types, size, width, preset: relativistic.Discriminator(types, size, width),
            sizes=(32, 48, 64, 96, 128),
            default_size=None,
            conditional=True,
            alpha=True,
            compares=True,
            losses=_ALL_LOSSES,
            augment=Augment(),
            ema_half_life=20.0,
            ramp_start=60.0,
            ramp_full=150.0,
            default_minutes=30.0,
        ),
        Preset(
            name="projected",
            summary="typed RGBA sprites, learnt against a network trained on ImageNet (extra pretrained)",
            generator=projected.generator,
            discriminator=lambda types, size, width, preset: projected.Discriminator(types, size, preset.shown_side),
            sizes=(32, 48, 64, 96, 128),
            default_size=None,
            conditional=True,
            alpha=True,
            losses=("hinge", "non-saturating", "minimax"),
            augment=Augment(contrast=0.2, hue=10.0, backdrop=True),
            ema_half_life=20.0,
            ramp_start=300.0,
            ramp_full=800.0,
            outside=("lite0",),
            default_minutes=30.0,
        ),
        Preset(
            name="paper-dcgan",
            summary="the DCGAN of Trần Quý Nam 2023, kept exact: untyped RGB on white, 500 epochs",
            generator=lambda types, size, width: dcgan.Generator(size),
            discriminator=lambda types, size, width, preset: dcgan.Discriminator(size),
            sizes=dcgan.SIZES,
            default_size=64,
            conditional=False,
            alpha=False,
            losses=("non-saturating", "minimax", "hinge", "dragan"),
            betas=(0.5, 0.999),
            epochs_sampling=True,
            default_epochs=500,
        ),
    )
}

_NUMBERS = ("gamma", "lr", "type_power", "ema_half_life", "ramp_start", "ramp_full", "shown_side")
_AUGMENTS = tuple(field.name for field in fields(Augment) if field.name != "backdrop")


def changeable(preset: Preset) -> dict[str, float | None]:
    """The numbers of a recipe that ``--set`` can change, with their values; ``augment.hue`` and the like included."""
    numbers: dict[str, float | None] = {name: getattr(preset, name) for name in _NUMBERS}
    if preset.augment:
        numbers |= {f"augment.{name}": getattr(preset.augment, name) for name in _AUGMENTS}
    return numbers


def with_changes(preset: Preset, changes: Mapping[str, float]) -> Preset:
    """The preset with some of its numbers changed.

    Raises:
        UsageError: there is no such number, or it must not be negative.
    """
    known = changeable(preset)
    for name, value in changes.items():
        if name not in known:
            raise UsageError(
                f"--set {name}: {preset.name} has no such number; it has {', '.join(known)}.{nearest(name, known)}"
            )
        if not 0 <= value < float("inf"):
            raise UsageError(f"--set {name}={value:g}: must be a number from 0 up.")
        kind, _, part = name.partition(".")
        if part and preset.augment:
            changed: dict[str, Any] = {part: value}
            preset = replace(preset, augment=replace(preset.augment, **changed))
        else:
            changed = {kind: int(value) if name == "shown_side" else value}
            preset = replace(preset, **changed)
    return preset
