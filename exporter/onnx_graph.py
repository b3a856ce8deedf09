"""How does a network become an ONNX file with its weights inside?"""

from __future__ import annotations

import contextlib
import io
import logging
import warnings
from collections.abc import Mapping
from pathlib import Path

import onnx
import torch
from torch import Tensor, nn

from exporter.upsampling import fold_upsampling
from trainer.models.dcgan import with_alpha


class Typed(nn.Module):
    """A generator with the bundle's inputs and output, 32 bits outside and ``dtype`` inside: z, label → rgba."""

    def __init__(self, generator: nn.Module, dtype: torch.dtype = torch.float32) -> None:
        super().__init__()
        self.generator, self.dtype = generator.to(dtype), dtype

    def forward(self, z: Tensor, label: Tensor) -> Tensor:
        rgba: Tensor = self.generator(z.to(self.dtype), label.to(self.dtype))
        return rgba.float()


class Untyped(nn.Module):
    """The same for a generator without types, RGB on white: z → rgba, opaque."""

    def __init__(self, generator: nn.Module, dtype: torch.dtype = torch.float32) -> None:
        super().__init__()
        self.generator, self.dtype = generator.to(dtype), dtype

    def forward(self, z: Tensor) -> Tensor:
        return with_alpha(self.generator(z.to(self.dtype))).float()


def export_onnx(network: nn.Module, inputs: Mapping[str, Tensor], output: str | tuple[str, ...], path: Path) -> None:
    """Write ``network`` as ONNX with a free first dimension; nothing is random.

    Batch normalisation is folded into convolutions, and so is enlarging by nearest neighbours.

    Args:
        network: in evaluation mode.
        inputs: an example for each input, by name, in order, with at least two rows.
        output: name of its one output, or names of all.
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
            output_names=[output] if isinstance(output, str) else list(output),
            dynamic_shapes=shapes,
            dynamo=True,
            external_data=False,
            verbose=False,
        )
    model = onnx.load_model(str(path))
    if fold_upsampling(model):
        onnx.save_model(model, str(path))
