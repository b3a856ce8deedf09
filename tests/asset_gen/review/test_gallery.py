"""The studio shows what the files say, writes what a person says, and notices what others do."""

from __future__ import annotations

import json
import shutil
from io import BytesIO
from pathlib import Path

import msgspec
import pytest
from PIL import Image
from starlette.testclient import TestClient

from asset_gen.candidates import FOLDER
from asset_gen.catalogue import open_catalogue
from asset_gen.decisions import NAME, read_decisions
from asset_gen.errors import SpriteError, UsageError
from asset_gen.manifest import Origin
from asset_gen.review.gallery import MOST, Gallery, Wish
from asset_gen.review.studio import Studio
from tests.conftest import Cli

OUT = Path("assets/generated")


def row(client: TestClient, name: str) -> list[object]:
    """The line of the wall about a candidate or a slot."""
    return next(line for line in client.get("/api/wall").json()["sprites"] if name in line[1:3])


def send(client: TestClient, *wishes: dict[str, object]) -> int:
    return client.post("/api/decisions", json={"wishes": list(wishes)}).status_code


def test_every_candidate_is_on_the_wall_with_its_scores(client: TestClient) -> None:
    wall = client.get("/api/wall").json()
    assert (wall["types"], wall["side"], wall["problems"]) == (["bat", "imp", "owl"], 16, [])
    assert len(wall["sprites"]) == 36
    assert sum(line[2] != "" for line in wall["sprites"]) == 9
    assert [score["label"] for score in wall["scores"]][:2] == ["p(type)", "entropy"]
    assert all(len(line[8]) == len(wall["scores"]) for line in wall["sprites"])


def test_a_picture_is_the_candidates_file(client: TestClient, project: Path) -> None:
    line = row(client, "imp_c000003")
    (path,) = (project / OUT / FOLDER).glob("*/imp/imp_c000003.png")
    answer = client.get(f"/sprites/{line[0]}.png")
    assert (answer.content, answer.headers["content-type"]) == (path.read_bytes(), "image/png")


def test_without_its_candidate_set_a_published_sprite_is_cut_from_its_sheet(client: TestClient, project: Path) -> None:
    shutil.rmtree(project / OUT / FOLDER)
    assert client.get("/api/wall").json()  # the studio hasn't looked again yet
    line = row(client, "bat_000001")
    with Image.open(BytesIO(client.get(f"/sprites/{line[0]}.png").content)) as picture:
        assert picture.size == (16, 16)
    unpublished = next(line for line in client.get("/api/wall").json()["sprites"] if not line[2])
    gone = client.get(f"/sprites/{unpublished[0]}.png")
    assert (gone.status_code, "isn't in the candidate set any more" in gone.text) == (404, True)


def test_what_is_decided_stands_in_the_committed_file_at_once(client: TestClient, project: Path) -> None:
    slot, free = row(client, "bat_000001"), row(client, "imp_c000003")
    assert send(client, {"id": slot[0], "action": "reject"}, {"id": free[0], "action": "keep", "why": "boss"}) == 200
    catalogue = open_catalogue(project)
    assert (catalogue.find("bat:1").state, catalogue.find("imp_c000003").state) == ("rejected", "kept")
    assert row(client, "imp_c000003")[5:7] == ["kept", catalogue.find("imp_c000003").reason]
    assert read_decisions(project).lines[0].subject == "bat_000001"
    assert send(client, {"id": free[0], "action": "restore"}) == 200
    assert row(client, "imp_c000003")[5] == "candidate"
    assert row(client, "imp_c000003")[6] == open_catalogue(project).find("imp_c000003").verdict


def test_ratings_come_and_go(client: TestClient) -> None:
    name = row(client, "owl_c000002")[0]
    assert send(client, {"id": name, "action": "rate", "value": 7}) == 200
    assert row(client, "owl_c000002")[7] == 7
    assert send(client, {"id": name, "action": "rate", "value": None}) == 200
    assert row(client, "owl_c000002")[7] is None


@pytest.mark.parametrize(
    ("body", "status", "words"),
    [
        (b"{", 400, "no list of decisions"),
        (b'{"wishes": [{"id": "../../etc", "action": "keep"}]}', 400, "no list of decisions"),
        (b'{"wishes": [{"id": "0123456789abcdef", "action": "publish"}]}', 400, "Invalid enum value"),
        (b'{"wishes": [{"id": "0123456789abcdef", "action": "keep"}]}', 409, "Load the page again"),
        (b'{"wishes": ' + b"[" * 100_000, 400, "no list of decisions"),
    ],
)
def test_of_what_makes_no_sense_nothing_is_written(
    client: TestClient, project: Path, body: bytes, status: int, words: str
) -> None:
    answer = client.post("/api/decisions", content=body, headers={"Content-Type": "application/json"})
    assert (answer.status_code, words in answer.json()["error"]) == (status, True)
    assert not (project / NAME).exists()


def test_all_wishes_of_a_request_count_or_none(client: TestClient, studio: Studio, project: Path) -> None:
    name = row(client, "owl_c000002")[0]
    assert send(client, {"id": name, "action": "keep"}, {"id": "0" * 16, "action": "keep"}) == 409
    assert not (project / NAME).exists()
    with pytest.raises(UsageError, match="at once"):
        studio.gallery.decide([Wish(id=str(name), action="keep")] * (MOST + 1))


