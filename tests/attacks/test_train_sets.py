"""Folders, labels.csv and type names that ``assetgen train`` is given."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from tests.attacks.hostile import assert_refused
from tests.conftest import Cli, files_of
from tests.creatures import write_set


@pytest.fixture
def art(tmp_path: Path) -> Path:
    """Twelve sprites of four types, to be spoilt."""
    return write_set(tmp_path / "art", each=3)


def refused_before_anything(
    cli: Cli, art: Path, *words: object, code: int = 1, options: tuple[object, ...] = ()
) -> None:
    """The training is refused with these words, there is no run folder, and the sprites are as they were."""
    before = files_of(art) if art.is_dir() else {}
    run = art.with_name("run")
    assert_refused(cli("train", art, "--run", run, *options), code, *words)
    assert not run.exists()
    assert (files_of(art) if art.is_dir() else {}) == before


def test_an_empty_folder(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "art" / "beetle").mkdir(parents=True)
    refused_before_anything(cli, tmp_path / "art", f"{tmp_path / 'art'}: holds no sprites", "one folder per type")


def test_a_folder_that_does_not_exist(cli: Cli, tmp_path: Path) -> None:
    refused_before_anything(cli, tmp_path / "art", f"{tmp_path / 'art'}: there is no such folder", "Give a folder")


def test_a_pipe_among_the_sprites_is_not_waited_for(cli: Cli, tmp_path: Path) -> None:
    art = write_set(tmp_path / "art", each=1)
    os.mkfifo(art / "beetle" / "pipe.png")
    assert_refused(cli("train", art, "--run", tmp_path / "run"), 1, "4 readable sprites")


# labels.csv ----------------------------------------------------------------------------------------------------------

FIRST = "file,type1\nbeetle/beetle000.png,a\n"


@pytest.mark.parametrize(
    ("table", "words"),
    [
        ("file,type1\nbeetle/none.png,a\n", ("line 2", "'beetle/none.png'", "Correct the name")),
        (FIRST + "beetle/beetle000.png,b\n", ("line 3", "stands on line 2 already", "Remove one")),
        (FIRST + "./flask/../beetle/beetle000.png,b\n", ("line 3", "stands on line 2 already")),
        ("file,kind\nbeetle/beetle000.png,a\n", ("type1 is missing", "Name them on line 1")),
        ("", ("file, type1 is missing",)),
        ("file,type1\n", ("lists no sprites", "Add a line")),
        (FIRST + "../secret.png,a\n", ("line 3", "'../secret.png' is not inside", "Give its path")),
        (FIRST + "/etc/passwd,a\n", ("line 3", "'/etc/passwd' is not inside")),
        (FIRST + "link.png,a\n", ("line 3", "'link.png' is not inside")),
        (FIRST + "be\0etle.png,a\n", ("is not inside",)),
        (FIRST + "b" * 5000 + ".png,a\n", ("line 3", "is not inside")),
        (FIRST + ",a\n", ("line 3", "is not inside")),
        (FIRST + "b" * 200_000 + ",a\n", ("field larger than field limit", "Save it again")),
        (FIRST + "beetle/beetle001.png\n", ("line 3", "has no type1", "Fill it in")),
        (b"file,type1\nbeetle/beetle000.png,Dr\xe4che\n", ("UTF-8", "Save it again")),
        (b"\xff\xfef\0i\0l\0e\0", ("UTF-8", "Save it again")),
    ],
    ids=lambda value: None if isinstance(value, tuple) else repr(value)[:60],
)
def test_a_table_that_names_what_is_not_there(cli: Cli, art: Path, table: str | bytes, words: tuple[str, ...]) -> None:
    (art.parent / "secret.png").write_bytes((art / "beetle" / "beetle000.png").read_bytes())
    (art / "link.png").symlink_to(art.parent / "secret.png")
    (art / "labels.csv").write_bytes(table if isinstance(table, bytes) else table.encode())
    refused_before_anything(cli, art, art / "labels.csv", *words)


# Type names ----------------------------------------------------------------------------------------------------------

NAMES = {
    "../x": "holds '.'",
    "a/b": "holds '/'",
    "a\\b": "holds '\\\\'",
    ".hidden": "holds '.'",
    "CON": "reserved by Windows",
    "com\N{SUPERSCRIPT ONE}": "reserved by Windows",
    "\N{FULLWIDTH LATIN CAPITAL LETTER C}\N{FULLWIDTH LATIN CAPITAL LETTER O}n": "reserved by Windows",
    "\N{DRAGON FACE}": "holds '\N{DRAGON FACE}'",
    "fire \N{FIRE}": "holds '\N{FIRE}'",
    "x" * 300: "has 300 characters",
    "\N{CJK UNIFIED IDEOGRAPH-706B}" * 20: "makes no file name",
    "a\tb": "holds '\\t'",
    "<b>": "holds '<'",
}


@pytest.mark.parametrize(("name", "word"), NAMES.items(), ids=[ascii(name)[:30] for name in NAMES])
def test_a_type_that_makes_no_folder_name_in_a_table(cli: Cli, art: Path, name: str, word: str) -> None:
    lines = [f'{path.relative_to(art)},"{name}"' for path in sorted(art.glob("*/*.png"))]
    (art / "labels.csv").write_text("file,type1\n" + "\n".join(lines), encoding="utf-8")
    refused_before_anything(cli, art, f"{art / 'labels.csv'}: the type name", word, "Rename it in")


@pytest.mark.parametrize(
    ("name", "word"),
    [(name, word) for name, word in NAMES.items() if "/" not in name and len(name) < 100 and name != ".hidden"],
    ids=lambda value: ascii(value)[:30],
)
def test_a_type_that_makes_no_folder_name_as_a_folder(cli: Cli, art: Path, name: str, word: str) -> None:
    (art / "flask").rename(art / name)
    refused_before_anything(cli, art, f"{art}: the type name", word, "Rename it in")


def test_a_hidden_folder_is_no_type(art: Path) -> None:
    from trainer.dataset import load_dataset

    (art / "flask").rename(art / ".git")
    assert list(load_dataset(art).types) == ["beetle", "crystal", "mushroom"]


@pytest.mark.parametrize("where", ["table", "folders"])
def test_two_types_that_differ_only_in_case(cli: Cli, art: Path, where: str) -> None:
    if where == "table":
        lines = [
            f"{path.relative_to(art)},{'Fire' if path.stem[-1] == '0' else 'fire'}" for path in art.glob("*/*.png")
        ]
        (art / "labels.csv").write_text("file,type1\n" + "\n".join(lines))
    elif (art / "FLASK").exists():
        pytest.skip("this file system doesn't tell Fire from fire")
    else:
        (art / "flask").rename(art / "Fire")
        (art / "beetle").rename(art / "fire")
    refused_before_anything(cli, art, "'Fire' and 'fire' would share the folder 'fire'", "--merge 'fire=Fire'")


def test_a_file_whose_name_is_not_utf_8_is_listed(cli: Cli, art: Path, quick: tuple[object, ...]) -> None:
    path = os.fsencode(art / "flask") + b"/\xff.png"
    try:
        with open(path, "wb"):  # noqa: PTH123  # pathlib takes no bytes
            pass
    except OSError:
        pytest.skip("this file system takes UTF-8 names only")
    done = cli("train", art, "--run", art.with_name("run"), "--json", *quick)
    assert_refused(done, 3, ".png: the file is empty")
    assert len(json.loads(done.out)["refused"]) == 1
    (name,) = json.loads(art.with_name("run").joinpath("data.json").read_text())["refused"]
    assert os.fsencode(name) == b"flask/\xff.png"


# Options -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--size", 33), ("--size 33", "32, 48, 64, 96, 128", "Leave --size out")),
        (("--size", 33, "--preset", "paper-dcgan"), ("--size 33", "paper-dcgan draws")),
        (("--size", "large"), ("--size 'large'", "number of pixels, or auto")),
        (("--size", "-32"), ("--size '-32'", "number of pixels, or auto")),
        (("--size", "²"), ("--size '²'", "number of pixels, or auto")),
        (("--merge", "flask"), ("--merge 'flask'", "FROM=TO")),
        (("--size", 34), ("--size 34", "Leave --size out")),  # no multiple of 4
        (("--set", "gama=1"), ("--set gama", "it has gamma, lr", "Did you mean 'gamma'?")),
        (("--set", "gamma"), ("--set 'gamma'", "NAME=NUMBER")),
        (("--set", "gamma=much"), ("--set 'gamma=much'", "NAME=NUMBER")),
        (("--set", "gamma=-1"), ("--set gamma=-1", "from 0 up")),
        (("--set", "gamma=nan"), ("--set gamma=nan", "from 0 up")),
        (("--set", "augment.hue=3", "--preset", "paper-dcgan"), ("paper-dcgan has no such number",)),
        (("--loss", "wgan-gp", "--preset", "paper-dcgan"), ("--loss wgan-gp", "It takes non-saturating")),
        (("--loss", "relativistic", "--preset", "projected"), ("--loss relativistic", "It takes hinge")),
        (("--loss", "best"), ("--loss",)),
        (("--critic-steps", 0), ("--critic-steps",)),
        (("--batch-size", 1), ("--batch-size",)),
        (("--patience", -1), ("--patience",)),
        (("--evaluate-every", 0), ("--evaluate-every",)),
        (
            ("--preset", "projected", "--no-pretrained"),
            ("--no-pretrained", "EfficientNet-Lite0", "--preset relativistic"),
        ),
        (("--seed", -1), ("--seed",)),
        (("--seed", 10**20), ("--seed",)),
    ],
    ids=str,
)
def test_options_that_can_not_be_met(cli: Cli, art: Path, options: tuple[object, ...], words: tuple[str, ...]) -> None:
    refused_before_anything(cli, art, *words, code=2, options=options)


def test_a_merge_of_a_type_that_is_not_there(cli: Cli, art: Path) -> None:
    refused_before_anything(
        cli, art, "--merge names the type 'orc'", "beetle, crystal", options=("--merge", "orc=flask")
    )


def test_cuda_without_cuda(cli: Cli, art: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    refused_before_anything(cli, art, "--device cuda", "use --device cpu", code=4, options=("--device", "cuda"))
