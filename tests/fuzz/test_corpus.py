"""Inputs that fuzzing began with or once found, and a hundred like them, are read or refused: always the same ones."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator
from importlib import import_module

import pytest

from asset_gen.errors import AssetgenError
from tests.fuzz.run import CORPUS, SECONDS, TARGETS

MUTATIONS = 100
WORDS = (
    b"\0",
    b"\xff",
    b"[" * 2000,
    b'{"' * 500,
    b"\n",
    b"..",
    b"/",
    b"9" * 400,
    b"1e999",
    b"-1",
    b"\xed\xa0\x80",
    b'"',
)


def mutations(seeds: list[bytes], count: int) -> Iterator[bytes]:
    """Seeds with bytes changed, cut out, doubled, or words put in; the same ones every time."""
    chance = random.Random(0)
    for _ in range(count):
        data = bytearray(chance.choice(seeds))
        for _ in range(chance.randint(1, 4)):
            start = chance.randrange(len(data) + 1)
            stop = min(len(data), start + chance.randint(1, 16))
            match chance.randrange(4):
                case 0 if start < len(data):
                    data[start] ^= 1 << chance.randrange(8)
                case 1:
                    del data[start:stop]
                case 2:
                    data[start:start] = data[start:stop]
                case _:
                    data[start:start] = chance.choice(WORDS)
        yield bytes(data)


@pytest.mark.parametrize("target", TARGETS)
def test_whatever_comes_is_read_or_refused(target: str) -> None:
    attack = import_module(f"tests.fuzz.fuzz_{target}").attack
    seeds = [path.read_bytes() for path in sorted((CORPUS / target).iterdir())]
    assert seeds
    for data in [*seeds, b"", *mutations(seeds, MUTATIONS)]:
        begun = time.process_time()
        try:
            attack(data)
        except AssetgenError as error:
            assert str(error)
        except Exception as error:
            pytest.fail(f"{error!r} of {data[:200]!r}")
        assert time.process_time() - begun < SECONDS, data[:200]
