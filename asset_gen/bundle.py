"""Is this model whole, and what can it make?

A bundle is a folder: ``generator.onnx``, ``classifier.onnx``, ``bundle.json`` and what else that one lists. It may come
from a stranger, so nothing is run before names, sizes, hashes, operators, inputs and outputs have been checked.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import file_digest, sha256
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import msgspec

from asset_gen.errors import ModelError
from asset_gen.memory import MAX_DECLARED, MAX_UNDECLARED, MAX_WORK, ROWS, UnboundedError, need_of
from asset_gen.names import SLUG

if TYPE_CHECKING:
    import onnx

FORMAT = 1
BUILT_IN = Path(__file__).parent / "models" / "dcss"
NETWORKS = ("classifier.onnx", "generator.onnx")
FEATURES = "features.onnx"
"""Sprite → features, by which a set of sprites is compared with the training set."""
TRAINING_SET = "training_features.npz"
"""What is remembered of the training sprites; read by ``asset_gen.training_set``."""
CRITIC = "critic.onnx"
"""The discriminator that the generator was trained against: sprite → logit of being real."""
ENCODER = "encoder.onnx"
"""Sprite and type → latent, to begin a search with; see ``asset_gen.explore.search``."""
DIRECTIONS = "directions.npz"
"""Named directions in the latent space; read by ``asset_gen.explore.directions``."""
WEIGHTS = "weights.safetensors"
"""Generator, average and discriminator to train on; checked by who reads it, since drawing doesn't."""
MAX_FILE = 512 * 2**20  # bytes
MAX_SIDE = 1024
MAX_TYPES = 4096
MAX_FEATURES = 4096


class FileRecord(msgspec.Struct, frozen=True, kw_only=True):
    """A file of the bundle."""

    sha256: str
    size: int
    """Bytes."""


class DataRecord(msgspec.Struct, frozen=True, kw_only=True):
    """What the model was trained on."""

    name: str
    licence: str
    sprites: int
    sha256: str
    """Digest of pixels and labels as trained on."""


