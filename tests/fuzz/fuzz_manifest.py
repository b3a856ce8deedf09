"""``manifest.json``: read, or refused; what is read can be written and means the same."""

from __future__ import annotations

from asset_gen.manifest import NAME, encode, read_manifest
from tests.fuzz.scratch import folder

OUT = folder("manifest")


def attack(data: bytes) -> None:
    (OUT / NAME).write_bytes(data)
    manifest = read_manifest(OUT)
    assert manifest is not None
    (OUT / NAME).write_bytes(encode(manifest))
    assert read_manifest(OUT) == manifest
