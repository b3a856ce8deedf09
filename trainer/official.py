"""The Inception Score as the paper computed it: by pytorch_gan_metrics itself (extra ``metrics``).

Its traps, and what is done about them: it takes the first GPU unless told otherwise; it drops alpha, so sprites are
laid on white; it splits sprites as they come, so they are shuffled before; it fetches its weights without a look at
their hash, so it is led to a file that has been checked.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import torch
from numpy.typing import NDArray

from asset_gen import pixels
from asset_gen.errors import DeviceError
from asset_gen.metrics.inception_score import SPLITS
from asset_gen.score.weights import INCEPTION


def shuffled_on_white(sprites: NDArray[np.uint8], seed: int = 0) -> NDArray[np.uint8]:
    """[n, s, s, 3], in an order drawn by ``seed``: sorted by type, each split would hold one type."""
    order = np.random.default_rng(seed).permutation(len(sprites))
    return pixels.on_white(sprites[order])


def official_inception_score(
    sprites: NDArray[np.uint8],
    weights: Path,
    splits: int = SPLITS,
    seed: int = 0,
    device: torch.device | None = None,
) -> tuple[float, float]:
    """Mean and standard deviation over the splits of sprites [n, s, s, 4]; ``weights`` have been checked.

    NaN where a probability is an exact zero.

    Raises:
        DeviceError: the package isn't installed, or can't be imported, most often for want of a torchvision that fits.
    """
    try:
        from pytorch_gan_metrics import get_inception_score
    except (ImportError, RuntimeError) as error:
        raise DeviceError(
            f"pytorch_gan_metrics can't be imported ({error}). Install it with pip install 'assetgen[metrics]', and "
            f"the torchvision that belongs to torch {torch.__version__}."
        ) from None
    pictures = torch.from_numpy(shuffled_on_white(sprites, seed)).permute(0, 3, 1, 2).float() / 255
    with TemporaryDirectory() as folder:
        place = Path(folder) / "hub" / "checkpoints" / INCEPTION.file
        place.parent.mkdir(parents=True)
        try:
            place.symlink_to(weights.resolve())
        except OSError:  # Windows lets few people make links
            shutil.copyfile(weights, place)
        with _torch_home(folder):
            mean, deviation = get_inception_score(pictures, splits=splits, device=device or torch.device("cpu"))
    return float(mean), float(deviation)


@contextmanager
def _torch_home(folder: str) -> Iterator[None]:
    """Where PyTorch looks for weights, for a while."""
    usual = os.environ.get("TORCH_HOME")
    os.environ["TORCH_HOME"] = folder
    try:
        yield
    finally:
        if usual is None:
            del os.environ["TORCH_HOME"]
        else:
            os.environ["TORCH_HOME"] = usual
