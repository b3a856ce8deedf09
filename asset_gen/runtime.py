"""On which device does ONNX Runtime run, and is that really so?

Optimised graphs aren't cached: the built-in model's three sessions take 0.06 s of processor time to open, from its own
files as well as from optimised ones, of 0.4 s in which ``batch`` imports its modules and loads its model.
"""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from asset_gen.errors import DeviceError, ModelError
from asset_gen.memory import BASE

DEVICES = ("auto", "cpu", "cuda")
INSTALL = "Install it with pip install 'assetgen[cpu]', or 'assetgen[gpu]' for an NVIDIA card."


class Session:
    """A network that ONNX Runtime has loaded onto a device."""

    def __init__(self, inner: Any, provider: str, path: Path) -> None:
        self._inner = inner
        self.provider = provider
        """The execution provider that really runs it."""
        self.path = path
        """Its ONNX file."""

    def run(self, **inputs: NDArray[np.float32]) -> NDArray[np.float32]:
        """The network's first output for the named inputs, which all have the same number of rows.

        Raises:
            ModelError: the network fails, or gives another shape than it declares (to which ONNX Runtime doesn't hold
                it), or numbers that aren't finite.
        """
        return next(iter(self.run_all(**inputs).values()))

    def run_all(self, **inputs: NDArray[np.float32]) -> dict[str, NDArray[np.float32]]:
        """The same for all its outputs, by name."""
        cure = "Use another bundle, or export it again with 'assetgen export'."
        try:
            found: list[NDArray[np.float32]] = self._inner.run(None, inputs)
        except Exception as error:  # onnxruntime raises a class of its own for every status code
            reason = str(error).splitlines()[0]
            raise ModelError(f"{self.path}: this network fails on {self.provider} ({reason}). {cure}") from None
        rows = len(next(iter(inputs.values())))
        outputs = {}
        for declared, output in zip(self._inner.get_outputs(), found, strict=True):
            shape = [rows, *declared.shape[1:]]
            if list(output.shape) != shape:
                raise ModelError(f"{self.path}: gives the shape {list(output.shape)}, not {shape}. {cure}")
            if not np.isfinite(output).all():
                raise ModelError(f"{self.path}: gives numbers that aren't finite. {cure}")
            outputs[declared.name] = output
        return outputs

    def rest(self) -> None:
        """Give back memory that only a next run would need; until then a network holds all that its largest run took.

        ONNX Runtime does so at the end of a run alone, so one is made, of one row. On a graphics card nothing is done.
        """
        if self.provider != "CPUExecutionProvider":
            return
        options = import_onnxruntime().RunOptions()
        options.add_run_config_entry("memory.enable_memory_arena_shrinkage", "cpu:0")
        row = {entry.name: np.ones((1, *entry.shape[1:]), np.float32) for entry in self._inner.get_inputs()}
        with suppress(Exception):  # what it gives isn't looked at, and it can do without
            self._inner.run(None, row, options)


def import_onnxruntime() -> Any:
    """The onnxruntime module, or a sentence on how to get it.

    Raises:
        DeviceError: it isn't installed, or its files are damaged (two builds installed over each other).
    """
    try:
        import onnxruntime
    except ImportError as error:
        raise DeviceError(f"ONNX Runtime is not installed ({error}). {INSTALL}") from None
    if not hasattr(onnxruntime, "InferenceSession"):
        raise DeviceError(
            "onnxruntime is installed but empty: two builds were installed over each other. "
            "Repair it with pip install --force-reinstall onnxruntime (or onnxruntime-gpu)."
        )
    return onnxruntime


thread_limit: int | None = None
"""Cores that this process may use at most: it is set where several processes of ours share a machine."""


def cores() -> int:
    """Processor cores this process may use."""
    found = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return min(found, thread_limit or found)


def open_session(path: Path, device: str = "auto", memory: int | None = None, graph: bytes | None = None) -> Session:
    """Load an ONNX file, or the ``graph`` that was made of it.

    ``memory`` is the bytes that it may take on the processor, None for as many as it likes.

    ``cuda`` either runs on the GPU or fails; ``auto`` takes the GPU where ONNX Runtime has a working one.

    Raises:
        DeviceError: no ONNX Runtime, or no CUDA where it was asked for.
        ModelError: ONNX Runtime refuses the network.
    """
    ort = import_onnxruntime()
    has_cuda = "CUDAExecutionProvider" in ort.get_available_providers()
    if device == "cuda" and not has_cuda:
        raise DeviceError(
            "--device cuda: this ONNX Runtime is a CPU build. "
            "Install the other one with pip install 'assetgen[gpu]', or use --device cpu."
        )
    if device in ("auto", "cuda") and has_cuda:
        try:
            return _cuda_session(ort, path, graph)
        except Exception as error:  # onnxruntime raises a class of its own for every status code
            if device == "cuda":
                reason = str(error).splitlines()[0]
                raise DeviceError(
                    f"--device cuda: ONNX Runtime can't use the GPU ({reason}). "
                    f"Check the driver with nvidia-smi and the installation with assetgen doctor, or use --device cpu."
                ) from None
    options = _options(ort)
    options.intra_op_num_threads = cores()
    try:
        if memory is not None:
            _hold(ort, options, memory)
        inner = ort.InferenceSession(graph or str(path), options, providers=["CPUExecutionProvider"])
    except Exception as error:
        raise ModelError(
            f"{path}: ONNX Runtime refuses this network ({str(error).splitlines()[0]}). "
            f"Use another bundle, or export it again with 'assetgen export'."
        ) from None
    return Session(inner, inner.get_providers()[0], path)


def _options(ort: Any) -> Any:
    options = ort.SessionOptions()
    options.log_severity_level = 3
    options.add_session_config_entry(
        "session.intra_op.allow_spinning", "0"
    )  # waiting threads leave the cores to others
    return options


def _hold(ort: Any, options: Any, memory: int) -> None:
    """Sessions opened with these options get an arena of their own; with what lies outside it they take ``memory``."""
    place = ort.OrtMemoryInfo("Cpu", ort.OrtAllocatorType.ORT_ARENA_ALLOCATOR, 0, ort.OrtMemType.DEFAULT)
    arena = ort.OrtArenaCfg(
        {"max_mem": max(memory - BASE // 2, BASE), "arena_extend_strategy": 1}
    )  # 1: as much as is asked for
    ort.create_and_register_allocator(place, arena)  # takes the place of the one before; open sessions keep theirs
    options.add_session_config_entry("session.use_env_allocators", "1")


def _cuda_session(ort: Any, path: Path, graph: bytes | None) -> Session:
    if hasattr(ort, "preload_dlls"):
        ort.preload_dlls()
    options = _options(ort)
    options.add_session_config_entry("session.disable_cpu_ep_fallback", "1")
    inner = ort.InferenceSession(graph or str(path), options, providers=["CUDAExecutionProvider"])
    if inner.get_providers()[0] != "CUDAExecutionProvider":
        raise RuntimeError(f"the session runs on {inner.get_providers()[0]}")
    return Session(inner, "CUDAExecutionProvider", path)
