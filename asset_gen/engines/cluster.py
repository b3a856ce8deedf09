"""How are Ray's processes reached? They are started on this machine and ended, or found at an address and left.

Ray waits for minutes where no cluster answers, and then ends the process that asked; so another process asks first, and
is given up after ``ANSWER`` seconds.
"""

from __future__ import annotations

import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from importlib import import_module
from ipaddress import ip_address
from pathlib import Path
from typing import Any

from asset_gen.errors import AssetgenError, DeviceError, UsageError

CONNECT = 5
"""Seconds in which a machine must take a connection."""
ANSWER = 20
"""Seconds in which a cluster must let a process in."""
STORE = 512 * 2**20
"""Bytes of the object store of processes that are started here: the bundle, and a few blocks of each worker."""
QUIET = {
    "RAY_USAGE_STATS_ENABLED": "0",  # it is to tell nobody that it runs
    "RAY_DEDUP_LOGS": "1",
    "RAY_DEDUP_LOGS_SKIP_REGEX": ".",  # nor to print between a command's data that a worker died
}
"""What Ray reads of the environment when it is imported, as what follows."""
LOOPBACK = {"RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0"}
"""On every system: it takes 127.0.0.1 for this machine's address, and not that on the network."""
AS_OURS = {"RAY_worker_niceness": "0"}
"""Workers are nice otherwise: whatever else this machine does would have nearly all of a core, and they the rest."""
TOKEN = {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": secrets.token_hex(32)}
"""By which the processes started here know each other: of this process, so that none is left in the home folder."""
ASK = """
import sys, ray
try:
    ray.init(address=sys.argv[1], configure_logging=False, log_to_driver=False)
except Exception as error:
    sys.exit(" ".join(str(error).split()) or type(error).__name__)
"""


@contextmanager
def started(cores: int, cards: int | None) -> Iterator[Any]:
    """Ray's module, with processes of its own on this machine, which listen on 127.0.0.1 alone; then they end.

    Args:
        cores: workers that run at once.
        cards: graphics cards, None for as many as there are.

    Raises:
        UsageError: Ray isn't installed.
        DeviceError: it doesn't start.
    """
    with _environment(QUIET | LOOPBACK | AS_OURS | TOKEN):
        ray = _imported()
        home = tempfile.mkdtemp(prefix="assetgen-", dir=_short())
        try:
            with _signals_held(), _failing_as("Ray doesn't start here"):
                ray.init(
                    address="local",
                    num_cpus=cores,
                    num_gpus=cards,
                    include_dashboard=False,
                    log_to_driver=False,
                    logging_level="error",
                    object_store_memory=STORE,
                    _node_ip_address="127.0.0.1",
                    _temp_dir=home,
                )
            yield ray
        finally:
            with suppress(Exception):
                ray.shutdown()
            shutil.rmtree(home, ignore_errors=True)


@contextmanager
def joined(address: str) -> Iterator[Any]:
    """Ray's module, connected to the cluster at ``HOST:PORT``, to which this machine must belong; then it is left.

    Raises:
        UsageError: that is no address, or Ray isn't installed.
        DeviceError: there is no cluster, or it lets nobody in.
    """
    host, port = parse_address(address)
    settings = QUIET | (LOOPBACK if _is_loopback(host) else {})
    if "RAY_AUTH_MODE" not in os.environ and _has_token():
        settings |= {"RAY_AUTH_MODE": "token"}  # a cluster that asks for none doesn't mind
    with _environment(settings):
        _find(address, host, port)
        ray = _imported()
        try:
            with _signals_held(), _failing_as(f"the cluster at {address} can't be joined"):
                ray.init(address=address, log_to_driver=False, logging_level="error")
            yield ray
        finally:
            with suppress(Exception):
                ray.shutdown()


def parse_address(text: str) -> tuple[str, int]:
    """``HOST:PORT``, or ``[HOST]:PORT`` for IPv6.

    Raises:
        UsageError: it is something else.
    """
    host, colon, port = text.rpartition(":")
    if not (colon and host and port.isascii() and port.isdecimal() and 0 < int(port) < 65536) or "/" in host:
        raise UsageError(
            f"--ray-address {text!r}: isn't an address. Write HOST:PORT of the cluster's head as ray start prints it, "
            f"for example 192.0.2.7:6379."
        )
    return host.removeprefix("[").removesuffix("]"), int(port)


def _find(address: str, host: str, port: int) -> None:
    """Make sure that a cluster answers.

    Raises:
        DeviceError: in time there is none.
    """
    cure = "Start one with ray start --head, and give the address that it prints; or use --engine local."
    try:
        socket.create_connection((host, port), timeout=CONNECT).close()
    except OSError as error:
        reason = error.strerror or str(error)
        raise DeviceError(f"--ray-address {address}: there is no Ray cluster ({reason}). {cure}") from None
    try:
        asked = subprocess.run(
            [sys.executable, "-c", ASK, address],
            capture_output=True,
            text=True,
            timeout=ANSWER,
            errors="replace",
        )
    except subprocess.TimeoutExpired as error:
        said = error.stderr.decode(errors="replace") if isinstance(error.stderr, bytes) else str(error.stderr)
        raise DeviceError(_no_cluster(address, said, f"no answer in {ANSWER} s", cure)) from None
    if asked.returncode:
        if "No module named 'ray'" in asked.stderr:
            _imported()
        last = (asked.stderr.strip().splitlines() or [f"exit code {asked.returncode}"])[-1]
        raise DeviceError(_no_cluster(address, asked.stderr, last, cure))


def _no_cluster(address: str, said: str, reason: str, cure: str) -> str:
    """A sentence on why a cluster can't be joined, by what Ray has said."""
    if "Unauthenticated" in said:
        return (
            f"--ray-address {address}: the cluster asks for its token. Put it into RAY_AUTH_TOKEN, or its file's path "
            f"into RAY_AUTH_TOKEN_PATH (ray start left it in ~/.ray/auth_token on the head)."
        )
    if "Version mismatch" in said:
        return f"--ray-address {address}: {reason} Install the same versions of Ray and Python on both."
    return (
        f"--ray-address {address}: something listens there, but no Ray cluster lets this process in ({reason}). Run "
        f"the command on one of the cluster's machines. {cure}"
    )


def _imported() -> Any:
    """
    Raises:
        UsageError: Ray isn't installed.
    """
    try:
        return import_module("ray")
    except ImportError as error:
        raise UsageError(
            f"--engine ray: Ray is not installed ({error}). Install it with pip install 'assetgen[ray]', or use "
            f"--engine local."
        ) from None


@contextmanager
def _environment(settings: Mapping[str, str]) -> Iterator[None]:
    """These variables, and afterwards all of Ray's as they were: it leaves some."""
    before = _rays()
    os.environ.update(settings)
    try:
        yield
    finally:
        for name in _rays():
            del os.environ[name]
        os.environ.update(before)


def _rays() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if name.startswith("RAY_")}


