"""A poll: a page that gives nothing away, votes that are read with suspicion, ratings that say how sure they are."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from asset_gen.candidates import FOLDER, CandidateReader, CandidateWriter, Row, candidate_name
from asset_gen.errors import UsageError
from asset_gen.poll.ballot import CandidateSet, choose, read_candidates, write_poll
from asset_gen.poll.ratings import PRIOR, Z95, fit, read_ratings
from asset_gen.poll.votes import count_votes, rate
from tests.conftest import Cli

MODEL = "ab" * 32
CHOICE = {"model": MODEL, "seed": 7, "oversample": 4, "scorer": "types", "filter": "is"}


@pytest.fixture
def candidates(tmp_path: Path) -> CandidateSet:
    """Ten bats and four owls; the last bat is one's twin."""
    writer = CandidateWriter(tmp_path / "set", sharded=False)
    rows = []
    for kind, count in (("bat", 10), ("owl", 4)):
        for index in range(count):
            name = candidate_name(kind, index)
            writer.add(kind, name, np.full((8, 8, 4), 10 * index + len(kind), np.uint8))
            reason = "nearly equals bat_c000000" if (kind, index) == ("bat", 9) else "chosen by is"
            rows.append(Row(name, kind, 0.5, 1.0, index < 2, 7, index, reason))
    writer.finish(rows, {"run": "f00d", "model_name": "fake", "choice": CHOICE, "quotas": {"bat": 2, "owl": 2}})
    return read_candidates(tmp_path / "set")


Voting = Callable[..., Path]


@pytest.fixture
def voting(candidates: CandidateSet, tmp_path: Path) -> Voting:
    """Writes a vote file: (name of the left, of the right, who won) …; ``changes`` replace what it says."""
    ids = {row.name: candidates.ballot_id(row) for row in candidates.rows}

    def write(by: str, *votes: tuple[str, str, str], **changes: Any) -> Path:
        listed = [{"left": ids.get(a, a), "right": ids.get(b, b), "won": won} for a, b, won in votes]
        document = {"format": 1, "poll": "f00d", "voter": by, "votes": listed} | changes
        path = tmp_path / f"votes-{len(list(tmp_path.glob('votes-*')))}.json"
        path.write_text(json.dumps(document))
        return path

    return write


BAT = [candidate_name("bat", index) for index in range(10)]
OWL = [candidate_name("owl", index) for index in range(4)]


def ballot_of(page: Path) -> dict[str, Any]:
    text = (page.parent / "ballot.js").read_text()
    return dict(json.loads(text.removeprefix("globalThis.ballot = ").strip().removesuffix(";")))


def test_the_page_says_nothing_of_where_a_sprite_comes_from(candidates: CandidateSet, tmp_path: Path) -> None:
    rows = choose(candidates, per_type=5)
    page = write_poll(candidates, rows, tmp_path / "poll", "Which?", 12)
    ballot = ballot_of(page)
    assert (ballot["poll"], ballot["title"], ballot["comparisons"]) == ("f00d", "Which?", 12)
    assert [len(entry) for entry in ballot["sprites"]] == [2] * 9
    everything = "".join(path.read_text() for path in page.parent.glob("*.*"))
    assert not any(word in everything + "".join(map(str, page.parent.rglob("*"))) for word in ("bat", "owl", "_c0"))
    reader = CandidateReader(candidates.folder)
    for row in rows:
        copied = page.parent / "sprites" / f"{candidates.ballot_id(row)}.png"
        assert copied.read_bytes() == reader.png(row.type, row.name)
    assert len(list((page.parent / "sprites").iterdir())) == 9


def test_candidates_are_drawn_blindly_and_twins_left_out(candidates: CandidateSet) -> None:
    assert "bat_c000009" not in {row.name for row in choose(candidates, per_type=99)}
    few = {seed: [row.name for row in choose(candidates, per_type=3, seed=seed)] for seed in range(8)}
    assert all(len(names) == 6 for names in few.values())
    assert few[0] == [row.name for row in choose(candidates, per_type=3)]
    assert len({name for names in few.values() for name in names}) > 9  # kept or not
    assert {row.type for row in choose(candidates, 3, ("owl",))} == {"owl"}
    with pytest.raises(UsageError, match=r"has no 'cat'\. It has bat, owl"):
        choose(candidates, 3, ("cat",))


