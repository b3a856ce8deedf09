"""Pages and programs of strangers get nothing from the studio: no sprite, no decision, no file."""

from __future__ import annotations

import os
import shutil
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from asset_gen.cli import run as run_command_line
from asset_gen.decisions import NAME
from asset_gen.review.app import make_app
from asset_gen.review.guard import LARGEST_BODY
from asset_gen.review.serve import listen
from asset_gen.review.studio import open_studio
from asset_gen.review.ticket import LASTS_SECONDS, Ticket, keep_ticket, take_ticket
from tests.fakes import install

PORT = 8477
TOKEN = "t" * 43
HOME = f"http://127.0.0.1:{PORT}"
COOKIE = f"assetgen_{PORT}={TOKEN}"
OURS = {"Cookie": COOKIE, "Origin": HOME}
PATHS = ["/", "/static/page.js", "/api/wall", "/api/events", "/sprites/0000000000000000.png", "/nothing"]


@pytest.fixture(scope="session")
def published(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A game with three sprites. Read only."""
    folder = tmp_path_factory.mktemp("reviewed") / "game"
    folder.mkdir()
    with pytest.MonkeyPatch.context() as patch:
        install(patch)
        arguments = ["batch", "--project", str(folder), "--count", "3", "--oversample", "2", "-q"]
        assert run_command_line(arguments) == 0
    return folder


@pytest.fixture
def project(published: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(published, tmp_path / "reviewed"))


@pytest.fixture
def client(project: Path) -> Iterator[TestClient]:
    app = make_app(open_studio(project), PORT, TOKEN)
    with TestClient(app, base_url=HOME, follow_redirects=False) as client:
        yield client


def wish(client: TestClient) -> dict[str, object]:
    name = client.get("/api/wall", headers=OURS).json()["sprites"][0][0]
    return {"wishes": [{"id": name, "action": "reject"}]}


@pytest.mark.parametrize("path", [*PATHS, "/lab", "/api/lab", "/lab/network.onnx", "/lab/ort.wasm", "/api/making"])
def test_without_the_token_nothing_is_given(client: TestClient, path: str) -> None:
    wrong = [{}, {"Cookie": f"assetgen_{PORT}=wrong"}, {"Cookie": f"assetgen_{PORT + 1}={TOKEN}"}, {"Cookie": "\x01;="}]
    for headers in wrong:
        assert client.get(path, headers=headers).status_code == 403
    assert client.get(f"{path}?token=wrong").status_code == 403
    assert client.get(f"{path}?token=").status_code == 403


def test_the_token_goes_from_the_address_into_a_cookie_that_no_script_reads(client: TestClient) -> None:
    answer = client.get(f"/?token={TOKEN}")
    assert (answer.status_code, answer.headers["location"]) == (303, "/")
    told = answer.headers["set-cookie"]
    assert all(word in told for word in (COOKIE, "HttpOnly", "SameSite=Strict"))
    away = client.get(f"//evil.example/?token={TOKEN}")
    assert away.headers.get("location", "/") == "/"


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:8477", "127.0.0.1", "127.0.0.1:80", "", "127.0.0.1:8477.evil.example"]
)
def test_a_name_that_was_rebound_to_this_machine_gets_nothing(client: TestClient, host: str) -> None:
    for path in ("/", "/api/wall", f"/?token={TOKEN}"):
        answer = client.get(path, headers={**OURS, "Host": host})
        assert answer.status_code == 421
        assert "set-cookie" not in answer.headers


@pytest.mark.parametrize(
    "origin", ["http://evil.example", "null", "https://127.0.0.1:8477", "http://127.0.0.1:8478", "file://"]
)
def test_a_foreign_page_decides_nothing_and_reads_nothing(client: TestClient, project: Path, origin: str) -> None:
    document = wish(client)
    headers = {"Cookie": COOKIE, "Origin": origin}
    assert client.post("/api/decisions", json=document, headers=headers).status_code == 403
    assert client.get("/api/wall", headers=headers).status_code == 403
    assert not (project / NAME).exists()


def test_a_form_and_a_page_that_hides_its_origin_decide_nothing(client: TestClient, project: Path) -> None:
    document = wish(client)
    assert client.post("/api/decisions", json=document, headers={"Cookie": COOKIE}).status_code == 403
    form = {**OURS, "Content-Type": "text/plain"}
    assert client.post("/api/decisions", content=b"{}", headers=form).status_code == 415
    crossing = {**OURS, "Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "no-cors"}
    assert client.get("/sprites/0000000000000000.png", headers=crossing).status_code == 403
    assert client.get("/api/decisions", headers=OURS).status_code == 405
    assert not (project / NAME).exists()
    assert client.post("/api/decisions", json=document, headers=OURS).status_code == 200
    assert (project / NAME).exists()


@pytest.mark.parametrize(
    "path",
    [
        "/static/../app.py", "/static/..%2fapp.py", "/static/%2e%2e/%2e%2e/errors.py", "/static//etc/passwd",
        "/static/%2fetc%2fpasswd", "/static/page.js%00.css", "/sprites/../../manifest.json.png",
        "/sprites/%2e%2e%2fsecret.png",
        "/sprites/..%5c..%5csecret.png", "/api/sprites/..%2f..%2fsecret",
    ],
)  # fmt: skip
def test_no_path_of_a_request_reaches_the_disk(client: TestClient, project: Path, path: str) -> None:
    (project / "secret.png").write_bytes(b"secret")
    answer = client.get(path, headers=OURS)
    assert answer.status_code in (404, 409)
    assert b"secret" not in answer.content and b"root:" not in answer.content and b"import" not in answer.content


def test_too_much_at_once_is_refused(client: TestClient, project: Path) -> None:
    headers = {**OURS, "Content-Type": "application/json"}
    assert client.post("/api/decisions", content=b" " * (LARGEST_BODY + 1), headers=headers).status_code == 413
    chunks = (b" " * 1_000_000 for _ in range(6))
    assert client.post("/api/decisions", content=chunks, headers=headers).status_code == 413
    assert not (project / NAME).exists()


@pytest.mark.parametrize("path", PATHS[:4:2] + PATHS[4:])
def test_every_answer_forbids_what_the_page_does_not_need(client: TestClient, path: str) -> None:
    for headers in ({}, OURS):
        told = client.get(path, headers=headers).headers
        assert told["content-security-policy"].startswith("default-src 'none'; script-src 'self'; style-src 'self';")
        assert "unsafe" not in told["content-security-policy"]
        assert (told["x-content-type-options"], told["referrer-policy"]) == ("nosniff", "no-referrer")
        assert told["cache-control"] == "no-store"
        assert "server" not in told and "access-control-allow-origin" not in told


def test_only_the_lab_may_run_webassembly_and_nothing_else(client: TestClient) -> None:
    policy = client.get("/lab", headers=OURS).headers["content-security-policy"]
    assert "script-src 'self' 'wasm-unsafe-eval';" in policy and policy.count("unsafe") == 1
    assert policy.replace(" 'wasm-unsafe-eval'", "") == client.get("/", headers=OURS).headers["content-security-policy"]


@pytest.mark.parametrize("path", ["/api/make", "/api/candidates", "/api/lab/draw", "/api/lab/file", "/api/lab/way"])
def test_a_foreign_page_has_nothing_drawn(client: TestClient, project: Path, path: str) -> None:
    headers = {"Cookie": COOKIE, "Content-Type": "application/json"}
    for origin in ({}, {"Origin": "http://evil.example"}, {"Origin": "null"}):
        assert client.post(path, json={}, headers=headers | origin).status_code == 403
    assert client.post(path, json={}, headers=headers | {"Origin": HOME}).status_code in (400, 409)


def test_words_of_a_strangers_project_end_no_tag_in_the_page(tmp_path: Path) -> None:
    folder = tmp_path / "<script>alert(1)<" / "img src=x onerror=alert(1)>"
    folder.mkdir(parents=True)
    with TestClient(make_app(open_studio(folder), PORT, TOKEN), base_url=HOME) as client:
        text = client.get("/", headers=OURS).text
    assert "<img src=x" not in text and "&gt; · assetgen review" in text
    assert '<script type="module" src="/static/studio.js"></script>' in text


def test_it_listens_on_this_machine_alone_and_on_the_next_port_where_one_is_taken() -> None:
    with listen(0) as first:
        host, port = first.getsockname()
        assert host == "127.0.0.1"
        with listen(port) as second:
            assert port < second.getsockname()[1] <= port + 20
        with pytest.raises(OSError), socket.create_connection(("127.0.0.2", port), 1):
            pass


def test_a_ticket_is_ones_own_and_lasts_half_a_day(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ASSETGEN_CACHE", str(tmp_path / "cache"))
    first = take_ticket(tmp_path, None)
    assert take_ticket(tmp_path, None).token != first.token  # nothing was kept yet
    keep_ticket(tmp_path, Ticket(9000, first.token))
    assert take_ticket(tmp_path, None) == Ticket(9000, first.token)
    assert take_ticket(tmp_path, 80) == Ticket(80, first.token)
    (path,) = (tmp_path / "cache/review").iterdir()
    assert path.stat().st_mode & 0o777 == 0o600
    assert take_ticket(tmp_path / "cache", None).token != first.token  # another project has another
    path.chmod(0o644)
    assert take_ticket(tmp_path, None).token != first.token
    path.chmod(0o600)
    os.utime(path, (0, path.stat().st_mtime - LASTS_SECONDS - 1))
    assert take_ticket(tmp_path, None).token != first.token
    keep_ticket(tmp_path, first)
    path.write_text('{"port": 1, "token": "known"}')
    assert take_ticket(tmp_path, None).token != "known"
