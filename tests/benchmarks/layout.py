"""500 sprites → a sheet and its data, beside two peers: rows of the subject ``layout``.

All three are whole processes that read the same 500 PNG files of 64×64 (the built-in model's) and write one sheet with
gaps of two pixels and TexturePacker's JSON or plist; nothing is rotated or trimmed. Efficiency is the share of the
sheet that sprites fill. The last row is ours alone: the same sprites trimmed, and packed as they fit.

The peers are fetched on the first run: PyTexturePacker with pip, free-tex-packer-core with npm, into ``CACHE``.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
from PIL import Image

from tests.benchmarks.harness import Row, fresh_folder

PY_TEXTURE_PACKER = "PyTexturePacker==1.2.1"
FREE_TEX_PACKER = "free-tex-packer-core@0.3.9"
COUNT = 500
CACHE = Path.home() / ".cache/assetgen-clients/packers"

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

    project = fresh_folder()
    if run(["batch", "--count", str(COUNT), "--scale", "2", "--project", str(project), "-q"]):
        raise SystemExit("assetgen batch failed")
    out = project / "assets/generated"
    for sheet in json.loads((out / "manifest.json").read_text())["sheets"]:
        picture = Image.open(out / sheet["image"])
        for sprite in sheet["sprites"]:
            x, y, width, height = sprite["rect"]
            picture.crop((x, y, x + width, y + height)).save(folder / f"{sprite['name']}.png")


def peers(cache: Path) -> tuple[dict[str, tuple[list[str], dict[str, str]]], dict[str, str]]:
    """Name → (command without its two folders, environment), each fetched once; and name → why it can't be had."""
    python, node = cache / "python", cache / "node"
    found: dict[str, tuple[list[str], dict[str, str]]] = {"assetgen": ([sys.executable, "-c", OURS], {})}
    pip = [sys.executable, "-m", "pip", "install", "-q", "--no-deps", "--target", str(python), PY_TEXTURE_PACKER]
    npm = ["npm", "install", "--silent", "--ignore-scripts", "--prefix", str(node), FREE_TEX_PACKER]
    offers = {
        "PyTexturePacker 1.2.1": (python / "PyTexturePacker", pip),
        "free-tex-packer-core 0.3.9": (node / "node_modules", npm),
    }
    commands = {
        "PyTexturePacker 1.2.1": ([sys.executable, "-c", PYTHON_PEER], {"PYTHONPATH": str(python)}),
        "free-tex-packer-core 0.3.9": (["node", str(node / "pack.js")], {}),
    }
    missing = {}
    for name, (folder, install) in offers.items():
        try:
            if not folder.is_dir():
                subprocess.run(install, check=True, stdin=subprocess.DEVNULL, timeout=60)
            found[name] = commands[name]
        except (OSError, subprocess.SubprocessError) as error:
            missing[name] = f"{install[0]} can't fetch it ({type(error).__name__})"
    if node.is_dir():
        (node / "pack.js").write_text(NODE_PEER)
    return found, missing


def measured(command: list[str], environment: dict[str, str], source: Path) -> tuple[float, float, float, int]:
    """(seconds by the clock, CPU seconds, efficiency, bytes) of one run."""
    out = fresh_folder()
    start = time.perf_counter()
    process = subprocess.Popen(
        [*command, str(source), str(out)], env=os.environ | environment, stdout=subprocess.DEVNULL
    )
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - start
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"{command[:2]}: exit {process.returncode}")
    area = sum(image.width * image.height for image in map(Image.open, out.rglob("*.png")))
    size = sum(path.stat().st_size for path in out.rglob("*") if path.is_file())
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


def rows(runs: int) -> list[Row]:
    """Ours against each peer, and the trimmed layout."""
    source = fresh_folder()
    sprites_into(source)
    commands, missing = peers(CACHE)
    found: dict[str, list[tuple[float, float, float, int]]] = {name: [] for name in commands}
    for _ in range(runs):
        for name, (command, environment) in commands.items():  # in turn, so that all meet the same machine
            found[name].append(measured(command, environment, source))
    layout_seconds, efficiency, count = trimmed(source)
    table = {name: [statistics.median(column) for column in zip(*times, strict=True)] for name, times in found.items()}
    ours = table.pop("assetgen")
    rows = []
    for name, (clock, cpu, filled, size) in table.items():
        for what, mine, theirs in (("by the clock", ours[0], clock), ("of CPU", ours[1], cpu)):
            value = f"{mine:.2f} s: {theirs / mine:.1f}× as fast"
            rows.append(Row(f"seconds {what}", value, f"{theirs:.2f} s, {name}", "faster", mine < theirs, runs))
        value, peer = f"{ours[2]:.3f} ({ours[3] / 1000:.0f} kB)", f"{filled:.3f} ({size / 1000:.0f} kB), {name}"
        rows.append(Row("share of the sheet that sprites fill", value, peer, "≥ 0.92", ours[2] >= 0.92, runs))
    rows += [Row(f"against {name}", "–", f"not available: {reason}", "faster") for name, reason in missing.items()]
    what = f"trimmed: share filled, layout alone, {count} sheet(s)"
    met = efficiency >= 0.80 and layout_seconds <= 1
    rows.append(Row(what, f"{efficiency:.3f} in {layout_seconds:.2f} s", goal="≥ 0.80 in ≤ 1 s", met=met))
    return rows
