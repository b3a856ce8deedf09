"""Files appear in a game project whole, or not at all, and what a person changed stays theirs."""

from __future__ import annotations

import errno
import json
import os
import sys
from collections.abc import Callable, Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from asset_gen import publish
from asset_gen.errors import ProjectError, UsageError
from asset_gen.publish import STATE, Change, Place, Published, locate, opened
from tests.conftest import files_of

OLD = {"bat/bat.png": b"old bats", "bat/bat.json": b"old data", "imp/imp.png": b"old imps"}
NEW = {"bat/bat.png": b"new bats", "bat/bat.json": b"old data", "owl/owl.png": b"new owls"}


def hashes(files: Mapping[str, bytes]) -> dict[str, str]:
    """What a manifest would list."""
    return {path: sha256(data).hexdigest() for path, data in files.items()}


def publish_files(place: Place, files: Mapping[str, bytes], before: Mapping[str, bytes]) -> Published:
    """Make the output folder hold ``files``, where it held ``before``."""
    with opened(place):
        change = Change(place, hashes(before))
        for path, data in files.items():
            change.put(path, data)
        for path in sorted(set(before) - set(files)):
            change.remove(path)
        return change.commit()


@pytest.fixture
def place(game: Path) -> Place:
    """A project in which ``OLD`` is published."""
    place = locate(game, "assets/generated")
    publish_files(place, OLD, {})
    return place


def test_a_change_writes_leaves_and_removes_what_it_says(place: Place) -> None:
    times = (place.out / "bat" / "bat.json").stat().st_mtime_ns
    done = publish_files(place, NEW, OLD)
    assert files_of(place.out) == NEW
    assert (done.written, done.unchanged) == (["bat/bat.png", "owl/owl.png"], ["bat/bat.json"])
    assert (done.removed, done.kept) == (["imp/imp.png"], {})
    assert (place.out / "bat" / "bat.json").stat().st_mtime_ns == times  # equal bytes aren't written again
    assert not (place.out / "imp").exists()  # a folder that became empty


def test_nothing_is_left_in_the_state_folder_and_engines_and_git_ignore_it(place: Place) -> None:
    assert sorted(path.name for path in place.state.iterdir() if path.name != "lock") == [".gdignore", ".gitignore"]
    assert (place.state / ".gitignore").read_text() == "*\n"


def test_an_edited_file_stays_and_the_new_one_lies_beside_it(place: Place) -> None:
    (place.out / "bat" / "bat.png").write_bytes(b"my own bats")
    done = publish_files(place, NEW, OLD)
    assert list(done.kept) == ["bat/bat.png"]
    assert (place.out / "bat" / "bat.png").read_bytes() == b"my own bats"
    assert (place.out / "bat" / "bat.png.new").read_bytes() == b"new bats"


def test_what_is_offered_already_is_not_offered_again(place: Place) -> None:
    (place.out / "bat" / "bat.png").write_bytes(b"my own bats")
    done = publish_files(place, OLD, OLD)
    assert list(done.kept) == ["bat/bat.png"]
    assert not (place.out / "bat" / "bat.png.new").exists()


def test_an_edited_file_is_not_removed(place: Place) -> None:
    (place.out / "imp" / "imp.png").write_bytes(b"my own imps")
    done = publish_files(place, NEW, OLD)
    assert (done.removed, list(done.kept)) == ([], ["imp/imp.png"])
    assert (place.out / "imp" / "imp.png").read_bytes() == b"my own imps"


def test_a_read_only_file_stays_and_the_new_one_lies_beside_it(place: Place) -> None:
    (place.out / "bat" / "bat.png").chmod(0o444)
    (place.out / "imp" / "imp.png").chmod(0o444)
    done = publish_files(place, NEW, OLD)
    assert done.kept == {"bat/bat.png": "is read-only and", "imp/imp.png": "is read-only and"}
    assert files_of(place.out) == NEW | OLD | {"bat/bat.png.new": b"new bats"}


def test_a_read_only_file_that_holds_what_it_should_is_as_it_was(place: Place) -> None:
    (place.out / "bat" / "bat.png").chmod(0o444)
    assert publish_files(place, OLD, OLD).kept == {}


def test_a_file_that_could_not_be_merged_stays_and_the_reason_is_told(place: Place) -> None:
    (place.out / "bat" / "bat.json").write_bytes(b"{]")
    with opened(place):
        change = Change(place, hashes(OLD))
        change.put("bat/bat.json", b"{}", unclear="line 1: no key.")
        done = change.commit()
    assert done.kept == {"bat/bat.json": "can't be merged: line 1: no key; it"}
    assert (place.out / "bat" / "bat.json").read_bytes() == b"{]"


def test_a_file_in_the_way_that_was_never_ours_is_an_edited_one(place: Place) -> None:
    (place.out / "owl").mkdir()
    (place.out / "owl" / "owl.png").write_bytes(b"somebody's owl")
    assert list(publish_files(place, NEW, OLD).kept) == ["owl/owl.png"]
    assert (place.out / "owl" / "owl.png").read_bytes() == b"somebody's owl"


