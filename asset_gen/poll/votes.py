"""What did people say? Their vote files become ratings; a file that is none is named, and the others count."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Literal

import msgspec

from asset_gen.candidates import Row
from asset_gen.errors import UsageError
from asset_gen.poll.ballot import CandidateSet
from asset_gen.poll.ratings import Rating, Ratings, fit

Id = Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{16}$")]
MAX_BYTES = 4_000_000  # of a vote file: some 40,000 votes


class Vote(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One comparison."""

    left: Id
    right: Id
    won: Literal["left", "right", "tie"]


class VoteFile(msgspec.Struct, frozen=True):
    """What a visitor saves."""

    format: Literal[1]
    poll: str
    voter: Annotated[str, msgspec.Meta(min_length=8, max_length=64)]
    votes: list[Vote]


@dataclass(slots=True)
class Counted:
    """Votes that count, and files that don't."""

    votes: dict[str, dict[tuple[str, str], float]] = field(default_factory=dict)
    """Voter → pair, in order of name → the share that its first sprite won. A pair that is judged again counts once,
    as judged last."""
    refused: dict[str, str] = field(default_factory=dict)
    """File → why."""


def count_votes(candidates: CandidateSet, files: Sequence[Path]) -> Counted:
    """Read vote files; a later file of the same voter adds to the earlier one."""
    known = {candidates.ballot_id(row): row for row in candidates.rows}
    counted = Counted()
    for path in files:
        try:
            document = _read(path)
            if document.poll != candidates.run:
                raise ValueError(f"its poll {document.poll[:40]!r} is of other candidates than {candidates.run}")
            shares = dict(_share(vote, known) for vote in document.votes)
        except (OSError, ValueError, RecursionError) as error:
            counted.refused[str(path)] = (isinstance(error, OSError) and error.strerror) or str(error)
            continue
        counted.votes.setdefault(document.voter, {}).update(shares)
    return counted


def _read(path: Path) -> VoteFile:
    if path.stat().st_size > MAX_BYTES:
        raise ValueError(f"is larger than {MAX_BYTES // 1_000_000} MB")
    return msgspec.json.decode(path.read_bytes(), type=VoteFile)


def _share(vote: Vote, known: dict[str, Row]) -> tuple[tuple[str, str], float]:
    """The pair, and the share that its first sprite won."""
    for name in (vote.left, vote.right):
        if name not in known:
            raise ValueError(f"it names the sprite {name}, which isn't among the candidates")
    if known[vote.left].type != known[vote.right].type or vote.left == vote.right:
        raise ValueError(f"it compares {vote.left} and {vote.right}, which the page never does")
    share = {"left": 1.0, "right": 0.0, "tie": 0.5}[vote.won]
    return ((vote.left, vote.right), share) if vote.left < vote.right else ((vote.right, vote.left), 1 - share)


def rate(candidates: CandidateSet, counted: Counted) -> Ratings:
    """Ratings of every candidate that was compared.

    Raises:
        UsageError: nothing was.
    """
    votes = [(*pair, share) for shares in counted.votes.values() for pair, share in shares.items()]
    if not votes:
        raise UsageError("--import: no votes. Give the JSON files that visitors of the page saved.")
    known = {candidates.ballot_id(row): row for row in candidates.rows}
    by_type: dict[str, list[tuple[str, str, float]]] = defaultdict(list)
    for vote in votes:
        by_type[known[vote[0]].type].append(vote)
    ratings: list[Rating] = []
    for _, pairs in sorted(by_type.items()):
        names = sorted({name for first, second, _ in pairs for name in (first, second)})
        place = {name: number for number, name in enumerate(names)}
        theta, width = fit(len(names), [(place[first], place[second], share) for first, second, share in pairs])
        for name in names:
            mine = [share if name == first else 1 - share for first, second, share in pairs if name in (first, second)]
            row, here = known[name], place[name]
            ratings.append(
                Rating(
                    name=row.name,
                    type=row.type,
                    index=row.index,
                    rating=round(float(theta[here]), 4),
                    low=round(float(theta[here] - width[here]), 4),
                    high=round(float(theta[here] + width[here]), 4),
                    comparisons=len(mine),
                    wins=sum(mine),
                )
            )
    ratings.sort(key=lambda rating: (rating.type, -rating.rating, rating.name))
    return Ratings(
        model=candidates.model, seed=candidates.seed, voters=len(counted.votes), votes=len(votes), ratings=ratings
    )
