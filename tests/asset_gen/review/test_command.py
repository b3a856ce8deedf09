"""``assetgen review`` as a process: says where it is, and ends as it is told to."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest

from tests.conftest import Cli


@pytest.mark.skipif(os.name == "nt", reason="signals are others there")
@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 0), (signal.SIGINT, 130)])
def test_it_answers_at_the_address_it_prints_until_a_signal_ends_it(
    game: Path, tmp_path: Path, number: signal.Signals, code: int
) -> None:
    command = [sys.executable, "-c", "from asset_gen.cli import main; main()", "review", "--project", str(game)]
    environment = os.environ | {"ASSETGEN_CACHE": str(tmp_path)}
    with subprocess.Popen(
        [*command, "--port", "0", "--no-browser", "--json"], stdout=subprocess.PIPE, text=True, env=environment
    ) as process:
        assert process.stdout is not None
        told = json.loads(process.stdout.readline())
        opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor())
        with opener.open(told["address"], timeout=30) as answer:
            assert "assetgen review" in answer.read().decode()
        with opener.open(f"http://127.0.0.1:{told['port']}/api/events", timeout=30) as events:
            assert events.readline().startswith(b"retry")  # an open window doesn't hold it up
            process.send_signal(number)
            assert process.wait(timeout=30) == code


def test_a_project_that_is_not_there_is_named(cli: Cli, game: Path) -> None:
    done = cli("review", "--project", game / "away", "--no-browser")
    assert (done.code, "there is no such folder" in done.err) == (2, True)


def test_without_its_extra_it_says_what_to_install(cli: Cli, game: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "uvicorn", None)
    monkeypatch.delitem(sys.modules, "asset_gen.review.serve", raising=False)
    done = cli("review", "--project", game, "--no-browser")
    assert (done.code, "pip install 'assetgen[studio,cpu]'" in done.err) == (4, True)
