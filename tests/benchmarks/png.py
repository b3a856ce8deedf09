"""Which PNG encoder, for what? python tests/benchmarks/png.py [--count N] [--runs N] [--json FILE]

Draws ``--count`` sprites with the built-in model, and takes its candidates one by one and its sheets whole. Bytes, and
CPU seconds as the median over runs in which all encoders take turns. What a library gives must decode to the same
pixels. One that isn't installed has a row that says so: pip install pyoxipng imagecodecs.
"""

from __future__ import annotations

import argparse
import io
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

sys.path.insert(0, str(Path(__file__).parents[2]))

from tests.benchmarks.harness import Row, fresh_folder

Encode = Callable[[NDArray[np.uint8]], bytes]
ASSETGEN = [sys.executable, "-c", "from asset_gen.cli import main; main()"]
STRATEGIES = {"filtered": 1, "Huffman": 2, "run lengths": 3}
"""Of zlib, by number."""


def pillow(**options: Any) -> Encode:
    """Pillow with these options."""

    def encode(picture: NDArray[np.uint8]) -> bytes:
        buffer = io.BytesIO()
        Image.fromarray(picture, "RGBA").save(buffer, "PNG", **options)
        return buffer.getvalue()

    return encode


def imagecodecs(level: int) -> Encode:
    """imagecodecs; fails where it isn't installed."""
    library = import_module("imagecodecs")
    return lambda picture: bytes(library.png_encode(picture, level=level))


def oxipng(level: int) -> Encode:
    """oxipng over what Pillow's level 1 gives; fails where it isn't installed."""
    library, first = import_module("oxipng"), pillow(compress_level=1)
    return lambda picture: bytes(library.optimize_from_memory(first(picture), level=level))


ENCODERS: dict[str, Callable[[], Encode]] = {
    "Pillow, level 1": lambda: pillow(compress_level=1),
    "Pillow, level 6": lambda: pillow(compress_level=6),
    "Pillow, level 9": lambda: pillow(compress_level=9),
    **{
        f"Pillow, level 6, {name}": lambda number=number: pillow(compress_level=6, compress_type=number)  # type: ignore[misc]
        for name, number in STRATEGIES.items()
    },
    "imagecodecs, level 1": lambda: imagecodecs(1),
    "imagecodecs, level 6": lambda: imagecodecs(6),
    "oxipng, level 2": lambda: oxipng(2),
    "oxipng, level 4": lambda: oxipng(4),
}


def read(paths: list[Path]) -> list[NDArray[np.uint8]]:
    """Pictures as RGBA uint8 [h, w, 4]."""
    pictures = []
    for path in paths:
        with Image.open(path) as image:
            pictures.append(np.asarray(image.convert("RGBA")))
    return pictures


def rows_of(subject: str, pictures: list[NDArray[np.uint8]], runs: int) -> list[dict[str, Any]]:
    """A row an encoder: bytes and CPU seconds for all pictures."""
    rows: dict[str, dict[str, Any]] = {}
    encoders: dict[str, Encode] = {}
    seconds: dict[str, list[float]] = {}
    for name, made in ENCODERS.items():
        rows[name] = {"subject": subject, "encoder": name, "pictures": len(pictures)}
        try:
            encoders[name] = made()
        except ImportError as error:
            rows[name] |= {"bytes": None, "cpu_seconds": None, "missing": str(error)}
    for _ in range(runs):
        for name, encode in encoders.items():
            begun = time.process_time()
            data = [encode(picture) for picture in pictures]
            seconds.setdefault(name, []).append(time.process_time() - begun)
            if "bytes" not in rows[name]:
                for picture, one in zip(pictures, data, strict=True):
                    with Image.open(io.BytesIO(one)) as image:
                        assert _same(np.asarray(image.convert("RGBA")), picture), f"{name}: other pixels"
                rows[name]["bytes"] = sum(map(len, data))
    for name, times in seconds.items():
        rows[name]["cpu_seconds"] = round(statistics.median(times), 4)
    return list(rows.values())


def _same(a: NDArray[np.uint8], b: NDArray[np.uint8]) -> bool:
    return np.array_equal(a, b)


def rows(runs: int) -> list[Row]:
    """For the page; of 125 sprites."""
    found = []
    for row in pictures_and_rows(125, runs, fresh_folder()):
        what = f"{row['pictures']} {row['subject']}, {row['encoder']}"
        if row.get("missing"):
            found.append(Row(what, "–", f"not available: {row['missing']}"))
        else:
            found.append(Row(what, f"{row['cpu_seconds']:.3f} s ({row['bytes']:,} bytes)", runs=runs))
    return found


def pictures_and_rows(count: int, runs: int, project: Path) -> list[dict[str, Any]]:
    """Rows for candidates and sheets of a batch in the empty folder ``project``."""
    command = ["batch", "--count", str(count), "--project", str(project), "--device", "cpu", "--filter", "is", "-q"]
    subprocess.run([*ASSETGEN, *command], check=True)
    found = sorted(project.rglob("*.png"))
    candidates = read([path for path in found if "candidates~" in path.parts])
    sheets = read([path for path in found if "candidates~" not in path.parts])
    return rows_of("candidates", candidates, runs) + rows_of("sheets", sheets, runs)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--count", type=int, default=250)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--json", type=Path)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        rows = pictures_and_rows(given.count, given.runs, Path(folder))
    for row in rows:
        figures = row.get("missing") or f"{row['bytes']:>10,} bytes  {row['cpu_seconds']:>8.3f} s CPU"
        print(f"{row['subject']:<11} {row['pictures']:>5}  {row['encoder']:<32} {figures}")
    if given.json:
        given.json.write_text(json.dumps(rows, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
