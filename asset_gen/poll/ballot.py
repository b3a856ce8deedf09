"""Which candidates do people compare? A folder with a page that works from any web space, or from a disk.

index.html      the page; pairs of one type, in another order for every visitor
ballot.js       the sprites by number and type, and nothing else that is known of them
sprites/*.png   the pictures, named by a hash: neither name nor order tells what a score thinks of them
"""

from __future__ import annotations

import json
import shutil
from collections import defaultdict
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

import msgspec
import numpy as np

from asset_gen.candidates import CandidateReader, Row, read_rows
from asset_gen.errors import UsageError
from asset_gen.manifest import Choice
from asset_gen.webpage import LOOK, WORDS, joined

LEAST = 2  # sprites of a type, to make a pair


@dataclass(frozen=True, slots=True)
class CandidateSet:
    """A candidate set that a batch has left."""

    folder: Path
    run: str
    model: str
    seed: int
    rows: list[Row]

    def ballot_id(self, row: Row) -> str:
        """The candidate's name in a poll: 16 hexadecimal digits."""
        return sha256(f"{self.model} {self.run} {row.name}".encode()).hexdigest()[:16]


def read_candidates(folder: Path) -> CandidateSet:
    """A folder below ``candidates~``, whole.

    Raises:
        UsageError: it isn't one, or is damaged.
    """
    try:
        run = json.loads((folder / "run.json").read_bytes())
        choice = msgspec.convert(run["choice"], Choice)
        return CandidateSet(folder, str(run["run"]), choice.model, choice.seed, list(read_rows(folder)))
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:  # msgspec's are ValueErrors
        reason = "there is no run.json" if isinstance(error, FileNotFoundError) else str(error)
        raise UsageError(
            f"{folder}: is no whole candidate set ({reason}). Give the folder that assetgen batch names, "
            f"…/candidates~/<run>."
        ) from None


def choose(candidates: CandidateSet, per_type: int, kinds: tuple[str, ...] = (), seed: int = 0) -> list[Row]:
    """At most ``per_type`` candidates of every type, drawn blindly, kept or not; near-duplicates left out.

    Raises:
        UsageError: an unknown type, or no type with two sprites.
    """
    pools: dict[str, list[Row]] = defaultdict(list)
    for row in candidates.rows:
        if not row.reason.startswith("nearly equals"):
            pools[row.type].append(row)
    for kind in kinds:
        if kind not in pools:
            raise UsageError(f"--types: {candidates.folder} has no {kind!r}. It has {', '.join(sorted(pools))}.")
    chance = np.random.default_rng(seed)
    chosen = []
    for kind in sorted(kinds or pools):
        pool = pools[kind]
        if len(pool) >= LEAST:
            chosen += [pool[place] for place in sorted(chance.permutation(len(pool))[:per_type])]
    if not chosen:
        raise UsageError(f"{candidates.folder}: no type has two sprites to compare. Draw more with assetgen batch.")
    return chosen


def write_poll(candidates: CandidateSet, rows: list[Row], out: Path, title: str, comparisons: int) -> Path:
    """Write the page and its pictures; returns the page.

    Raises:
        UsageError: ``out`` holds something already; it stays as it is.
        SpriteError, OSError: a picture can't be read, or written.
    """
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise UsageError(f"--out {out}: holds something already. Give an empty folder, or another.")
    reader = CandidateReader(candidates.folder)
    ballot = sorted((candidates.ballot_id(row), row) for row in rows)
    stage = out.with_name(f".{out.name}.part")
    shutil.rmtree(stage, ignore_errors=True)
    (stage / "sprites").mkdir(parents=True)
    for name, row in ballot:
        (stage / "sprites" / f"{name}.png").write_bytes(reader.png(row.type, row.name))
    types = sorted({row.type for row in rows})
    entries = [[name, types.index(row.type)] for name, row in ballot]
    poll = {"poll": candidates.run, "title": title, "comparisons": comparisons, "sprites": entries}
    # a script, since a page that is opened from a disk can't fetch
    (stage / "ballot.js").write_text(f"globalThis.ballot = {json.dumps(poll, ensure_ascii=True)};\n", encoding="utf-8")
    own = Path(__file__).parent
    for path in (LOOK, own / "poll.css"):
        shutil.copyfile(path, stage / path.name)
    script = joined({"poll": own / "poll.js", "dom": WORDS}, "poll")
    (stage / "poll.js").write_text(script, encoding="utf-8")
    page = (own / "poll.html").read_text(encoding="utf-8")
    (stage / "index.html").write_text(page, encoding="utf-8")
    if out.exists():
        out.rmdir()
    stage.rename(out)
    return out / "index.html"
