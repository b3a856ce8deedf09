"""How does one network read what another one drew, without a way through the processor's memory?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Held:
    """Rows of float32 numbers in the memory of the device on which networks run."""

    value: Any
    """ONNX Runtime's ``OrtValue`` [m, …], which lives as long as any part of it."""
    device: str
    """ONNX Runtime's name of the device: ``cuda``; ``cpu`` does the same on the processor."""
    start: int
    stop: int
    """Rows of the value."""

    @classmethod
    def empty(cls, ort: Any, shape: Sequence[int], device: str) -> Held:
        """Room for numbers that come."""
        value = ort.OrtValue.ortvalue_from_shape_and_type([*shape], np.float32, device, 0)
        return cls(value, device, 0, shape[0])

    @classmethod
    def of(cls, ort: Any, array: NDArray[np.float32], device: str) -> Held:
        """An array, taken to the device."""
        value = ort.OrtValue.ortvalue_from_numpy(np.ascontiguousarray(array), device, 0)
        return cls(value, device, 0, len(array))

    def __len__(self) -> int:
        return self.stop - self.start

    def __getitem__(self, rows: slice) -> Held:
        """Some rows, without a copy."""
        start, stop, _ = rows.indices(len(self))
        return Held(self.value, self.device, self.start + start, self.start + stop)

    @property
    def shape(self) -> list[int]:
        return [len(self), *self.value.shape()[1:]]

    @property
    def address(self) -> int:
        """Of the first row."""
        row: int = self.value.tensor_size_in_bytes() // self.value.shape()[0]
        first: int = self.value.data_ptr()
        return first + self.start * row


Numbers = NDArray[np.float32] | Held


def run_bound(inner: Any, inputs: Mapping[str, Numbers], into: Held | None = None) -> list[NDArray[np.float32]]:
    """Run ONNX Runtime's session ``inner`` on what is held already, and return what comes to the processor's memory.

    ``into``: where the network's only output stays; nothing is returned then. All networks of a bundle take and give
    float32, those with weights of 16 bits, too. ONNX Runtime refuses to write another shape than that of ``into``.
    """
    binding = inner.io_binding()
    for name, value in inputs.items():
        if isinstance(value, Held):
            binding.bind_input(name, value.device, 0, np.float32, value.shape, value.address)
        else:
            binding.bind_cpu_input(name, np.ascontiguousarray(value))
    for entry in inner.get_outputs():
        if into is not None:
            binding.bind_output(entry.name, into.device, 0, np.float32, into.shape, into.address)
        else:
            binding.bind_output(entry.name, "cpu")
    inner.run_with_iobinding(binding)  # waits until the device is done
    return [] if into is not None else binding.copy_outputs_to_cpu()
