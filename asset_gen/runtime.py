"""On which device does ONNX Runtime run, and is that really so?

Optimised graphs aren't cached: the built-in model's three sessions take 0.06 s of processor time to open, from its own
files as well as from optimised ones, of 0.4 s in which ``batch`` imports its modules and loads its model.
"""

from __future__ import annotations

import logging
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from asset_gen.errors import DeviceError, ModelError
from asset_gen.held import Held, Numbers, run_bound
from asset_gen.memory import BASE

DEVICES = ("auto", "cpu", "cuda")
CURE = "Use another bundle, or export it again with 'assetgen export'."
INSTALL = "Install it with pip install 'assetgen[cpu]', or 'assetgen[gpu]' for an NVIDIA card."
FULL = re.compile(
    r"Failed to allocate memory for requested buffer of size [0-9]+"  # of the arena, as is the next
    r"|Available memory of [0-9]+ is smaller than requested bytes of [0-9]+"
    r"|out of memory"  # of CUDA itself
    r"|CU(DNN|BLAS)_STATUS_[A-Z_]*ALLOC[A-Z]*_FAILED"
)
"""What ONNX Runtime's message holds where a device's memory is used up; its class says nothing of it."""
LOG = logging.getLogger("asset_gen")
"""For what a person should know at once; where nobody listens, Python writes it to stderr."""


class Session:
    """A network that ONNX Runtime has loaded onto a device."""

    device = ""
    """Where outputs can stay for other networks (``asset_gen.held``): ``cuda``; empty: nowhere."""
    most: int | None = None
    """Rows that fit into the graphics card's memory at once; None: as many as were asked for."""

    def __init__(self, inner: Any, provider: str, path: Path, device: str = "") -> None:
        self._inner = inner
        self.provider = provider
        """The execution provider that really runs it."""
        self.path = path
        """Its ONNX file."""
        self.device = device

    def run(self, **inputs: Numbers) -> NDArray[np.float32]:
        """The network's first output for the named inputs, which all have the same number of rows.

        Raises:
            ModelError: the network fails, or gives another shape than it declares (to which ONNX Runtime doesn't hold
                it), or numbers that aren't finite.
            DeviceError: the graphics card's memory doesn't do for a single row.
        """
        return next(iter(self.run_all(**inputs).values()))

    def run_all(self, **inputs: Numbers) -> dict[str, NDArray[np.float32]]:
        """The same for all its outputs, by name."""
        parts = list(self._parts(inputs))
        outputs = {}
        for place, declared in enumerate(self._inner.get_outputs()):
            for rows, part in parts:
                self._check_shape(part[place], rows, declared.shape)
            outputs[declared.name] = (
                np.concatenate([part[place] for _, part in parts]) if parts[1:] else parts[0][1][place]
            )
            self._check_finite(outputs[declared.name])
        return outputs

    def hold(self, **inputs: Numbers) -> tuple[Held, NDArray[np.float32]]:
        """``run`` whose output stays on the ``device``, and the same numbers in the processor's memory: one copy.

        The copy waits for the device: ONNX Runtime's Python interface offers streams to providers of plug-ins alone.
        """
        ort = import_onnxruntime()
        rows = len(next(iter(inputs.values())))
        (declared,) = self._inner.get_outputs()
        try:
            held = Held.empty(ort, [rows, *declared.shape[1:]], self.device)
        except Exception as error:  # onnxruntime raises a class of its own for every status code
            raise self._failure(error) from None
        for _ in self._parts(inputs, held):
            pass
        array: NDArray[np.float32] = held.value.numpy()
        self._check_finite(array)
        return held, array

    def lift(self, array: NDArray[np.float32]) -> Held:
        """An array on the ``device``."""
        try:
            return Held.of(import_onnxruntime(), array, self.device)
        except Exception as error:  # onnxruntime raises a class of its own for every status code
            raise self._failure(error) from None

    def _parts(
        self, inputs: Mapping[str, Numbers], into: Held | None = None
    ) -> Iterator[tuple[int, list[NDArray[np.float32]]]]:
        """(rows, outputs) of one call after another: of a single one, unless the graphics card's memory is too small.

        Every row is looked at alone by all networks, so it doesn't matter with how many others.
        """
        rows, start = len(next(iter(inputs.values()))), 0
        bound = into is not None or any(isinstance(value, Held) for value in inputs.values())
        while True:
            part = slice(start, min(rows, start + (self.most or rows)))
            some = {name: value[part] for name, value in inputs.items()}
            try:
                found = run_bound(self._inner, some, into and into[part]) if bound else self._inner.run(None, some)
            except Exception as error:  # onnxruntime raises a class of its own for every status code
                if not (self.device and FULL.search(str(error))) or part.stop - start < 2:
                    raise self._failure(error) from None
                self.most = (part.stop - start) // 2
                LOG.warning(
                    "assetgen: %s: the graphics card's memory is too small for %d rows at once; %d are tried from now "
                    "on. Pixels are promised for the same number alone.",
                    self.path.name,
                    part.stop - start,
                    self.most,
                )
                continue
            yield part.stop - start, found
            start = part.stop
            if start >= rows:
                return

    def _failure(self, error: Exception) -> DeviceError | ModelError:
        if self.device and (full := FULL.search(str(error))):
            return DeviceError(
                f"{self.path}: the graphics card's memory is too small, and smaller batches don't help ({full[0]}). "
                f"Close what else uses it (nvidia-smi lists that), take a smaller model, or use --device cpu."
            )
        reason = str(error).splitlines()[0]
        return ModelError(f"{self.path}: this network fails on {self.provider} ({reason}). {CURE}")

    def _check_shape(self, output: NDArray[np.float32], rows: int, declared: Sequence[Any]) -> None:
        shape = [rows, *declared[1:]]
        if list(output.shape) != shape:
            raise ModelError(f"{self.path}: gives the shape {list(output.shape)}, not {shape}. {CURE}")

    def _check_finite(self, output: NDArray[np.float32]) -> None:
        if not np.isfinite(output).all():
            raise ModelError(f"{self.path}: gives numbers that aren't finite. {CURE}")

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


def open_session(
    path: Path, device: str = "auto", memory: int | None = None, graph: bytes | None = None, threads: int | None = None
) -> Session:
    """Load an ONNX file, or the ``graph`` that was made of it.

    ``memory`` is the bytes that it may take on the processor, None for as many as it likes; ``threads`` the cores that
    one call may use there, None for all.

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
            "Install the other one in a new environment, pip install 'assetgen[gpu]', or use --device cpu."
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
    options.intra_op_num_threads = threads or cores()
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
    options.log_severity_level = 4  # what fails is raised, or met by smaller batches
    options.add_session_config_entry("session.disable_cpu_ep_fallback", "1")
    inner = ort.InferenceSession(graph or str(path), options, providers=["CUDAExecutionProvider"])
    if inner.get_providers()[0] != "CUDAExecutionProvider":
        raise RuntimeError(f"the session runs on {inner.get_providers()[0]}")
    return Session(inner, "CUDAExecutionProvider", path, "cuda")