def test_a_damaged_file_is_replaced_and_the_manifest_always_is(place: Place) -> None:
    (place.out / "bat" / "bat.png").write_bytes(b"torn")
    (place.out / "manifest.json").write_bytes(b"hand-edited")
    with opened(place):
        change = Change(place, hashes(OLD))
        change.damaged.add("bat/bat.png")
        change.put("bat/bat.png", b"new bats")
        change.put_own("manifest.json", b"{}")
        done = change.commit()
    assert done.written == ["bat/bat.png", "manifest.json"]
    assert (place.out / "manifest.json").read_bytes() == b"{}"


def test_a_missing_file_is_restored_and_one_that_is_gone_needs_no_removing(place: Place) -> None:
    (place.out / "bat" / "bat.json").unlink()
    (place.out / "imp" / "imp.png").unlink()
    done = publish_files(place, NEW, OLD)
    assert "bat/bat.json" in done.written
    assert done.removed == []
    assert files_of(place.out) == NEW


def test_a_change_that_is_not_committed_changes_nothing(place: Place) -> None:
    with pytest.raises(RuntimeError, match="half way"), opened(place):
        change = Change(place, hashes(OLD))
        change.put("bat/bat.png", b"new bats")
        raise RuntimeError("half way")
    assert files_of(place.out) == OLD
    assert not place.stage.exists()


def kill_at(call: int, monkeypatch: pytest.MonkeyPatch, failure: Callable[[], BaseException]) -> Callable[[], bool]:
    """Let the ``call``-th of all renames, removals and syncs fail; returns whether that was reached."""
    count = [0]

    def failing(real: Callable[..., Any]) -> Callable[..., Any]:
        def wrapped(*arguments: Any, **options: Any) -> Any:
            count[0] += 1
            if count[0] == call:
                raise failure()
            return real(*arguments, **options)

        return wrapped

    monkeypatch.setattr("os.fsync", failing(os.fsync))
    monkeypatch.setattr(Path, "replace", failing(Path.replace))
    monkeypatch.setattr(Path, "unlink", failing(Path.unlink))
    return lambda: count[0] >= call


FAILURES: dict[str, Callable[[], BaseException]] = {
    "interrupted": KeyboardInterrupt,
    "disk full": lambda: OSError(errno.ENOSPC, "No space left on device"),
    "disk broken": lambda: OSError(errno.EIO, "Input/output error"),
}


@pytest.mark.parametrize("failure", FAILURES)
def test_a_failure_at_any_moment_leaves_old_or_new_after_the_next_call(
    failure: str, game: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    outcomes = set()
    for call in range(1, 100):
        place = locate(game, f"generated{call}")
        publish_files(place, OLD, {})
        reached = kill_at(call, monkeypatch, FAILURES[failure])
        try:
            publish_files(place, NEW, OLD)
            finished = True
        except (OSError, KeyboardInterrupt):
            finished = False
        more = reached()  # else everything was attacked; who holds the lock may stay unsaid, and all goes well
        monkeypatch.undo()
        assert all(data in (OLD.get(path), NEW.get(path)) for path, data in files_of(place.out).items())  # none is torn
        with opened(place):  # what any next call does first
            state = files_of(place.out)
        assert state in (OLD, NEW)
        outcomes.add((finished, state == NEW))
        if not more:
            break
    assert outcomes == {(False, False), (False, True), (True, True)}


def test_a_decided_change_is_rolled_forward_even_after_a_kill_in_the_middle_of_it(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    def killed(*arguments: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(publish, "_apply", killed)
    with pytest.raises(KeyboardInterrupt):
        publish_files(place, NEW, OLD)
    monkeypatch.undo()
    assert files_of(place.out) == OLD
    moves = json.loads(place.journal.read_bytes())["moves"]
    assert [path for _, path in moves] == ["bat/bat.png", "owl/owl.png"]
    (place.stage / moves[0][0]).replace(place.out / moves[0][1])  # one move was done already
    with opened(place):
        assert files_of(place.out) == NEW
    assert not place.journal.exists()


@pytest.mark.skipif(sys.platform == "win32", reason="Windows needs a permission for links")
def test_a_journal_that_points_outside_is_refused(place: Place) -> None:
    place.journal.write_text(
        json.dumps({"out": "assets/generated", "moves": [["000000", "../../evil"]], "removals": []})
    )
    with pytest.raises(ProjectError, match=r"names a file outside"), opened(place):
        pytest.fail("the project was opened")


def test_two_writers_do_not_mix(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(publish, "LOCK_SECONDS", 0.01)
    with opened(place), pytest.raises(ProjectError, match=r"process \d+ on .+ is writing to it"), opened(place):
        pytest.fail("both hold the project")


@pytest.mark.parametrize("out", ["", ".", "..", "../elsewhere", "assets/../..", "/tmp", f"{STATE}/x"])
def test_the_output_folder_lies_inside_the_project(out: str, game: Path) -> None:
    with pytest.raises(UsageError, match=r"--out"):
        locate(game, out)


def test_a_project_that_is_not_there_is_not_created(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="there is no such folder"):
        locate(tmp_path / "none", "assets")
    assert list(tmp_path.iterdir()) == []
