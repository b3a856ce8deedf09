"""Veekun's archives become the paper's set: the right view of each species, byte for byte, with its types."""

from __future__ import annotations

import csv
import json
import tarfile
import zipfile
from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image

from asset_gen.cli import run as run_command_line
from asset_gen.cli.data import ranges
from asset_gen.errors import PartialError, SpriteError, UsageError
from asset_gen.importers import sprite_set
from asset_gen.importers.veekun import SPECIES, import_veekun, types_of_species
from tests.conftest import Result, files_of

GAME = "pokemon/main-sprites/black-white"


def picture(species: int) -> bytes:
    """A PNG that no other species has."""
    file = BytesIO()
    Image.new("RGBA", (8, 8), (species % 256, species // 256, 7, 255)).save(file, "PNG")
    return file.getvalue()


def archive_of(path: Path, contents: dict[str, bytes]) -> Path:
    """A ZIP, TAR or folder with these files, by the path's own ending."""
    if path.suffix == ".zip":
        with zipfile.ZipFile(path, "w") as made:
            for name, data in contents.items():
                made.writestr(name, data)
    elif ".tar" in path.suffixes:
        with tarfile.open(path, f"w:{path.suffix[1:] if path.suffix != '.tar' else ''}") as tar:
            for name, data in contents.items():
                entry = tarfile.TarInfo(name)
                entry.size = len(data)
                tar.addfile(entry, BytesIO(data))
    else:
        for name, data in contents.items():
            (path / name).parent.mkdir(parents=True, exist_ok=True)
            (path / name).write_bytes(data)
    return path


def whole(folder: str = GAME) -> dict[str, bytes]:
    """Every species of a game."""
    return {f"{folder}/{species}.png": picture(species) for species in SPECIES}


def test_the_table_has_the_papers_801_species_in_18_types() -> None:
    types = types_of_species()
    assert list(types) == list(SPECIES) and len(types) == 801
    firsts = [kinds[0] for kinds in types.values()]
    counts = {kind: firsts.count(kind) for kind in set(firsts)}
    assert len(counts) == 18
    assert (counts["water"], counts["normal"], counts["fairy"], counts["flying"]) == (114, 105, 18, 3)
    assert sum("flying" in kinds for kinds in types.values()) == 98
    assert {len(kinds) for kinds in types.values()} == {1, 2}
    assert (types[1], types[25], types[801]) == (("grass", "poison"), ("electric",), ("steel", "fairy"))


@pytest.mark.parametrize("name", ["all.zip", "all.tar", "all.tar.gz", "all.tar.bz2", "all.tar.xz", "folder"])
def test_every_kind_of_archive_gives_the_same_set(name: str, tmp_path: Path) -> None:
    done = import_veekun(archive_of(tmp_path / name, whole()), tmp_path / "set")
    assert (done.source, done.missing, done.refused) == (GAME, [], {})
    assert (sum(done.counts.values()), len(done.counts)) == (801, 18)
    found = files_of(tmp_path / "set")
    with (tmp_path / "set" / "labels.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 801 and set(found) == {row["file"] for row in rows} | {"labels.csv", "README.txt"}
    for row in rows:
        species = int(Path(row["file"]).stem)
        assert found[row["file"]] == picture(species)
        assert tuple(filter(None, (row["type1"], row["type2"]))) == types_of_species()[species]
        assert Path(row["file"]).parent.name == row["type1"]


def test_other_views_and_forms_are_left_aside(tmp_path: Path) -> None:
    others = {
        f"{GAME}/back/1.png": b"back",
        f"{GAME}/shiny/2.png": b"shiny",
        f"{GAME}/female/3.png": b"female",
        f"{GAME}/back/shiny/female/4.png": b"all three",
        f"{GAME}/386-attack.png": b"a form",
        f"{GAME}/0.png": b"unknown",
        f"{GAME}/egg.png": b"egg",
        f"{GAME}/802.png": b"beyond the paper's",
        f"{GAME}/animated/5.gif": b"animated",
        "pokemon/icons/6.png": b"icon",
        "pokemon/footprints/7.png": b"footprint",
        "README": b"words",
    }
    done = import_veekun(archive_of(tmp_path / "all.zip", others | whole()), tmp_path / "set")
    assert (sum(done.counts.values()), done.refused) == (801, {})
    assert not {*others.values()} & {*files_of(tmp_path / "set").values()}


def test_of_several_games_the_one_with_most_species_is_taken_and_then_the_latest(tmp_path: Path) -> None:
    games = {name: f"pokemon/main-sprites/{name}" for name in ("diamond-pearl", "platinum", "heartgold-soulsilver")}
    contents = {
        f"{folder}/{species}.png": picture(species) + name.encode()
        for name, folder in games.items()
        for species in range(1, 10 if name == "diamond-pearl" else 12)
    }
    source = archive_of(tmp_path / "generation-4.tar.gz", contents)
    assert import_veekun(source, tmp_path / "set").source == games["heartgold-soulsilver"]
    assert import_veekun(source, tmp_path / "older", "diamond-pearl").source == games["diamond-pearl"]
    with pytest.raises(UsageError, match=r"--game gold: the archive holds diamond-pearl, heartgold-soulsilver, plat"):
        import_veekun(source, tmp_path / "none", "gold")
    assert not (tmp_path / "none").exists()


@pytest.mark.parametrize("folder", ["", "pokemon/sugimori/"])
def test_a_plain_folder_and_the_artwork_do_as_well(folder: str, tmp_path: Path) -> None:
    contents = {f"{folder}{species:03}.png": picture(species) for species in SPECIES}
    assert sum(import_veekun(archive_of(tmp_path / "all", contents), tmp_path / "set").counts.values()) == 801


def test_a_set_of_ours_can_be_imported_again(tmp_path: Path) -> None:
    import_veekun(archive_of(tmp_path / "all.zip", whole()), tmp_path / "set")
    import_veekun(tmp_path / "set", tmp_path / "again")
    assert files_of(tmp_path / "again") == files_of(tmp_path / "set")


def test_what_is_missing_or_damaged_is_listed_and_the_rest_is_there(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    contents = {name: data for name, data in whole().items() if int(Path(name).stem) not in {3, *range(650, 802)}}
    contents[f"{GAME}/5.png"] = b"no picture"
    source = archive_of(tmp_path / "generation-5.tar.gz", contents)
    code = run_command_line(["data", "veekun", str(source), "--out", str(tmp_path / "set"), "--json"])
    done = Result(code, *capsys.readouterr())
    assert done.code == PartialError.exit_code
    assert f"{source}: Missing species: 3, 650–801. 1 pictures can't be read:\n  {GAME}/5.png: not a PNG" in done.err
    document = json.loads(done.out)
    assert (document["sprites"], document["missing"][:2]) == (801 - 1 - 152 - 1, [3, 650])
    assert len(files_of(tmp_path / "set")) == document["sprites"] + 2


@pytest.mark.parametrize(("numbers", "text"), [([], ""), ([4], "4"), ([1, 2, 3], "1–3"), ([1, 3, 4, 9], "1, 3–4, 9")])
def test_numbers_are_written_in_ranges(numbers: list[int], text: str) -> None:
    assert ranges(numbers) == text


def test_a_folder_that_holds_something_is_never_written_to(tmp_path: Path) -> None:
    source = archive_of(tmp_path / "all.zip", whole())
    (tmp_path / "set").mkdir()
    (tmp_path / "set" / "mine.txt").write_text("mine")
    with pytest.raises(UsageError, match="exists already"):
        import_veekun(source, tmp_path / "set")
    assert files_of(tmp_path / "set") == {"mine.txt": b"mine"}


def test_a_full_disk_leaves_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = archive_of(tmp_path / "all.zip", whole())
    monkeypatch.setattr(sprite_set, "_table", lambda sprites: (_ for _ in ()).throw(OSError(28, "No space left")))
    with pytest.raises(Exception, match=r"No space left\. Nothing was left behind"):
        import_veekun(source, tmp_path / "sets" / "set")
    assert files_of(tmp_path / "sets") == {}


def test_pictures_of_something_else_are_no_such_set(tmp_path: Path) -> None:
    with pytest.raises(SpriteError, match=r"holds no <species>\.png"):
        import_veekun(archive_of(tmp_path / "all.zip", {"bat.png": picture(1)}), tmp_path / "set")
