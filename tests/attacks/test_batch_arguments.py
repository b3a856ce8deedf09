"""Arguments of ``assetgen batch`` that contradict each other or can't be met: refused before any work."""

from __future__ import annotations

import os
import subprocess
import sys
import warnings
from pathlib import Path

import pytest

from tests.attacks.hostile import assert_refused
from tests.conftest import Cli, files_of


def refused_before_anything(cli: Cli, game: Path, bundle: Path, code: int, *words: object, options: object) -> None:
    """The batch is refused with these words, and the project doesn't even have a state folder."""
    arguments = options if isinstance(options, tuple) else (options,)
    done = cli("batch", "--project", game, "--model", bundle, *arguments)
    assert_refused(done, code, *words)
    assert done.out == ""
    assert list(game.iterdir()) == []


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--count", 0), ("'--count'", "x>=1")),
        (("--count", -5), ("'--count'", "x>=1")),
        (("--count", "many"), ("'--count'", "'many' is not a valid integer")),
        (("--count", 10**9), ("--count 1,000,000,000", "GiB of disk", "are free in", "Ask for fewer")),
        (("--count", 10**400), ("GiB of disk", "Ask for fewer")),
        (("--types", "beetle=1000000000"), ("--count 1,000,000,000", "GiB of disk", "Ask for fewer")),
        (("--types", "beetel"), ("no type 'beetel'", "Did you mean 'beetle'?", "beetle, crystal, flask, mushroom")),
        (("--types", "beetle=4,flask=4", "--count", 9), ("--count 9", "add up to 8", "Leave one of them out")),
        (("--types", "beetle=4,flask"), ("a number for every type",)),
        (("--types", "beetle=0"), ("at least one sprite",)),
        (("--types", ""), ("--types ''", "Write a,b or a=40,b=10")),
        (("--types", "beetle,"), ("--types 'beetle,'", "is empty or stands twice")),
        (("--types", "beetle,beetle"), ("'beetle' is empty or stands twice",)),
        (("--types", "beetle="), ("'' is not a number of sprites", "Write beetle=40")),
        (("--types", "beetle=-3"), ("'-3' is not a number of sprites",)),
        (("--types", "beetle=²"), ("'²' is not a number of sprites",)),
        (("--types", "beetle=" + "9" * 5000), ("is not a number of sprites",)),
        (("--types", "../beetle=1"), ("no type '../beetle'", "Did you mean")),
        (("--seed", -1), ("'--seed'",)),
        (("--seed", 2**63), ("'--seed'",)),
        (("--scale", 17), ("'--scale'",)),
        (("--oversample", 0), ("'--oversample'",)),
        (("--target", "gener"), ("--target gener", "Installed are", "Did you mean 'generic'?")),
        (("--palette", 1), ("--palette 1: 2 to 256 colours",)),
        (("--palette", 257), ("--palette 257: 2 to 256 colours",)),
        (("--palette", "²"), ("--palette ²: can't be read", "Give a number")),
        (("--palette", "none.gpl"), ("--palette none.gpl: can't be read", "a .gpl, .hex, .pal, .png file")),
        (("--palette", "."), ("--palette .: can't be read", "Give a number")),
    ],
    ids=lambda value: str(value)[:50] if isinstance(value, tuple) and value[0].startswith("--") else "",
)
def test_an_argument_that_can_not_be_met(
    cli: Cli, game: Path, bundle: Path, options: tuple[object, ...], words: tuple[str, ...]
) -> None:
    refused_before_anything(cli, game, bundle, 2, *words, options=options)


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("a.hex", b"ff0000\nred\n", ("line 2: 'red' is no colour", "six hexadecimal digits")),
        ("a.gpl", b"GIMP Palette\n1 2 3\n4 5\n", ("line 3: '4 5' is no colour", "red, green and blue")),
        ("a.gpl", b"GIMP Palette\n0 256 0\n", ("line 2", "larger than 255")),
        ("a.gpl", b"GIMP Palette\n" + b"1" * 5000 + b" 2 3\n", ("line 2", "is no colour")),
        ("a.gpl", b"GIMP Palette\n", ("holds 0 colours", "1 to 256")),
        ("a.hex", b"".join(b"%06x\n" % n for n in range(257)), ("holds 257 colours", "1 to 256")),
        ("a.hex", b"\xff\xfe\x00", ("can't be read", "Give a .gpl, .hex")),
    ],
    ids=["word", "two channels", "too large", "5000 digits", "none", "too many", "not text"],
)
def test_a_palette_with_a_bad_line(
    cli: Cli, game: Path, bundle: Path, tmp_path: Path, name: str, text: bytes, words: tuple[str, ...]
) -> None:
    (tmp_path / name).write_bytes(text)
    options = ("--palette", tmp_path / name)
    refused_before_anything(cli, game, bundle, 2, f"--palette {tmp_path / name}", *words, options=options)


