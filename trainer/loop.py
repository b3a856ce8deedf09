"""One training step after another, exactly repeatable.

Every random draw of step t comes from generators seeded by (seed, t): there is no state of a random generator to
keep, and a run that was stopped and resumed draws what an undisturbed one would have drawn.
"""

from __future__ import annotations

import copy
import time
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256

import numpy as np
import torch
from torch import Tensor, nn

from asset_gen import pixels
from asset_gen.errors import NotFiniteError
from trainer.checkpoint import Checkpoint, optimiser_tensors, restore_optimiser
from trainer.dataset import Dataset
from trainer.losses import LOSSES, gradient_penalty
from trainer.models.dcgan import with_alpha
from trainer.presets import Preset

PRECISIONS = {"float32": torch.float32, "bfloat16": torch.bfloat16}


@dataclass(frozen=True, kw_only=True, slots=True)
class Settings:
    """What a person may choose about a run, beside its preset."""

    seed: int = 0
    batch: int | None = None
    """Sprites a step; None: the preset's."""
    width: float = 1.0
    """Multiplies the channels of the networks, where the preset allows."""
    precision: str = "float32"
    """``bfloat16`` runs convolutions in half the bits where the processor gains from it."""


def network_pictures(dataset: Dataset, alpha: bool) -> Tensor:
    """The set as uint8 [n, channels, size, size]: premultiplied RGBA, or RGB on white without ``alpha``."""
    if not alpha:
        return torch.from_numpy(pixels.on_white(dataset.sprites).transpose(0, 3, 1, 2).copy())
    premultiplied = (pixels.to_network(dataset.sprites) + 1) * 127.5
    return torch.from_numpy(np.rint(premultiplied).astype(np.uint8))


