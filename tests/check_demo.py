"""Checks what ``make demo`` wrote against the contract: python tests/check_demo.py PROJECT COUNT"""

from __future__ import annotations

import csv
import json
import sys
from hashlib import sha256
from pathlib import Path

import numpy as np
from PIL import Image


def check(project: Path, count: int) -> str:
    """One sentence on what was found; AssertionError where the contract is broken."""
    out = project / "assets" / "generated"
    manifest = json.loads((out / "manifest.json").read_text())
    sprites = [sprite for sheet in manifest["sheets"] for sprite in sheet["sprites"]]
    assert len(sprites) == count, f"{len(sprites)} sprites, not {count}"
    assert len({sprite["name"] for sprite in sprites}) == count, "names aren't unique"
    counts = [len(sheet["sprites"]) for sheet in manifest["sheets"]]
    assert max(counts) - min(counts) <= 1, f"types aren't balanced: {counts}"
    for entry in manifest["files"]:
        found = sha256((out / entry["path"]).read_bytes()).hexdigest()
        assert found == entry["sha256"], f"{entry['path']} isn't what the manifest lists"
    listed = {entry["path"] for entry in manifest["files"]} | {"manifest.json"}
    there = {path.relative_to(out).as_posix() for path in out.rglob("*") if path.is_file()}
    assert {path for path in there if not path.startswith("candidates~")} == listed, "files that no manifest lists"
    for sheet in manifest["sheets"]:
        picture = np.array(Image.open(out / sheet["image"]).convert("RGBA"))  # of few colours: indexed
        assert list(picture.shape) == [sheet["size"][1], sheet["size"][0], 4], f"{sheet['image']}: size"
        assert sha256(picture.tobytes()).hexdigest() == sheet["pixels_sha256"], f"{sheet['image']}: pixels"
        assert set(np.unique(picture[..., 3])) == {0, 255}, f"{sheet['image']}: alpha isn't hard"
        frames = json.loads((out / sheet["image"]).with_suffix(".json").read_text())["frames"]
        for sprite in sheet["sprites"]:
            x, y, width, height = sprite["rect"]
            frame = frames[sprite["name"]]
            assert list(frame["frame"].values()) == [x, y, width, height], f"{sprite['name']}: engine file disagrees"
            assert frame["type"] == sprite["type"] == sheet["type"]
            assert picture[y : y + height, x : x + width, 3].any(), f"{sprite['name']} is empty"
    run = out / "candidates~" / manifest["run"]
    with (run / "scores.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert len(rows) >= 4 * count and sum(row["kept"] == "1" for row in rows) == count, "candidate set"
    assert all((run / row["type"] / f"{row['name']}.png").is_file() for row in rows), "candidates are missing"
    assert (run / "index.html").is_file() and (out / "candidates~" / ".gdignore").exists()
    kept, random = manifest["scorer"]["kept"], manifest["scorer"]["all"]
    assert kept["n"] == count and kept["mean"] > random["mean"], "the kept set scores no higher than random ones"
    return (
        f"{count} sprites of {len(counts)} types, {len(rows)} candidates, {len(manifest['files'])} files as listed; "
        f"Inception Score over types {kept['mean']:.2f} kept, {random['mean']:.2f} random"
    )


if __name__ == "__main__":
    print(check(Path(sys.argv[1]), int(sys.argv[2])))
