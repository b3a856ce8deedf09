"""What strangers send: pictures that lie about themselves, networks that aren't what a bundle promises."""

from __future__ import annotations

import errno
import json
import os
import shutil
import struct
import sys
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper
from PIL import Image

from tests.conftest import Result, files_of
from tests.creatures import creature


def assert_refused(done: Result, code: int, *words: object) -> None:
    """The command ended with this exit code, and its message says these words."""
    assert done.code == code, done.err
    for word in words:
        assert str(word) in done.err
    assert "Traceback" not in done.err


def published(project: Path) -> dict[str, bytes]:
    """What an engine sees of a project: all but assetgen's own state."""
    return {path: data for path, data in files_of(project).items() if not path.startswith(".assetgen/")}


@contextmanager
def as_stranger() -> Iterator[None]:
    """Permission bits count: root, whom they don't bind, becomes nobody for a while."""
    if os.name == "nt":
        pytest.skip("Windows has no permission bits")
    if os.geteuid():
        yield
        return
    os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(0)


# Disks ---------------------------------------------------------------------------------------------------------------

CALLS: tuple[tuple[Any, tuple[str, ...]], ...] = (
    (os, ("open", "fsync")),
    (Path, ("open", "read_bytes", "replace", "rename", "unlink", "mkdir", "stat", "iterdir")),
    (shutil, ("rmtree",)),
)
"""Functions that ask the system for something, by who has them."""
FAULTS = (errno.ENOSPC, errno.EIO, errno.EACCES)


def fail_call(patch: pytest.MonkeyPatch, number: int, *modules: str) -> Callable[[], bool]:
    """Let the ``number``-th system call that these modules make fail; returns whether that was reached.

    Of a failing write half has arrived. Faults take turns by ``number``.
    """
    left, code = [number], FAULTS[number % len(FAULTS)]

    def spend(*names: object) -> None:
        left[0] -= 1
        if left[0] == 0:
            raise OSError(code, os.strerror(code), *(str(name) for name in names[:1] if isinstance(name, Path)))

    class Fragile:
        """A file whose writes count."""

        def __init__(self, inner: Any) -> None:
            self.inner = inner

        def __enter__(self) -> Fragile:
            return self

        def __exit__(self, *error: object) -> None:
            self.inner.close()

        def __getattr__(self, name: str) -> Any:
            return getattr(self.inner, name)

        def write(self, data: bytes) -> int:
            try:
                spend()
            except OSError:
                self.inner.write(data[: len(data) // 2])
                raise
            return int(self.inner.write(data))

    def failing(name: str, real: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any, **kwargs: Any) -> Any:
            if sys._getframe(1).f_globals["__name__"] not in modules:
                return real(*args, **kwargs)
            if not kwargs.get("ignore_errors"):
                spend(*args)
            result = real(*args, **kwargs)
            return Fragile(result) if name == "open" and "b" in str(args[1:]) and "r" not in str(args[1:]) else result

        return call

    for owner, names in CALLS:
        for name in names:
            patch.setattr(owner, name, failing(name, getattr(owner, name)))
    return lambda: left[0] <= 0


# Pictures ------------------------------------------------------------------------------------------------------------


def png(width: int, height: int, rows: bytes = b"") -> bytes:
    """A PNG of 8-bit grey whose header claims ``width`` × ``height``, whatever its data holds."""

    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows, 9)) + chunk(b"IEND", b"")


def sprite() -> Image.Image:
    """An honest one."""
    return Image.fromarray(creature("flask", 99), "RGBA")


def truncated(path: Path) -> None:
    """The first half of a picture."""
    sprite().save(path)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


