"""The lab's sliders become origins, from which the same picture is made again; what they can't mean is refused."""

from __future__ import annotations

import base64
import io
import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime as ort
import pytest
from PIL import Image
from starlette.testclient import TestClient

from asset_gen.review.app import make_app
from asset_gen.review.studio import open_studio
from tests.asset_gen.review.conftest import HOME, PORT, TOKEN
from tests.clients.studio_page import make_project
from tests.conftest import files_of


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory, bundle: Path) -> Path:
    """A published game of a model that was trained, with levels and directions. Read only."""
    folder = tmp_path_factory.mktemp("lab") / "mygame"
    folder.mkdir()
    make_project(folder)  # with a stand-in's sprites, which stay published
    shutil.rmtree(folder / "model")
    shutil.copytree(bundle, folder / "model")
    return folder


@pytest.fixture(scope="module")
def page(project: Path) -> Iterator[TestClient]:
    app = make_app(open_studio(project), PORT, TOKEN)
    with TestClient(app, base_url=HOME, headers={"Origin": HOME}) as client:
        client.get(f"/?token={TOKEN}")
        yield client


def numbers(text: str) -> np.ndarray[Any, np.dtype[np.float32]]:
    return np.frombuffer(base64.b64decode(text), "<f4")


def sliders(page: TestClient, **told: Any) -> dict[str, Any]:
    """A state of the sliders, by default the first sprite of the first type."""
    return {"type": page.get("/api/lab").json()["first"]} | told


def test_the_page_gets_all_that_it_draws_from(page: TestClient) -> None:
    gear = page.get("/api/lab").json()
    assert gear["why"] == "" and gear["without"] == ""
    assert {len(numbers(one["vector"])) for one in gear["directions"]} == {gear["latent"]}
    assert {len(numbers(code)) for code in gear["types"].values()} == {gear["width"] - gear["latent"]}
    code = numbers(page.post("/api/lab/code", json=sliders(page)).json()["code"]).reshape(gear["levels"], gear["width"])
    session = ort.InferenceSession(page.get(gear["network"]).content, providers=["CPUExecutionProvider"])
    (rgba,) = session.run(None, {f"code_{level}": row[None] for level, row in enumerate(code)})
    assert rgba.shape == (1, 4, gear["side"], gear["side"])
    for place, kind in (("ort.mjs", "text/javascript"), ("ort.wasm", "application/wasm")):
        answer = page.get(f"/lab/{place}")
        assert answer.headers["content-type"].startswith(kind) and len(answer.content) > 50_000
    assert page.get("/lab/ort.wasm").content.startswith(b"\0asm"), "decompressed on its way"


def test_what_sliders_do_stands_in_the_origin(page: TestClient) -> None:
    gear = page.get("/api/lab").json()
    other = next(kind for kind in gear["types"] if kind != gear["first"])
    name = gear["directions"][0]["name"]
    told = sliders(page, towards=other, far=0.75, moves={name: 1.5}, truncation=0.5)
    (made,) = page.post("/api/lab/draw", json=told).json()["made"]
    chain, origin = [], made["origin"]
    while origin:
        chain.append((origin.get("operation", ""), origin["type"]))
        origin = (origin.get("parents") or [None])[0]
    assert chain == [("truncation", other), ("direction", other), ("interpolation", other), ("", gear["first"])]
    plain = page.post("/api/lab/draw", json=sliders(page)).json()["made"][0]
    assert "operation" not in plain["origin"] and plain["picture"] != made["picture"]


def test_a_way_is_pictures_and_files(page: TestClient) -> None:
    way = {"first": sliders(page), "second": sliders(page, seed=9), "count": 5}
    made = page.post("/api/lab/way", json=way).json()["made"]
    ends = [page.post("/api/lab/draw", json=way[end]).json()["made"][0]["picture"] for end in ("first", "second")]
    assert [made[0]["picture"], made[-1]["picture"]] == ends and len(made) == 5
    for kind, frames in (("apng", 8), ("gif", None), ("png", 1)):  # a GIF joins frames that look alike
        answer = page.post("/api/lab/file", json=way | {"format": kind})
        assert answer.headers["content-type"] == f"image/{kind}"
        with Image.open(io.BytesIO(answer.content)) as picture:
            assert frames in (None, getattr(picture, "n_frames", 1))


@pytest.mark.parametrize(
    ("path", "told"),
    [
        ("code", {"type": "../../etc"}),
        ("code", {"sprite": "nobody"}),
        ("code", {"seed": -1}),
        ("draw", {"truncation": 2}),
        ("draw", {"far": float("inf")}),
        ("draw", {"towards": "unicorn", "far": 0.5}),
        ("draw", {"moves": {"nowhere": 1}}),
        ("draw", {"moves": {"size": 1e300}}),
        ("draw", {"weights": [1, 2]}),
        ("way", {"count": 100_000}),
        ("way", {"count": 1}),
        ("file", {"format": "exe"}),
    ],
)
def test_what_sliders_can_not_mean_is_refused(page: TestClient, project: Path, path: str, told: dict[str, Any]) -> None:
    before = files_of(project)
    asked = sliders(page) if path in ("code", "draw") else {"first": sliders(page), "second": sliders(page, seed=1)}
    hostile = json.dumps(asked | told)  # with Infinity, which JSON has not
    answer = page.post(f"/api/lab/{path}", content=hostile, headers={"Content-Type": "application/json"})
    assert answer.status_code in (400, 409), answer.text
    assert answer.json()["error"]
    assert files_of(project) == before


def test_a_sprite_of_another_model_is_refused(page: TestClient) -> None:
    name = page.get("/api/wall").json()["sprites"][0][0]
    answer = page.post("/api/lab/draw", json={"sprite": name})
    assert answer.status_code == 409 and "another model" in answer.json()["error"]


def test_a_read_only_lab_says_so(project: Path) -> None:
    with TestClient(make_app(open_studio(project, True), PORT, TOKEN), base_url=HOME, headers={"Origin": HOME}) as page:
        page.get(f"/?token={TOKEN}")
        assert "--read-only" in page.get("/api/lab").json()["why"]
        assert page.post("/api/lab/draw", json={}).status_code == 403
