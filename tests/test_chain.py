"""The main job: typed sprites → train → export → batch."""

from __future__ import annotations

import json
from hashlib import sha256
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from asset_gen.cli import run as run_command_line
from tests.conftest import Cli, files_of


def test_a_batch_publishes_what_its_manifest_says(cli: Cli, bundle: Path, game: Path) -> None:
    done = cli("batch", "--count", 22, "--project", game, "--model", bundle, "--scale", 2, "--json")
    assert done.code == 0, done.err
    out = game / "assets" / "generated"
    manifest = json.loads((out / "manifest.json").read_text())
    assert [sheet["type"] for sheet in manifest["sheets"]] == ["beetle", "crystal", "flask", "mushroom"]
    assert [len(sheet["sprites"]) for sheet in manifest["sheets"]] == [6, 6, 5, 5]  # remainders in name order
    for sheet in manifest["sheets"]:
        picture = np.array(Image.open(out / sheet["image"]))
        assert sha256(picture.tobytes()).hexdigest() == sheet["pixels_sha256"]
        assert set(np.unique(picture[..., 3])) <= {0, 255}
        for sprite in sheet["sprites"]:
            x, y, width, height = sprite["rect"]
            cell = picture[y : y + height, x : x + width]
            assert (width, height) == (64, 64)
            assert np.array_equal(cell[::2, ::2], cell[1::2, 1::2])  # doubled pixels
    for entry in manifest["files"]:
        assert sha256((out / entry["path"]).read_bytes()).hexdigest() == entry["sha256"]
    run = out / "candidates~" / manifest["run"]
    lines = (run / "scores.csv").read_text().splitlines()
    assert len(lines) >= 1 + 88  # four times the count, and more where sprites nearly equal each other
    assert sum(line.split(",")[4] == "1" for line in lines[1:]) == 22
    assert (out / "candidates~" / ".gdignore").exists()


def test_a_published_sprite_can_be_made_again_from_its_origin_alone(cli: Cli, bundle: Path, game: Path) -> None:
    from asset_gen.bundle import load_bundle
    from asset_gen.finish import finish_sprites
    from asset_gen.generate import Wanted, generate
    from asset_gen.manifest import Finish
    from asset_gen.runtime import open_session

    assert cli("batch", "--count", 8, "--project", game, "--model", bundle, "-q").code == 0
    out = game / "assets" / "generated"
    manifest = json.loads((out / "manifest.json").read_text())
    sheet = manifest["sheets"][1]
    sprite = sheet["sprites"][-1]
    loaded = load_bundle(bundle)
    assert sprite["origin"]["model"] == loaded.sha256
    kind = loaded.info.types.index(sprite["origin"]["type"])
    wanted = Wanted(np.array([kind]), np.array([sprite["origin"]["index"]]))
    (drawn,) = generate(open_session(loaded.generator, "cpu"), loaded.info, sprite["origin"]["seed"], wanted)
    finish = Finish(alpha="hard", scale=1, palette=[], palette_asked="")
    x, y, width, height = sprite["rect"]
    published = np.array(Image.open(out / sheet["image"]))[y : y + height, x : x + width]
    assert np.array_equal(finish_sprites(drawn.sprites, finish)[0], published)


