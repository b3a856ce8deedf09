"""The last three published sets are kept, whatever happens on the way."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path

import pytest

from asset_gen.errors import ProjectError
from asset_gen.history import History, PastSet
from asset_gen.publish import Change, Place, locate, opened

OUT = "assets/generated"


@pytest.fixture
def place(game: Path) -> Place:
    """An empty project."""
    return locate(game, OUT)


def past(place: Place) -> list[PastSet]:
    return History(place.state, OUT).sets()


def manifest(files: Mapping[str, bytes]) -> bytes:
    return json.dumps({path: sha256(data).hexdigest() for path, data in files.items()}).encode()


def publish(place: Place, files: Mapping[str, bytes]) -> None:
    """Publish these files and a manifest of them."""
    listed = place.out / "manifest.json"
    ours = json.loads(listed.read_bytes()) if listed.exists() else {}
    with opened(place):
        change = Change(place, ours)
        for path, data in files.items():
            change.put(path, data)
        for path in sorted(set(ours) - set(files)):
            change.remove(path)
        change.put_own("manifest.json", manifest(files))
        change.commit()


def contents(place: Place, number: int) -> dict[str, bytes | None]:
    """The files of a past set, the last being 1."""
    history = History(place.state, OUT)
    return {path: history.content(digest) for path, digest in history.sets()[number - 1].files.items()}


def test_the_first_set_has_no_past(place: Place) -> None:
    publish(place, {"bat.png": b"bat"})
    assert past(place) == []
    assert not (place.state / "history").exists()


def test_a_set_is_kept_when_the_next_takes_its_place(place: Place) -> None:
    publish(place, {"bat.png": b"bat", "imp.png": b"imp", "owl.png": b"owl"})
    publish(place, {"bat.png": b"better bat", "imp.png": b"imp"})
    first = {"bat.png": b"bat", "imp.png": b"imp", "owl.png": b"owl"}
    assert contents(place, 1) == {**first, "manifest.json": manifest(first)}


def test_publishing_the_same_again_keeps_nothing(place: Place) -> None:
    publish(place, {"bat.png": b"bat"})
    publish(place, {"bat.png": b"bat"})
    (place.out / "bat.png").unlink()
    publish(place, {"bat.png": b"bat"})  # restored; the set is the same
    assert past(place) == []


def test_three_are_kept_and_contents_that_nobody_lists_are_removed(place: Place) -> None:
    for number in range(6):
        publish(place, {"bat.png": b"bat %d" % number, "imp.png": b"imp"})
    assert [contents(place, number)["bat.png"] for number in (1, 2, 3)] == [b"bat 4", b"bat 3", b"bat 2"]
    assert len(past(place)) == 3
    assert len(list((place.state / "history" / "files").iterdir())) == 3 + 3 + 1  # bats, manifests, the one imp


def test_a_set_that_is_published_again_is_not_past(place: Place) -> None:
    first, second = {"bat.png": b"bat"}, {"bat.png": b"better bat"}
    for files in (first, second, first):
        publish(place, files)
    assert [contents(place, number)["bat.png"] for number in range(1, len(past(place)) + 1)] == [b"better bat"]


def test_every_output_folder_has_a_past_of_its_own(place: Place, game: Path) -> None:
    for number in range(5):
        publish(place, {"bat.png": b"bat %d" % number})
    other = locate(game, "assets/other")
    for number in range(5):
        publish(other, {"imp.png": b"imp %d" % number})
    assert len(past(place)) == len(History(other.state, "assets/other").sets()) == 3
    assert contents(place, 1)["bat.png"] == b"bat 3"


def test_an_edit_in_place_does_not_change_the_past(place: Place) -> None:
    publish(place, {"bat.png": b"bat", "imp.png": b"imp"})
    publish(place, {"bat.png": b"better bat", "imp.png": b"imp"})
    with (place.out / "imp.png").open("r+b") as file:
        file.write(b"my")
    assert contents(place, 1)["imp.png"] == b"imp"


def test_without_links_files_are_copied(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_links(*_: object) -> None:
        raise OSError("not supported")

    monkeypatch.setattr(os, "link", no_links)
    publish(place, {"bat.png": b"bat"})
    publish(place, {"bat.png": b"better bat"})
    assert contents(place, 1)["bat.png"] == b"bat"


def test_what_people_made_of_a_file_is_not_taken_for_a_published_one(place: Place) -> None:
    publish(place, {"bat.png": b"bat", "imp.png": b"imp"})
    (place.out / "bat.png").write_bytes(b"my bat")
    publish(place, {"bat.png": b"better bat", "imp.png": b"better imp"})
    assert set(contents(place, 1)) == {"imp.png", "manifest.json"}


@pytest.mark.parametrize("damage", [b"{]", b"{}", b'{"format": 9}', b"\xff" * 100])
def test_a_damaged_record_is_passed_over_and_swept(place: Place, damage: bytes) -> None:
    publish(place, {"bat.png": b"bat"})
    publish(place, {"bat.png": b"better bat"})
    (place.state / "history" / "000009.json").write_bytes(damage)
    assert len(past(place)) == 1
    publish(place, {"bat.png": b"best bat"})
    assert len(past(place)) == 2
    assert not (place.state / "history" / "000009.json").exists()


def test_damaged_content_is_not_given_out(place: Place) -> None:
    publish(place, {"bat.png": b"bat"})
    publish(place, {"bat.png": b"better bat"})
    (place.state / "history" / "files" / sha256(b"bat").hexdigest()).write_bytes(b"evil")
    assert contents(place, 1)["bat.png"] is None


def test_an_edit_between_looking_and_replacing_is_not_lost(place: Place) -> None:
    publish(place, {"bat.png": b"bat"})
    ours = json.loads((place.out / "manifest.json").read_bytes())
    with pytest.raises(ProjectError, match=r"bat.png: was changed while assetgen was working"), opened(place):
        change = Change(place, ours)
        change.put("bat.png", b"better bat")
        (place.out / "bat.png").write_bytes(b"my own bat")
        change.commit()
    assert (place.out / "bat.png").read_bytes() == b"my own bat"
