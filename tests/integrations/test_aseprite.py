"""The target ``aseprite`` writes Aseprite's JSON; tests/clients/test_aseprite.py loads it in Phaser and KAPLAY, and
runs the script for Aseprite in Lua.
"""

from __future__ import annotations

import json

from integrations.aseprite.writer import write
from tests.integrations.deliveries import assert_golden, grid


def test_files_are_golden() -> None:
    assert_golden("aseprite", write(grid()))


def test_frames_are_named_by_their_numbers_which_tags_count_in() -> None:
    for data in write(grid()).values():
        document = json.loads(data)
        frames, tags = document["frames"], document["meta"]["frameTags"]
        assert [frame["filename"] for frame in frames] == [str(number) for number in range(len(frames))]
        covered = [(number, tag["name"]) for tag in tags for number in range(tag["from"], tag["to"] + 1)]
        assert covered == [(number, frame["type"]) for number, frame in enumerate(frames)]
