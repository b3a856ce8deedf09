"""How does a bundle get to know its training sprites, and its own latent space?"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import msgspec
import numpy as np

from asset_gen.bundle import DIRECTIONS, FEATURES, TRAINING_SET, Bundle, BundleInfo, load_bundle, model_sha256
from asset_gen.errors import ModelError, UsageError
from asset_gen.explore.directions import encode_directions, find_directions
from asset_gen.explore.space import Space
from asset_gen.memory import ROWS
from asset_gen.pixels import as_drawn
from asset_gen.runtime import open_session
from asset_gen.training_set import TrainingSet
from exporter.critic import add_critic, critic_in
from exporter.encoder import add_encoder
from exporter.feature_network import usual_network, write_features
from exporter.stage import file_record, memory_of, staging, swap, write_info
from trainer.dataset import Dataset, load_dataset


def calibrate(
    path: Path,
    sprites: Path,
    merge: Mapping[str, str] | None = None,
    background: bool = False,
    network: str | None = None,
    critic: bool = False,
    encoder: float = 0,
    say: Callable[[str], None] = lambda notice: None,
) -> Bundle:
    """Give an existing bundle ``features.onnx``, ``training_features.npz`` and ``directions.npz``, and, where
    ``encoder`` is given, in as many minutes ``encoder.onnx``; its model stays the same.

    With ``critic`` it also gets ``critic.onnx``, and keeps the features that it has, unless ``network`` names some.

    Raises:
        UsageError: the sprites aren't those that the model was trained on, or it carries no discriminator.
        SpriteError: they can't be read.
        ModelError: the bundle is damaged.
    """
    bundle = load_bundle(path)
    dataset = load_dataset(sprites, bundle.info.size, merge, background)
    if dataset.digest() != bundle.info.data.sha256:
        raise UsageError(
            f"{sprites}: these {len(dataset.files)} sprites aren't the {bundle.info.data.sprites} that {path} was "
            f"trained on. Give that folder, with --merge and --background as in training."
        )
    judge = critic_in(bundle) if critic else None
    with _remade(path) as stage:
        info = bundle.info
        if info.features is None or network or (judge is None and not encoder):
            info = remember(stage, info, dataset, network)
        if judge is not None:
            info = add_critic(stage, info, judge, dataset)
        if DIRECTIONS not in info.files:
            info = explored(stage, info)
        if encoder:
            info = add_encoder(stage, info, dataset, encoder, say)
        write_info(stage, info)
    return load_bundle(path)


def give_directions(path: Path) -> Bundle:
    """Give an existing bundle ``directions.npz``, for which nobody's sprites are needed; its model stays the same.

    Raises:
        ModelError: the bundle is damaged.
    """
    bundle = load_bundle(path)
    with _remade(path) as stage:
        write_info(stage, explored(stage, bundle.info))
    return load_bundle(path)


@contextmanager
def _remade(path: Path) -> Iterator[Path]:
    """A copy of a bundle to change, which takes its place in the end if it is whole; otherwise nothing has happened."""
    stage = staging(path)
    try:
        shutil.copytree(path, stage)
        yield stage
        load_bundle(stage)
        swap(stage, path)
    except OSError as error:
        raise ModelError(f"{error.filename or path}: {error.strerror or error}. The bundle is as it was.") from None
    finally:
        shutil.rmtree(stage, ignore_errors=True)


def explored(folder: Path, info: BundleInfo) -> BundleInfo:
    """Write ``directions.npz`` into a bundle folder that has its generator; returns ``info`` with it.

    A generator in which no direction changes one thing alone, as after a few steps, gets no such file.
    """
    found = find_directions(Space(Bundle(folder, info, model_sha256(info.files)), "cpu"))
    if not found:
        return info
    (folder / DIRECTIONS).write_bytes(encode_directions(found))
    return msgspec.structs.replace(info, files=dict(info.files) | {DIRECTIONS: file_record(folder / DIRECTIONS)})


def remember(folder: Path, info: BundleInfo, dataset: Dataset, network: str | None) -> BundleInfo:
    """Write both files into a bundle folder that has its classifier; returns ``info`` with them.

    ``network``: one of ``exporter.feature_network.NETWORKS``, or None for the usual one.
    """
    network = network or usual_network(info.outside_networks)
    record = write_features(network, folder / "classifier.onnx", info.size, folder / FEATURES)
    session = open_session(folder / FEATURES, "cpu")
    drawn = as_drawn(dataset.sprites, info.alpha == "true")
    features = np.concatenate([session.run(rgba=drawn[n : n + ROWS]) for n in range(0, len(drawn), ROWS)])
    training = TrainingSet.of(dataset.files, dataset.first_types, dataset.sprites, features)
    (folder / TRAINING_SET).write_bytes(training.encode())
    files = dict(info.files) | {name: file_record(folder / name) for name in (FEATURES, TRAINING_SET)}
    memory = info.memory and max(info.memory, memory_of(folder / FEATURES))
    return msgspec.structs.replace(info, features=record, files=files, memory=memory)
