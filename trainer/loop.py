"""One training step after another, exactly repeatable.

Every random draw of step t comes from generators seeded by (seed, t): there is no state of a random generator to
keep, and a run that was stopped and resumed draws what an undisturbed one would have drawn.
"""

from __future__ import annotations

import copy
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor, nn

from asset_gen import pixels
from asset_gen.errors import UsageError
from trainer.checkpoint import Checkpoint, optimiser_tensors, restore_optimiser
from trainer.dataset import Dataset
from trainer.distributed import ALONE, Group
from trainer.draws import Draws, seeded
from trainer.losses import LOSSES
from trainer.models.dcgan import with_alpha
from trainer.presets import PRESETS, Preset, with_changes

Figures = dict[str, Tensor]
"""``loss_d``, ``loss_g``, and the means of σ(D(x)) and σ(D(G(z))) as ``d_real`` and ``d_fake``: scalars on the device,
so that a GPU needn't wait for the CPU to read them."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Settings:
    """What a person may choose about a run, beside its preset."""

    seed: int = 0
    batch: int | None = None
    """Sprites a step, over all processes; None: the preset's."""
    width: float = 1.0
    """Multiplies the channels of the networks, where the preset allows."""
    precision: str = "float32"
    """``bfloat16`` runs convolutions in half the bits where the processor gains from it."""
    loss: str | None = None
    """A key of ``trainer.losses.LOSSES``; None: the preset's."""
    critic_steps: int = 1
    """k of Goodfellow et al. 2014, algorithm 1: updates of the discriminator for each of the generator."""
    changes: dict[str, float] = field(default_factory=dict)
    """Numbers of the preset that ``--set`` changes."""
    generator: str | None = None
    """The preset whose generator is trained, where that is another's (``--from``)."""
    finetuned: bool = False
    """Whether the networks start from a trained model: types count at once, the average forgets slower."""


def resolve(preset: str, settings: Settings) -> Preset:
    """The recipe as it will be followed.

    Raises:
        UsageError: a change names no number of the preset, or the loss doesn't suit it.
    """
    resolved = with_changes(PRESETS[preset], settings.changes)
    if settings.loss and settings.loss not in resolved.losses:
        raise UsageError(
            f"--loss {settings.loss}: doesn't suit the discriminator of {preset}. "
            f"It takes {', '.join(resolved.losses)}."
        )
    if "gamma" in settings.changes and LOSSES[settings.loss or resolved.losses[0]].penalty is None:
        raise UsageError(f"--set gamma: the loss {settings.loss or resolved.losses[0]} has no penalty. Leave it out.")
    return resolved


def new_generator(preset: str, settings: Settings, types: int, size: int) -> nn.Module:
    """The generator of a run, untrained."""
    return PRESETS[settings.generator or preset].generator(types, size, settings.width)


def network_pictures(dataset: Dataset, alpha: bool) -> Tensor:
    """The set as uint8 [n, channels, size, size]: premultiplied RGBA, or RGB on white without ``alpha``."""
    if not alpha:
        return torch.from_numpy(pixels.on_white(dataset.sprites).transpose(0, 3, 1, 2).copy())
    premultiplied = (pixels.to_network(dataset.sprites) + 1) * 127.5
    return torch.from_numpy(np.rint(premultiplied).astype(np.uint8))