def test_a_folder_that_holds_something_stays_as_it_is(candidates: CandidateSet, tmp_path: Path) -> None:
    (tmp_path / "poll").mkdir()
    (tmp_path / "poll" / "mine.txt").write_text("mine")
    with pytest.raises(UsageError, match="holds something already"):
        write_poll(candidates, choose(candidates, 3), tmp_path / "poll", "Which?", 12)
    assert [path.name for path in (tmp_path / "poll").iterdir()] == ["mine.txt"]


@pytest.mark.parametrize("broken", ["", "[]", "{}", '{"run": "f00d", "choice": {"model": 1}}'])
def test_what_is_no_candidate_set_is_refused(candidates: CandidateSet, broken: str) -> None:
    (candidates.folder / "run.json").write_text(broken)
    with pytest.raises(UsageError, match="is no whole candidate set"):
        read_candidates(candidates.folder)
    with pytest.raises(UsageError, match=r"nowhere: is no whole candidate set \(there is no run\.json\)"):
        read_candidates(candidates.folder.parent / "nowhere")


def test_one_comparison_has_the_rating_that_calculus_gives() -> None:
    theta, width = fit(2, [(0, 1, 1.0)])
    assert theta[0] == pytest.approx(-theta[1])
    p = 1 / (1 + np.exp(theta[1] - theta[0]))
    assert theta[0] / PRIOR**2 == pytest.approx(1 - p)  # the slope of the log posterior is zero
    w, flat = p * (1 - p), 1 / PRIOR**2
    assert width[0] == pytest.approx(Z95 * np.sqrt((flat + w) / ((flat + w) ** 2 - w**2)))


def test_ties_and_a_circle_leave_everybody_in_the_middle() -> None:
    theta, _ = fit(3, [(0, 1, 1.0), (1, 2, 1.0), (2, 0, 1.0), (0, 2, 0.5)])
    assert theta == pytest.approx([0, 0, 0], abs=1e-9)


def test_strengths_are_found_again_and_intervals_hold_them() -> None:
    chance = np.random.default_rng(3)
    held, total = 0, 0
    for _ in range(20):
        strength = chance.normal(0, PRIOR, 12)
        pairs = [tuple(chance.choice(12, 2, replace=False)) for _ in range(400)]
        votes = [
            (int(i), int(j), float(chance.random() < 1 / (1 + np.exp(strength[j] - strength[i])))) for i, j in pairs
        ]
        theta, width = fit(12, votes)
        centred = strength - strength.mean()
        assert np.corrcoef(theta, centred)[0, 1] > 0.9
        assert theta.sum() == pytest.approx(0, abs=1e-6)
        held += int((np.abs(theta - centred) <= width).sum())
        total += 12
    assert held / total > 0.9  # of 95 % intervals; the mean that is taken off makes them cautious


def test_a_hundred_wins_and_no_loss_are_no_infinity() -> None:
    theta, width = fit(2, [(0, 1, 1.0)] * 100)
    assert 2 < theta[0] < 5
    assert np.isfinite(width).all()


def test_votes_become_ratings_by_type(candidates: CandidateSet, voting: Voting) -> None:
    files = [
        voting("a" * 8, (BAT[0], BAT[1], "left"), (BAT[2], BAT[0], "right"), (OWL[0], OWL[1], "tie")),
        voting("b" * 8, (BAT[1], BAT[0], "right"), (BAT[1], BAT[2], "left")),
    ]
    counted = count_votes(candidates, files)
    assert not counted.refused
    ratings = rate(candidates, counted)
    assert (ratings.model, ratings.seed, ratings.voters, ratings.votes) == (MODEL, 7, 2, 5)
    assert [rating.name for rating in ratings.ratings] == [BAT[0], BAT[1], BAT[2], OWL[0], OWL[1]]
    best = ratings.ratings[0]
    assert (best.comparisons, best.wins, best.index) == (3, 3.0, 0)
    assert best.low < best.rating < best.high
    assert [rating.rating for rating in ratings.ratings[3:]] == [0, 0]
    assert ratings.of("bat", np.array([1, 5, 0])).tolist() == [ratings.ratings[1].rating, 0.0, best.rating]


def test_a_pair_judged_again_counts_once_and_a_file_sent_twice_too(candidates: CandidateSet, voting: Voting) -> None:
    vote = (BAT[0], BAT[1], "left")
    files = [voting("a" * 8, vote), voting("a" * 8, vote), voting("a" * 8, (BAT[1], BAT[0], "left"))]
    ratings = rate(candidates, count_votes(candidates, files))
    assert ratings.votes == 1
    assert ratings.ratings[0].name == BAT[1]


