"""How does a network become an ONNX file with its weights inside?"""

from __future__ import annotations

import contextlib
import io
import logging
import warnings
from collections.abc import Mapping
from pathlib import Path

import torch
from torch import Tensor, nn

from trainer.models.dcgan import with_alpha


class Typed(nn.Module):
    """A generator with the bundle's inputs and output: z, label → rgba."""

    def __init__(self, generator: nn.Module) -> None:
        super().__init__()
        self.generator = generator

    def forward(self, z: Tensor, label: Tensor) -> Tensor:
        rgba: Tensor = self.generator(z, label)
        return rgba


class Untyped(nn.Module):
    """A generator without types, RGB on white: z → rgba, opaque."""

    def __init__(self, generator: nn.Module) -> None:
        super().__init__()
        self.generator = generator

    def forward(self, z: Tensor) -> Tensor:
        return with_alpha(self.generator(z))


class Half(nn.Module):
    """A network that computes in 16 bits between 32-bit inputs and outputs."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network.half()

    def forward(self, *inputs: Tensor) -> Tensor:
        output: Tensor = self.network(*(value.half() for value in inputs))
        return output.float()


def export_onnx(network: nn.Module, inputs: Mapping[str, Tensor], output: str, path: Path) -> None:
    """Write ``network`` as ONNX with a free first dimension; batch normalisation is folded, nothing is random.

    Args:
        network: in evaluation mode.
        inputs: an example for each input, by name, in order, with at least two rows.
        output: name of its one output.
        path: the file to write.
    """
    batch = torch.export.Dim("n", min=1, max=65536)
    shapes = tuple({0: batch} for _ in inputs)
    noise = io.StringIO()
    with warnings.catch_warnings(), contextlib.redirect_stdout(noise), contextlib.redirect_stderr(noise):
        warnings.simplefilter("ignore")
        logging.getLogger("torch.onnx").setLevel(logging.ERROR)
        torch.onnx.export(
            network,
            tuple(inputs.values()),
            str(path),
            input_names=list(inputs),
            output_names=[output],
            dynamic_shapes=shapes,
            dynamo=True,
            external_data=False,
            verbose=False,
        )
