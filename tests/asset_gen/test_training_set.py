"""A bundle knows its training sprites well enough to find copies, and too little to give them away."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from asset_gen.bundle import BUILT_IN, load_bundle
from asset_gen.errors import ModelError
from asset_gen.metrics.copies import copy_limit, nearest_neighbours, share_of_copies
from asset_gen.training_set import NUMBERS, TrainingSet, _rotation, fingerprint
from tests.creatures import KINDS, creature
from trainer.dataset import Dataset, load_dataset

Arrays = dict[str, NDArray[Any]]


@pytest.fixture(scope="module")
def creatures() -> NDArray[np.uint8]:
    """A hundred and twenty."""
    return np.stack([creature(kind, seed) for kind in KINDS for seed in range(30)])


def remembered(sprites: NDArray[np.uint8], kinds: NDArray[np.int64] | None = None) -> TrainingSet:
    features = np.random.default_rng(0).standard_normal((len(sprites), 5)).astype(np.float32)
    names = [f"art/{n}.png" for n in range(len(sprites))]
    return TrainingSet.of(names, np.zeros(len(sprites), np.int64) if kinds is None else kinds, sprites, features)


def test_the_rotation_is_orthonormal_and_the_same_on_every_machine() -> None:
    turn = _rotation()
    assert np.array_equal(turn.T @ turn, np.eye(NUMBERS))
    assert sha256(np.sign(turn).astype(np.int8).tobytes()).hexdigest()[:16] == "2f26e8f7dc4736ce"


def test_every_training_sprite_is_a_copy_of_itself_mirrored_or_not(creatures: NDArray[np.uint8]) -> None:
    known = remembered(creatures)
    for sprites, mirrored in ((creatures, False), (creatures[:, :, ::-1], True)):
        found = known.nearest(sprites, k=1)
        assert (found.distances[:, 0] < 1e-3).all()
        assert known.copies(sprites).all()
        same = found.rows[:, 0] == np.arange(len(sprites))
        assert same.mean() > 0.9  # flasks of equal shade and size differ by less than the eye sees
        skew = (creatures != creatures[:, :, ::-1]).any(axis=(1, 2, 3))
        assert (found.mirrored[same & skew, 0] == mirrored).all()


def test_other_sprites_are_no_copies(creatures: NDArray[np.uint8]) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (20, 32, 32, 4), dtype=np.uint8)
    assert not remembered(creatures).copies(noise).any()


def check_against_exact_distances(dataset: Dataset) -> None:
    """Fingerprints against ``asset_gen.metrics.copies``."""
    known = remembered(dataset.sprites)
    assert known.copy_limit == pytest.approx(copy_limit(dataset.sprites), rel=0.08)
    some = dataset.sprites[::4]
    changed = np.roll(some, 1, axis=2)  # one pixel to the side: what a model that has learnt by heart may draw
    exact, found = nearest_neighbours(changed, dataset.sprites, 1), known.nearest(changed, 1)
    ratio = found.distances[:, 0] / exact.distances[:, 0]
    assert 0.95 < ratio.mean() < 1.03
    assert ratio.std() < 0.06
    assert known.copies(changed).mean() == pytest.approx(share_of_copies(changed, dataset.sprites), abs=0.03)


def test_fingerprints_find_the_copies_of_dcss(dcss: Path) -> None:
    check_against_exact_distances(load_dataset(dcss))


def test_fingerprints_find_the_copies_of_veekun(veekun: Path) -> None:
    check_against_exact_distances(load_dataset(veekun, 32))


def test_a_sprite_cannot_be_made_of_its_fingerprint(creatures: NDArray[np.uint8]) -> None:
    """The best linear guess explains a sixteenth of a picture."""
    noise = np.random.default_rng(0).integers(0, 256, (50, 32, 32, 4), dtype=np.uint8)
    noise[..., 3] = 255
    pixels = noise.transpose(0, 3, 1, 2).reshape(50, -1) / 255
    guess = fingerprint(noise) @ _rotation().T
    left = ((pixels - guess) ** 2).sum() / (pixels**2).sum()
    assert left == pytest.approx(1 - NUMBERS / 4096, abs=0.02)


def test_the_file_is_small_repeatable_and_read_back(creatures: NDArray[np.uint8], bundle: Path) -> None:
    known = TrainingSet.load(load_bundle(bundle))
    assert known is not None
    assert len(known.names) == 40
    assert known.names[0] == "beetle/beetle000.png"
    assert np.bincount(known.kinds).tolist() == [10] * 4
    assert known.encode() == (bundle / "training_features.npz").read_bytes()
    assert len(remembered(creatures).encode()) < len(creatures) * 400
    assert known.copies(np.stack([creature("flask", 3)])).all()


def test_a_bundle_without_a_training_set_says_so(own_bundle: Path) -> None:
    forget(own_bundle)
    assert TrainingSet.load(load_bundle(own_bundle)) is None


def test_the_built_in_model_knows_its_sprites(dcss: Path) -> None:
    known = TrainingSet.load(load_bundle(BUILT_IN))
    assert known is not None
    dataset = load_dataset(dcss, 32, {"unique": "humanoid"})
    assert known.names == dataset.files
    assert known.kinds.tolist() == dataset.first_types.tolist()
    assert known.copies(dataset.sprites[::20]).all()


def forget(bundle: Path) -> None:
    """Take the optional files away."""
    info = json.loads((bundle / "bundle.json").read_text())
    for name in ("features.onnx", "training_features.npz"):
        del info["files"][name]
        (bundle / name).unlink()
    del info["features"]
    (bundle / "bundle.json").write_text(json.dumps(info))


def put(bundle: Path, data: bytes) -> None:
    """Another ``training_features.npz``, correctly hashed."""
    (bundle / "training_features.npz").write_bytes(data)
    info = json.loads((bundle / "bundle.json").read_text())
    info["files"]["training_features.npz"] = {"sha256": sha256(data).hexdigest(), "size": len(data)}
    (bundle / "bundle.json").write_text(json.dumps(info))


def npz(arrays: Arrays) -> bytes:
    buffer = io.BytesIO()
    np.savez_compressed(buffer, allow_pickle=True, **arrays)
    return buffer.getvalue()


def claims_terabytes(arrays: Arrays) -> bytes:
    """A header that would have ten terabytes set aside."""
    data = npz(arrays | {"kinds": np.zeros(4, np.int16)})
    buffer = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(buffer, "w") as new:
        for member in old.infolist():
            content = old.read(member)
            if member.filename == "kinds.npy":
                content = content.replace(b"'shape': (4,), ", b"'shape': (5000000000000,), ")[:128]
            new.writestr(member.filename, content)
    return buffer.getvalue()


def bomb(arrays: Arrays) -> bytes:
    """Says of one array that it unpacks to 600 MB."""
    data = npz(arrays)
    entry = data.rindex(b"PK\x01\x02")  # of the last array, whose unpacked size stands 24 bytes on
    return data[: entry + 24] + (600_000_000).to_bytes(4, "little") + data[entry + 28 :]


STRANGE: dict[str, Callable[[Arrays], bytes]] = {
    "no archive": lambda arrays: b"I am an array.",
    "cut off": lambda arrays: npz(arrays)[:-200],
    "an array missing": lambda arrays: npz({name: array for name, array in arrays.items() if name != "limits"}),
    "an array too many": lambda arrays: npz(arrays | {"more": np.zeros(1)}),
    "pickled objects": lambda arrays: npz(arrays | {"names": np.array([{"a": 1}], dtype=object)}),
    "terabytes": claims_terabytes,
    "a bomb": bomb,
    "fewer names": lambda arrays: npz(arrays | {"names": arrays["names"][:10]}),
    "a name that controls the terminal": lambda arrays: npz(
        arrays | {"names": np.frombuffer("\n".join(["\x1b[2J"] * 40).encode(), np.uint8)}
    ),
    "a type too many": lambda arrays: npz(arrays | {"kinds": np.full(40, 4, np.int16)}),
    "not a number": lambda arrays: npz(arrays | {"copy_limit": np.array([np.nan], np.float32)}),
    "other shapes": lambda arrays: npz(arrays | {"features_levels": np.zeros((41, 96), np.uint8)}),
    "steps of nothing": lambda arrays: npz(arrays | {"features_step": np.zeros(96, np.float32)}),
}


@pytest.mark.parametrize("strange", STRANGE)
def test_a_training_set_from_a_stranger_is_refused(own_bundle: Path, strange: str) -> None:
    with np.load(own_bundle / "training_features.npz") as file:
        arrays = dict(file)
    put(own_bundle, STRANGE[strange](arrays))
    with pytest.raises(ModelError, match=r"training_features\.npz: can't be read .*assetgen calibrate") as refused:
        TrainingSet.load(load_bundle(own_bundle))
    assert refused.value.exit_code == 5
