"""What does a bundle remember of its training sprites? Enough to compare sets and to find copies, not the sprites.

``training_features.npz`` holds for every sprite its name, its type, quantised features, and a *fingerprint*: 256 of the
4,096 numbers that a seeded random rotation makes of its premultiplied RGBA at 32 pixels. A rotation keeps distances,
and a random part of it nearly does: 4 % is the standard deviation, for near sprites and any (dcss, veekun). A picture
can't be made of a sixteenth of its numbers.
"""

from __future__ import annotations

import io
import zipfile
from dataclasses import dataclass
from functools import cache, cached_property
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from asset_gen.bundle import MAX_FEATURES, TRAINING_SET, Bundle
from asset_gen.errors import ModelError
from asset_gen.metrics.copies import GREY_LEVEL, PERCENTILE, SIDE, Neighbours, rendered
from asset_gen.metrics.prdc import distances
from asset_gen.sanity import MEASURES, limits_of

NUMBERS = 256
"""Of a fingerprint."""
PIXELS = 4 * SIDE * SIDE
SEED = 0
BLOCK = 1024  # sprites at a time, so that memory stays flat
MAX_SPRITES = 200_000
MAX_NAME = 512  # characters
MAX_BYTES = 512 * 2**20  # of all arrays

Sprites = NDArray[np.uint8]  # [n, s, s, 4], straight alpha


@dataclass(frozen=True, slots=True)
class Quantised:
    """Numbers [n, d] in 8 bits each: ``low + step · levels``, column by column."""

    levels: NDArray[np.uint8]
    low: NDArray[np.float32]
    """[d]"""
    step: NDArray[np.float32]
    """[d], above 0."""

    @classmethod
    def of(cls, values: NDArray[np.floating]) -> Quantised:
        """The nearest levels, from each column's least to its greatest value."""
        values = np.asarray(values, np.float32)
        low = values.min(axis=0)
        step = np.maximum((values.max(axis=0) - low) / 255, np.float32(1e-9))
        return cls(np.asarray(np.rint((values - low) / step), np.uint8), low, np.asarray(step, np.float32))

    @property
    def values(self) -> NDArray[np.float32]:
        """[n, d]"""
        values = self.levels.astype(np.float32)  # a large array, so it is changed in its place
        values *= self.step
        values += self.low
        return values

    def snapped(self, values: NDArray[np.float32]) -> NDArray[np.float32]:
        """Other values on the same levels, beyond 0 and 255 where need be, so that equal ones stay equal."""
        return np.asarray(self.low + self.step * np.rint((values - self.low) / self.step), np.float32)


