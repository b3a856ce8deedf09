"""The page publishes what the recipe and the decisions ask for, and goes back."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from asset_gen.decisions import decide, record
from asset_gen.manifest import NAME as MANIFEST
from asset_gen.manifest import read_manifest
from asset_gen.review.gallery import id_of
from asset_gen.review.publishing import Publisher
from asset_gen.review.studio import Studio
from tests.conftest import Cli, files_of

OUT = Path("assets/generated")


def reject(project: Path, slot: str) -> str:
    """Reject what is in a slot; returns its id."""
    manifest = read_manifest(project / OUT)
    assert manifest is not None
    origin = next(one.origin for sheet in manifest.sheets for one in sheet.sprites if one.name == slot)
    record(project, [decide(slot, "reject", origin, "Ada")])
    return id_of("", origin)


def published(project: Path) -> dict[str, bytes]:
    return {path: data for path, data in files_of(project / OUT).items() if not path.startswith("candidates~")}


def test_without_a_recipe_only_rejected_sprites_are_replaced(client: TestClient, project: Path) -> None:
    assert client.get("/api/plan").json()["sets"] == []
    before = published(project)
    leaves = reject(project, "imp_000001")
    (plan,) = client.get("/api/plan").json()["sets"]
    assert (plan["stay"], plan["added"], plan["replaced"], plan["freed"], plan["question"]) == (8, 0, 1, 0, None)
    (swap,) = plan["swaps"]
    assert (swap["slot"], swap["before"]) == ("imp_000001", leaves)
    assert {"imp/imp.png", MANIFEST} <= set(plan["files"]) and "bat/bat.png" not in plan["files"]
    (done,) = client.post("/api/publish", json={"agreed": []}).json()["sets"]
    assert (done["replaced"], done["edited"]) == (1, {})
    after = published(project)
    changed = {path for path in after if after[path] != before.get(path)}
    assert changed <= set(plan["files"]) and "imp/imp.png" in changed
    manifest = read_manifest(project / OUT)
    assert manifest is not None
    filled = next(one.origin for sheet in manifest.sheets for one in sheet.sprites if one.name == "imp_000001")
    assert id_of("", filled) == swap["after"]
    (back,) = client.post("/api/back", json={}).json()["sets"]
    assert published(project) == before and back["out"] == OUT.as_posix()
    assert client.post("/api/back", json={}).status_code == 200  # and forward again
    assert published(project) == after


def test_a_recipe_decides_and_its_questions_need_a_yes(client: TestClient, project: Path, cli: Cli) -> None:
    (project / "assetgen.toml").write_text("count = 9\nseed = 1\n")
    before = published(project)
    (plan,) = client.get("/api/plan").json()["sets"]
    assert "seed" in plan["question"] and set(plan["files"]) == {*before}
    refused = client.post("/api/publish", json={"agreed": ["yes"]})
    assert (refused.status_code, plan["question"] in refused.json()["error"]) == (409, True)
    assert published(project) == before
    assert client.post("/api/publish", json={"agreed": [plan["question"]]}).status_code == 200
    assert published(project) != before
    assert "Nothing to change" in cli("batch", "--project", project).out, "the same as the command"


@pytest.mark.parametrize("path", ["/api/publish", "/api/back"])
def test_a_read_only_studio_publishes_nothing(client: TestClient, studio: Studio, project: Path, path: str) -> None:
    reject(project, "imp_000001")
    studio.read_only = True
    before = published(project)
    assert client.post(path, json={}).status_code == 403
    assert published(project) == before


def test_what_can_not_be_published_is_told_and_the_wall_works_on(client: TestClient, project: Path) -> None:
    (project / "assetgen.toml").write_text("cuont = 9\n")
    told = client.get("/api/plan")
    assert (told.status_code, "Did you mean 'count'" in told.json()["error"]) == (409, True)
    assert client.post("/api/publish", json={}).status_code == 409
    assert client.get("/api/wall").status_code == 200
    assert client.post("/api/publish", json={"agreed": 3}).status_code == 400


def test_one_publishes_at_a_time(client: TestClient, studio: Studio, project: Path, monkeypatch: Any) -> None:
    reject(project, "imp_000001")
    answers = []

    def run(*_: Any, **__: Any) -> list[Any]:
        answers.append(client.post("/api/publish", json={}).json()["error"])
        return []

    monkeypatch.setattr("asset_gen.review.publishing.run_batches", run)
    assert studio.publisher.publish([], lambda *_: None) == {"sets": []}
    assert "publishing already" in answers[0]


@pytest.mark.usefixtures("project")
def test_a_new_project_can_be_filled_from_the_page(tmp_path: Path) -> None:
    (tmp_path / "new").mkdir()
    (tmp_path / "new/assetgen.toml").write_text("count = 3\n")
    publisher = Publisher(tmp_path / "new")
    (plan,) = publisher.plan()["sets"]
    assert (plan["added"], plan["draws"], plan["files"]) == (3, True, [])
    told: list[str] = []
    (done,) = publisher.publish([], lambda what, *_: told.append(what))["sets"]
    assert done["added"] == 3 and told
    assert (tmp_path / "new" / OUT / MANIFEST).is_file()
