"""On a cluster a batch is the same as here, even if a machine is lost; without one, the command says so in time."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from asset_gen.engines import cluster as engine_cluster
from asset_gen.engines.cluster import parse_address
from asset_gen.errors import UsageError
from tests.conftest import Cli, Result, files_of

ROOT = Path(__file__).parents[2]
ASSETGEN = [sys.executable, "-c", "from asset_gen.cli import main; main()"]
TOKEN = {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": "0123456789abcdef" * 4}
ANOTHER = "import asset_gen; asset_gen.__version__ = '0.0.1'"


@dataclass(frozen=True)
class Cluster:
    """A running ``tests/cluster.py``."""

    address: str
    process: subprocess.Popen[str]

    def order(self, line: str) -> None:
        """Add a machine, or lose one, and wait until that is done."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()
        assert self.process.stdout.readline().strip() == line.split()[0]


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    """Of two machines."""
    folder = tempfile.mkdtemp(prefix="r-")  # a short name, which pytest's isn't: sockets lie in it
    process = subprocess.Popen(
        [sys.executable, str(ROOT / "tests/cluster.py"), folder],
        env=os.environ | TOKEN | {"PYTHONPATH": str(ROOT)},
        text=True,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    assert process.stdout is not None
    found = Cluster(process.stdout.readline().strip(), process)
    found.order("add")
    yield found
    process.communicate("", timeout=60)
    shutil.rmtree(folder, ignore_errors=True)
    assert process.returncode == 0


@contextmanager
def command(*arguments: object) -> Iterator[subprocess.Popen[str]]:
    """``assetgen ARGUMENTS…`` as a process of its own, with the cluster's token: Ray remembers one for each process."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("ASSETGEN_", "RAY_"))}
    environment |= TOKEN | {"PYTHONPATH": str(ROOT), "ASSETGEN_PROGRESS": "lines"}
    with subprocess.Popen(
        [*ASSETGEN, *map(str, arguments)], env=environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def run(*arguments: object) -> Result:
    """Its end."""
    with command(*arguments) as process:
        out, err = process.communicate(timeout=120)
    return Result(process.returncode, out, err)


def test_a_batch_on_a_cluster_is_the_same_file_by_file_even_if_a_machine_is_lost(
    cli: Cli, bundle: Path, tmp_path: Path, cluster: Cluster
) -> None:
    here, there = tmp_path / "here", tmp_path / "there"
    for game in (here, there):
        game.mkdir()
    options = ("batch", "--count", 1000, "--model", bundle, "--seed", 4, "--filter", "none")
    assert cli(*options, "--project", here, "-q").code == 0
    options = (*options, "--project", there, "--engine", "ray", "--ray-address", cluster.address, "--json")
    with command(*options) as process:
        assert process.stderr is not None
        told = [process.stderr.readline()]
        cluster.order("lose")
        out, err = process.communicate(timeout=120)
    told += err.splitlines(keepends=True)
    cluster.order("add")
    assert process.returncode == 0, told
    assert told[0] == "progress: drawing candidates 512/4000\n"
    assert "progress: drawing candidates 4000/4000\n" in told
    assert [line for line in told if not line.startswith(("progress: ", "["))] == []  # Ray's own notes begin so
    assert out.startswith("{")
    assert files_of(there) == files_of(here)


def test_a_worker_with_another_version_is_refused(bundle: Path, game: Path, tmp_path: Path, cluster: Cluster) -> None:
    (tmp_path / "sitecustomize.py").write_text(ANOTHER)
    cluster.order(f"add {tmp_path}")
    done = run(
        "batch", "--count", 4, "--model", bundle, "--project", game, "--engine", "ray", "--ray-address", cluster.address
    )
    cluster.order("lose")
    assert done.code == 4, done.err
    assert "has assetgen 0.0.1, and " in done.err
    assert not [path for path in files_of(game) if path.endswith(".png")]


def test_a_cluster_that_asks_for_a_token_says_so(
    cli: Cli, bundle: Path, game: Path, cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(game))
    monkeypatch.setattr(engine_cluster, "ANSWER", 6)
    options = ("--engine", "ray", "--ray-address", cluster.address)
    done = cli("batch", "--count", 4, "--model", bundle, "--project", game, *options)
    assert done.code == 4, done.err
    assert "asks for its token" in done.err
    assert "RAY_AUTH_TOKEN_PATH" in done.err


def test_without_a_cluster_at_the_address_the_command_ends_within_half_a_minute(
    cli: Cli, bundle: Path, game: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert engine_cluster.CONNECT + engine_cluster.ANSWER <= 25
    monkeypatch.setattr(engine_cluster, "ANSWER", 3)
    with socket.create_server(("127.0.0.1", 0)) as silent, socket.create_server(("127.0.0.1", 0)) as probe:
        unused = probe.getsockname()[1]
        probe.close()
        for port, why in ((unused, "Connection refused"), (silent.getsockname()[1], "no answer in 3 s")):
            begun = time.monotonic()
            address = f"127.0.0.1:{port}"
            options = ("--engine", "ray", "--ray-address", address)
            done = cli("batch", "--count", 4, "--model", bundle, "--project", game, *options)
            assert done.code == 4
            assert f"--ray-address {address}" in done.err
            assert why in done.err
            assert "ray start --head" in done.err
            assert time.monotonic() - begun < 15
    assert not [path for path in files_of(game) if path.endswith(".png")]


@pytest.mark.parametrize("text", ["rack", "rack:", ":6379", "rack:0", "rack:65536", "rack:six", "ray://rack:10001", ""])
def test_what_is_no_address_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match=r"isn't an address. Write HOST:PORT"):
        parse_address(text)


def test_addresses_are_a_host_and_a_port() -> None:
    assert parse_address("rack:6379") == ("rack", 6379)
    assert parse_address("[2001:db8::1]:6379") == ("2001:db8::1", 6379)


def test_flags_for_ray_need_ray_and_its_variables_may_stay(
    cli: Cli, bundle: Path, game: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    batch = ("batch", "--count", 4, "--model", bundle, "--project", game)
    for flag in (("--ray-address", "rack:6379"), ("--ray-workers", 2)):
        done = cli(*batch, *flag)
        assert done.code == 2
        assert f"{flag[0]}: is for --engine ray" in done.err
    monkeypatch.setenv("ASSETGEN_RAY_ADDRESS", "rack")
    assert cli(*batch, "-q").code == 0
    done = cli(*batch, "--seed", 1, "--yes", "--engine", "ray")
    assert done.code == 2
    assert "--ray-address 'rack': isn't an address" in done.err
