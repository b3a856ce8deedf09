"""The documents that other tools read follow the schemas that lie beside the code."""

from __future__ import annotations

import json
import re
import tomllib
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import jsonschema  # type: ignore[import-untyped]
import msgspec
import pytest

from asset_gen.decisions import NAME as DECISIONS
from asset_gen.decisions import decide, record
from asset_gen.manifest import Origin
from asset_gen.schemas import DOCUMENTS, FOLDER, schemas
from asset_gen.watch.events import Event
from tests.conftest import Cli

EVENT = Event(
    event="published",
    time=datetime(2026, 11, 24, tzinfo=UTC),
    message="assets: 1 file written, 1 removed.",
    path="/game/assets",
    out="assets",
    written=["bat/bat.png"],
    removed=["imp/imp.png"],
    seconds=0.5,
)


def schema(name: str) -> Any:
    return json.loads((FOLDER / f"{name}.schema.json").read_text(encoding="utf-8"))


@pytest.fixture
def documents(cli: Cli, bundle: Path, game: Path) -> dict[str, Any]:
    """What a real export and a real batch wrote, by name."""
    assert cli("batch", "--count", 12, "--model", bundle, "--project", game, "--palette", 6, "-q").code == 0
    out = game / "assets" / "generated"
    paths = (bundle / "bundle.json", bundle / "data_card.json", out / "manifest.json", out / "provenance.json")
    assert cli("init", "--project", game).code == 0
    text = (game / "assetgen.toml").read_text(encoding="utf-8")
    recipe = tomllib.loads(re.sub("^#(?! )", "", text, flags=re.MULTILINE))
    slot = json.loads((out / "manifest.json").read_text(encoding="utf-8"))["sheets"][0]["sprites"][0]
    origin = Origin(**slot["origin"])
    record(game, [decide(slot["name"], "rate", origin, "Ada", "round eyes", 4.5)])
    decision = json.loads((game / DECISIONS).read_text(encoding="utf-8"))
    return {path.stem: json.loads(path.read_text(encoding="utf-8")) for path in paths} | {
        "recipe": recipe,
        "decisions": decision,
        "watch-event": json.loads(msgspec.json.encode(EVENT)),
    }


def test_the_schemas_are_those_of_the_code() -> None:
    for name, text in schemas().items():
        assert (FOLDER / name).read_text(encoding="utf-8") == text, "run make docs"
    assert {path.name for path in FOLDER.glob("*.json")} == set(schemas())


@pytest.mark.parametrize("name", DOCUMENTS)
def test_a_schema_is_a_schema(name: str) -> None:
    jsonschema.Draft202012Validator.check_schema(schema(name))


def test_what_is_written_follows_its_schema(documents: dict[str, Any]) -> None:
    assert set(documents) == set(DOCUMENTS)
    for name, document in documents.items():
        jsonschema.Draft202012Validator(schema(name)).validate(document)


def test_every_field_that_is_written_stands_in_the_schema(documents: dict[str, Any]) -> None:
    for name, document in documents.items():
        described = schema(name)["$defs"][DOCUMENTS[name].__name__]["properties"]
        assert list(document) == [key for key in described if name != "recipe" or key in document]


@pytest.mark.parametrize(
    ("name", "field", "wrong"),
    [
        ("manifest", "run", "../../elsewhere"),
        ("manifest", "quotas", {"beetle": "many"}),
        ("manifest", "sheets", [{}]),
        ("bundle", "alpha", "some"),
        ("bundle", "files", {"generator.onnx": {}}),
        ("data_card", "files", [{"file": "a.png"}]),
        ("provenance", "models", None),
        ("decisions", "action", "delete"),
        ("decisions", "origin", None),
        ("recipe", "filter", 3),
        ("recipe", "typs", ["dragon"]),
    ],
)
def test_a_document_that_is_wrong_does_not(name: str, field: str, wrong: object, documents: dict[str, Any]) -> None:
    validator = jsonschema.Draft202012Validator(schema(name))
    assert validator.is_valid(documents[name])
    assert not validator.is_valid(documents[name] | {field: wrong})
