"""Going back is a change like any other: whole, listed, and undone by going back once more."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.conftest import Cli, Result, files_of
from tests.fakes import use_stand_ins

OUT = "assets/generated"


@pytest.fixture
def batch(cli: Cli, game: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    """Publishes what its arguments ask for."""
    use_stand_ins(monkeypatch)
    return lambda *arguments: cli("batch", "--project", game, "--oversample", 2, *arguments)


def published(game: Path) -> dict[str, bytes]:
    """What engines see."""
    return {path: data for path, data in files_of(game / OUT).items() if not path.startswith("candidates~")}


@pytest.fixture
def history(batch: Callable[..., Result], game: Path) -> list[dict[str, bytes]]:
    """What a project held after each of four batches, the last being the present."""
    states = []
    for types in ("bat=2", "bat=2,imp=2", "bat=3,imp=2", "bat=3,imp=2,owl=2"):
        assert batch("--types", types).code == 0
        states.append(published(game))
    return states


def test_the_set_before_comes_back_byte_by_byte(cli: Cli, game: Path, history: list[dict[str, bytes]]) -> None:
    done = cli("restore", "--project", game)
    assert done.code == 0, done.err
    assert done.out.startswith("5 sprites in ")
    assert published(game) == history[2]
    assert cli("verify", "--project", game).code == 0


@pytest.mark.parametrize("number", [1, 2, 3])
def test_each_of_three_can_be_had_and_going_back_can_be_undone(
    cli: Cli, game: Path, history: list[dict[str, bytes]], number: int
) -> None:
    assert cli("restore", number, "--project", game).code == 0
    assert published(game) == history[3 - number]
    assert cli("restore", "--project", game).code == 0
    assert published(game) == history[3]


def test_the_list_says_when_and_what(cli: Cli, game: Path, history: list[dict[str, bytes]]) -> None:
    before = files_of(game)
    done = cli("restore", "--list", "--project", game)
    assert [line.split(": ")[1] for line in done.out.splitlines()[1:]] == [
        "5 sprites, fake, seed 0",
        "4 sprites, fake, seed 0",
        "2 sprites, fake, seed 0",
    ]
    rows = json.loads(cli("restore", "--list", "--json", "--project", game).out)
    assert [row["sprites"] for row in rows] == [5, 4, 2]
    assert files_of(game) == before


def test_it_says_what_the_next_batch_would_do(cli: Cli, game: Path, history: list[dict[str, bytes]]) -> None:
    (game / "assetgen.toml").write_text("oversample = 2\ntypes = { bat = 3, imp = 2, owl = 2 }\n")
    done = cli("restore", 2, "--project", game, "--json")
    assert json.loads(done.out)["next_batch"] == "The next assetgen batch keeps 4 of them, adds 3, frees 0."
    assert cli("batch", "--project", game).code == 0
    assert published(game).keys() == history[3].keys()
    assert cli("restore", 1, "--project", game).code == 0
    (game / "assetgen.toml").write_text("oversample = 2\ntypes = { bat = 2, imp = 2 }\nseed = 4\n")
    assert "asks first: A change of seed" in cli("restore", 1, "--project", game).out


def test_an_edited_file_stays_and_the_older_one_lies_beside_it(
    cli: Cli, game: Path, history: list[dict[str, bytes]]
) -> None:
    (game / OUT / "bat/bat.png").write_bytes(b"my own bats")
    done = cli("restore", 2, "--project", game)
    assert done.code == 0
    assert "bat.png was edited by hand and is left as it is" in done.err
    assert (game / OUT / "bat/bat.png").read_bytes() == b"my own bats"
    assert (game / OUT / "bat/bat.png.new").read_bytes() == history[1]["bat/bat.png"]


def test_what_was_lost_from_the_history_is_named_and_a_batch_makes_it_again(
    cli: Cli, game: Path, history: list[dict[str, bytes]], batch: Callable[..., Result]
) -> None:
    kept = game / ".assetgen/history/files"
    (lost,) = [path for path in kept.iterdir() if path.read_bytes() == history[1]["bat/bat.png"]]
    lost.unlink()
    done = cli("restore", 2, "--project", game)
    assert done.code == 3
    assert "bat/bat.png: not kept; assetgen batch makes such files again" in done.err


def test_where_nothing_is_kept(cli: Cli, game: Path, batch: Callable[..., Result]) -> None:
    assert batch("--types", "bat=2").code == 0
    done = cli("restore", "--project", game)
    assert done.code == 2
    assert "no earlier set is kept; there is nothing to go back to" in done.err
    assert "No earlier set of" in cli("restore", "--list", "--project", game).out


def test_a_kill_in_the_middle_is_rolled_forward(
    cli: Cli, game: Path, history: list[dict[str, bytes]], monkeypatch: pytest.MonkeyPatch
) -> None:
    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("asset_gen.publish._apply", killed)
        assert cli("restore", "--project", game).code == 130
    assert published(game) == history[3]
    assert cli("restore", "--list", "--project", game).code == 0
    cli("restore", 3, "--project", game)  # any next command finishes it first
    assert cli("restore", "--project", game).code == 0
    assert published(game) == history[2]


def test_sets_have_pasts_of_their_own(cli: Cli, game: Path, batch: Callable[..., Result]) -> None:
    for small, tall in ((2, 2), (3, 2), (3, 4)):
        sets = "".join(
            f'[[sets]]\nname = "{name}"\ntypes = {{ {kind} = {count} }}\n'
            for name, kind, count in (("small", "bat", small), ("tall", "owl", tall))
        )
        (game / "assetgen.toml").write_text(f"oversample = 2\n{sets}")
        assert batch().code == 0
    assert "Say which with --set NAME" in cli("restore", "--project", game).err
    assert cli("restore", "--project", game, "--set", "small").code == 0
    sheet = json.loads((game / OUT / "small" / "manifest.json").read_text())["sheets"][0]
    assert len(sheet["sprites"]) == 2
    sheet = json.loads((game / OUT / "tall" / "manifest.json").read_text())["sheets"][0]
    assert len(sheet["sprites"]) == 4
    assert cli("restore", "--project", game, "--set", "none").code == 2
