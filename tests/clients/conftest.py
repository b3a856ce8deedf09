"""Real clients: where one is missing, the run fails in CI and skips, loudly, elsewhere."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from asset_gen.cli import run as run_command_line

HERE = Path(__file__).parent


def client(program: str) -> str:
    """The path of an installed program."""
    found = shutil.which(program)
    if found is None:
        missing(program)
    assert found is not None
    return found


def node_package(name: str) -> Path:
    """The folder of an installed npm package."""
    folder = HERE / "node_modules" / name
    if not folder.is_dir():
        missing(f"npm package {name}")
    return folder


def missing(what: str) -> None:
    """Fail or skip for want of a client."""
    message = f"{what} isn't installed: run make clients"
    if os.environ.get("CI") == "true":
        pytest.fail(message)
    pytest.skip(message)


@pytest.fixture(scope="session")
def built_in_batch(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project into which the built-in model was published by the command line. Read only."""
    project = tmp_path_factory.mktemp("game")
    assert run_command_line(["batch", "--count", "51", "--scale", "2", "--project", str(project), "-q"]) == 0
    return project
