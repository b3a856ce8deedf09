"""What people decided stays, merges in git, and means the same in whatever order its lines stand."""

from __future__ import annotations

import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from itertools import permutations
from pathlib import Path

import msgspec
import pytest

from asset_gen import decisions
from asset_gen.decisions import ATTRIBUTE, NAME, Action, Decision, Decisions, decide, person, read_decisions, record
from asset_gen.errors import ProjectError
from asset_gen.manifest import Origin
from tests.conftest import Cli

FIRST, SECOND = (Origin(model="m" * 64, seed=0, type="bat", index=index) for index in (17, 18))
NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)


def line(action: Action, minute: int, origin: Origin = FIRST, who: str = "Ada", why: str = "") -> Decision:
    when = NOON + timedelta(minutes=minute)
    return Decision(subject="bat_000017", action=action, origin=origin, who=who, when=when, why=why)


def test_a_project_without_the_file_has_decided_nothing(game: Path) -> None:
    assert read_decisions(game) == Decisions()
    assert list(game.iterdir()) == []


def test_what_is_recorded_is_read_back_and_never_changed(game: Path) -> None:
    record(game, [line("reject", 0, why="zwei Köpfe\u2028🐉")])
    before = (game / NAME).read_bytes()
    record(game, [line("keep", 1, SECOND), line("note", 2, SECOND, why="for the shop")])
    assert (game / NAME).read_bytes().startswith(before)
    found = read_decisions(game)
    assert [one.why for one in found.about(FIRST)] == ["zwei Köpfe\u2028🐉"]
    assert (found.rejected, found.kept) == ({FIRST}, {SECOND})


@pytest.mark.parametrize(
    ("actions", "rejected", "kept"),
    [
        (["reject"], True, False),
        (["reject", "restore"], False, False),
        (["reject", "restore", "reject"], True, False),
        (["reject", "keep"], False, True),
        (["keep", "reject"], True, False),
        (["keep", "restore"], False, False),
        (["keep", "note", "rate"], False, True),
    ],
)
def test_the_last_word_counts_in_whatever_order_lines_stand(actions: list[Action], rejected: bool, kept: bool) -> None:
    lines = [line(action, minute) for minute, action in enumerate(actions)]
    for order in permutations(lines):
        found = Decisions().with_lines([*order, order[0]])
        assert (FIRST in found.rejected, FIRST in found.kept) == (rejected, kept)
        assert len(found.lines) == len(lines)


def test_two_people_at_the_same_moment_mean_the_same_everywhere() -> None:
    lines = [line("keep", 0, who="Ada"), line("reject", 0, who="Bob")]
    assert Decisions().with_lines(lines) == Decisions().with_lines(reversed(lines))


def test_a_later_picture_in_the_slot_is_not_judged_by_an_old_line() -> None:
    assert SECOND not in Decisions().with_lines([line("reject", 0)]).rejected


def test_the_last_word_counts_where_a_clock_was_put_back(game: Path) -> None:
    record(game, [line("reject", 0)])
    (written,) = record(game, [line("restore", -600)])
    assert written.when == NOON + timedelta(microseconds=1)
    assert read_decisions(game).rejected == frozenset()


def test_times_of_other_zones_are_ordered_as_they_were(game: Path) -> None:
    text = msgspec.json.encode(line("keep", 0)).decode()
    later, earlier = text.replace("12:00:00Z", "12:30:00Z"), text.replace("12:00:00Z", "13:45:00+02:00")
    (game / NAME).write_text(f"{later.replace('keep', 'reject')}\r\n\n{earlier}")  # and no line end at its end
    assert read_decisions(game).rejected == {FIRST}
    record(game, [line("restore", 60)])
    assert len(read_decisions(game).lines) == 3


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (b"{", ["line 2", "no decision", "Restore the line"]),
        (b"[]", ["line 2", "no decision"]),
        (b'{"subject":"bat_000017"}', ["line 2", "missing required field"]),
        (b"\xff\xfe", ["line 2", "no decision"]),
        (b"[" * 100_000, ["line 2", "no decision"]),
        (b"<<<<<<< HEAD", ["line 2", "git left a conflict", "Keep the lines of both sides", ATTRIBUTE]),
        (b"=======", ["line 2", "git left a conflict"]),
        (b"||||||| 1234567", ["line 2", "git left a conflict"]),
        (b">>>>>>> theirs", ["line 2", "git left a conflict"]),
        (msgspec.json.encode(line("keep", 0)).replace(b"2026", b"9999"), ["line 2", "out of reach"]),
        (msgspec.json.encode(line("keep", 0)).replace(b":00Z", b":00"), ["line 2", "timezone"]),
        (msgspec.json.encode(line("keep", 0)).replace(b"keep", b"delete"), ["line 2", "Invalid enum value"]),
    ],
)
def test_a_broken_line_is_named_and_nothing_is_added(game: Path, text: bytes, words: list[str]) -> None:
    content = msgspec.json.encode(line("keep", 0)) + b"\n" + text + b"\n"
    (game / NAME).write_bytes(content)
    for attempt in (lambda: read_decisions(game), lambda: record(game, [line("note", 1)])):
        with pytest.raises(ProjectError) as caught:
            attempt()
        assert str(caught.value).startswith(f"{game / NAME}, ")
        for word in words:
            assert word in str(caught.value)
    assert (game / NAME).read_bytes() == content


