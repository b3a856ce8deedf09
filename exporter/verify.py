"""Does ONNX Runtime draw what PyTorch draws?"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from asset_gen.errors import ModelError
from asset_gen.runtime import open_session

BATCHES = (1, 7, 64)
LIMIT = 1e-4  # largest difference of a float32 network, in its output's unit
GREY_LEVEL = 2 / 255  # one of 256 levels on [-1, 1]
SHARE = 0.999  # of a 16-bit generator's pixels that must be within one grey level


def check_parity(
    path: Path, network: nn.Module, make_inputs: Callable[[int], Mapping[str, Tensor]], half: bool = False
) -> dict[str, Any]:
    """Compare an ONNX file with the network it was made from, on random inputs of 1, 7 and 64 rows.

    Returns: ``max_difference`` by batch size, and ``within_one_level`` (share of values within one grey level).

    Raises:
        ModelError: they differ by more than 1e-4 (with ``half``: by more than one grey level on 0.1 % of values).
    """
    session = open_session(path, "cpu")
    differences: dict[str, float] = {}
    near: list[float] = []
    for batch in BATCHES:
        inputs = make_inputs(batch)
        with torch.no_grad():
            expected = network(*inputs.values()).numpy()
        found = session.run(**{name: value.numpy() for name, value in inputs.items()})
        difference = np.abs(found - expected)
        differences[str(batch)] = float(difference.max())
        near.append(float((difference <= GREY_LEVEL).mean()))
    worst = max(differences.values())
    if (half and min(near) < SHARE) or (not half and not worst <= LIMIT):
        raise ModelError(
            f"{path}: ONNX Runtime and PyTorch differ by {worst:.2e} ({min(near):.2%} within one grey level). "
            f"The bundle was not written; please report this with the versions from assetgen doctor."
        )
    return {"max_difference": differences, "within_one_level": min(near)}
