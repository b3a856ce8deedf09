"""What other programs read of a sheet's origin: exiftool, which picture agencies and shops use."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.clients.conftest import Client

GENERATED = Path("assets", "generated")
TRAINED = "http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia"


def test_exiftool_reads_that_a_trained_model_made_every_sheet(client: Client, built_in_batch: Path) -> None:
    manifest = json.loads((built_in_batch / GENERATED / "manifest.json").read_text(encoding="utf-8"))
    sheets = [built_in_batch / GENERATED / sheet["image"] for sheet in manifest["sheets"]]
    command = [str(client("exiftool")), "-json", "-n", "-G1", "-validate", "-all", *map(str, sheets)]
    result = subprocess.run(command, capture_output=True, text=True, timeout=120)
    rows = json.loads(result.stdout)
    assert len(rows) == len(sheets) >= 3
    for row, sheet in zip(rows, manifest["sheets"], strict=True):
        assert row["XMP-iptcExt:DigitalSourceType"] == TRAINED
        assert [row["PNG:ImageWidth"], row["PNG:ImageHeight"]] == sheet["size"]
        assert row["ExifTool:Validate"] == "0 0 0", "errors, warnings, minor warnings"