@dataclass(frozen=True)
class TrainingSet:
    """What is known of n training sprites."""

    names: list[str]
    """Their files, relative to the folder they came from."""
    kinds: NDArray[np.int64]
    """[n]: column of the type that each carries first."""
    features: Quantised
    """[n, d], by the bundle's ``features.onnx``."""
    fingerprints: Quantised
    """[n, 256]"""
    copy_limit: float
    """Fingerprint distance below which a sprite counts as a copy: the 1st percentile of nearest-neighbour distances
    within the set, mirrored or not, and at least a grey level."""
    limits: dict[str, tuple[float, float]]
    """Range of each of ``asset_gen.sanity.MEASURES``."""

    @classmethod
    def of(
        cls, names: list[str], kinds: NDArray[np.int64], sprites: Sprites, features: NDArray[np.float32]
    ) -> TrainingSet:
        """Remember ``sprites`` [n, s, s, 4] of these names, types and features [n, d]."""
        fingerprints = Quantised.of(fingerprint(sprites))
        new = cls(names, np.asarray(kinds, np.int64), Quantised.of(features), fingerprints, 0.0, limits_of(sprites))
        nearest = new.nearest(sprites, k=2)
        own = nearest.rows == np.arange(len(sprites))[:, None]
        others = np.where(own, np.inf, nearest.distances).min(axis=1)
        limit = max(float(np.percentile(others, PERCENTILE)), GREY_LEVEL) if len(names) > 1 else GREY_LEVEL
        return cls(new.names, new.kinds, new.features, new.fingerprints, limit, new.limits)

    @classmethod
    def load(cls, bundle: Bundle) -> TrainingSet | None:
        """What a bundle remembers; None where it has no training set.

        Raises:
            ModelError: its file isn't what ``encode`` writes.
        """
        path = bundle.optional(TRAINING_SET)
        if path is None or bundle.info.features is None:
            return None
        try:
            return _decoded(path, bundle.info.features.dimensions, len(bundle.info.types))
        except (
            OSError,
            ValueError,
            KeyError,
            EOFError,
            NotImplementedError,
            RuntimeError,
            zipfile.BadZipFile,
        ) as error:
            raise ModelError(
                f"{path}: can't be read ({error}). The bundle was not loaded; make the file again with "
                f"'assetgen calibrate', or export the bundle again with 'assetgen export'."
            ) from None

    def encode(self) -> bytes:
        """The content of ``training_features.npz``, the same bytes for the same sprites."""
        buffer = io.BytesIO()
        np.savez_compressed(
            buffer,
            names=np.frombuffer("\n".join(self.names).encode(errors="backslashreplace"), np.uint8),
            kinds=self.kinds.astype(np.int16),
            copy_limit=np.array([self.copy_limit], np.float32),
            limits=np.array([self.limits[name] for name in MEASURES], np.float32),
            **{
                f"{name}_{part}": getattr(getattr(self, name), part)
                for name in ("features", "fingerprints")
                for part in ("levels", "low", "step")
            },
        )
        return buffer.getvalue()

    def nearest(self, sprites: Sprites, k: int = 3) -> Neighbours:
        """The k training sprites that each of ``sprites`` [n, s, s, 4] is nearest to, mirrored or not; all where there
        are fewer. Distances are those of ``asset_gen.metrics.copies``, give or take 4 % (one standard deviation)."""
        k = min(k, len(self.names))
        parts = [self._nearest(sprites[start : start + BLOCK], k) for start in range(0, len(sprites), BLOCK)]
        rows, between, mirrored = (np.concatenate([part[place] for part in parts]) for place in range(3))
        return Neighbours(rows, between, mirrored)

    @cached_property
    def _known(self) -> NDArray[np.float32]:
        """[n, 256]: fingerprints whose differences are root mean squares."""
        return np.asarray(self.fingerprints.values / np.sqrt(NUMBERS), np.float32)

    def _nearest(self, sprites: Sprites, k: int) -> tuple[NDArray[Any], ...]:
        views = (self.fingerprints.snapped(fingerprint(view)) / np.sqrt(NUMBERS) for view in (sprites, mirror(sprites)))
        plain, mirrored = (distances(view, self._known) for view in views)
        between = np.minimum(plain, mirrored)
        rows = _least(between, k)
        return (
            rows,
            np.take_along_axis(between, rows, axis=1).astype(np.float32),
            np.take_along_axis(mirrored < plain, rows, axis=1),
        )

    def copies(self, sprites: Sprites) -> NDArray[np.bool_]:
        """[n]: whether each of ``sprites`` [n, s, s, 4] is a copy of a training sprite."""
        return np.asarray(self.nearest(sprites, k=1).distances[:, 0] < self.copy_limit)


def _least(values: NDArray[np.float32], k: int) -> NDArray[np.int64]:
    """[n, k]: columns of the k least values [n, m] of each row, the least first; of equal ones the first. A few are
    found faster one by one than by sorting all."""
    left, everyone = values.copy(), np.arange(len(values))
    found = np.empty((len(values), k), np.int64)
    for place in range(k):
        found[:, place] = left.argmin(axis=1)
        left[everyone, found[:, place]] = np.inf
    return found


def mirror(sprites: Sprites) -> Sprites:
    """Left and right exchanged."""
    return sprites[:, :, ::-1]


def fingerprint(sprites: Sprites) -> NDArray[np.float32]:
    """[n, 256] of sprites [n, s, s, 4]; the length of a difference is √256 times its root mean square over pixels."""
    turn = _rotation()
    parts = [
        rendered(sprites[start : start + BLOCK]).reshape(-1, PIXELS) @ turn for start in range(0, len(sprites), BLOCK)
    ]
    return np.asarray(np.concatenate(parts), np.float32)


