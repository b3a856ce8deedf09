"""``generator.onnx``, with the size and hash that its bundle names: the bundle is loaded, or refused; none is run."""

from __future__ import annotations

import json
from hashlib import sha256

from asset_gen.bundle import load_bundle
from tests.fakes import write_bundle
from tests.fuzz.scratch import folder

BUNDLE = write_bundle(folder("network"), size=4)
INFO = json.loads((BUNDLE / "bundle.json").read_text())


def attack(data: bytes) -> None:
    (BUNDLE / "generator.onnx").write_bytes(data)
    INFO["files"]["generator.onnx"] = {"sha256": sha256(data).hexdigest(), "size": len(data)}
    (BUNDLE / "bundle.json").write_text(json.dumps(INFO))
    load_bundle(BUNDLE)
