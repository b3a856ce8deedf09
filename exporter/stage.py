"""How does a bundle appear whole, or not at all? It is built beside its place, and renamed."""

from __future__ import annotations

import shutil
from hashlib import sha256
from pathlib import Path

import msgspec
import onnx

from asset_gen.bundle import BundleInfo, FileRecord
from asset_gen.errors import ModelError
from asset_gen.memory import UnboundedError, need_of


def file_record(path: Path) -> FileRecord:
    """Hash and size of a file."""
    return FileRecord(sha256=sha256(path.read_bytes()).hexdigest(), size=path.stat().st_size)


def write_info(folder: Path, info: BundleInfo) -> None:
    """Write ``bundle.json``."""
    (folder / "bundle.json").write_bytes(msgspec.json.format(msgspec.json.encode(info), indent=1) + b"\n")


def staging(out: Path) -> Path:
    """Where a bundle is built before it takes its place; nothing is there."""
    stage = out.resolve().with_name(f".{out.resolve().name}.tmp")
    shutil.rmtree(stage, ignore_errors=True)
    return stage


def swap(stage: Path, out: Path) -> None:
    """Put a whole bundle in the place of ``out``; a kill between the two renames loses neither."""
    former = stage.with_suffix(".former")
    shutil.rmtree(former, ignore_errors=True)
    if out.exists():
        out.rename(former)
    stage.rename(out)
    shutil.rmtree(former, ignore_errors=True)


def memory_of(path: Path) -> int:
    """Bytes that a network takes, rounded up to whole MiB.

    Raises:
        ModelError: that can't be told from its graph, so no bundle may hold it.
    """
    try:
        return -(-need_of(onnx.load_model(str(path))).memory // 2**20) * 2**20
    except UnboundedError as error:
        raise ModelError(
            f"{path.name}: {error}. The bundle was not written; please report this with what assetgen doctor says."
        ) from None