REFUSED: dict[str, tuple[Callable[[Path], object], str]] = {
    "empty.png": (lambda path: path.touch(), "empty (0 bytes)"),
    "truncated.png": (truncated, "damaged"),
    "text.png": (lambda path: path.write_text("I am a picture.\n"), "not a PNG, WebP, GIF or BMP"),
    "jpeg.png": (lambda path: sprite().convert("RGB").save(path, "JPEG"), "not a PNG, WebP, GIF or BMP"),
    "cmyk.png": (lambda path: sprite().convert("CMYK").save(path, "TIFF"), "not a PNG, WebP, GIF or BMP"),
    "claims_60000.png": (lambda path: path.write_bytes(png(60_000, 60_000)), "decompression bomb"),
    "small_file.png": (lambda path: path.write_bytes(png(8000, 8000, bytes(8001 * 8000))), "8000×8000 pixels"),
    "thread.png": (lambda path: path.write_bytes(png(1, 100_000, b"\0\xff" * 100_000)), "1×100000 pixels"),
    "clear.png": (lambda path: Image.new("RGBA", (32, 32)).save(path), "nothing to see"),
    "nowhere.png": (lambda path: path.symlink_to("not_there.png"), "there is no such file"),
}
"""File name → (how it is made, what is said of it)."""


def animated(path: Path) -> None:
    """Two frames, the second one blank."""
    sprite().save(path, save_all=True, append_images=[Image.new("RGBA", (32, 32), "white")])


def grey_16(path: Path) -> None:
    """16-bit grey: the lower byte is noise."""
    grey = np.asarray(sprite().convert("L"), np.uint16)
    Image.fromarray(grey * 256 + 77).save(path)


ACCEPTED: dict[str, Callable[[Path], object]] = {
    "dot.png": lambda path: Image.new("RGBA", (1, 1), "red").save(path),
    "thread.png": lambda path: Image.new("RGBA", (1, 2000), "red").save(path),
    "gif.gif": animated,
    "apng.png": animated,
    "webp.webp": lambda path: sprite().save(path, lossless=True),
    "grey_16.png": grey_16,
    "palette.png": lambda path: sprite().quantize(16).save(path),
    "grey.png": lambda path: sprite().convert("L").save(path),
    "grey_alpha.png": lambda path: sprite().convert("LA").save(path),
    "bitmap.png": lambda path: sprite().convert("1").save(path),
    "bmp_as.png": lambda path: sprite().convert("RGB").save(path, "BMP"),
}
"""File name → how it is made: odd, and still a sprite."""


# Bundles -------------------------------------------------------------------------------------------------------------


def seal(bundle: Path, **changes: object) -> None:
    """Give ``bundle.json`` the sizes and hashes of the networks as they are now, and these fields."""
    info = json.loads((bundle / "bundle.json").read_text()) | changes
    for name in ("generator.onnx", "classifier.onnx"):
        data = (bundle / name).read_bytes()
        info["files"][name] = {"sha256": sha256(data).hexdigest(), "size": len(data)}
    (bundle / "bundle.json").write_text(json.dumps(info))


def constant_generator(
    types: int, latent: int, size: int, value: float = 0.5, rows: str = "all", side: int | None = None
) -> onnx.ModelProto:
    """A generator of the right signature that always draws the same picture.

    ``rows`` "one" gives one row for however many; ``side`` gives pictures of another side than is declared.
    """
    picture = np.full((1, 4, side or size, side or size), value, np.float32)
    nodes = [
        helper.make_node("Mul", ["z", "nought"], ["noughts"]),
        helper.make_node("ReduceSum", ["noughts", "axes"], ["sums"], keepdims=1 if rows == "all" else 0),
        helper.make_node("Reshape", ["sums", "shape"], ["column"]),
        helper.make_node("Add", ["column", "picture"], ["rgba"]),
    ]
    weights = {
        "nought": np.zeros((), np.float32),
        "axes": np.array([1] if rows == "all" else [0, 1], np.int64),
        "shape": np.array([-1, 1, 1, 1], np.int64),
        "picture": picture,
    }
    graph = helper.make_graph(
        nodes,
        "constant",
        [
            helper.make_tensor_value_info("z", TensorProto.FLOAT, ["n", latent]),
            helper.make_tensor_value_info("label", TensorProto.FLOAT, ["n", types]),
        ],
        [helper.make_tensor_value_info("rgba", TensorProto.FLOAT, ["n", 4, size, size])],
        [numpy_helper.from_array(array, name) for name, array in weights.items()],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=8)


