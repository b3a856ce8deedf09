"""A folder of sprites becomes a training set."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from asset_gen.errors import SpriteError
from tests.conftest import REAL_SETS
from tests.creatures import creature, write_set
from trainer.dataset import load_dataset


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
    assert any("note" in notice for notice in dataset.notices)


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


def test_the_papers_set_is_801_sprites_of_18_types() -> None:
    if not (REAL_SETS / "veekun").is_dir():
        pytest.skip(f"the paper's set isn't at {REAL_SETS / 'veekun'}; set ASSETGEN_DATA")
    dataset = load_dataset(REAL_SETS / "veekun", size=64)
    assert (len(dataset.files), len(dataset.types), dataset.size) == (801, 18, 64)
