"""Folders and archives of pictures become one set: by their tables, or by the folders they lie in."""

from __future__ import annotations

import csv
import json
import zipfile
from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image

from asset_gen.data_card import read_credits
from asset_gen.errors import SpriteError, UsageError
from asset_gen.importers.folder import import_folders
from tests.conftest import Cli, files_of
from tests.creatures import creature, write_set


def picture(seed: int, form: str = "PNG") -> bytes:
    file = BytesIO()
    Image.fromarray(creature("beetle", seed), "RGBA").save(file, form, lossless=True)
    return file.getvalue()


def put(folder: Path, **files: bytes | str) -> Path:
    """A folder with these files; ``__`` in a name is a separator, the last ``_`` the dot."""
    for name, data in files.items():
        path = folder / ".".join(name.replace("__", "/").rsplit("_", 1))
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data if isinstance(data, bytes) else data.encode())
    return folder


def table(folder: Path) -> dict[str, list[str]]:
    with (folder / "labels.csv").open(newline="", encoding="utf-8") as file:
        return {row["file"]: [row["type1"], row["type2"]] for row in csv.DictReader(file)}


def test_the_folder_a_picture_lies_in_or_the_first_names_its_type(tmp_path: Path) -> None:
    art = put(tmp_path / "art", a__Bats__1_png=picture(1), a__Cats__1_png=picture(2), top_webp=picture(3, "WEBP"))
    assert import_folders([art], tmp_path / "last").counts == {"Bats": 1, "Cats": 1, "art": 1}
    assert table(tmp_path / "last") == {
        "art/top.webp": ["art", ""],
        "bats/1.png": ["Bats", ""],
        "cats/1.png": ["Cats", ""],
    }
    assert (tmp_path / "last" / "bats" / "1.png").read_bytes() == picture(1)  # as it was
    assert import_folders([art], tmp_path / "first", level="first").counts == {"a": 2, "art": 1}
    assert import_folders([art], tmp_path / "one", label="beast").counts == {"beast": 3}


def test_tables_decide_and_the_nearest_one_wins(tmp_path: Path) -> None:
    art = put(
        tmp_path / "art",
        x__1_png=picture(1),
        x__y__2_png=picture(2),
        x__3_png=picture(3),
        labels_csv="file,type1,type2,note\nx/1.png,fire,air,!\nx/y/2.png,fire,,\n",
        x__y__labels_csv="file,type1\n2.png,water\n",
    )
    import_folders([art], tmp_path / "set")
    assert table(tmp_path / "set") == {
        "fire/1.png": ["fire", "air"],
        "water/2.png": ["water", ""],
        "x/3.png": ["x", ""],
    }


def test_a_set_of_ours_comes_through_as_it_is(tmp_path: Path) -> None:
    import_folders([write_set(tmp_path / "art", each=3)], tmp_path / "once")
    import_folders([tmp_path / "once"], tmp_path / "twice")
    once, twice = files_of(tmp_path / "once"), files_of(tmp_path / "twice")
    assert {name: data for name, data in once.items() if name != "README.txt"} == {
        name: data for name, data in twice.items() if name != "README.txt"
    }
    assert len(once) == 14


def test_names_that_clash_are_told_apart_and_equal_pictures_count_once(tmp_path: Path) -> None:
    art = put(tmp_path / "art", a__bat__1_png=picture(1), b__bat__1_png=picture(2), c__bat__9_png=picture(1))
    done = import_folders([art], tmp_path / "set")
    assert list(table(tmp_path / "set")) == ["bat/1.png", "bat/1_2.png"]
    assert done.notes == ["1 pictures that were there already were left out"] and done.refused == []


def test_two_folders_that_disagree_are_reported_and_neither_is_believed(tmp_path: Path, cli: Cli) -> None:
    old = put(tmp_path / "old", bat__1_png=picture(1), bat__2_png=picture(2))
    with zipfile.ZipFile(tmp_path / "new.zip", "w") as archive:
        archive.writestr("cat/one.webp", picture(1, "WEBP"))  # the same pixels, stored otherwise
    done = cli("data", "folder", old, tmp_path / "new.zip", "--out", tmp_path / "set", "--json")
    assert done.code == 3
    assert json.loads(done.out)["types"] == {"bat": 1}
    assert "one picture, different types" in done.err
    assert "old/bat/1.png (bat)" in done.err and "new.zip/cat/one.webp (cat)" in done.err


