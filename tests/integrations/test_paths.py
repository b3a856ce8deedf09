"""Targets can be used together: no two of them write the same file."""

from __future__ import annotations

from importlib.metadata import entry_points

from asset_gen.targets import GROUP
from tests.integrations.deliveries import grid

ALIKE = {"godot3": "godot", "tiled-collection": "tiled"}
"""Targets of one engine, of which a project needs one."""


def test_no_two_targets_claim_one_path() -> None:
    owners: dict[str, str] = {}
    for entry in entry_points(group=GROUP):
        target = entry.load()
        if target.strip:
            continue  # has sheets of its own, and is used alone
        for path in target.write(grid()):
            other = owners.setdefault(path, entry.name)
            assert ALIKE.get(other, other) == ALIKE.get(entry.name, entry.name), f"{path}: {other} and {entry.name}"
