"""A file of ratings: read, or refused."""

from __future__ import annotations

from asset_gen.poll.ratings import read_ratings
from tests.fuzz.scratch import folder

FILE = folder("ratings") / "ratings.json"


def attack(data: bytes) -> None:
    FILE.write_bytes(data)
    read_ratings(FILE)
