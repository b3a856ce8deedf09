"""500 sprites → a sheet and its data, beside two peers: python tests/benchmarks/layout.py [--runs N] [--cache DIR]

All three are whole processes that read the same 500 PNG files of 64×64 (the built-in model's) and write one sheet with
gaps of two pixels and TexturePacker's JSON or plist; nothing is rotated or trimmed. Efficiency is the share of the
sheet that sprites fill. The second table is ours alone: the same sprites trimmed, and packed as they fit.

The peers are fetched on the first run: PyTexturePacker with pip, free-tex-packer-core with npm, into --cache.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from PIL import Image

PY_TEXTURE_PACKER = "PyTexturePacker==1.2.1"
FREE_TEX_PACKER = "free-tex-packer-core@0.3.9"
COUNT = 500

OURS = """
import sys
from pathlib import Path
from asset_gen import layout, sheet
from asset_gen.images import read_rgba
from asset_gen.png import encode_sheet
from asset_gen.sheet import Delivery
from integrations.generic.writer import write

source, out = map(Path, sys.argv[1:])
sprites = [read_rgba(path) for path in sorted(source.glob("*.png"))]
cell = len(sprites[0])
slots = [(slot, 1.0) for slot in range(len(sprites))]
sheets = layout.lay_out("sprite", "sprite", slots, cell, layout.columns_for(len(slots), cell))
for laid in sheets:
    first = laid.regions[0].slot
    picture = sheet.paint(laid, sprites[first : first + len(laid.regions)])
    (out / laid.image).parent.mkdir(parents=True, exist_ok=True)
    (out / laid.image).write_bytes(encode_sheet(picture))
for path, data in write(Delivery(tuple(sheets))).items():
    (out / path).write_bytes(data)
"""
PYTHON_PEER = """
import sys
from PyTexturePacker import Packer
Packer.create(max_width=2048, max_height=2048, enable_rotated=False, border_padding=2, shape_padding=2,
              atlas_format="json").pack(sys.argv[1], "sprite%d", output_path=sys.argv[2])
"""
NODE_PEER = """
const fs = require("fs"), path = require("path");
const pack = require("free-tex-packer-core");
const [source, out] = process.argv.slice(2);
const images = fs.readdirSync(source).sort().map((name) =>
  ({ path: name, contents: fs.readFileSync(path.join(source, name)) }));
const options = { textureName: "sprite", width: 2048, height: 2048, padding: 2, allowRotation: false, allowTrim: false,
  fixedSize: false, detectIdentical: false, exporter: "JsonHash", powerOfTwo: false };
