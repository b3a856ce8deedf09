"""``assetgen audit`` lets nothing pass that shouldn't be shipped, and says of everything else where it comes from."""

from __future__ import annotations

import base64
import io
import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from asset_gen.audit import RULES
from asset_gen.bundle import BUILT_IN
from asset_gen.cli import run as run_command_line
from asset_gen.decisions import Action, decide, record
from asset_gen.manifest import SpriteRecord, read_manifest
from tests.conftest import Cli, files_of

OUT = "assets/generated"
SHEET = f"{OUT}/beetle/beetle.png"


@pytest.fixture(scope="module")
def published(bundle: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Eight sprites of four types in four colours. Read only."""
    project = tmp_path_factory.mktemp("games") / "a game"
    project.mkdir()
    (project / "assetgen.toml").write_text(f'model = "{bundle}"\npalette = 4\n')
    assert run_command_line(["batch", "--project", str(project), "--count", "8", "-q"]) == 0
    return project


@pytest.fixture
def project(published: Path, tmp_path: Path) -> Path:
    """A copy of ``published`` to meddle with."""
    return Path(shutil.copytree(published, tmp_path / "a game"))


@pytest.fixture
def audit(cli: Cli, project: Path) -> Callable[..., tuple[int, dict[str, Any]]]:
    """Exit code and document of an audit."""

    def run(*arguments: object) -> tuple[int, dict[str, Any]]:
        result = cli("audit", "--project", project, "--json", *arguments)
        return result.code, json.loads(result.out)

    return run


def sprites_of(project: Path) -> list[SpriteRecord]:
    manifest = read_manifest(project / OUT)
    assert manifest is not None
    return [sprite for sheet in manifest.sheets for sprite in sheet.sprites]


def say(project: Path, action: Action, *sprites: SpriteRecord) -> None:
    """Somebody decides about sprites."""
    lines = [decide(sprite.name, action, sprite.origin, "Ada", "since it is so") for sprite in sprites]
    record(project, lines)


def paint(project: Path, draw: Callable[[NDArray[np.uint8]], None], image: str = SHEET) -> None:
    """Somebody edits a sheet."""
    with Image.open(project / image) as picture:
        pixels = np.array(picture.convert("RGBA"))
    draw(pixels)
    Image.fromarray(pixels, "RGBA").save(project / image)


def rules(document: dict[str, Any], level: str = "error") -> set[tuple[str, str | None]]:
    return {(finding["rule"], finding["sprite"]) for finding in document["findings"] if finding["level"] == level}


Run = Callable[..., tuple[int, dict[str, Any]]]


def test_what_batch_publishes_passes_and_stays_as_it_was(audit: Run, project: Path, sprites: Path) -> None:
    before = files_of(project)
    code, document = audit("--strict")
    assert (code, document["findings"], document["edited"]) == (0, [], [])
    assert files_of(project) == before
    told = {sprite["name"]: sprite for sprite in document["sprites"]}
    assert len(told) == 8
    for sprite in sprites_of(project):
        entry = told[sprite.name]
        assert entry["origin"] == {
            "model": sprite.origin.model,
            "seed": 0,
            "type": sprite.type,
            "index": sprite.origin.index,
        }
        assert (entry["score"], entry["approver"], entry["notes"]) == (sprite.score, None, 0)
        assert len(entry["finish"]["palette"]) == 4
        distances = [near["distance"] for near in entry["nearest"]]
        assert len(distances) == 3 and distances == sorted(distances)
        assert (sprites / entry["nearest"][0]["name"]).is_file()


def test_a_gate_lets_only_pass_what_somebody_has_kept(audit: Run, project: Path) -> None:
    with (project / "assetgen.toml").open("a") as file:
        file.write('approval = "required"\n')
    first, *others = sprites_of(project)
    say(project, "keep", *others)
    code, document = audit()
    assert (code, rules(document)) == (3, {("approval", first.name)})
    say(project, "keep", first)
    code, document = audit()
    assert code == 0
    assert {sprite["approver"] for sprite in document["sprites"]} == {"Ada"}


def test_an_approval_is_of_a_picture_not_of_its_slot(audit: Run, project: Path) -> None:
    with (project / "assetgen.toml").open("a") as file:
        file.write('approval = "required"\n')
    say(project, "keep", *sprites_of(project))
    path = project / OUT / "manifest.json"
    manifest = json.loads(path.read_text())
    manifest["sheets"][0]["sprites"][0]["origin"]["index"] += 1000
    path.write_text(json.dumps(manifest))
    code, document = audit()
    assert (code, rules(document)) == (3, {("approval", "beetle_000000")})


def test_a_rejected_sprite_is_not_shipped(audit: Run, project: Path) -> None:
    sprite = sprites_of(project)[3]
    say(project, "reject", sprite)
    code, document = audit()
    assert (code, rules(document)) == (3, {("rejected", sprite.name)})
    assert "by Ada on 20" in document["findings"][0]["message"]
    assert document["findings"][0]["message"].endswith(": since it is so")


def test_an_edit_needs_a_note_and_keeps_to_palette_and_alpha(audit: Run, project: Path) -> None:
    left, top, *_ = sprites_of(project)[1].rect

    def draw(pixels: NDArray[np.uint8]) -> None:
        pixels[top, left : left + 3] = (1, 2, 3, 128)

    paint(project, draw)
    code, document = audit()
    assert code == 3
    assert rules(document) == {("edit", None), ("palette", "beetle_000001"), ("alpha", "beetle_000001")}
    assert document["edited"] == [SHEET]
    told = {finding["rule"]: finding["message"] for finding in document["findings"]}
    assert told["palette"] == "3 visible pixels have none of the palette's 4 colours"
    assert told["alpha"] == "3 pixels are half transparent"
    say(project, "note", sprites_of(project)[1])
    assert ("edit", None) not in rules(audit()[1])


@pytest.mark.parametrize("mirrored", [False, True])
@pytest.mark.parametrize("exact", [False, True], ids=["bundle", "sprites"])
def test_a_copy_is_found_on_the_sheet_itself(
    audit: Run, project: Path, sprites: Path, exact: bool, mirrored: bool
) -> None:
    original = sprites / "flask" / "flask003.png"
    with Image.open(original) as picture:
        pixels = np.array(picture.convert("RGBA"))
    x, y, width, height = sprites_of(project)[0].rect

    def draw(sheet: NDArray[np.uint8]) -> None:
        sheet[y : y + height, x : x + width] = pixels[:, ::-1] if mirrored else pixels

    paint(project, draw)
    code, document = audit(*(["--sprites", sprites] if exact else []))
    assert code == 3
    assert ("copy", "beetle_000000") in rules(document)
    (message,) = (finding["message"] for finding in document["findings"] if finding["rule"] == "copy")
    assert message.startswith("is a copy of flask/flask003.png (0.0")


def test_what_could_not_be_compared_is_said_and_is_a_failure_where_strict(audit: Run, project: Path) -> None:
    code, document = audit("--model", BUILT_IN)
    assert (code, rules(document), rules(document, "note")) == (0, set(), {("copy-unchecked", None)})
    assert document["findings"][0]["message"].startswith("8 sprites of the model ")
    assert document["findings"][0]["message"].endswith(f"{BUILT_IN} is another model")
    assert all(sprite["nearest"] is None for sprite in document["sprites"])
    code, document = audit("--model", BUILT_IN, "--strict")
    assert (code, rules(document)) == (3, {("copy-unchecked", None)})


def test_a_bundle_that_is_not_at_hand_is_a_note_unless_somebody_asks_for_it(
    audit: Run, cli: Cli, project: Path
) -> None:
    (project / "assetgen.toml").write_text('model = "models/elsewhere"\n')
    code, document = audit()
    assert (code, rules(document, "note")) == (0, {("copy-unchecked", None)})
    assert "models/elsewhere: is no model bundle" in document["findings"][0]["message"]
    assert cli("audit", "--project", project, "--model", project / "models/elsewhere").code == 5


def test_a_picture_that_nobody_published_is_named(audit: Run, project: Path) -> None:
    (project / OUT / "beetle" / "mine.png").write_bytes((project / SHEET).read_bytes())
    code, document = audit()
    assert (code, rules(document, "note")) == (0, {("foreign", None)})
    assert document["findings"][0]["path"] == f"{OUT}/beetle/mine.png"
    assert audit("--strict")[0] == 3


def test_a_missing_sheet_and_a_missing_provenance_are_findings(audit: Run, project: Path) -> None:
    (project / SHEET).unlink()
    (project / OUT / "provenance.json").unlink()
    code, document = audit()
    assert code == 3
    told = {(finding["rule"], finding["path"]) for finding in document["findings"] if finding["level"] == "error"}
    assert told == {("unreadable", f"{OUT}/manifest.json"), ("origin", f"{OUT}/provenance.json")}
    assert len(document["sprites"]) == 8, "those on other sheets are still looked at, and these listed"


def test_a_sprite_of_an_unknown_model_has_no_origin(audit: Run, project: Path) -> None:
    path = project / OUT / "manifest.json"
    lines = path.read_text().splitlines()
    place = next(number for number, line in enumerate(lines) if '"name": "flask_000001"' in line)
    model = next(number for number in range(place, len(lines)) if '"model":' in lines[number])
    lines[model] = lines[model].replace(sprites_of(project)[0].origin.model, "f" * 64)
    path.write_text("\n".join(lines))
    code, document = audit()
    assert (code, rules(document)) == (3, {("origin", "flask_000001")})
    assert document["findings"][0]["line"] == place + 1


def test_sarif_is_what_code_scanning_reads(cli: Cli, project: Path, tmp_path: Path) -> None:
    """The properties that the standard requires (sections 3.13–3.51), and those that GitHub asks for besides."""
    say(project, "reject", sprites_of(project)[3])
    (project / OUT / "beetle" / "my own.png").write_bytes((project / SHEET).read_bytes())
    log = tmp_path / "audit.sarif"
    done = cli("audit", "--project", project, "--sarif", log, "--model", BUILT_IN)
    assert done.code == 3
    assert "error: rejected: crystal_000001: was rejected by Ada" in done.out
    document = json.loads(log.read_text(encoding="utf-8"))
    assert document["version"] == "2.1.0"
    assert document["$schema"].endswith("/sarif-schema-2.1.0.json")
    (run,) = document["runs"]
    driver = run["tool"]["driver"]
    assert driver["name"] == "assetgen audit"
    assert [rule["id"] for rule in driver["rules"]] == list(RULES)
    for rule in driver["rules"]:
        assert rule["shortDescription"]["text"].endswith(".") and rule["help"]["text"]
        assert rule["defaultConfiguration"]["level"] in ("error", "note")
    assert run["invocations"] == [{"executionSuccessful": True, "exitCode": 3}]
    assert [result["ruleId"] for result in run["results"]] == ["foreign", "copy-unchecked", "rejected"]
    for result in run["results"]:
        assert driver["rules"][result["ruleIndex"]]["id"] == result["ruleId"]
        assert result["level"] in ("none", "note", "warning", "error")
        assert result["message"]["text"]
        (place,) = result["locations"]
        physical = place["physicalLocation"]
        assert physical["artifactLocation"]["uriBaseId"] == "%SRCROOT%"
        path = project / unquote(physical["artifactLocation"]["uri"])
        assert path.is_file()
        assert " " not in physical["artifactLocation"]["uri"]
        assert physical["region"]["startLine"] >= 1
        if sprite := place.get("logicalLocations"):
            line = path.read_text().splitlines()[physical["region"]["startLine"] - 1]
            assert f'"name": "{sprite[0]["name"]}"' in line
    fingerprints = [result["partialFingerprints"]["subject/v1"] for result in run["results"]]
    assert len(set(fingerprints)) == 3


def test_a_page_shows_each_sprite_beside_its_nearest_training_sprites(
    cli: Cli, audit: Run, project: Path, sprites: Path, tmp_path: Path
) -> None:
    _, document = audit("--sprites", sprites, "--report", tmp_path / "audit.html")
    page = (tmp_path / "audit.html").read_text(encoding="utf-8")
    order = sorted(document["sprites"], key=lambda sprite: sprite["nearest"][0]["distance"])
    assert re.findall("<h2>(.*)</h2>", page) == [sprite["name"] for sprite in order]
    shown = re.findall('<img src="data:image/png;base64,([^"]+)"', page)
    assert len(shown) == 8 * 4
    with (
        Image.open(io.BytesIO(base64.b64decode(shown[1]))) as picture,
        Image.open(sprites / order[0]["nearest"][0]["name"]) as original,
    ):
        assert np.array_equal(np.array(picture), np.array(original))
    refused = cli("audit", "--project", project, "--report", tmp_path / "audit.html")
    assert refused.code == 2
    assert "Give them with --sprites" in refused.err


def test_bad_input_is_named(cli: Cli, game: Path, project: Path) -> None:
    done = cli("audit", "--project", game)
    assert done.code == 1
    assert "manifest.json: nothing is published there" in done.err
    (project / "assetgen.decisions.jsonl").write_text("{}\n")
    done = cli("audit", "--project", project)
    assert done.code == 1
    assert "assetgen.decisions.jsonl, line 1: is no decision" in done.err