def test_the_papers_generator_without_types_and_alpha_reaches_the_sheets(
    cli: Cli, sprites: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("trainer.classifier.STEPS", (25, 25))  # at 64 pixels each takes long
    run, model, game = tmp_path / "run", tmp_path / "model", tmp_path / "game"
    game.mkdir()
    train = [
        "train",
        str(sprites),
        "--run",
        str(run),
        "--preset",
        "paper-dcgan",
        "--epochs",
        "2",
        "--batch-size",
        "16",
        "-q",
    ]
    assert run_command_line(train) == 0
    assert cli("export", run, "--out", model).code == 0
    info = json.loads((model / "bundle.json").read_text())
    assert (info["conditional"], info["alpha"], info["size"]) == (False, "none", 64)
    done = cli("batch", "--count", 4, "--project", game, "--model", model, "--filter", "top-p")
    if done.code == 6:  # two epochs may draw one type only; then the counts are named and nothing is published
        assert "of 1" in done.err
        assert not (game / "assets").exists()
        done = cli(
            "batch", "--types", f"{done_type(done.err)}=3", "--project", game, "--model", model, "--oversample", 1
        )
    assert done.code == 0, done.err
    manifest = json.loads((game / "assets" / "generated" / "manifest.json").read_text())
    assert all(sheet["cell"] == [64, 64] for sheet in manifest["sheets"])


def done_type(message: str) -> str:
    """A type that isn't among those the message says are short."""
    return next(kind for kind in ("beetle", "crystal", "flask", "mushroom") if f"{kind} " not in message)


def test_the_same_arguments_change_no_byte(cli: Cli, bundle: Path, game: Path) -> None:
    arguments = ("batch", "--count", 12, "--project", game, "--model", bundle)
    assert cli(*arguments).code == 0
    before = files_of(game)
    times = {path: (game / path).stat().st_mtime_ns for path in before}
    again = cli(*arguments)
    assert again.code == 0
    assert "Nothing to change" in again.out
    assert files_of(game) == before
    assert {path: (game / path).stat().st_mtime_ns for path in before} == times


def test_a_removed_candidate_set_and_a_removed_sheet_come_back_unchanged(cli: Cli, bundle: Path, game: Path) -> None:
    import shutil

    arguments = ("batch", "--count", 12, "--project", game, "--model", bundle)
    assert cli(*arguments).code == 0
    before = files_of(game)
    out = game / "assets" / "generated"
    (out / "flask" / "flask.png").unlink()
    (out / "sheets.js").unlink()
    shutil.rmtree(out / "candidates~")
    assert cli(*arguments).code == 0
    assert files_of(game) == before


def test_more_sprites_leave_the_others_alone_and_fewer_free_the_last(cli: Cli, bundle: Path, game: Path) -> None:
    def published() -> dict[str, bytes]:
        out = game / "assets" / "generated"
        pixels = {}
        for sheet in json.loads((out / "manifest.json").read_text())["sheets"]:
            picture = np.array(Image.open(out / sheet["image"]))
            for sprite in sheet["sprites"]:
                x, y, width, height = sprite["rect"]
                pixels[f"{sprite['name']} at {x},{y}"] = picture[y : y + height, x : x + width].tobytes()
        return pixels

    arguments = ("batch", "--project", game, "--model", bundle, "--count")
    assert cli(*arguments, 12).code == 0
    twelve = published()
    assert cli(*arguments, 24).code == 0
    more = published()
    assert len(more) == 24
    assert twelve.items() <= more.items()
    assert cli(*arguments, 8).code == 0
    assert published().items() <= twelve.items()
    assert len(published()) == 8
    assert cli(*arguments, 12).code == 0
    assert len(published()) == 12


def test_another_seed_needs_a_yes(cli: Cli, bundle: Path, game: Path) -> None:
    arguments = ("batch", "--count", 8, "--project", game, "--model", bundle)
    assert cli(*arguments).code == 0
    before = files_of(game)
    refused = cli(*arguments, "--seed", 1)
    assert refused.code == 1
    assert "would replace all 8 published sprites" in refused.err
    assert "--yes" in refused.err
    assert files_of(game) == before
    assert cli(*arguments, "--seed", 1, "--yes").code == 0
    assert json.loads((game / "assets/generated/manifest.json").read_text())["seed"] == 1


def test_a_hand_edited_sheet_is_left_alone_and_the_new_one_lies_beside_it(cli: Cli, bundle: Path, game: Path) -> None:
    arguments = ("batch", "--project", game, "--model", bundle, "--count")
    assert cli(*arguments, 8).code == 0
    sheet = game / "assets" / "generated" / "beetle" / "beetle.png"
    Image.new("RGBA", (70, 70), "red").save(sheet)
    edited = sheet.read_bytes()
    same = cli(*arguments, 8)
    assert same.code == 0
    assert "edited by hand" in same.err
    assert sheet.read_bytes() == edited
    assert not sheet.with_name("beetle.png.new").exists()  # nothing new to offer
    assert cli(*arguments, 12).code == 0
    assert sheet.read_bytes() == edited
    assert sheet.with_name("beetle.png.new").exists()


def test_a_palette_is_kept_when_sprites_are_added(cli: Cli, bundle: Path, game: Path) -> None:
    arguments = ("batch", "--project", game, "--model", bundle, "--palette", 6, "--count")
    out = game / "assets" / "generated"
    assert cli(*arguments, 8).code == 0
    palette = json.loads((out / "manifest.json").read_text())["finish"]["palette"]
    assert 2 <= len(palette) <= 6
    assert cli(*arguments, 16).code == 0
    assert json.loads((out / "manifest.json").read_text())["finish"]["palette"] == palette
    allowed = {tuple(bytes.fromhex(colour[1:])) for colour in palette}
    for sheet in out.glob("*/*.png"):
        opened = Image.open(sheet)
        assert opened.mode == "P"  # a byte a pixel is enough for so few colours
        picture = np.array(opened.convert("RGBA"))
        assert {tuple(pixel) for pixel in picture[picture[..., 3] > 0][:, :3].tolist()} <= allowed


@pytest.mark.parametrize("options", [("--trim",), ("--combined",), ("--trim", "--combined", "--extrude", 1)])
def test_packed_sprites_stay_where_they_are_and_equal_the_unpacked(
    cli: Cli, bundle: Path, tmp_path: Path, options: tuple[object, ...]
) -> None:
    plain, packed = tmp_path / "plain", tmp_path / "packed"
    for project, more in ((plain, ()), (packed, options)):
        project.mkdir()
        assert cli("batch", "--project", project, "--model", bundle, "--count", 12, *more).code == 0
    before = files_of(packed)
    assert cli("batch", "--project", packed, "--model", bundle, "--count", 12, *options).code == 0
    assert files_of(packed) == before
    whole = {name: sprite for name, (_, sprite) in published(plain).items()}
    places = {name: place for name, (place, _) in published(packed).items()}
    assert {name: sprite.tobytes() for name, (_, sprite) in published(packed).items()} == {
        name: seen(sprite).tobytes() for name, sprite in whole.items()
    }
    assert cli("batch", "--project", packed, "--model", bundle, "--count", 20, *options).code == 0
    after = published(packed)
    assert len(after) == 20
    assert places.items() <= {name: place for name, (place, _) in after.items()}.items()
    assert cli("batch", "--project", packed, "--model", bundle, "--count", 20).code == 0  # and back on to grids
    assert cli("batch", "--project", plain, "--model", bundle, "--count", 20).code == 0
    assert {name: sprite.tobytes() for name, (_, sprite) in published(packed).items()} == {
        name: seen(sprite).tobytes() for name, (_, sprite) in published(plain).items()
    }


def published(project: Path) -> dict[str, tuple[tuple[object, ...], NDArray[np.uint8]]]:
    """Name → (its sheet and rectangle, the whole sprite as it is seen), by the manifest alone."""
    out = project / "assets" / "generated"
    sprites: dict[str, tuple[tuple[object, ...], NDArray[np.uint8]]] = {}
    for sheet in json.loads((out / "manifest.json").read_text())["sheets"]:
        picture = np.array(Image.open(out / sheet["image"]).convert("RGBA"))
        for entry in sheet["sprites"]:
            x, y, width, height = entry["rect"]
            left, top = entry.get("offset", (0, 0))
            whole = np.zeros((*reversed(entry.get("source") or (width, height)), 4), np.uint8)
            whole[top : top + height, left : left + width] = picture[y : y + height, x : x + width]
            sprites[entry["name"]] = (sheet["image"], *entry["rect"]), seen(whole)
    return sprites


def seen(sprite: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Without the colour under transparent pixels."""
    return sprite * (sprite[..., 3:] > 0)


def test_variants_are_the_sheets_enlarged(cli: Cli, bundle: Path, game: Path) -> None:
    assert cli("batch", "--project", game, "--model", bundle, "--count", 8, "--variant", 2, "--variant", 3).code == 0
    sheets = [path for path in (game / "assets/generated").glob("*/*.png") if "@" not in path.name]
    assert len(sheets) > 1
    for path in sheets:
        picture = np.array(Image.open(path))
        for factor in (2, 3):
            large = path.with_name(f"{path.stem}@{factor}x.png")
            assert np.array_equal(np.array(Image.open(large)), picture.repeat(factor, 0).repeat(factor, 1))
            assert json.loads(large.with_suffix(".json").read_text())["meta"]["scale"] == str(factor)


def test_many_candidates_go_to_shards(cli: Cli, bundle: Path, game: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("asset_gen.draw.SHARD_FROM", 20)
    monkeypatch.setattr("asset_gen.shards.SHARD_SIZE", 7)
    assert cli("batch", "--count", 8, "--project", game, "--model", bundle).code == 0
    (run,) = (game / "assets" / "generated" / "candidates~").glob("*/")
    assert len(list(run.glob("shard_*.tar"))) == 5
    assert not list(run.glob("*/*.png"))
    sharded = {path: data for path, data in files_of(game).items() if "candidates~" not in path}
    other = game.with_name("other")
    other.mkdir()
    monkeypatch.undo()
    assert cli("batch", "--count", 8, "--project", other, "--model", bundle).code == 0
    assert sharded == {path: data for path, data in files_of(other).items() if "candidates~" not in path}


def test_half_precision_and_float_bundles_draw_alike(
    cli: Cli, finished_run: Path, bundle: Path, tmp_path: Path
) -> None:
    assert cli("export", finished_run, "--out", tmp_path / "half", "--half").code == 0
    parity = json.loads((tmp_path / "half" / "bundle.json").read_text())["parity"]["generator"]
    assert parity["within_one_level"] >= 0.999
    assert (tmp_path / "half" / "generator.onnx").stat().st_size < 0.7 * (bundle / "generator.onnx").stat().st_size