@pytest.mark.parametrize(
    ("votes", "changes", "reason"),
    [
        ([], {"format": 2}, "format"),
        ([], {"poll": "beef"}, "is of other candidates"),
        ([], {"voter": ""}, "voter"),
        ([(BAT[0], OWL[0], "left")], {}, "never does"),
        ([(BAT[0], BAT[0], "left")], {}, "never does"),
        ([(BAT[0], BAT[1], "both")], {}, "both"),
        ([(BAT[0], "0" * 16, "left")], {}, "isn't among the candidates"),
        ([(BAT[0], "../../etc", "left")], {}, "votes"),
    ],
)
def test_a_strange_vote_file_is_left_out_whole(
    candidates: CandidateSet, voting: Voting, votes: list[Any], changes: dict[str, Any], reason: str
) -> None:
    bad = voting("c" * 8, (BAT[0], BAT[1], "left"), *votes, **changes)
    good = voting("a" * 8, (BAT[0], BAT[1], "right"))
    counted = count_votes(candidates, [bad, good, bad.parent / "missing.json"])
    assert set(counted.refused) == {str(bad), str(bad.parent / "missing.json")}
    assert reason in counted.refused[str(bad)]
    assert counted.refused[str(bad.parent / "missing.json")] == "No such file or directory"
    assert rate(candidates, counted).voters == 1


@pytest.mark.parametrize("content", [b"", b"\xff\xfe", b"[1, 2]", b"{" * 5000, b'{"format": 1}'])
def test_a_file_that_is_none_is_refused(candidates: CandidateSet, tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "bad.json"
    path.write_bytes(content)
    assert list(count_votes(candidates, [path]).refused) == [str(path)]
    with pytest.raises(UsageError, match=r"bad\.json: is no file of ratings"):
        read_ratings(path)


def test_from_a_batch_to_a_batch_by_taste(bundle: Path, tmp_path: Path, cli: Cli) -> None:
    game = tmp_path / "game"
    game.mkdir()
    batch = ("batch", "--model", bundle, "--count", 8, "--project", game)
    assert cli(*batch).code == 0
    (folder,) = (path for path in (game / "assets/generated" / FOLDER).iterdir() if path.is_dir())
    assert cli("poll", folder, "--out", tmp_path / "poll", "--per-type", 8).code == 0
    candidates = read_candidates(folder)
    rows = choose(candidates, 8)
    loved = {}
    votes = []
    for kind in sorted({row.type for row in rows}):
        own = [row for row in rows if row.type == kind]
        loved[kind] = next(row for row in own if not row.kept)
        others = [row for row in own if row is not loved[kind]]
        votes += [(candidates.ballot_id(loved[kind]), candidates.ballot_id(row), "left") for row in others]
    document = {"format": 1, "poll": candidates.run, "voter": "v" * 24}
    listed = [{"left": a, "right": b, "won": won} for a, b, won in votes]
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "one.json").write_text(json.dumps(document | {"votes": listed}))
    ratings = tmp_path / "ratings.json"
    found = cli("poll", folder, "--import", tmp_path / "in", "--out", ratings)
    assert found.code == 0, found.err
    assert f"{len(votes)} comparisons by 1 people" in found.out
    asked = cli(*batch, "--filter", ratings)
    assert asked.code == 1
    assert "A change of filter (set → rated" in asked.err
    assert cli(*batch, "--filter", ratings, "--yes").code == 0
    manifest = json.loads((game / "assets/generated/manifest.json").read_text())
    published = {
        (sprite["type"], sprite["origin"]["index"]) for sheet in manifest["sheets"] for sprite in sheet["sprites"]
    }
    assert published >= {(kind, row.index) for kind, row in loved.items()}
    assert "Nothing to change" in cli(*batch, "--filter", ratings).out
    (tmp_path / "in" / "two.json").write_text("{}")
    partial = cli("poll", folder, "--import", tmp_path / "in", "--out", ratings)
    assert partial.code == 3
    assert "two.json: left out" in partial.err
    for change, word in ((("--seed", 5), "--seed 0"), (("--oversample", 1), "leaves nothing to choose")):
        refused = cli(*batch, "--filter", ratings, *change)
        assert refused.code == 2
        assert word in refused.err
    assert "is none of set, critic, is, top-p, none" in cli(*batch, "--filter", "best").err
    ratings.write_text(ratings.read_text().replace(candidates.model, "0" * 64))
    assert "another model" in cli(*batch, "--filter", ratings).err
