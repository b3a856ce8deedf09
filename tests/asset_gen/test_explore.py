"""What else can a model draw? On the bundle of a short training, whose generator has levels, and on a stand-in's."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from pathlib import Path

import msgspec
import numpy as np
import pytest
from PIL import Image

from asset_gen.bundle import load_bundle
from asset_gen.errors import ModelError, ProjectError, SpriteError, UsageError
from asset_gen.explore import (
    Origin,
    Parameters,
    Space,
    between,
    class_sheet,
    codes_of,
    draw,
    drawn,
    encoded,
    find_picture,
    load_directions,
    mix,
    moved,
    truncated,
    variations,
)
from asset_gen.explore.directions import MEASURES, measured
from asset_gen.explore.packed import pack, unpack
from asset_gen.explore.picture import find_codes
from asset_gen.explore.search import overlap
from asset_gen.generate import Wanted, generate
from asset_gen.runtime import open_session
from tests.conftest import Cli
from tests.creatures import creature
from tests.fakes import write_bundle


@pytest.fixture(scope="module")
def space(bundle: Path) -> Space:
    return Space(load_bundle(bundle), "cpu")


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Space:
    """A generator that is built otherwise: no levels to tell apart."""
    return Space(load_bundle(write_bundle(tmp_path_factory.mktemp("plain") / "plain", size=8)), "cpu")


def test_a_generator_taken_apart_draws_what_it_drew_whole(space: Space, plain: Space) -> None:
    for one in (space, plain):
        session = open_session(one.bundle.generator, "cpu")
        wanted = Wanted(np.array([1, 0, 2]), np.array([7, 0, 3]))
        (whole,) = generate(session, one.info, 5, wanted)
        origins = [
            drawn(one, one.info.types[kind], int(index), 5)
            for kind, index in zip(wanted.kinds, wanted.indices, strict=True)
        ]
        assert np.abs(draw(one, origins).astype(int) - whole.sprites).max() <= 1
    assert (space.levels.count, plain.levels.count) == (7, 1)


def test_a_sprite_has_the_same_pixels_whatever_is_drawn_beside_it(space: Space) -> None:
    many = variations(drawn(space, "flask", 2), 0.3, count=11)
    together = draw(space, many)
    assert all(np.array_equal(draw(space, [one])[0], sprite) for one, sprite in zip(many, together, strict=True))
    assert len(np.unique(together, axis=0)) == 11


def test_strength_leads_from_the_sprite_itself_to_an_unrelated_one(space: Space) -> None:
    parent = drawn(space, "flask", 2)
    codes = codes_of(space, [parent, *(variations(parent, strength, 1)[0] for strength in (0, 0.2, 0.6, 1))])
    z = codes[:, 0, : space.info.latent]
    likeness = z[1:] @ z[0] / np.linalg.norm(z[1:], axis=1) / np.linalg.norm(z[0])
    assert likeness[0] == pytest.approx(1, abs=1e-6)
    assert list(likeness) == sorted(likeness, reverse=True)
    assert abs(likeness[-1]) < 0.4
    assert np.allclose(codes[:, :, space.info.latent :], codes[0, :, space.info.latent :])  # the type stays


def test_a_way_begins_and_ends_at_its_sprites(space: Space) -> None:
    ends = [drawn(space, "flask", 2), drawn(space, "beetle", 1)]
    way = between(*ends, count=5)
    codes = codes_of(space, [*way, *ends])
    assert np.allclose(codes[[0, 4]], codes[-2:], atol=1e-5)
    assert [origin.type for origin in way] == ["flask"] * 3 + ["beetle"] * 2
    lengths = np.linalg.norm(codes[:5, 0, : space.info.latent], axis=1)
    assert np.allclose(lengths, lengths[0], rtol=1e-4)  # never through the middle, which no latent comes from


def test_truncation_leads_all_sprites_of_a_type_to_one(space: Space) -> None:
    sprites = [drawn(space, "flask", index) for index in range(3)]
    means = draw(space, [truncated(sprite, 0) for sprite in sprites])
    assert (means == means[0]).all()
    assert np.array_equal(draw(space, [truncated(sprites[0], 1)]), draw(space, sprites[:1]))


def test_a_mixture_has_coarse_levels_of_one_and_fine_levels_of_the_other(space: Space) -> None:
    shape, colours = drawn(space, "flask", 2), drawn(space, "beetle", 1)
    done = mix(space, shape, colours, level=3, amount=1)
    mixed, first, second = codes_of(space, [done.origin, shape, colours])
    assert np.array_equal(mixed[:3], first[:3])
    assert np.allclose(mixed[3:], second[3:], atol=1e-6)
    best = mix(space, shape, colours)
    assert min(best.shape, 4 * best.colours) >= min(done.shape, 4 * done.colours)


def test_origins_stand_in_json_and_make_the_picture_again(space: Space) -> None:
    shape, colours = drawn(space, "flask", 2), variations(drawn(space, "beetle", 1), 0.5, 2)[1]
    origin = truncated(mix(space, shape, colours).origin, 0.8)
    again = msgspec.json.decode(msgspec.json.encode(origin), type=Origin)
    assert again == origin
    assert np.array_equal(draw(space, [again]), draw(space, [origin]))
    assert origin.index >= 10**12
    assert msgspec.to_builtins(shape).keys() == {"model", "seed", "type", "index"}  # as ever where nothing was explored


def test_the_gradient_is_that_of_the_distance(space: Space, plain: Space) -> None:
    chance = np.random.default_rng(0)
    for one in (space, plain):
        codes = codes_of(one, class_sheet(one, one.info.types[:2], 1))
        targets, _ = one.pictures(codes_of(one, class_sheet(one, one.info.types[:2], 1, seed=1)))
        loss, gradients = one.search.gradient(codes, targets)
        assert np.allclose(loss, ((one.pictures(codes)[0] - targets) ** 2).mean(axis=(1, 2, 3)), rtol=1e-4)
        for level in range(one.levels.count):
            step = np.zeros_like(codes)
            step[:, level] = 1e-3 * chance.normal(size=step[:, level].shape)
            told = (gradients * step).sum(axis=(1, 2))
            there, back = (one.search.gradient(codes + sign * step, targets)[0] for sign in (1, -1))
            assert np.allclose((there - back) / 2, told, rtol=0.05, atol=2e-6)


def test_a_picture_that_the_model_drew_is_found_again(space: Space) -> None:
    targets, _ = space.pictures(codes_of(space, [drawn(space, "flask", 2), drawn(space, "beetle", 1)]))
    codes = find_codes(space, targets, space.label(np.array([2, 0])))
    found, _ = space.pictures(codes)
    assert (overlap(found, targets) > 0.9).all()
    assert ((found - targets) ** 2).mean() < 0.001


def test_packed_numbers_are_the_same_within_a_step() -> None:
    values = np.random.default_rng(0).normal(size=(3, 50)).astype(np.float32)
    assert np.abs(unpack(pack(values), 3, 50) - values).max() <= 1 / 64
    for text in ("AAAA", "no base64", pack(values)[:-4]):
        with pytest.raises(ProjectError, match="aren't 150 numbers"):
            unpack(text, 3, 50)


@pytest.mark.parametrize(
    "change",
    [{"operation": "hypnosis"}, {"operation": "variation"}, {"type": "dragon"}, {"parameters": Parameters(level=3)}],
)
def test_an_origin_that_assetgen_never_wrote_is_refused(space: Space, change: dict[str, object]) -> None:
    origin = msgspec.structs.replace(drawn(space, "flask", 2), **change)
    if "parameters" in change:
        origin = Origin(model="f" * 64, seed=0, type="flask", index=1)
    with pytest.raises((ProjectError, UsageError), match=r"Restore the file|Give its own with --model"):
        draw(space, [origin])


def test_a_chain_without_end_is_refused(space: Space) -> None:
    origin = drawn(space, "flask", 2)
    for _ in range(70):
        origin = truncated(origin, 0.99)
    with pytest.raises(ProjectError, match="can't make"):
        draw(space, [origin])


def save(path: Path, picture: np.ndarray) -> Path:
    Image.fromarray(picture.astype(np.uint8), "RGBA").save(path)
    return path


@pytest.mark.parametrize(
    ("picture", "said"),
    [
        (np.zeros((20, 32, 4)), "is 32×20 pixels, and creatures draws sprites of 32×32"),
        (np.zeros((32, 32, 4)), "nothing can be seen"),
        (np.full((32, 32, 4), 255), "Take its background away"),
        (np.full((48, 48, 4), 255), "shrink it by whole pixels"),
    ],
)
def test_a_picture_that_is_no_sprite_of_the_model_is_refused(
    space: Space, tmp_path: Path, picture: np.ndarray, said: str
) -> None:
    path = save(tmp_path / "mine.png", picture)
    with pytest.raises(SpriteError, match=said):
        find_picture(space, path)


def test_a_picture_in_colours_that_the_model_has_not_is_refused(space: Space, tmp_path: Path) -> None:
    dots = np.zeros((32, 32, 4))
    dots[::4, ::4] = (255, 0, 255, 255)
    with pytest.raises(SpriteError, match=r"can't draw it: silhouettes overlap by \d+%"):
        find_picture(space, save(tmp_path / "dots.png", dots))


def test_directions_change_what_they_are_named_after(space: Space, bundle: Path) -> None:
    directions = load_directions(space.bundle)  # written by the export
    assert directions
    for one in directions:
        assert one.agreement >= 0.7
        assert one.effects[MEASURES.index(one.name)] > 0
        assert np.sqrt((one.vector**2).mean()) == pytest.approx(1, abs=1e-3)
    parents = class_sheet(space, space.info.types, 3, seed=7)
    first = directions[0]
    place = MEASURES.index(first.name)
    more, less = (measured(draw(space, [moved(parent, first, amount) for parent in parents])) for amount in (0.5, -0.5))
    assert (more - less)[:, place].mean() > 0
    assert np.array_equal(draw(space, [moved(parents[0], first, 0)]), draw(space, parents[:1]))


def test_a_bundle_without_directions_names_the_command_that_adds_them(
    cli: Cli, own_bundle: Path, tmp_path: Path
) -> None:
    info = json.loads((own_bundle / "bundle.json").read_text())
    del info["files"]["directions.npz"]
    (own_bundle / "bundle.json").write_text(json.dumps(info))
    before = load_bundle(own_bundle).sha256
    words = ["explore", "direction", "--model", own_bundle, "--project", tmp_path]
    told = cli(*words)
    assert told.code == 2
    assert f"assetgen calibrate {own_bundle} --directions" in told.err
    assert cli("calibrate", own_bundle, "--directions").code == 0
    assert load_bundle(own_bundle).sha256 == before
    known = json.loads(cli(*words, "--json").out)["directions"]
    assert {one["name"] for one in known} <= set(MEASURES)
    out = tmp_path / "direction.png"
    assert "Did you mean" in cli(*words[:2], known[0]["name"] + "s", "--like", "flask_c000001", *words[2:]).err
    assert cli(*words[:2], known[0]["name"], "--like", "flask_c000001", "--out", out, *words[2:]).code == 0
    assert out.is_file()


@pytest.mark.parametrize("damage", [lambda data: data[:-30], lambda data: b"PK" + data[2:100], lambda data: b""])
def test_damaged_directions_are_refused(own_bundle: Path, damage: Callable[[bytes], bytes]) -> None:
    bundle = load_bundle(own_bundle)
    path = own_bundle / "directions.npz"
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(ModelError, match="can't be read"):
        load_directions(bundle)


def test_every_command_writes_a_picture_that_says_a_model_made_it(cli: Cli, bundle: Path, tmp_path: Path) -> None:
    model = ["--model", bundle, "--project", tmp_path, "--scale", "1"]
    for number, (words, size) in enumerate(
        [
            (["sheet", "-n", 3], (98, 131)),
            (["between", "flask", "beetle", "-n", 4, "--rows", 2], (131, 65)),
            (["between", "flask_c000001", "beetle_c000003", "-n", 4], (131, 32)),
            (["variations", "--like", "flask_c000002", "-n", 4], (65, 65)),
            (["mix", "flask_c000002", "beetle_c000001"], (98, 32)),
            (["truncate", "flask_c000002", "-n", 3], (98, 32)),
        ]
    ):
        out = tmp_path / f"{number}.png"
        assert cli("explore", *words, "--out", out, *model).code == 0
        with Image.open(out) as image:
            assert image.size == size
        assert b"trainedAlgorithmicMedia" in out.read_bytes()
        assert cli("explore", *words, "--out", out, *model).code == 0  # over its own picture


def test_an_animation_goes_there_and_back(cli: Cli, bundle: Path, tmp_path: Path) -> None:
    words = ["explore", "between", "flask_c000001", "beetle_c000002", "-n", 4, "--out", tmp_path / "way.gif"]
    done = cli(*words, "--model", bundle, "--project", tmp_path, "--json")
    positions = [sprite["origin"]["parameters"].get("position", 0) for sprite in json.loads(done.out)["sprites"]]
    assert np.allclose(positions, [0, 1 / 3, 2 / 3, 1, 2 / 3, 1 / 3])


@pytest.mark.parametrize("suffix", [".gif", ".apng"])
def test_an_animation_shows_every_sprite_on_nothing(suffix: str) -> None:
    sprites = np.stack([creature("flask", seed) for seed in range(5)])
    data = encoded(sprites, suffix, 1, scale=2, pace=10)
    assert b"trainedAlgorithmicMedia" in data
    with Image.open(io.BytesIO(data)) as image:
        assert (image.size, image.n_frames, image.info["loop"]) == ((64, 64), 5, 0)
        for number, sprite in enumerate(sprites):
            image.seek(number)
            frame = np.asarray(image.convert("RGBA"))[::2, ::2]
            assert np.array_equal(frame[..., 3], sprite[..., 3])
            seen = sprite[..., 3] > 0
            assert np.abs(frame[seen].astype(int) - sprite[seen]).max() <= (0 if suffix == ".apng" else 8)


def test_wrong_names_are_told_with_the_cure(cli: Cli, bundle: Path, tmp_path: Path) -> None:
    model = ["--model", bundle, "--project", tmp_path]
    assert "Did you mean 'flask'?" in cli("explore", "truncate", "flaks_c000002", *model).err
    assert "nothing is published" in cli("explore", "truncate", "flask_000002", *model).err
    assert "no such file" in cli("explore", "variations", "--like", tmp_path / "no.png", *model).err.lower()
    mine = save(tmp_path / "mine.png", np.zeros((4, 4, 4)))
    before = mine.read_bytes()
    told = cli("explore", "sheet", "--out", mine, *model)
    assert told.code == 2
    assert "assetgen didn't draw it" in told.err
    assert mine.read_bytes() == before
    assert "must end in" in cli("explore", "sheet", "--out", tmp_path / "a.txt", *model).err