def with_constant_generator(bundle: Path, **how: Any) -> Path:
    """The bundle with its generator replaced by ``constant_generator``."""
    info = json.loads((bundle / "bundle.json").read_text())
    model = constant_generator(len(info["types"]), info["latent"], info["size"], **how)
    onnx.save_model(model, str(bundle / "generator.onnx"))
    seal(bundle)
    return bundle


def change_generator(bundle: Path, change: Callable[[onnx.ModelProto], object]) -> None:
    """Alter the generator's graph, and make the hashes fit."""
    path = bundle / "generator.onnx"
    model = onnx.load_model(str(path))
    change(model)
    onnx.save_model(model, str(path))
    seal(bundle)


def rename_input(model: onnx.ModelProto) -> None:
    """``z`` becomes ``noise``."""
    for node in model.graph.node:
        node.input[:] = ["noise" if name == "z" else name for name in node.input]
    next(value for value in model.graph.input if value.name == "z").name = "noise"


def enlarge_output(model: onnx.ModelProto) -> None:
    """Declares twice the pictures' side."""
    for dim in model.graph.output[0].type.tensor_type.shape.dim[2:]:
        dim.dim_value *= 2


def add_custom_operator(model: onnx.ModelProto) -> None:
    """A node whose meaning only its author knows."""
    model.opset_import.append(helper.make_opsetid("com.example", 1))
    model.graph.node.append(helper.make_node("Anything", ["z"], ["unused"], domain="com.example"))


def add_custom_node_only(model: onnx.ModelProto) -> None:
    """The same without declaring the domain."""
    model.graph.node.append(helper.make_node("Anything", ["z"], ["unused"], domain="com.microsoft"))


def external(name: str) -> onnx.TensorProto:
    """A tensor whose data lies in a file outside the bundle."""
    tensor = TensorProto(name=name, data_type=TensorProto.FLOAT, dims=[1], data_location=TensorProto.EXTERNAL)
    tensor.external_data.add(key="location", value="../../secret")
    return tensor


def add_external_weight(model: onnx.ModelProto) -> None:
    """Among the weights."""
    model.graph.initializer.append(external("far"))


def add_external_weight_in_branch(model: onnx.ModelProto) -> None:
    """In a branch that consists of nothing but that tensor."""
    branch = helper.make_graph(
        [], "branch", [], [helper.make_tensor_value_info("far", TensorProto.FLOAT, [1])], [external("far")]
    )
    model.graph.initializer.append(numpy_helper.from_array(np.array(True), "always"))
    model.graph.node.append(helper.make_node("If", ["always"], ["unused"], then_branch=branch, else_branch=branch))


def add_external_sparse_weight(model: onnx.ModelProto) -> None:
    """As the values of a sparse tensor."""
    indices = numpy_helper.from_array(np.array([0], np.int64), "indices")
    model.graph.sparse_initializer.append(helper.make_sparse_tensor(external("far"), indices, [1]))


def edit_json(bundle: Path, change: Callable[[dict[str, Any]], object]) -> None:
    """Alter ``bundle.json``."""
    info = json.loads((bundle / "bundle.json").read_text())
    change(info)
    (bundle / "bundle.json").write_text(json.dumps(info))


def make_link(path: Path) -> None:
    """The file lies elsewhere, and a link stands for it."""
    elsewhere = path.parent.with_name(f"elsewhere_{path.name}")
    shutil.move(path, elsewhere)
    path.symlink_to(elsewhere)