class Training:
    """The networks, their optimisers, and the step that moves them."""

    def __init__(
        self,
        preset: Preset,
        dataset: Dataset,
        settings: Settings,
        device: torch.device,
        group: Group = ALONE,
        compiled: bool = False,
    ) -> None:
        """``preset`` is resolved; ``compiled`` runs networks through torch.compile, where second derivatives allow."""
        self.preset, self.settings, self.device, self.group = preset, settings, device, group
        self.batch = settings.batch or preset.batch
        self.step = 0
        self.seconds = 0.0
        self.rollbacks = 0
        self.pictures = network_pictures(dataset, preset.alpha).to(device)
        self.labels = torch.from_numpy(dataset.labels).to(device)
        counts = np.bincount(dataset.first_types, minlength=len(dataset.types)).astype(float)
        chance = counts[dataset.first_types] ** (preset.type_power - 1)
        self.chance = chance / chance.sum()
        torch.manual_seed(settings.seed)
        types = len(dataset.types)
        self.names = tuple(dataset.types.values()) if preset.conditional else ()
        fast = device.type == "cuda" or settings.precision == "float32"  # on a CPU, bfloat16 is faster without
        layout = torch.channels_last if fast else torch.contiguous_format
        self.generator = new_generator(preset.name, settings, types, dataset.size).to(device)
        self.discriminator = preset.discriminator(types, dataset.size, settings.width, preset).to(device)
        for network in (self.generator, self.discriminator):
            network.to(memory_format=layout)  # type: ignore[call-overload]
        self.average = copy.deepcopy(self.generator).requires_grad_(False)
        self.optimisers = {
            name: torch.optim.Adam(
                [parameter for parameter in network.parameters() if parameter.requires_grad],
                lr=preset.lr,
                betas=preset.betas,
                fused=device.type == "cuda",
            )
            for name, network in (("generator", self.generator), ("discriminator", self.discriminator))
        }
        self.loss = LOSSES[settings.loss or preset.losses[0]]
        self.gamma = self.loss.weight if preset.gamma is None else preset.gamma
        self.run_generator = torch.compile(self.generator) if compiled else self.generator
        self.run_discriminator = torch.compile(self.discriminator) if compiled else self.discriminator

    @property
    def minibatches(self) -> int:
        """Batches of real sprites that the discriminator has seen."""
        return self.step * self.settings.critic_steps

    @property
    def sprites_seen(self) -> int:
        """Training sprites drawn so far; a thousand of them are a kimg."""
        if self.preset.epochs_sampling:
            epoch, place = divmod(self.minibatches, self.batches_per_epoch)
            return epoch * len(self.pictures) + place * self.batch
        return self.minibatches * self.batch

    @property
    def batches_per_epoch(self) -> int:
        """Batches in which as many sprites are drawn as the set holds."""
        return -(-len(self.pictures) // self.batch)

    @property
    def drawing(self) -> nn.Module:
        """The generator to draw with: the moving average where the preset keeps one."""
        return self.average if self.preset.ema_half_life else self.generator

    def sample_rows(self, turn: int = 0) -> Tensor:
        """Which sprites the discriminator sees in its ``turn`` of this step: [batch], or fewer as an epoch ends."""
        number = self.minibatches + turn
        if self.preset.epochs_sampling:
            epoch, place = divmod(number, self.batches_per_epoch)
            order = np.random.default_rng([self.settings.seed, epoch]).permutation(len(self.pictures))
            rows = torch.from_numpy(order[place * self.batch : (place + 1) * self.batch])
            least = 2 * self.group.world  # batch statistics need two, and each process its share
            return rows if len(rows) >= least else torch.from_numpy(order[-least:])
        chance = np.random.default_rng([self.settings.seed, number])
        return torch.from_numpy(chance.choice(len(self.pictures), self.batch, p=self.chance))

    def draws(self, purpose: object, batch: int) -> Draws:
        """Randomness that belongs to (seed, step, purpose); after a roll-back to the same step, to another try."""
        return Draws(seeded(self.device, self.settings.seed, self.step, purpose, self.rollbacks), batch, self.group)

    def advance(self) -> Figures:
        """k updates of the discriminator, then one of the generator. Figures are those before the last updates."""
        begun = time.monotonic()
        self._set_ramp()
        figures: Figures = {}
        for turn in range(self.settings.critic_steps):
            rows = self.sample_rows(turn)
            draws = self.draws(turn, len(rows))
            places = self.group.rows_of(rows).to(self.device)
            real, label = self.pictures[places].float() / 127.5 - 1, self.labels[places]
            figures |= self._move_discriminator(real, label, draws)
        figures |= self._move_generator(real, label, draws)
        self.group.average(figures.values())
        self.step += 1
        self._move_average()
        self.seconds += time.monotonic() - begun
        return figures

    def _move_discriminator(self, real: Tensor, label: Tensor, draws: Draws) -> Figures:
        with self._autocast(), torch.no_grad():
            fake = self.run_generator(self._latents(draws), label).float()
        real, fake = self._views(real, draws), self._views(fake, draws)
        with self._autocast():
            d_real, d_fake = self.run_discriminator(real, label), self.run_discriminator(fake, label)
        loss = self.loss.discriminator(d_real, d_fake)
        self._update("discriminator", loss + self._penalty(real, fake, label, draws), draws)
        return {
            "loss_d": loss.detach(),
            "d_real": torch.sigmoid(d_real.detach()).mean(),
            "d_fake": torch.sigmoid(d_fake.detach()).mean(),
        }

    def _penalty(self, real: Tensor, fake: Tensor, label: Tensor, draws: Draws) -> Tensor:
        """What the loss adds for steep discriminators; second derivatives want full precision, and no compiler."""
        if self.loss.penalty is None or not self.gamma or self.step % self.loss.every:
            return torch.zeros((), device=self.device)

        def critic(pictures: Tensor) -> Tensor:
            logits: Tensor = self.discriminator(pictures, label.repeat(len(pictures) // len(label), 1))
            return logits

        return self.gamma * self.loss.every * self.loss.penalty(critic, real, fake, draws)

    def _move_generator(self, real: Tensor, label: Tensor, draws: Draws) -> Figures:
        with self._frozen_discriminator(), self._autocast():
            fake = self.run_generator(self._latents(draws), label).float()
            d_fake = self.run_discriminator(self._views(fake, draws), label)
            d_real = d_fake
            if self.loss.paired:
                with torch.no_grad():
                    d_real = self.run_discriminator(self._views(real, draws), label)
            loss = self.loss.generator(d_real, d_fake)
            self._update("generator", loss, draws)
        return {"loss_g": loss.detach()}

    @contextmanager
    def _frozen_discriminator(self) -> Iterator[None]:
        self.discriminator.requires_grad_(False)
        try:
            yield
        finally:
            self.discriminator.requires_grad_(True)

    def _update(self, name: str, loss: Tensor, draws: Draws) -> None:
        optimiser = self.optimisers[name]
        optimiser.zero_grad(set_to_none=True)
        rows = len(self.group.rows_of(torch.arange(draws.batch)))
        (loss * self.group.weight(rows, draws.batch)).backward()  # type: ignore[no-untyped-call]
        self.group.average(parameter.grad for parameter in getattr(self, name).parameters())
        optimiser.step()

    def _latents(self, draws: Draws) -> Tensor:
        return draws.normal(self.preset.latent)

    def _views(self, pictures: Tensor, draws: Draws) -> Tensor:
        return self.preset.augment(pictures, draws) if self.preset.augment else pictures

    def _autocast(self) -> torch.autocast:
        return torch.autocast(self.device.type, torch.bfloat16, enabled=self.settings.precision == "bfloat16")

    def _set_ramp(self) -> None:
        start, full = self.preset.ramp_start, self.preset.ramp_full
        if full and not self.settings.finetuned:
            ramp = min(1.0, max(0.0, (self.sprites_seen / 1000 - start) / max(full - start, 1e-9)))
            for network in (self.generator, self.discriminator, self.average):
                network.get_buffer("ramp").fill_(ramp)

    @torch.no_grad()
    def _move_average(self) -> None:
        """Karras et al. 2020 (arXiv:2006.06676): half-life in sprites, shortened while the run is young (5 %).

        A fine-tuned average begins as a good one and forgets more slowly (25 %), but a short run must still move it.
        """
        if not self.preset.ema_half_life:
            return
        young = (0.25 if self.settings.finetuned else 0.05) * self.sprites_seen
        half_life = min(self.preset.ema_half_life * 1000, young)
        keep = 0.5 ** (self.batch * self.settings.critic_steps / max(half_life, 1e-8))
        ours, theirs = self.average.state_dict(), self.generator.state_dict()
        moving = [name for name, value in ours.items() if value.is_floating_point() and value.dim()]
        torch._foreach_lerp_([ours[name] for name in moving], [theirs[name] for name in moving], 1 - keep)
        for name in ours.keys() - set(moving):
            ours[name].copy_(theirs[name])

    def is_finite(self) -> bool:
        """Whether every weight is a number."""
        tensors = [tensor for _, network in self._networks() for tensor in network.state_dict().values()]
        return all(bool(torch.isfinite(tensor).all()) for tensor in tensors)

    def checkpoint(self) -> Checkpoint:
        """Everything that the next step depends on."""
        tensors: dict[str, Tensor] = {}
        for prefix, network in self._networks():
            tensors |= {f"{prefix}.{name}": value for name, value in network.state_dict().items()}
        for name, optimiser in self.optimisers.items():
            tensors |= optimiser_tensors(f"optimiser.{name}", getattr(self, name), optimiser)
        state = {"step": self.step, "seconds": round(self.seconds, 3), "rollbacks": self.rollbacks}
        return Checkpoint(tensors, state)

    def restore(self, checkpoint: Checkpoint) -> None:
        """Continue from ``checkpoint`` as if there had been no stop."""
        for prefix, network in self._networks():
            network.load_state_dict(checkpoint.part(prefix))
        for name, optimiser in self.optimisers.items():
            restore_optimiser(f"optimiser.{name}", getattr(self, name), optimiser, checkpoint.tensors)
        self.step = int(checkpoint.state["step"])
        self.seconds = float(checkpoint.state["seconds"])
        self.rollbacks = int(checkpoint.state.get("rollbacks", 0))

    def _networks(self) -> Iterator[tuple[str, nn.Module]]:
        yield "generator", self.generator
        yield "discriminator", self.discriminator
        yield "average", self.average


@torch.no_grad()
def draw(generator: nn.Module, z: Tensor, label: Tensor, batch: int = 64) -> Tensor:
    """Sprites for latents [n, latent] and type distributions [n, types]: rgba [n, 4, size, size] in [-1, 1]."""
    was_training = generator.training
    generator.eval()
    parts = [generator(z[i : i + batch], label[i : i + batch]) for i in range(0, len(z), batch)]
    generator.train(was_training)
    output = torch.cat(parts).float()
    return with_alpha(output) if output.shape[1] == 3 else output