pack(images, options, (files, error) => {
  if (error) throw error;
  for (const file of files) fs.writeFileSync(path.join(out, file.name), file.buffer);
});
"""


def sprites_into(folder: Path) -> None:
    """500 sprites of the built-in model, doubled to 64×64, a file each."""
    from asset_gen.cli import run

    with tempfile.TemporaryDirectory() as project:
        arguments = ["batch", "--count", str(COUNT), "--scale", "2", "--project", project, "-q"]
        if run(arguments):
            raise SystemExit("assetgen batch failed")
        out = Path(project) / "assets/generated"
        for sheet in json.loads((out / "manifest.json").read_text())["sheets"]:
            picture = Image.open(out / sheet["image"])
            for sprite in sheet["sprites"]:
                x, y, width, height = sprite["rect"]
                picture.crop((x, y, x + width, y + height)).save(folder / f"{sprite['name']}.png")


def peers(cache: Path) -> dict[str, tuple[list[str], dict[str, str]]]:
    """Name → (command without its two folders, environment), each fetched once."""
    python, node = cache / "python", cache / "node"
    if not (python / "PyTexturePacker").is_dir():
        install = [
            sys.executable,
            "-m",
            "pip",
            "install",
            "-q",
            "--no-deps",
            "--target",
            str(python),
            PY_TEXTURE_PACKER,
        ]
        subprocess.run(install, check=True)
    if not (node / "node_modules").is_dir():
        npm = ["npm", "install", "--silent", "--ignore-scripts", "--prefix", str(node), FREE_TEX_PACKER]
        subprocess.run(npm, check=True)
    (node / "pack.js").write_text(NODE_PEER)
    return {
        "assetgen": ([sys.executable, "-c", OURS], {}),
        "PyTexturePacker 1.2.1": ([sys.executable, "-c", PYTHON_PEER], {"PYTHONPATH": str(python)}),
        "free-tex-packer-core 0.3.9": (["node", str(node / "pack.js")], {}),
    }


def measured(command: list[str], environment: dict[str, str], source: Path) -> tuple[float, float, float, int]:
    """(seconds by the clock, CPU seconds, efficiency, bytes) of one run."""
    with tempfile.TemporaryDirectory() as out:
        start = time.perf_counter()
        process = subprocess.Popen(
            [*command, str(source), out], env=os.environ | environment, stdout=subprocess.DEVNULL
        )
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - start
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            raise SystemExit(f"{command[:2]}: exit {process.returncode}")
        sheets = list(Path(out).rglob("*.png"))
        area = sum(image.width * image.height for image in map(Image.open, sheets))
        size = sum(path.stat().st_size for path in Path(out).rglob("*") if path.is_file())
    return seconds, usage.ru_utime + usage.ru_stime, COUNT * 64 * 64 / area, size


def trimmed(source: Path) -> tuple[float, float, int]:
    """(seconds, efficiency, sheets) of packing the trimmed sprites, layout alone."""
    from asset_gen.layout import Item, pack
    from asset_gen.manifest import Layout
    from asset_gen.pixels import opaque_box

    pictures = [np.array(Image.open(path)) for path in sorted(source.glob("*.png"))]
    start = time.perf_counter()
    items = [Item("sprite", slot, 1.0, opaque_box(p), str(slot).encode()) for slot, p in enumerate(pictures)]
    sheets = pack("sprite", "sprite", items, 64, Layout(trim=True))
    seconds = time.perf_counter() - start
    filled = sum(item.box[2] * item.box[3] for item in items)
    return seconds, filled / sum(sheet.width * sheet.height for sheet in sheets), len(sheets)


def main() -> None:
    """Print both tables; exit code 1 if a limit isn't met."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--cache", type=Path, default=Path.home() / ".cache/assetgen-clients/packers")
    options = parser.parse_args()
    if not shutil.which("npm"):
        raise SystemExit("npm is needed to fetch free-tex-packer-core: install Node.js first.")
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder)
        sprites_into(source)
        commands = peers(options.cache)
        rows: dict[str, list[tuple[float, float, float, int]]] = {name: [] for name in commands}
        for _ in range(options.runs):
            for name, (command, environment) in commands.items():  # in turn, so that all meet the same machine
                rows[name].append(measured(command, environment, source))
        print("| 500 sprites of 64×64 | seconds | CPU seconds | efficiency | kB |\n|---|---|---|---|---|")
        table = {name: [statistics.median(column) for column in zip(*runs, strict=True)] for name, runs in rows.items()}
        for name, (seconds, cpu, efficiency, size) in table.items():
            print(f"| {name} | {seconds:.2f} | {cpu:.2f} | {efficiency:.3f} | {size / 1000:.0f} |")
        seconds, efficiency, count = trimmed(source)
        print("\n| the same, trimmed | seconds of layout | efficiency | sheets |\n|---|---|---|---|")
        print(f"| assetgen | {seconds:.2f} | {efficiency:.3f} | {count} |")
    ours, *others = table.values()
    met = ours[2] >= 0.92 and all(ours[0] < other[0] and ours[1] < other[1] for other in others)
    if not (met and efficiency >= 0.80 and seconds <= 1):
        sys.exit("a limit isn't met: efficiency ≥ 0.92 and faster than both; trimmed ≥ 0.80 in ≤ 1 s")


if __name__ == "__main__":
    main()