class Tunable(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Which networks lie in ``weights.safetensors``."""

    generator: str
    """The preset whose generator it is."""
    width: float
    """Factor of its channels."""
    shown_side: int | None = None
    """Pixels to which the discriminator of the preset ``projected`` enlarges a sprite; left out: the preset's."""


class FeatureRecord(msgspec.Struct, frozen=True, kw_only=True):
    """What ``features.onnx`` is, whose features of the training sprites lie in ``training_features.npz``."""

    network: str
    """``type classifier``, the bundle's own without its last layer, or the name of an outside network."""
    outside: bool
    """Whether others trained it."""
    dimensions: int
    """Features of a sprite."""


class CriticRecord(msgspec.Struct, frozen=True, kw_only=True):
    """What ``critic.onnx`` is."""

    preset: str
    """The preset whose discriminator it is."""
    scale: float
    """Factor of the discriminator's own logit, and …"""
    shift: float
    """… what was added, so that σ(logit) is the chance that a sprite is real where half of them are."""
    told_apart: float
    """Share of as many real and generated sprites, 0–1, that it takes for what they are: 0.5 by chance alone."""


class EncoderRecord(msgspec.Struct, frozen=True, kw_only=True):
    """How ``encoder.onnx`` was trained, and how well what is drawn from its latents meets the sprites shown to it."""

    minutes: float
    steps: int
    held_out: int
    """Training sprites of the generator that the encoder wasn't trained on."""
    overlap: float
    """Mean intersection over union of their silhouettes and those drawn, 0–1."""
    overlap_seen: float
    """The same for the sprites that it was trained on."""


class BundleInfo(msgspec.Struct, frozen=True, kw_only=True):
    """``bundle.json``."""

    format: int
    name: str
    licence: str
    """Licence of the model itself."""
    types: list[str]
    """Slugs, in the order of the label input and the classifier's output."""
    labels: dict[str, str]
    """Slug → the type as its artist wrote it."""
    size: int
    """Side of a sprite in pixels."""
    latent: int
    """Length of z."""
    preset: str
    conditional: bool
    """Whether the generator has a ``label`` input."""
    alpha: Literal["true", "none"]
    """``none``: RGB on white, from which the background is keyed out."""
    outside_networks: list[str]
    """Networks trained by others that took part in training; empty means none."""
    data: DataRecord
    training: dict[str, Any]
    """Steps, minutes, classifier accuracy and other figures of the training."""
    parity: dict[str, Any]
    """Largest differences between ONNX Runtime and PyTorch, by batch size."""
    files: dict[str, FileRecord]
    tunable: Tunable | None = None
    """Given where training can go on from this model."""
    memory: Annotated[int, msgspec.Meta(ge=1, le=MAX_DECLARED)] | None = None
    """Bytes that any of the networks may take, weights included, to draw or judge 64 sprites; left out: 2 GiB."""
    features: FeatureRecord | None = None
    """Given where the bundle remembers its training sprites."""
    critic: CriticRecord | None = None
    """Given where the bundle has its discriminator, too."""
    encoder: EncoderRecord | None = None
    """Given where the bundle finds the latent of a picture."""


@dataclass(frozen=True, slots=True)
class Bundle:
    """A checked model folder."""

    path: Path
    info: BundleInfo
    sha256: str
    """Identity of the model: ``sha256sum classifier.onnx generator.onnx | sha256sum``."""

    @property
    def memory(self) -> int:
        """Bytes that either network may take."""
        return self.info.memory or MAX_UNDECLARED

    @property
    def generator(self) -> Path:
        """The generator's ONNX file."""
        return self.path / "generator.onnx"

    @property
    def classifier(self) -> Path:
        """The type classifier's ONNX file."""
        return self.path / "classifier.onnx"

    def optional(self, name: str) -> Path | None:
        """A file that not every bundle has; None where this one hasn't."""
        return self.path / name if name in self.info.files else None


def model_sha256(files: dict[str, FileRecord]) -> str:
    """The identity of a model with these files."""
    listing = "".join(f"{files[name].sha256}  {name}\n" for name in NETWORKS)
    return sha256(listing.encode()).hexdigest()


def training_sets(info: BundleInfo) -> list[dict[str, Any]]:
    """What a model, and those that it was fine-tuned from, learnt from: name, licence and sprites of each set, once."""
    lineage = info.training.get("finetuned_from")
    lineage = lineage if isinstance(lineage, dict) else {}
    earlier = lineage.get("earlier")
    sets = [msgspec.to_builtins(info.data), lineage.get("data"), *(earlier if isinstance(earlier, list) else [])]
    wanted = {"name": str, "licence": str, "sprites": int}
    told = [
        one
        for one in sets
        if isinstance(one, dict) and all(isinstance(one.get(key), kind) for key, kind in wanted.items())
    ]
    # an early bundle's lineage has no sha256: what agrees in all that it says is the same set
    return [one for place, one in enumerate(told) if not any(one.items() <= former.items() for former in told[:place])]


def load_bundle(path: Path) -> Bundle:
    """Check a bundle and read what it can make.

    Raises:
        ModelError: something is missing, changed, or not what a bundle may hold; the message names the file.
    """
    info = _read_info(path)
    for name in NETWORKS:
        if name not in info.files:
            raise _rejected(path, f"bundle.json lists no {name}")
    for name, record in info.files.items():
        _check_file(path, name, record)
    if (
        path.resolve() != BUILT_IN.resolve()
    ):  # ours is checked when it is exported, and its hashes come with the package
        _check_networks(path, info)
    return Bundle(path, info, model_sha256(info.files))


def _rejected(path: Path, reason: str) -> ModelError:
    return ModelError(f"{path}: {reason}. The bundle was not loaded; export it again with 'assetgen export'.")


def _read_info(path: Path) -> BundleInfo:
    file = path / "bundle.json"
    if not file.is_file() and (path / "config.json").is_file():
        raise ModelError(f"{path}: is a training run. Make a bundle of it: assetgen export {path} --out BUNDLE.")
    if not file.is_file():
        raise ModelError(
            f"{path}: is no model bundle (there is no bundle.json). Give a folder that 'assetgen export' wrote."
        )
    try:
        if file.is_symlink() or file.stat().st_size > 2**20:
            raise _rejected(path, "bundle.json is a link, or larger than 1 MiB")
        info = msgspec.json.decode(file.read_bytes(), type=BundleInfo)
    except (OSError, msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise _rejected(path, f"bundle.json is damaged ({error})") from None
    if info.format != FORMAT:
        raise _rejected(path, f"bundle.json has format {info.format}, and this assetgen reads format {FORMAT}")
    if not 1 <= len(info.types) <= MAX_TYPES or len(set(info.types)) != len(info.types):
        raise _rejected(path, f"bundle.json lists {len(info.types)} types, or one twice")
    if bad := [name for name in info.types if not SLUG.fullmatch(name)]:
        raise _rejected(path, f"bundle.json: the type {bad[0][:40]!r} is not of the form [a-z0-9_]{{1,64}}")
    if missing := sorted(set(info.types) - set(info.labels)):
        raise _rejected(path, f"bundle.json has no label for the type {missing[0]!r}")
    words = [info.name, info.licence, info.preset, info.data.name, info.data.licence, *info.outside_networks]
    if bad := [word for word in [*words, *info.labels, *info.labels.values()] if not word.isprintable()]:
        raise _rejected(path, f"bundle.json: {bad[0][:40]!r} can't be printed")
    remembers = [name in info.files for name in (FEATURES, TRAINING_SET)] + [info.features is not None]
    if any(remembers) and not all(remembers):
        raise _rejected(path, f"bundle.json has only some of {FEATURES}, {TRAINING_SET} and the record 'features'")
    if info.features is not None and not (
        1 <= info.features.dimensions <= MAX_FEATURES and info.features.network.isprintable()
    ):
        raise _rejected(path, f"bundle.json: {info.features.dimensions} features, or a network that can't be named")
    if (info.critic is None) == (CRITIC in info.files):
        raise _rejected(path, f"bundle.json has only one of {CRITIC} and the record 'critic'")
    if info.critic is not None and not info.critic.preset.isprintable():
        raise _rejected(path, f"bundle.json: {info.critic.preset[:40]!r} can't be printed")
    if (ENCODER in info.files) != (info.encoder is not None):
        raise _rejected(path, f"bundle.json has only one of {ENCODER} and the record 'encoder'")
    if not 4 <= info.size <= MAX_SIDE or not 1 <= info.latent <= 65536:
        raise _rejected(path, f"bundle.json: size {info.size} or latent {info.latent} is out of range")
    return info


def _check_file(path: Path, name: str, record: FileRecord) -> None:
    file = path / name
    if Path(name).name != name or name.startswith("."):
        raise _rejected(path, f"bundle.json names a file outside the folder: {name!r}")
    try:
        if file.is_symlink() or not file.is_file():
            raise _rejected(path, f"{name[:80]} is missing, or is a link")
        size = file.stat().st_size
        if size > MAX_FILE or size != record.size:
            raise _rejected(
                path, f"{name} has {size:,} bytes, and bundle.json says {record.size:,} (at most {MAX_FILE:,})"
            )
        if name == WEIGHTS:
            return
        with file.open("rb") as data:
            found = file_digest(data, "sha256").hexdigest()
    except OSError as error:
        raise _rejected(path, f"{name[:80]} can't be read ({error.strerror})") from None
    if found != record.sha256:
        raise _rejected(
            path, f"{name} has the sha256 {found[:16]}…, and bundle.json says {record.sha256[:16]}…: it was changed"
        )


def _check_networks(path: Path, info: BundleInfo) -> None:
    """Only standard operators, weights inside, and exactly the inputs and outputs of the contract."""
    picture = ("n", 4, info.size, info.size)
    latent: dict[str, Sequence[int | str]] = {"z": ("n", info.latent)}
    if info.conditional:
        latent["label"] = ("n", len(info.types))
    allowed = info.memory or MAX_UNDECLARED
    _check_network(path, "generator.onnx", latent, {"rgba": picture}, allowed)
    _check_network(path, "classifier.onnx", {"rgba": picture}, {"logits": ("n", len(info.types))}, allowed)
    if info.features is not None:
        _check_network(path, FEATURES, {"rgba": picture}, {"features": ("n", info.features.dimensions)}, allowed)
    if info.critic is not None:
        judged: dict[str, Sequence[int | str]] = {"rgba": picture}
        if info.conditional:
            judged["label"] = latent["label"]
        _check_network(path, CRITIC, judged, {"logit": ("n",)}, allowed)
    if info.encoder is not None:
        shown: dict[str, Sequence[int | str]] = {"rgba": picture, "label": ("n", len(info.types))}
        _check_network(path, ENCODER, shown, {"z": ("n", info.latent)}, allowed)


def _check_network(
    path: Path, name: str, inputs: dict[str, Sequence[int | str]], outputs: dict[str, Sequence[int | str]], allowed: int
) -> None:
    import onnx

    try:
        model = onnx.load_model(str(path / name), load_external_data=False)
    except Exception as error:  # protobuf raises its own DecodeError, which onnx doesn't export
        raise _rejected(path, f"{name} is not an ONNX model ({error})") from None
    if (
        model.functions
        or model.training_info
        or any(entry.domain not in ("", "ai.onnx") for entry in model.opset_import)
    ):
        raise _rejected(path, f"{name} uses operators outside the standard ONNX domain")
    for graph in _graphs(model.graph):
        if any(node.domain not in ("", "ai.onnx") for node in graph.node):
            raise _rejected(path, f"{name} uses operators outside the standard ONNX domain")
        if any(tensor.data_location == onnx.TensorProto.EXTERNAL for tensor in _tensors(graph)):
            raise _rejected(path, f"{name} keeps weights in another file, and a bundle's weights lie inside")
    _check_signature(path, name, "input", model.graph.input, inputs)
    _check_signature(path, name, "output", model.graph.output, outputs)
    try:
        onnx.checker.check_model(model, full_check=True)
    except Exception as error:  # checker and shape inference raise several unrelated classes
        raise _rejected(path, f"{name} is not a valid ONNX model ({str(error).splitlines()[0]})") from None
    _check_need(path, name, model, outputs, allowed)


def _check_need(
    path: Path, name: str, model: onnx.ModelProto, outputs: dict[str, Sequence[int | str]], allowed: int
) -> None:
    """No more memory than the bundle declares, no more work than minutes, and the promised shape by its graph."""
    try:
        need = need_of(model)
    except UnboundedError as error:
        raise _rejected(path, f"{name} {error}") from None
    except Exception as error:  # shape inference raises several unrelated classes
        raise _rejected(path, f"{name} is not a valid ONNX model ({str(error).splitlines()[0]})") from None
    if need.memory > allowed:
        raise _rejected(
            path,
            f"{name} would take {need.memory / 2**20:,.0f} MiB for {ROWS} sprites, and its bundle declares "
            f'{allowed / 2**20:,.0f} ("memory" in bundle.json)',
        )
    if need.work > MAX_WORK:
        raise _rejected(
            path, f"{name} would multiply {need.work:.1e} times for {ROWS} sprites (at most {MAX_WORK:.0e})"
        )
    for promised in outputs.values():
        if list(need.output) != [ROWS, *promised[1:]]:
            raise _rejected(path, f"{name} gives the shape {list(need.output)}, not {[ROWS, *promised[1:]]}")


def _graphs(graph: onnx.GraphProto) -> list[onnx.GraphProto]:
    """The graph and every graph inside its nodes."""
    found = [graph]
    for node in graph.node:
        for attribute in node.attribute:
            for inner in [attribute.g, *attribute.graphs]:
                if inner.ByteSize():
                    found += _graphs(inner)
    return found


def _tensors(graph: onnx.GraphProto) -> list[onnx.TensorProto]:
    """Every tensor a graph stores, those of inner graphs left out."""
    attributes = [attribute for node in graph.node for attribute in node.attribute]
    sparse = [*graph.sparse_initializer]
    dense = [*graph.initializer]
    for attribute in attributes:
        sparse += [attribute.sparse_tensor, *attribute.sparse_tensors]
        dense += [attribute.t, *attribute.tensors]
    return [*dense, *(part for tensor in sparse for part in (tensor.values, tensor.indices))]


def _check_signature(
    path: Path, name: str, kind: str, found: Sequence[onnx.ValueInfoProto], wanted: dict[str, Sequence[int | str]]
) -> None:
    import onnx

    names = [value.name for value in found]
    if sorted(names) != sorted(wanted):
        raise _rejected(path, f"{name} has the {kind}s {', '.join(names)}, and a bundle's are {', '.join(wanted)}")
    for value in found:
        tensor = value.type.tensor_type
        shape = [dim.dim_value or "n" for dim in tensor.shape.dim]
        if tensor.elem_type != onnx.TensorProto.FLOAT or shape != list(wanted[value.name]):
            raise _rejected(
                path, f"{name}: the {kind} {value.name} has shape {shape}, not float32 {list(wanted[value.name])}"
            )
