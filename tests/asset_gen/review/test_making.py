"""More of a sprite: drawn by the project's model while the page waits, and made candidates where a person likes it."""

from __future__ import annotations

import base64
import io
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from starlette.testclient import TestClient

from asset_gen.catalogue import open_catalogue
from asset_gen.review.app import make_app
from asset_gen.review.studio import open_studio
from tests.asset_gen.review.conftest import HOME, PORT, TOKEN
from tests.clients.studio_page import make_project
from tests.conftest import Cli, files_of


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A published project whose model draws coloured noise. Read only."""
    folder = tmp_path_factory.mktemp("making") / "mygame"
    folder.mkdir()
    return make_project(folder)


@pytest.fixture
def project(drawn: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(drawn, tmp_path / "mygame"))


def opened(project: Path, read_only: bool = False) -> TestClient:
    app = make_app(open_studio(project, read_only), PORT, TOKEN)
    return TestClient(app, base_url=HOME, headers={"Origin": HOME})


@pytest.fixture
def page(project: Path) -> Iterator[TestClient]:
    with opened(project) as client:
        client.get(f"/?token={TOKEN}")
        yield client


def wall(page: TestClient) -> list[list[Any]]:
    return list(page.get("/api/wall").json()["sprites"])


def make(page: TestClient, how: str, **further: object) -> list[dict[str, Any]]:
    """What was made of the first sprite."""
    first, second = (row[0] for row in wall(page)[:2])
    answer = page.post("/api/make", json={"of": first, "how": how, "other": second} | further)
    assert answer.status_code == 200, answer.text
    return list(answer.json()["made"])


def pixels(made: dict[str, Any]) -> np.ndarray:
    return np.array(Image.open(io.BytesIO(base64.b64decode(made["picture"]))).convert("RGBA"))


@pytest.mark.parametrize(
    ("how", "count", "operation"),
    [("like", 8, "variation"), ("new", 8, ""), ("types", 2, "type"), ("between", 8, "interpolation"),
     ("mix", 2, "mixture")],
)  # fmt: skip
def test_every_way_draws_sprites_that_say_how(page: TestClient, how: str, count: int, operation: str) -> None:
    assert page.get("/api/making").json() == {"why": ""}
    made = make(page, how)
    assert len(made) == count
    assert {one["origin"].get("operation", "") for one in made} == {operation}
    assert {pixels(one).shape for one in made} == {(16, 16, 4)}
    again = make(page, how)
    assert [one["picture"] for one in again] == [one["picture"] for one in made], "the same wish, the same pictures"


def test_strength_and_seed_say_how_far_and_whither(page: TestClient) -> None:
    near, far, elsewhere = (make(page, "like", **told) for told in ({"strength": 0.0}, {"strength": 1.0}, {"seed": 7}))
    assert len({one["picture"] for one in near}) == 1, "no way at all is the sprite itself"
    assert len({one["picture"] for one in far}) == 8
    assert [one["picture"] for one in elsewhere] != [one["picture"] for one in make(page, "like")]


def test_as_other_types_it_is_drawn_as_each(page: TestClient) -> None:
    assert [one["type"] for one in make(page, "types")] == ["flask", "mushroom"]


def test_what_is_liked_becomes_a_candidate_that_can_be_kept_and_published(
    page: TestClient, project: Path, cli: Cli
) -> None:
    made = make(page, "like", strength=0.5)
    answer = page.post("/api/candidates", json={"origins": [one["origin"] for one in made[:3]]})
    assert answer.status_code == 200, answer.text
    names = answer.json()["names"]
    rows = {row[1]: row for row in wall(page)}
    assert len(names) == 3 and rows.keys() >= set(names)
    picture = page.get(f"/sprites/{rows[names[0]][0]}.png").content
    assert np.array_equal(np.array(Image.open(io.BytesIO(picture)).convert("RGBA")), pixels(made[0]))
    about = page.get(f"/api/sprites/{rows[names[0]][0]}").json()
    assert about["origin"]["operation"] == "variation"
    first = next(row[0] for row in wall(page) if row[2] == "beetle_000000")
    wishes = [{"id": rows[names[0]][0], "action": "keep"}, {"id": first, "action": "reject"}]
    assert page.post("/api/decisions", json={"wishes": wishes}).status_code == 200
    assert cli("batch", "--project", project).code == 0
    entry = open_catalogue(project).find(names[0])
    assert entry.slot == "beetle_000000"


@pytest.mark.parametrize(
    "wish",
    [
        {"how": "like"},
        {"of": "FIRST", "how": "fly"},
        {"of": "FIRST", "how": "like", "strength": 2},
        {"of": "FIRST", "how": "like", "strength": "NaN"},
        {"of": "FIRST", "how": "like", "seed": -1},
        {"of": "FIRST", "how": "like", "count": 1_000_000},
        {"of": "../../etc/passwd", "how": "like"},
        {"of": "FIRST", "how": "between"},
        {"of": "FIRST", "how": "between", "other": "nobody"},
    ],
)
def test_what_makes_no_sense_is_told_and_draws_nothing(page: TestClient, project: Path, wish: dict[str, Any]) -> None:
    first = wall(page)[0][0]
    before = files_of(project)
    answer = page.post("/api/make", json=wish | ({"of": first} if wish.get("of") == "FIRST" else {}))
    assert answer.status_code in (400, 409)
    assert answer.json()["error"].endswith((".", ")."))
    assert files_of(project) == before


def test_origins_that_no_page_was_given_become_no_candidates(page: TestClient, project: Path) -> None:
    origin = make(page, "like")[0]["origin"]
    before = files_of(project)
    endless = origin
    for _ in range(100):
        endless = {**origin, "parents": [endless]}
    for origins in (
        [],
        [origin] * 65,
        [origin | {"model": "f" * 64}],
        [origin | {"type": "../../outside"}],
        [origin | {"operation": "picture", "parents": [], "parameters": {"codes": "!!"}}],
        [origin | {"parents": []}],
        [endless],
    ):
        answer = page.post("/api/candidates", json={"origins": origins})
        assert answer.status_code in (400, 409), answer.text
        assert answer.json()["error"]
    assert files_of(project) == before


def test_a_read_only_studio_makes_nothing(project: Path) -> None:
    with opened(project, read_only=True) as page:
        page.get(f"/?token={TOKEN}")
        assert "--read-only" in page.get("/api/making").json()["why"]
        for path in ("/api/make", "/api/candidates"):
            assert page.post(path, json={}).status_code == 403


def test_without_its_model_the_wall_works_and_the_reason_is_told(page: TestClient, project: Path) -> None:
    (project / "model" / "generator.onnx").write_bytes(b"no network")
    assert "generator.onnx" in page.get("/api/making").json()["why"]
    assert page.post("/api/make", json={"of": wall(page)[0][0], "how": "like"}).status_code == 409
    shutil.rmtree(project / "model")
    assert "model" in page.get("/api/making").json()["why"]
    assert len(wall(page)) == 36
