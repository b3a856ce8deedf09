"""JSON schemas of the documents that other tools read, made from the types that write them.

``python -m asset_gen.schemas`` writes them; a test fails when they are stale.
"""

from __future__ import annotations

import json
from pathlib import Path

import msgspec

from asset_gen.bundle import BundleInfo
from asset_gen.data_card import DataCard
from asset_gen.decisions import Decision
from asset_gen.manifest import Manifest, Provenance
from asset_gen.recipe import Recipe
from asset_gen.watch.events import Event

FOLDER = Path(__file__).parent
DOCUMENTS = {
    "bundle": BundleInfo,
    "data_card": DataCard,
    "decisions": Decision,
    "manifest": Manifest,
    "provenance": Provenance,
    "recipe": Recipe,
    "watch-event": Event,
}


def schemas() -> dict[str, str]:
    """File name → JSON schema (draft 2020-12)."""
    return {
        f"{name}.schema.json": json.dumps(msgspec.json.schema(kind), indent=1, ensure_ascii=False) + "\n"
        for name, kind in DOCUMENTS.items()
    }
