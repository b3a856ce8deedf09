"""``assetgen.decisions.jsonl``: read, or refused; one more line changes nothing that was said before."""

from __future__ import annotations

from asset_gen.decisions import NAME, decide, read_decisions, record
from asset_gen.manifest import Origin
from tests.fuzz.scratch import folder

PROJECT = folder("decisions")
LINE = decide("bat_000001", "reject", Origin(model="m" * 64, seed=0, type="bat", index=1), "Ada")


def attack(data: bytes) -> None:
    (PROJECT / NAME).write_bytes(data)
    before = read_decisions(PROJECT)
    (written,) = record(PROJECT, [LINE])
    after = read_decisions(PROJECT)
    assert [line for line in after.lines if line != written] == list(before.lines)
    assert LINE.origin in after.rejected