def test_what_cannot_be_read_is_listed(tmp_path: Path, cli: Cli) -> None:
    art = put(tmp_path / "art", bat__1_png=picture(1), bat__2_png=b"words", bat__note_txt="words")
    clear = BytesIO()
    Image.new("RGBA", (8, 8)).save(clear, "PNG")
    put(art, bat__3_png=clear.getvalue())
    done = cli("data", "folder", art, "--out", tmp_path / "set")
    assert done.code == 3 and done.out.startswith("1 sprites of 1 types")
    assert "2 pictures were left out" in done.err
    assert "2.png: not a PNG" in done.err and "3.png: nothing to see" in done.err


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("file,type1\nbat/9.png,x\n", r"labels\.csv, line 2: there is no picture 'bat/9\.png'"),
        ("file,type1\n../../x.png,x\n", r"labels\.csv, line 2: there is no picture"),
        ("file,type1\nbat/1.png,\n", r"line 2: 'bat/1\.png' has no type1"),
        ("name,kind\nbat/1.png,x\n", "needs the columns file,type1"),
        ("file,type1\nbat/1.png,../x\n", "the type name"),
    ],
)
def test_a_table_that_is_wrong_is_refused_with_its_line(text: str, words: str, tmp_path: Path) -> None:
    art = put(tmp_path / "art", bat__1_png=picture(1), labels_csv=text)
    with pytest.raises(SpriteError, match=words):
        import_folders([art], tmp_path / "set")
    assert not (tmp_path / "set").exists()


def test_nothing_to_import_and_a_place_that_is_taken_are_said(tmp_path: Path) -> None:
    with pytest.raises(SpriteError, match=r"holds no pictures \(PNG, WebP, GIF or BMP\) for a set"):
        import_folders([put(tmp_path / "art", a_txt="x")], tmp_path / "set")
    with pytest.raises(SpriteError, match="there is no such file or folder"):
        import_folders([tmp_path / "none"], tmp_path / "set")
    with pytest.raises(UsageError, match="exists already"):
        import_folders([tmp_path / "art"], tmp_path / "art")


def test_who_drew_a_sprite_and_whether_it_may_be_used_go_along(tmp_path: Path) -> None:
    one = put(tmp_path / "one", rat__a_png=picture(1), rat__b_png=picture(2), rat__c_png=picture(3))
    (one / "credits.csv").write_text("file,author,licence,licensed\nrat/a.png,Ada,CC0-1.0,yes\nrat/b.png,Bo,,no\n")
    two = put(tmp_path / "two", rat__again_png=picture(1))
    (two / "rat" / "credits.csv").write_text("file,author,licensed\nagain.png,Cy,no\n")

    import_folders([one, two], tmp_path / "set")

    credited = read_credits(tmp_path / "set")
    assert {file: (credit.author, credit.licensed) for file, credit in credited.items()} == {
        "rat/a.png": ("Cy", "no"),  # the same picture: who forbids it is heard
        "rat/b.png": ("Bo", "no"),
    }


def test_a_set_that_nobody_credits_has_no_credits(tmp_path: Path) -> None:
    import_folders([put(tmp_path / "one", rat__a_png=picture(1))], tmp_path / "set")
    assert not (tmp_path / "set" / "credits.csv").exists()


def test_credits_that_name_no_picture_are_refused(tmp_path: Path) -> None:
    one = put(tmp_path / "one", rat__a_png=picture(1))
    (one / "credits.csv").write_text("file,author\nrat/z.png,Ada\n")
    with pytest.raises(SpriteError, match=r"credits.csv, line 2: there is no file 'rat/z.png'"):
        import_folders([one], tmp_path / "set")
    assert not (tmp_path / "set").exists()
