"""How does a bundle learn to find a sprite's latent? A small network is trained for its frozen generator.

At first on pairs that the generator makes (sprite → its latent), then also on training sprites, for which nobody knows
the latent: what counts there is how near the picture comes that is drawn from it. Its gradient comes from the bundle's
own ``generator.onnx`` (``asset_gen.explore.gradient``), so any bundle can be given an encoder, whoever trained it. A
fifth of the sprites is held out; ``bundle.json`` says how well those are met.
"""

from __future__ import annotations

from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from time import monotonic as now

import msgspec
import numpy as np
import onnx
import torch
from numpy.typing import NDArray
from torch import Tensor

from asset_gen.bundle import ENCODER, Bundle, BundleInfo, EncoderRecord, model_sha256
from asset_gen.explore.search import Search, overlap
from asset_gen.explore.space import Space
from asset_gen.pixels import as_drawn
from exporter.feature_network import halved
from exporter.onnx_graph import export_onnx
from exporter.stage import file_record, memory_of
from trainer.dataset import Dataset
from trainer.models.encoder import Encoder

BATCH = 16
RATE = 1e-3
PAIRS_ALONE = 0.3
"""Share of the time in which only pairs are learnt."""
POOL = 4096
"""Pairs that are remembered and learnt again."""
HELD_OUT = 5
"""One sprite in so many is held out."""
SHIFT = 2
"""Pixels by which a training sprite is moved."""

Say = Callable[[str], None]


def train_encoder(
    bundle: Bundle, dataset: Dataset, minutes: float, path: Path, say: Say = lambda notice: None
) -> EncoderRecord:
    """Train for so many minutes, and write ``path``; the same seed, but as many steps as the machine does in that time.

    ``say`` hears of the progress, about once a minute.
    """
    space = Space(bundle, "cpu")
    search, info = Search(space), bundle.info
    torch.manual_seed(0)
    chance = np.random.default_rng(0)
    network = Encoder(len(info.types), info.size, info.latent)
    optimiser = torch.optim.Adam(network.parameters(), RATE)
    held = np.array([sha256(file.encode()).digest()[0] % HELD_OUT == 0 for file in dataset.files])
    if held.all() or not held.any():
        held = np.arange(len(dataset.files)) % HELD_OUT == 0
    real = as_drawn(dataset.sprites, info.alpha == "true")
    shown = np.flatnonzero(~held)
    pool = _Pool(space, chance)
    started, told, steps = now(), 0.0, 0
    while (spent := (now() - started) / 60) < minutes:
        share = spent / minutes
        for group in optimiser.param_groups:
            group["lr"] = RATE * min(1.0, 2.5 * (1 - share) + 0.01)
        z, kinds, pictures = pool.batch()
        loss = _apart(network(torch.from_numpy(pictures), _label(space, kinds)), torch.from_numpy(z))
        if share > PAIRS_ALONE:
            rows = chance.choice(shown, min(BATCH, len(shown)), replace=False)
            targets = _moved(real[rows], chance)
            label = dataset.labels[rows].astype(np.float32)
            found = network(torch.from_numpy(targets), torch.from_numpy(label))
            codes = space.codes(found.detach().numpy(), label)
            _, gradients = search.gradient(codes, targets)
            pull = gradients[:, :, : info.latent].sum(axis=1)
            loss = 0.1 * loss + 10 * (found * torch.from_numpy(pull)).sum() / len(rows)
        optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimiser.step()
        steps += 1
        if spent - told >= 1:
            told = spent
            say(f"encoder: {spent:.0f} of {minutes:g} minutes, {steps} steps")
    network.eval()
    example = {"rgba": torch.from_numpy(real[:2]), "label": torch.from_numpy(dataset.labels[:2].astype(np.float32))}
    export_onnx(network, example, "z", path)
    onnx.save_model(halved(onnx.load_model(str(path))), str(path))
    met = [_met(network, space, real[part], dataset.labels[part].astype(np.float32)) for part in (held, ~held)]
    return EncoderRecord(
        minutes=minutes, steps=steps, held_out=int(held.sum()), overlap=round(met[0], 4), overlap_seen=round(met[1], 4)
    )