def test_a_scale_at_which_a_sprite_fits_no_sheet(cli: Cli, game: Path, bundle: Path) -> None:
    options = ("--scale", 4, "--max-side", 100)
    refused_before_anything(
        cli, game, bundle, 2, "--scale 4: sprites of 32 pixels", "At most --scale 3", options=options
    )


@pytest.mark.parametrize(
    ("options", "word"),
    [
        (("--max-side", 63), "--max-side"),
        (("--max-side", 64, "--variant", 3), "Allow larger sheets"),
        (("--max-side", 64, "--padding", 20), "Allow larger sheets"),
        (("--padding", 65), "--padding"),
        (("--extrude", -1), "--extrude"),
        (("--variant", 1), "--variant"),
    ],
)
def test_a_layout_that_cannot_be(cli: Cli, game: Path, bundle: Path, options: tuple[object, ...], word: str) -> None:
    refused_before_anything(cli, game, bundle, 2, word, options=options)


@pytest.mark.parametrize("out", ["..", "../other", "assets/../..", "/tmp", ".", ".assetgen", "assets/.git", "link/x"])
def test_an_output_folder_that_is_not_the_projects(
    cli: Cli, game: Path, bundle: Path, tmp_path: Path, out: str
) -> None:
    (tmp_path / "elsewhere").mkdir()
    (game / "link").symlink_to(tmp_path / "elsewhere")
    done = cli("batch", "--project", game, "--model", bundle, "--out", out)
    assert_refused(done, 2, f"--out {out}")
    assert [path.name for path in game.iterdir()] == ["link"]
    assert list((tmp_path / "elsewhere").iterdir()) == []


@pytest.mark.parametrize("what", ["nothing", "a file"])
def test_a_project_that_is_no_folder(cli: Cli, bundle: Path, tmp_path: Path, what: str) -> None:
    game = tmp_path / "game"
    if what == "a file":
        game.write_text("mine")
    before = files_of(tmp_path)
    done = cli("batch", "--project", game, "--model", bundle)
    assert_refused(done, 2, f"--project {game}: there is no such folder", "give the game's own folder")
    assert files_of(tmp_path) == before


def test_without_onnx_runtime_both_ways_to_get_it_are_named(
    cli: Cli, game: Path, bundle: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    refused_before_anything(
        cli, game, bundle, 4, "ONNX Runtime is not installed", "assetgen[cpu]", "assetgen[gpu]", options=("--count", 4)
    )


@pytest.mark.parametrize("offered", ["nothing", "a card that doesn't answer"])
def test_cuda_without_cuda_does_not_run_on_the_cpu_instead(
    cli: Cli, game: Path, bundle: Path, offered: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    import onnxruntime

    cpu_session = onnxruntime.InferenceSession

    def session(path: str, options: object, providers: list[str]) -> object:
        with warnings.catch_warnings(
            action="ignore"
        ):  # what ONNX Runtime does where CUDA fails: warn, and take the CPU
            return cpu_session(path, options, providers=["CPUExecutionProvider"])

    providers = ["CPUExecutionProvider", *(["CUDAExecutionProvider"] if offered != "nothing" else [])]
    monkeypatch.setattr(onnxruntime, "get_available_providers", lambda: providers)
    monkeypatch.setattr(onnxruntime, "InferenceSession", session)
    refused_before_anything(
        cli, game, bundle, 4, "--device cuda", "use --device cpu", options=("--device", "cuda", "--count", 4)
    )


def test_a_terminal_that_can_not_show_a_sign_gets_an_escape(cli: Cli, game: Path, bundle: Path) -> None:
    arguments = ["batch", "--project", str(game), "--model", str(bundle), "--count", "4"]
    assert cli(*arguments).code == 0
    done = subprocess.run(
        [sys.executable, "-c", "from asset_gen.cli import main; main()", *arguments, "--dry-run", "--seed", "1"],
        env=os.environ | {"PYTHONIOENCODING": "cp1252"},
        capture_output=True,
        check=True,
    )
    assert b"seed (0 \\u2192 1)" in done.stdout
