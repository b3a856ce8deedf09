"""Fixtures that everything shares: sprites, a short training, its bundle, and a way to call the command line."""

from __future__ import annotations

import os
import shutil
import signal
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

import pytest
from hypothesis import settings

from asset_gen.cli import run as run_command_line
from tests.creatures import write_set

REAL_SETS = Path(os.environ.get("ASSETGEN_DATA", Path(__file__).parents[2] / "shared" / "data"))


settings.register_profile("assetgen", deadline=None, derandomize=True, database=None)  # the same examples everywhere
settings.load_profile("assetgen")


def pytest_configure() -> None:
    """Networks this small gain nothing from threads, and on a busy machine threads wait for each other.

    The background job of a shell is deaf to Ctrl+C, and so is what it starts; tests of it need ears.

    The published torchvision has operators for CUDA alone, and beside a CPU build of PyTorch it fails when it describes
    them; without this description, pytorch_gan_metrics and torch-fidelity, which need none of them, can be imported.
    """
    sys.modules.setdefault("torchvision._meta_registrations", ModuleType("no operators"))
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


@dataclass(frozen=True)
class Result:
    """What a command line did."""

    code: int
    out: str
    err: str


Cli = Callable[..., Result]


@pytest.fixture
def cli(
    capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> Cli:
    """Runs ``assetgen ARGUMENTS…`` in this process. Of ASSETGEN_* variables two are set: short trainings are judged by
    their own classifier, which is quick, and the cache is the tests' own."""
    for name in [name for name in os.environ if name.startswith("ASSETGEN_") and name != "ASSETGEN_DATA"]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("ASSETGEN_NO_PRETRAINED", "1")
    monkeypatch.setenv("ASSETGEN_CACHE", str(tmp_path_factory.getbasetemp() / "cache"))

    def call(*arguments: object) -> Result:
        capfd.readouterr()
        code = run_command_line([str(argument) for argument in arguments])
        out, err = capfd.readouterr()
        return Result(code, out, err)

    return call


@pytest.fixture(scope="session")
def sprites(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Forty sprites of four types at 32 pixels. Read only."""
    return write_set(tmp_path_factory.mktemp("art") / "sprites")


@pytest.fixture(scope="session")
def finished_run(sprites: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A short ``relativistic`` training on ``sprites``, made by the command line. Read only."""
    run = tmp_path_factory.mktemp("runs") / "creatures"
    options = ["--steps", "6", "--width", "0.25", "--batch-size", "8", "--no-pretrained", "-q"]
    assert run_command_line(["train", str(sprites), "--run", str(run), *options]) == 0
    return run


@pytest.fixture(scope="session")
def bundle(finished_run: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The bundle of ``finished_run``, made by the command line. Read only."""
    out = tmp_path_factory.mktemp("bundles") / "creatures"
    code = run_command_line(["export", str(finished_run), "--out", str(out), "--licence", "CC0-1.0"])
    assert code == 0
    return out


@pytest.fixture
def own_bundle(bundle: Path, tmp_path: Path) -> Path:
    """A copy of ``bundle`` to damage."""
    return Path(shutil.copytree(bundle, tmp_path / "own_bundle"))


@pytest.fixture
def game(tmp_path: Path) -> Path:
    """An empty game project."""
    folder = tmp_path / "game"
    folder.mkdir()
    return folder


def files_of(folder: Path) -> dict[str, bytes]:
    """Path → content of every file below a folder, the project's locks and its history left out: they tell when."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
        and path.name not in ("lock", "decisions.lock")
        and path.relative_to(folder).parts[:2] != (".assetgen", "history")
    }


def real_set(name: str) -> Path:
    """A set that can't be committed; tests that need it are skipped where it is absent."""
    folder = REAL_SETS / name
    if not folder.is_dir():
        pytest.skip(f"the real set isn't at {folder}; set ASSETGEN_DATA to the folder that holds dcss and veekun")
    return folder


@pytest.fixture
def dcss() -> Path:
    """The CC0 tiles of Dungeon Crawl Stone Soup. Read only."""
    return real_set("dcss")


@pytest.fixture
def veekun() -> Path:
    """The set of the paper. Read only."""
    return real_set("veekun")