def add_encoder(
    folder: Path, info: BundleInfo, dataset: Dataset, minutes: float, say: Say = lambda notice: None
) -> BundleInfo:
    """Train for so many minutes, and write ``encoder.onnx`` into a bundle folder that has its generator.

    Returns ``info`` with it. ``say``: see ``train_encoder``.
    """
    record = train_encoder(Bundle(folder, info, model_sha256(info.files)), dataset, minutes, folder / ENCODER, say)
    files = dict(info.files) | {ENCODER: file_record(folder / ENCODER)}
    memory = info.memory and max(info.memory, memory_of(folder / ENCODER))
    return msgspec.structs.replace(info, files=files, encoder=record, memory=memory)


class _Pool:
    """Pairs of latent and picture, drawn as they are needed; a quarter of every batch is new."""

    def __init__(self, space: Space, chance: np.random.Generator) -> None:
        self.space, self.chance = space, chance
        self.z = np.empty((0, space.info.latent), np.float32)
        self.kinds = np.empty(0, np.int64)
        side = space.info.size
        self.pictures = np.empty((0, 4, side, side), np.float32)
        self._add(4 * BATCH)

    def _add(self, count: int) -> None:
        info = self.space.info
        z = self.chance.normal(size=(count, info.latent)).astype(np.float32)
        kinds = self.chance.integers(len(info.types), size=count)
        pictures, _ = self.space.pictures(self.space.codes(z, self.space.label(kinds)))
        z /= np.sqrt((z**2).mean(axis=1, keepdims=True))
        self.z = np.concatenate([z, self.z])[:POOL]
        self.kinds = np.concatenate([kinds, self.kinds])[:POOL]
        self.pictures = np.concatenate([pictures, self.pictures])[:POOL]

    def batch(self) -> tuple[NDArray[np.float32], NDArray[np.int64], NDArray[np.float32]]:
        """Latents, types and pictures of ``BATCH`` pairs."""
        self._add(BATCH // 4)
        rows = self.chance.integers(len(self.z), size=BATCH)
        rows[: BATCH // 4] = np.arange(BATCH // 4)
        return self.z[rows], self.kinds[rows], self.pictures[rows]


def _label(space: Space, kinds: NDArray[np.int64]) -> Tensor:
    return torch.from_numpy(space.label(kinds))


def _apart(found: Tensor, wanted: Tensor) -> Tensor:
    """1 − cosine between latents, mean over rows."""
    return 1 - torch.nn.functional.cosine_similarity(found, wanted).mean()


def _moved(pictures: NDArray[np.float32], chance: np.random.Generator) -> NDArray[np.float32]:
    """Half of them mirrored, all moved by up to ``SHIFT`` pixels; what comes in is transparent."""
    wide = np.pad(pictures, ((0, 0), (0, 0), (SHIFT, SHIFT), (SHIFT, SHIFT)), constant_values=-1)
    side = pictures.shape[-1]
    moved = np.empty_like(pictures)
    for row, picture in enumerate(wide):
        top, left = chance.integers(0, 2 * SHIFT + 1, size=2)
        part = picture[:, top : top + side, left : left + side]
        moved[row] = part[..., ::-1] if chance.random() < 0.5 else part
    return moved


def _met(network: Encoder, space: Space, pictures: NDArray[np.float32], label: NDArray[np.float32]) -> float:
    """Mean intersection over union of the silhouettes of pictures and of what is drawn from their latents."""
    with torch.no_grad():
        z = network(torch.from_numpy(pictures), torch.from_numpy(label)).numpy()
    drawn, _ = space.pictures(space.codes(z, label))
    return float(overlap(drawn, pictures).mean())
