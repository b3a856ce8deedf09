"""``bundle.json`` beside two honest networks: the bundle is loaded, or refused."""

from __future__ import annotations

from asset_gen.bundle import load_bundle
from tests.fakes import write_bundle
from tests.fuzz.scratch import folder

BUNDLE = write_bundle(folder("bundle"), size=4)


def attack(data: bytes) -> None:
    (BUNDLE / "bundle.json").write_bytes(data)
    load_bundle(BUNDLE)
