"""A folder of sprites becomes a training set."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from asset_gen.errors import SpriteError
from tests.creatures import creature, write_set
from trainer.dataset import auto_size, load_dataset, place_all


def test_a_folder_a_type_is_read_in_name_order(sprites: Path) -> None:
    dataset = load_dataset(sprites)
    assert dataset.sprites.shape == (40, 32, 32, 4)
    assert dataset.counts() == {"beetle": 10, "crystal": 10, "flask": 10, "mushroom": 10}
    assert np.array_equal(dataset.sprites[0], creature("beetle", 0))  # a shared canvas keeps its placement


def test_a_table_wins_over_folders_and_gives_second_types(tmp_path: Path) -> None:
    write_set(tmp_path, each=5)
    rows = [
        f"{path.relative_to(tmp_path)},Fire Dragon,{'ice' if n % 2 else ''},x"
        for n, path in enumerate(sorted(tmp_path.glob("*/*.png")))
    ]
    (tmp_path / "labels.csv").write_text("file,type1,type2,note\n" + "\n".join(rows))
    dataset = load_dataset(tmp_path)
    assert dataset.types == {"fire_dragon": "Fire Dragon", "ice": "ice"}
    assert dataset.labels[0].tolist() == [1, 0]
    assert dataset.labels[1].tolist() == [0.5, 0.5]
    assert dataset.counts() == {"fire_dragon": 20, "ice": 0}
    assert any("note" in notice for notice in dataset.notices)


def write_table(folder: Path, *lines: str) -> None:
    """A labels.csv of these lines."""
    (folder / "labels.csv").write_text("\n".join(lines), encoding="utf-8")


def test_the_first_type_is_the_one_that_stands_first_whatever_the_alphabet_says(tmp_path: Path) -> None:
    paths = sorted(write_set(tmp_path, each=2).glob("*/*.png"))
    write_table(tmp_path, "file,type1,type2", *(f"{path.relative_to(tmp_path)},water,ice" for path in paths))
    dataset = load_dataset(tmp_path)
    assert list(dataset.types) == ["ice", "water"]
    assert dataset.first_types.tolist() == [1] * 8
    assert dataset.counts() == {"ice": 0, "water": 8}
    assert (dataset.labels == 0.5).all()


def test_two_types_that_are_merged_into_one_are_one_whole_share(tmp_path: Path) -> None:
    paths = sorted(write_set(tmp_path, each=2).glob("*/*.png"))
    write_table(tmp_path, "file,type1,type2", *(f"{path.relative_to(tmp_path)},water,ice" for path in paths))
    dataset = load_dataset(tmp_path, merge={"ice": "water"})
    assert dataset.types == {"water": "water"}
    assert (dataset.labels == 1).all()


def test_only_what_the_table_lists_is_read(tmp_path: Path) -> None:
    paths = sorted(write_set(tmp_path, each=4).glob("*/*.png"))
    write_table(tmp_path, "\ufefffile,type1", *(f"{path.relative_to(tmp_path)},x" for path in paths[:9]))
    assert load_dataset(tmp_path).files == [path.relative_to(tmp_path).as_posix() for path in paths[:9]]


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        (["name,type1", "a.png,x"], "needs the columns file,type1; file is missing"),
        (["file,type1", "none.png,x"], "line 2: there is no file 'none.png'"),
        (["file,type1", "../x.png,x"], r"line 2: the file '\.\./x\.png' is not inside"),
        (["file,type1", "a.png,x", "a.png,y"], r"line 3: 'a\.png' stands on line 2 already"),
        (["file,type1", "a.png,"], r"line 2: 'a\.png' has no type1"),
        (["file,type1"], "lists no sprites"),
    ],
)
def test_a_table_that_makes_no_sense_is_refused_with_its_line(lines: list[str], message: str, tmp_path: Path) -> None:
    Image.fromarray(creature("flask", 0), "RGBA").save(tmp_path / "a.png")
    write_table(tmp_path, *lines)
    with pytest.raises(SpriteError, match=rf"labels\.csv.*{message}"):
        load_dataset(tmp_path)


def test_pictures_without_folders_are_one_type(tmp_path: Path) -> None:
    (tmp_path / "bugs").mkdir()
    for seed in range(8):
        Image.fromarray(creature("beetle", seed), "RGBA").save(tmp_path / "bugs" / f"{seed}.png")
    dataset = load_dataset(tmp_path / "bugs")
    assert dataset.counts() == {"bugs": 8}
    assert dataset.notices == ["no folders: all sprites are of type 'bugs'."]


def test_folders_in_a_types_folder_count_for_the_type_and_hidden_ones_do_not(tmp_path: Path) -> None:
    write_set(tmp_path, each=4)
    (tmp_path / "flask" / "old").mkdir()
    (tmp_path / ".thumbnails").mkdir()
    for folder in (tmp_path / "flask" / "old", tmp_path / ".thumbnails"):
        Image.fromarray(creature("flask", 9), "RGBA").save(folder / "a.png")
    assert load_dataset(tmp_path).counts() == {"beetle": 4, "crystal": 4, "flask": 5, "mushroom": 4}


def test_what_cannot_be_used_is_refused_by_name_and_the_rest_is_read(tmp_path: Path) -> None:
    write_set(tmp_path, each=4)
    (tmp_path / "flask" / "broken.png").write_bytes(b"broken")
    Image.new("RGBA", (32, 32)).save(tmp_path / "flask" / "nothing.png")
    dataset = load_dataset(tmp_path)
    assert len(dataset.files) == 16
    assert list(dataset.refused) == ["flask/broken.png", "flask/nothing.png"]
    assert "nothing to see" in dataset.refused["flask/nothing.png"]


def test_too_few_sprites_and_missing_folders_are_refused_with_the_cure(tmp_path: Path) -> None:
    with pytest.raises(SpriteError, match="there is no such folder"):
        load_dataset(tmp_path / "none")
    with pytest.raises(SpriteError, match=r"holds no sprites\. Put PNG files into one folder per type"):
        load_dataset(tmp_path)
    photo = tmp_path / "photos" / "cat" / "1.jpg"
    photo.parent.mkdir(parents=True)
    Image.new("RGB", (32, 32)).save(photo)
    with pytest.raises(SpriteError, match=r"none of its 1 files \(cat/1\.jpg …\) is PNG.* Save them as PNG"):
        load_dataset(tmp_path / "photos")
    with pytest.raises(SpriteError, match=r"1\.jpg: is a file, not a folder"):
        load_dataset(photo)
    with pytest.raises(SpriteError, match="4 readable sprites, and training needs at least 8"):
        load_dataset(write_set(tmp_path / "few", each=1))


def test_a_type_of_one_sprite_and_loose_pictures_are_noticed(tmp_path: Path) -> None:
    write_set(tmp_path, each=8, kinds=("beetle",))
    write_set(tmp_path, each=1, kinds=("flask",))
    Image.fromarray(creature("crystal", 0), "RGBA").save(tmp_path / "loose.png")
    notices = load_dataset(tmp_path).notices
    assert "1 pictures beside the type folders were left aside." in notices
    assert "one sprite only: flask; such a type will look like copies of it." in notices


@pytest.mark.parametrize(("side", "size"), [(20, 32), (32, 32), (33, 48), (64, 64), (100, 128), (200, 128)])
def test_the_canvas_is_the_smallest_that_holds_the_sprites(side: int, size: int) -> None:
    square = np.full((side, side, 4), 255, np.uint8)
    giant = np.full((500, 500, 4), 255, np.uint8)
    assert auto_size([square] * 19 + [giant]) == size  # 95 % of the set
    assert place_all([square] * 19 + [giant], size)[0].shape == (20, size, size, 4)


def test_merged_types_count_as_one(sprites: Path) -> None:
    assert load_dataset(sprites, merge={"beetle": "crystal"}).counts() == {"crystal": 20, "flask": 10, "mushroom": 10}
    with pytest.raises(SpriteError, match="beetles"):
        load_dataset(sprites, merge={"beetles": "crystal"})


@pytest.mark.parametrize("factor", [2, 3, 4])
def test_enlarged_art_is_reduced_to_its_own_pixels(factor: int, tmp_path: Path) -> None:
    write_set(tmp_path / "art", each=3)
    for path in (tmp_path / "art").glob("*/*.png"):
        with Image.open(path) as image:
            image.resize((32 * factor, 32 * factor), Image.Resampling.NEAREST).save(path)
    dataset = load_dataset(tmp_path / "art")
    assert dataset.size == 32
    assert np.array_equal(dataset.sprites[0], creature("beetle", 0))
    assert any(f"12 sprites stored at {factor}×" in notice for notice in dataset.notices)


def test_sprites_of_different_canvases_stand_on_one_baseline(tmp_path: Path) -> None:
    write_set(tmp_path / "a", each=5)
    (path, *_) = sorted((tmp_path / "a" / "beetle").iterdir())
    wide = np.zeros((50, 60, 4), np.uint8)
    wide[3:35, 5:37] = creature("beetle", 0)
    Image.fromarray(wide, "RGBA").save(path)
    dataset = load_dataset(tmp_path / "a")
    rows = [np.flatnonzero(sprite[..., 3].any(axis=1)) for sprite in dataset.sprites]
    columns = [np.flatnonzero(sprite[..., 3].any(axis=0)) for sprite in dataset.sprites]
    assert {int(row[-1]) for row in rows} == {dataset.size - 1}
    assert all(abs(int(column[0] + column[-1]) - (dataset.size - 1)) <= 1 for column in columns)


def test_sprites_larger_than_the_canvas_are_reduced(sprites: Path) -> None:
    dataset = load_dataset(sprites, size=16)
    assert dataset.sprites.shape[1:] == (16, 16, 4)
    assert any("larger than 16 px" in notice for notice in dataset.notices)


def test_a_whole_multiple_of_the_canvas_doubles_pixels(sprites: Path) -> None:
    dataset = load_dataset(sprites, size=64)
    assert np.array_equal(dataset.sprites[:, ::2, ::2], dataset.sprites[:, 1::2, 1::2])


def test_a_uniform_background_becomes_transparent_when_asked(tmp_path: Path) -> None:
    write_set(tmp_path, each=3)
    for path in tmp_path.glob("*/*.png"):
        with Image.open(path) as image:
            flat = Image.new("RGBA", image.size, (255, 0, 255, 255))
            flat.alpha_composite(image.convert("RGBA"))
            flat.convert("RGB").save(path)
    kept = load_dataset(tmp_path)
    assert (kept.sprites[..., 3] == 255).all()
    assert any("--background auto" in notice for notice in kept.notices)
    keyed = load_dataset(tmp_path, background=True)
    assert np.array_equal(keyed.sprites[3, ..., 3], creature("crystal", 0)[..., 3])


def test_a_canvas_that_all_share_is_kept_and_enlarged_by_whole_pixels_only(tmp_path: Path) -> None:
    write_set(tmp_path, each=3, size=48)
    assert np.array_equal(load_dataset(tmp_path, size=96).sprites[0, ::2, ::2], creature("beetle", 0, 48))
    cropped = load_dataset(tmp_path, size=64).sprites[0]  # no whole multiple: set on the baseline instead
    assert cropped[-1, :, 3].any()


def test_a_few_plain_sprites_follow_the_grid_of_the_others(tmp_path: Path) -> None:
    write_set(tmp_path, each=3)
    for path in tmp_path.glob("*/*.png"):
        with Image.open(path) as image:
            image.resize((64, 64), Image.Resampling.NEAREST).save(path)
    plain = np.zeros((64, 64, 4), np.uint8)
    plain[16:48, 16:48] = (255, 0, 0, 255)  # by itself it could have been drawn at 2×, 4×, 8×, 16× or 32×
    Image.fromarray(plain, "RGBA").save(tmp_path / "flask" / "zzz.png")
    dataset = load_dataset(tmp_path)
    assert dataset.notices == ["13 sprites stored at 2×: reduced to their own pixels."]
    row = dataset.files.index("flask/zzz.png")
    assert (dataset.sprites[row, 8:24, 8:24] == (255, 0, 0, 255)).all()


def test_the_digest_follows_the_pixels(sprites: Path, tmp_path: Path) -> None:
    first = load_dataset(sprites).digest()
    assert load_dataset(write_set(tmp_path / "again")).digest() == first
    assert load_dataset(write_set(tmp_path / "more", each=11)).digest() != first


def test_the_dungeon_tiles_are_32_pixels_of_17_types(dcss: Path) -> None:
    dataset = load_dataset(dcss, merge={"unique": "humanoid"})
    assert dataset.sprites.shape == (1054, 32, 32, 4)
    assert len(dataset.types) == 17
    assert dataset.counts()["humanoid"] == 209
    assert dataset.refused == {}


def test_the_papers_set_is_801_sprites_of_18_types(veekun: Path) -> None:
    dataset = load_dataset(veekun, size=64)
    assert dataset.sprites.shape == (801, 64, 64, 4)
    assert len(dataset.types) == 18
    assert (dataset.counts()["water"], dataset.counts()["normal"], dataset.counts()["flying"]) == (114, 105, 3)
    assert (dataset.labels == 0.5).any(axis=1).sum() == 401  # the second types
    assert dataset.labels.sum(axis=1) == pytest.approx(1)
    assert dataset.refused == {}