def test_a_read_only_studio_writes_nothing(client: TestClient, studio: Studio, project: Path) -> None:
    studio.read_only = True
    assert send(client, {"id": row(client, "owl_c000002")[0], "action": "keep"}) == 403
    assert not (project / NAME).exists()
    assert "data-read-only" in client.get("/").text


def test_a_file_of_decisions_that_can_not_be_written_is_named(client: TestClient, project: Path) -> None:
    assert send(client, {"id": row(client, "owl_c000002")[0], "action": "keep"}) == 200
    (project / NAME).chmod(0o444)
    answer = client.post("/api/decisions", json={"wishes": [{"id": row(client, "owl_c000003")[0], "action": "keep"}]})
    assert (answer.status_code, f"{project.resolve() / NAME}: is read-only" in answer.json()["error"]) == (409, True)
    assert row(client, "owl_c000003")[5] != "kept"


def test_what_others_decide_is_noticed(cli: Cli, project: Path) -> None:
    gallery = Gallery(project)
    assert gallery.refresh() is None
    assert cli("catalogue", "reject", "imp:1", "--project", project, "--who", "Ada").code == 0
    news = gallery.refresh()
    assert news is not None
    assert [(one.entry.slot, one.entry.state, one.entry.reason) for one in news.changed] == [
        ("imp_000001", "rejected", "by Ada")
    ]
    assert not news.whole
    assert gallery.refresh() is None
    version = gallery.version
    assert cli("batch", "--project", project, "--count", 12).code == 0
    news = gallery.refresh()
    assert news is not None and news.whole and gallery.version != version
    assert sum(bool(one.entry.slot) for one in gallery.shown.values()) == 12


def test_one_sprite_tells_everything(client: TestClient, project: Path) -> None:
    name = row(client, "bat_000001")[0]
    send(client, {"id": name, "action": "reject", "why": "two heads"}, {"id": name, "action": "rate", "value": 2})
    about = client.get(f"/api/sprites/{name}").json()
    assert (about["slot"], about["state"], about["verdict"], about["size"]) == (
        "bat_000001", "rejected", "chosen by is", [16, 16]
    )  # fmt: skip
    assert [(line["action"], line["why"], line["value"]) for line in about["decisions"]] == [
        ("reject", "two heads", None), ("rate", "", 2)
    ]  # fmt: skip
    assert sum(share for _, share in about["palette"]) == pytest.approx(1, abs=0.01)
    assert msgspec.convert(about["origin"], Origin) == open_catalogue(project).find("bat:1").origin
    assert client.get("/api/sprites/0000000000000000").status_code == 409


def test_nearest_training_sprites_are_told(project: Path) -> None:
    (table,) = (project / OUT / FOLDER).glob("*/scores.csv")
    head, *lines = table.read_text().splitlines()
    table.write_text("\n".join([f"{head},nearest_1,distance_1", *(f"{line},bat/a.png,0.25" for line in lines)]) + "\n")
    gallery = Gallery(project)
    near = gallery.pictures.nearest(next(iter(gallery.shown.values())).entry)
    assert [(one.name, one.distance) for one in near] == [("bat/a.png", 0.25)]


def test_an_empty_project_shows_that_it_is_empty(game: Path) -> None:
    assert Gallery(game).shown == {}
    with pytest.raises(UsageError, match="no such folder"):
        Gallery(game / "away")


@pytest.mark.parametrize("name", ["../../../../secret", "bat/../../../../../secret"])
def test_a_strangers_candidate_set_leads_nowhere_else(project: Path, name: str) -> None:
    Image.new("RGBA", (16, 16)).save(project / "secret.png")
    (table,) = (project / OUT / FOLDER).glob("*/scores.csv")
    head, first, *lines = table.read_text().splitlines()
    columns = first.split(",")
    columns[0] = name
    columns[5:7] = ["9", "99"]
    table.write_text("\n".join([head, ",".join(columns), first, *lines]) + "\n")
    gallery = Gallery(project)
    entry = next(one.entry for one in gallery.shown.values() if one.entry.name == name)
    with pytest.raises(SpriteError):
        gallery.pictures.png(entry)


def test_a_strangers_shard_leads_nowhere_else(project: Path) -> None:
    (folder,) = (path.parent for path in (project / OUT / FOLDER).glob("*/run.json"))
    (project / "secret.png").write_bytes(b"secret")
    (folder / "shards.csv").write_text("path,shard,offset,size\nbat/bat_c000000.png,../../../../secret.png,0,6\n")
    gallery = Gallery(project)
    entry = next(one.entry for one in gallery.shown.values() if one.entry.name == "bat_c000000")
    if not entry.slot:
        with pytest.raises(SpriteError):
            gallery.pictures.png(entry)
    else:
        assert gallery.pictures.png(entry) != b"secret"


def test_trouble_with_the_files_is_told_and_what_was_known_stays(
    client: TestClient, studio: Studio, project: Path
) -> None:
    import asyncio

    (project / NAME).write_text("{\n")
    asyncio.run(studio.look())
    assert "line 1: is no decision" in studio.trouble
    assert "line 1: is no decision" in client.get("/api/wall").json()["trouble"]
    assert len(client.get("/api/wall").json()["sprites"]) == 36
    (project / NAME).unlink()
    asyncio.run(studio.look())
    assert studio.trouble == ""
    assert json.loads(json.dumps(client.get("/api/wall").json()["trouble"])) == ""