@cache
def _rotation() -> NDArray[np.float32]:
    """[4096, 256]: columns of a Hadamard matrix of random order whose rows have random signs (Ailon & Chazelle 2009).

    Its numbers are ±1/64, so it is orthonormal without rounding, and the same on every machine: the random order comes
    from SHA-256, not from a generator that may change.
    """
    drawn = np.frombuffer(b"".join(sha256(f"{SEED} {n}".encode()).digest() for n in range(PIXELS // 4)), ">u8")
    columns = np.argsort(drawn, kind="stable")[:NUMBERS].astype(np.uint16)
    signs = 1 - 2 * (drawn & 1).astype(np.int8)
    parity = np.arange(PIXELS, dtype=np.uint16)[:, None] & columns[None]
    for shift in (8, 4, 2, 1):
        parity ^= parity >> shift
    turn = np.asarray(1 - 2 * (parity & 1).astype(np.int8), np.float32)
    turn *= signs[:, None] / np.float32(np.sqrt(PIXELS))
    return turn


SHAPES = {
    "names": ("u1", ("bytes",)),
    "kinds": ("<i2", ("sprites",)),
    "copy_limit": ("<f4", (1,)),
    "limits": ("<f4", (len(MEASURES), 2)),
    "features_levels": ("u1", ("sprites", "dimensions")),
    "features_low": ("<f4", ("dimensions",)),
    "features_step": ("<f4", ("dimensions",)),
    "fingerprints_levels": ("u1", ("sprites", NUMBERS)),
    "fingerprints_low": ("<f4", (NUMBERS,)),
    "fingerprints_step": ("<f4", (NUMBERS,)),
}
"""Array → its type and shape; equal words stand for equal numbers."""


def _decoded(path: Path, dimensions: int, types: int) -> TrainingSet:
    """Raises ValueError, KeyError or what ``zipfile`` raises where the file is anything else."""
    arrays = arrays_of(path, len(SHAPES))
    sides: dict[str, int] = {"dimensions": dimensions}
    for name, (kind, shape) in SHAPES.items():
        array = arrays[name]
        if array.dtype != np.dtype(kind) or array.ndim != len(shape):
            raise ValueError(f"{name} is an array of {array.dtype} with {array.ndim} dimensions")
        for word, side in zip(shape, array.shape, strict=True):
            if side != (sides.setdefault(word, side) if isinstance(word, str) else word):
                raise ValueError(f"{name} has the shape {array.shape}")
        if array.dtype.kind == "f" and not np.isfinite(array).all():
            raise ValueError(f"{name} holds numbers that aren't finite")
    if not 1 <= sides["sprites"] <= MAX_SPRITES or not 1 <= dimensions <= MAX_FEATURES:
        raise ValueError(f"{sides['sprites']} sprites with {dimensions} features")
    names = arrays["names"].tobytes().decode().split("\n")
    if len(names) != sides["sprites"] or not all(name.isprintable() and len(name) <= MAX_NAME for name in names):
        raise ValueError("the names aren't one for each sprite, or can't be printed")
    kinds = arrays["kinds"].astype(np.int64)
    if kinds.min() < 0 or kinds.max() >= types:
        raise ValueError("a sprite has a type that the bundle doesn't have")
    quantised = {
        name: Quantised(*(arrays[f"{name}_{part}"] for part in ("levels", "low", "step")))
        for name in ("features", "fingerprints")
    }
    if any((part.step <= 0).any() for part in quantised.values()):
        raise ValueError("a step isn't above 0")
    limits = {name: (float(low), float(high)) for name, (low, high) in zip(MEASURES, arrays["limits"], strict=True)}
    return TrainingSet(names, kinds, **quantised, copy_limit=float(arrays["copy_limit"][0]), limits=limits)


def arrays_of(path: Path, count: int) -> dict[str, NDArray[Any]]:
    """The ``count`` arrays of an ``.npz``, no larger than their files say, and none that holds Python objects."""
    found: dict[str, NDArray[Any]] = {}
    with zipfile.ZipFile(path) as archive:
        members = archive.infolist()
        if len(members) != count or sum(member.file_size for member in members) > MAX_BYTES:
            raise ValueError(f"it holds {len(members)} arrays, or more than {MAX_BYTES:,} bytes")
        for member in members:
            with archive.open(member) as file:
                data = io.BytesIO(file.read(member.file_size + 1))
            version = np.lib.format.read_magic(data)
            if version != (1, 0):
                raise ValueError(f"{member.filename} has the format {version}")
            shape, _, kind = np.lib.format.read_array_header_1_0(data)
            claimed = kind.itemsize * int(np.prod([int(side) for side in shape], dtype=object))
            if kind.hasobject or claimed != len(data.getvalue()) - data.tell():
                raise ValueError(f"{member.filename} claims {claimed:,} bytes and has others, or holds objects")
            data.seek(0)
            found[member.filename.removesuffix(".npy")] = np.lib.format.read_array(data, allow_pickle=False)
    return found