class Training:
    """The networks, their optimisers, and the step that moves them."""

    def __init__(self, preset: Preset, dataset: Dataset, settings: Settings, device: torch.device) -> None:
        self.preset, self.settings, self.device = preset, settings, device
        self.batch = settings.batch or preset.batch
        self.step = 0
        self.seconds = 0.0
        self.pictures = network_pictures(dataset, preset.alpha).to(device)
        self.labels = torch.from_numpy(dataset.labels).to(device)
        self.first_types = torch.from_numpy(dataset.first_types)
        counts = torch.bincount(self.first_types, minlength=len(dataset.types)).double()
        self.draw_weight = (counts[self.first_types] ** (preset.type_power - 1)).float()
        torch.manual_seed(settings.seed)
        types = len(dataset.types)
        self.generator = preset.generator(types, dataset.size, settings.width).to(device)
        self.discriminator = preset.discriminator(types, dataset.size, settings.width).to(device)
        self.average = copy.deepcopy(self.generator).requires_grad_(False)
        self.optimisers = {
            name: torch.optim.Adam(network.parameters(), lr=preset.lr, betas=preset.betas)
            for name, network in (("generator", self.generator), ("discriminator", self.discriminator))
        }
        self.loss = LOSSES[preset.loss]

    @property
    def sprites_seen(self) -> int:
        """Training sprites drawn so far; a thousand of them are a kimg."""
        if self.preset.epochs_sampling:
            epoch, place = divmod(self.step, self.steps_per_epoch)
            return epoch * len(self.pictures) + place * self.batch
        return self.step * self.batch

    @property
    def steps_per_epoch(self) -> int:
        """Steps in which as many sprites are drawn as the set holds."""
        return -(-len(self.pictures) // self.batch)

    @property
    def drawing(self) -> nn.Module:
        """The generator to draw with: the moving average where the preset keeps one."""
        return self.average if self.preset.ema_half_life else self.generator

    def draws(self, purpose: str) -> torch.Generator:
        """A random generator that belongs to (seed, step, purpose), on the training's device."""
        digest = sha256(f"{self.settings.seed}/{self.step}/{purpose}".encode()).digest()
        return torch.Generator(self.device).manual_seed(int.from_bytes(digest[:7], "little"))

    def sample_rows(self) -> Tensor:
        """Which sprites this step sees: [batch], or fewer at the end of an epoch."""
        if self.preset.epochs_sampling:
            epoch, place = divmod(self.step, self.steps_per_epoch)
            order = np.random.default_rng([self.settings.seed, epoch]).permutation(len(self.pictures))
            rows = torch.from_numpy(order[place * self.batch : (place + 1) * self.batch])
            return rows if len(rows) > 1 else torch.from_numpy(order[-2:])  # batch statistics need two
        chance = np.random.default_rng([self.settings.seed, self.step])
        weight = self.draw_weight.double().numpy()
        return torch.from_numpy(chance.choice(len(self.pictures), self.batch, p=weight / weight.sum()))

    def advance(self) -> dict[str, float]:
        """One update of the discriminator, then one of the generator.

        Returns: ``loss_d``, ``loss_g``, and the means of σ(D(x)) and σ(D(G(z))) before the update as ``d_real``
        and ``d_fake``.

        Raises:
            NotFiniteError: a loss is NaN or infinite; the networks may be spoiled.
        """
        begun = time.monotonic()
        self._set_ramp()
        draws = self.draws("step")
        rows = self.sample_rows()
        real = self.pictures[rows].float() / 127.5 - 1
        label = self.labels[rows]
        stats = self._move_discriminator(real, label, draws) | self._move_generator(real, label, draws)
        self.step += 1
        self._move_average()
        self.seconds += time.monotonic() - begun
        if not all(np.isfinite(value) for value in stats.values()):
            raise NotFiniteError(
                f"step {self.step}: a loss is not finite ({stats}). The run keeps its last whole checkpoint, "
                f"which can be exported. To go further, train anew with another --seed or without --precision bfloat16."
            )
        return stats

    def _move_discriminator(self, real: Tensor, label: Tensor, draws: torch.Generator) -> dict[str, float]:
        every = self.preset.penalty_every
        penalised = self.preset.penalty_weight > 0 and self.step % every == 0
        with self._autocast(), torch.no_grad():
            fake = self.generator(self._latents(len(real), draws), label).float()
        real, fake = self._views(real, draws), self._views(fake, draws)
        if penalised:
            real, fake = real.requires_grad_(), fake.requires_grad_()
        with self._autocast(enabled=not penalised):  # second derivatives want full precision
            d_real, d_fake = self.discriminator(real, label), self.discriminator(fake, label)
        loss = self.loss.discriminator(d_real, d_fake)
        total = loss
        if penalised:
            penalty = gradient_penalty(d_real, real) + gradient_penalty(d_fake, fake)
            total = loss + self.preset.penalty_weight / 2 * every * penalty
        self._update("discriminator", total)
        return {
            "loss_d": loss.item(),
            "d_real": torch.sigmoid(d_real).mean().item(),
            "d_fake": torch.sigmoid(d_fake).mean().item(),
        }

    def _move_generator(self, real: Tensor, label: Tensor, draws: torch.Generator) -> dict[str, float]:
        self.discriminator.requires_grad_(False)
        with self._autocast():
            fake = self.generator(self._latents(len(real), draws), label).float()
            d_fake = self.discriminator(self._views(fake, draws), label)
            with torch.no_grad():
                d_real = self.discriminator(self._views(real, draws), label)
        loss = self.loss.generator(d_real, d_fake)
        self._update("generator", loss)
        self.discriminator.requires_grad_(True)
        return {"loss_g": loss.item()}

    def _update(self, name: str, loss: Tensor) -> None:
        self.optimisers[name].zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        self.optimisers[name].step()

    def _latents(self, count: int, draws: torch.Generator) -> Tensor:
        return torch.randn(count, self.preset.latent, device=self.device, generator=draws)

    def _views(self, pictures: Tensor, draws: torch.Generator) -> Tensor:
        return self.preset.augment(pictures, draws) if self.preset.augment else pictures

    def _autocast(self, enabled: bool = True) -> torch.autocast:
        low = self.settings.precision != "float32"
        return torch.autocast(self.device.type, PRECISIONS["bfloat16"], enabled=enabled and low)

    def _set_ramp(self) -> None:
        start, full = self.preset.ramp
        if full:
            ramp = min(1.0, max(0.0, (self.sprites_seen / 1000 - start) / (full - start)))
            for network in (self.generator, self.discriminator, self.average):
                network.get_buffer("ramp").fill_(ramp)

    @torch.no_grad()
    def _move_average(self) -> None:
        """Karras et al. 2020 (arXiv:2006.06676): half-life in sprites, shortened while the run is young (5 %)."""
        if not self.preset.ema_half_life:
            return
        half_life = min(self.preset.ema_half_life * 1000, 0.05 * self.sprites_seen)
        keep = 0.5 ** (self.batch / max(half_life, 1e-8))
        ours, theirs = self.average.state_dict(), self.generator.state_dict()
        for name, value in ours.items():
            if value.is_floating_point() and value.dim():
                value.lerp_(theirs[name], 1 - keep)
            else:
                value.copy_(theirs[name])

    def checkpoint(self) -> Checkpoint:
        """Everything that the next step depends on."""
        tensors: dict[str, Tensor] = {}
        for prefix, network in self._networks():
            tensors |= {f"{prefix}.{name}": value for name, value in network.state_dict().items()}
        for name, optimiser in self.optimisers.items():
            tensors |= optimiser_tensors(f"optimiser.{name}", getattr(self, name), optimiser)
        return Checkpoint(tensors, {"step": self.step, "seconds": round(self.seconds, 3)})

    def restore(self, checkpoint: Checkpoint) -> None:
        """Continue from ``checkpoint`` as if there had been no stop."""
        for prefix, network in self._networks():
            start = f"{prefix}."
            network.load_state_dict(
                {key.removeprefix(start): value for key, value in checkpoint.tensors.items() if key.startswith(start)}
            )
        for name, optimiser in self.optimisers.items():
            restore_optimiser(f"optimiser.{name}", getattr(self, name), optimiser, checkpoint.tensors)
        self.step = int(checkpoint.state["step"])
        self.seconds = float(checkpoint.state["seconds"])

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
