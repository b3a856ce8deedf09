"""Servers that stall, break off, redirect and lie: a download is whole, or it isn't there."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from asset_gen.errors import DownloadError
from asset_gen.importers.download import Patience, fetch
from tests.asset_gen.servers import Server

DATA = bytes(range(256)) * 1000
QUICK = Patience(most_bytes=1_000_000, connect_seconds=5, stall_seconds=0.3, whole_seconds=20)

BAD: dict[str, tuple[dict[str, Any], str]] = {
    "stalls before anything": ({"cuts": 0, "stalls": True}, "doesn't answer any more|connection failed"),
    "stalls in the middle": ({"cuts": 1000, "stalls": True}, "doesn't answer any more|connection failed"),
    "breaks off": ({"cuts": 1000}, "connection failed"),
    "announces more than it sends": ({"claims": len(DATA) + 1}, "connection failed"),
    "announces too much": ({"claims": 10**12}, "1,000,000,000,000 bytes are more than it can have"),
    "redirects for ever": ({"redirects": -1}, "redirects more than 5 times"),
    "is out of order": ({"status": 500}, "answers 500"),
    "has moved away": ({"status": 410}, "answers 410"),
}


@pytest.mark.parametrize("how", BAD)
def test_a_bad_server_leaves_nothing_and_the_message_says_why(how: str, tmp_path: Path) -> None:
    options, words = BAD[how]
    with Server(DATA, **options) as server, pytest.raises(DownloadError, match=words) as caught:
        fetch(server.url, tmp_path, "tiles.zip", QUICK)
    assert server.url in str(caught.value) and "give its path" in str(caught.value)
    assert list(tmp_path.iterdir()) == []


def test_what_goes_on_for_ever_is_cut_off(tmp_path: Path) -> None:
    small = Patience(most_bytes=100_000)
    with Server(DATA, claims=None) as server, pytest.raises(DownloadError, match="goes on after 100,000 bytes"):
        fetch(server.url, tmp_path, "tiles.zip", small)
    assert list(tmp_path.iterdir()) == []


def test_what_drips_is_given_up(tmp_path: Path) -> None:
    slow = Patience(whole_seconds=0.0)
    with Server(DATA) as server, pytest.raises(DownloadError, match="isn't there after 0 seconds"):
        fetch(server.url, tmp_path, "tiles.zip", slow)


def test_fewer_bytes_announced_than_sent_are_all_that_is_taken(tmp_path: Path) -> None:
    """HTTP ends a body where it was announced to end; whether it is what it should be, its reader checks."""
    with Server(DATA, claims=1000) as server:
        assert fetch(server.url, tmp_path, "tiles.zip", QUICK).read_bytes() == DATA[:1000]


def test_a_few_redirects_are_followed_and_a_length_is_not_needed(tmp_path: Path) -> None:
    with Server(DATA, redirects=3, claims=None) as server:
        assert fetch(server.url, tmp_path, "tiles.zip", QUICK).read_bytes() == DATA


def test_nobody_there_and_no_place_to_keep_it_are_said(tmp_path: Path) -> None:
    with Server(DATA) as server:
        (tmp_path / "file").touch()
        with pytest.raises(DownloadError, match="can't keep the download"):
            fetch(server.url, tmp_path / "file", "tiles.zip", QUICK)
    with pytest.raises(DownloadError, match="connection failed"):
        fetch(server.url, tmp_path, "tiles.zip", QUICK)