def test_a_read_only_file_stays_as_it_is(game: Path) -> None:
    record(game, [line("keep", 0)])
    (game / NAME).chmod(0o444)
    with pytest.raises(ProjectError, match=r"is read-only\. Check it out"):
        record(game, [line("reject", 1)])
    assert read_decisions(game).kept == {FIRST}


def test_a_link_out_of_the_project_is_not_written_through(game: Path, tmp_path: Path) -> None:
    (game / NAME).symlink_to(tmp_path / "elsewhere")
    with pytest.raises(ProjectError, match="leads out of the project"):
        record(game, [line("keep", 0)])
    assert not (tmp_path / "elsewhere").exists()


def test_a_full_disk_loses_no_decision(game: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    record(game, [line("keep", 0)])
    before = (game / NAME).read_bytes()
    monkeypatch.setattr(os, "fsync", lambda handle: (_ for _ in ()).throw(OSError(28, "No space left on device")))
    with pytest.raises(ProjectError, match="No space left on device"):
        record(game, [line("reject", 1)])
    assert (game / NAME).read_bytes() == before


def test_many_processes_lose_no_line(game: Path) -> None:
    script = (
        "import sys; from pathlib import Path; from asset_gen.decisions import decide, record;"
        "from asset_gen.manifest import Origin\n"
        "for n in range(10): record(Path(sys.argv[1]), [decide(f'bat_{n:06d}', 'note',"
        " Origin(model='m', seed=0, type='bat', index=n), sys.argv[2])])"
    )
    people = [subprocess.Popen([sys.executable, "-c", script, str(game), name]) for name in ("Ada", "Bob", "Cyd")]
    assert [one.wait() for one in people] == [0, 0, 0]
    assert len(read_decisions(game).lines) == 30


def test_who_decides_is_who_git_says(game: Path) -> None:
    subprocess.run(["git", "init", "-q"], cwd=game, check=True)
    subprocess.run(["git", "config", "user.name", "Ada Lovelace"], cwd=game, check=True)
    assert person(game) == "Ada Lovelace"


def test_without_git_the_account_decides(game: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    monkeypatch.setattr(decisions.getpass, "getuser", lambda: "ada")
    assert person(game) == "ada"


def test_init_offers_gits_own_merging(cli: Cli, game: Path) -> None:
    recipe, attributes = game / "assetgen.toml", game / ".gitattributes"
    assert cli("init", "--project", game).out.count("\n") == 1  # no git, no word
    assert not attributes.exists()
    (game / ".git").mkdir()
    for held, said in ((None, "written:"), (f"{ATTRIBUTE}\n", ""), ("*.png binary\n", "add this line to")):
        recipe.unlink()
        attributes.unlink(missing_ok=True)
        if held is not None:
            attributes.write_text(held)
        told = cli("init", "--project", game).out.partition("\n")[2]
        assert told.startswith(said)
        assert bool(told) == bool(said)
        assert attributes.read_text() == (f"{ATTRIBUTE}\n" if held is None else held)


def test_two_artists_decisions_merge_by_themselves(game: Path) -> None:
    def git(*arguments: str) -> str:
        identity = ["-c", "user.name=Ada", "-c", "user.email=ada@example.org"]
        return subprocess.run(
            ["git", *identity, *arguments], cwd=game, check=True, capture_output=True, text=True
        ).stdout

    git("init", "-q", "-b", "main")
    (game / ".gitattributes").write_text(ATTRIBUTE + "\n")
    record(game, [line("note", 0)])
    git("add", "-A")
    git("commit", "-qm", "one")
    git("switch", "-qc", "bob")
    record(game, [decide("bat_000018", "reject", SECOND, "Bob")])
    git("commit", "-qam", "two")
    git("switch", "-q", "main")
    record(game, [decide("bat_000017", "keep", FIRST, "Ada")])
    git("commit", "-qam", "three")
    git("merge", "-q", "--no-edit", "bob")
    found = read_decisions(game)
    assert (found.kept, found.rejected, len(found.lines)) == ({FIRST}, {SECOND}, 3)
    assert git("status", "--short") == ""
