"""A small project and its studio, without a browser."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from asset_gen.cli import run as run_command_line
from asset_gen.review.app import make_app
from asset_gen.review.studio import Studio, open_studio
from tests.fakes import fake_bundle, install

PORT = 8477
TOKEN = "t" * 43
HOME = f"http://127.0.0.1:{PORT}"


@pytest.fixture(scope="session")
def published(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A game with three bats, three imps and three owls, of twelve candidates each. Read only."""
    folder = tmp_path_factory.mktemp("reviewed") / "game"
    folder.mkdir()
    with pytest.MonkeyPatch.context() as patch:
        install(patch)
        assert run_command_line(["batch", "--project", str(folder), "--count", "9", "-q"]) == 0
    return folder


@pytest.fixture
def project(published: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of ``published``; further batches draw with the same stand-ins."""
    install(monkeypatch)
    monkeypatch.setattr("asset_gen.loaded.load_bundle", lambda path: fake_bundle())
    return Path(shutil.copytree(published, tmp_path / "reviewed"))


@pytest.fixture
def studio(project: Path) -> Studio:
    return open_studio(project)


@pytest.fixture
def client(studio: Studio) -> Iterator[TestClient]:
    """A browser that has opened the address with the token."""
    with TestClient(make_app(studio, PORT, TOKEN), base_url=HOME, headers={"Origin": HOME}) as client:
        assert client.get(f"/?token={TOKEN}").status_code == 200
        yield client