@contextmanager
def _signals_held() -> Iterator[None]:
    """Hold back Ctrl+C, since half-started processes couldn't be ended, and keep SIGTERM's handler.

    Ray puts its own in place of that one, which would end this process without a word.
    """
    asked: list[int] = []
    ends, interrupts = signal.getsignal(signal.SIGTERM), signal.getsignal(signal.SIGINT)
    holds = callable(interrupts) and threading.current_thread() is threading.main_thread()
    if holds:
        signal.signal(signal.SIGINT, lambda number, frame: asked.append(number))
    try:
        yield
    except SystemExit:  # by Ray's handler
        raise KeyboardInterrupt from None
    finally:
        if holds:
            signal.signal(signal.SIGINT, interrupts)
        if ends is not None and signal.getsignal(signal.SIGTERM) is not ends:
            signal.signal(signal.SIGTERM, ends)
    if asked:
        raise KeyboardInterrupt


@contextmanager
def _failing_as(what: str) -> Iterator[None]:
    """
    Raises:
        DeviceError: for whatever Ray raises.
    """
    try:
        yield
    except AssetgenError:
        raise
    except Exception as error:
        reason = " ".join(str(error).split())[:300] or type(error).__name__
        raise DeviceError(f"--engine ray: {what} ({reason}). Use --engine local.") from error


def _short() -> str | None:
    """Where a folder for sockets is made: their paths, 80 signs below it, mustn't have more than 103."""
    return "/tmp" if len(tempfile.gettempdir()) > 20 and Path("/tmp").is_dir() else None


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _has_token() -> bool:
    """Whether this person has a cluster's token where Ray looks for it."""
    named = any(os.environ.get(name) for name in ("RAY_AUTH_TOKEN", "RAY_AUTH_TOKEN_PATH"))
    return named or (Path.home() / ".ray/auth_token").is_file()
