"""What was a model trained on, file by file, by whom, and may it be used? ``data_card.json`` of every run and bundle.

Authors and licences come from an artist's ``credits.csv`` beside the sprites: ``file,author,licence,source,licensed``,
of which ``licensed`` is yes or no. Files without a line there are listed without an author.
"""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from hashlib import sha256
from pathlib import Path, PurePosixPath
from typing import Literal

import msgspec

from asset_gen.errors import ModelError, SpriteError

FORMAT = 1
NAME = "data_card.json"
CREDITS = "credits.csv"
MOST_NAMED = 3
"""Authors and licences that the sentence names."""

Licensed = Literal["yes", "no", "unstated"]
Digest = str


class Credit(msgspec.Struct, frozen=True, kw_only=True):
    """A line of ``credits.csv``."""

    author: str = ""
    licence: str = ""
    source: str = ""
    licensed: Licensed = "unstated"


class TrainingFile(msgspec.Struct, frozen=True, kw_only=True):
    """A file that a model has seen."""

    file: str
    """Below the sprite folder, with forward slashes."""
    sha256: str
    types: list[str]
    """As written by the artist; the first one first."""
    author: str = ""
    licence: str = ""
    source: str = ""
    licensed: Licensed = "unstated"


class Ancestor(msgspec.Struct, frozen=True, kw_only=True):
    """A model that this one started from, the nearest first."""

    name: str
    sha256: str
    """Of its weights."""
    files: list[TrainingFile] | None
    """What it had seen; null where it has no data card."""


class DataCard(msgspec.Struct, frozen=True, kw_only=True):
    """``data_card.json``."""

    format: int
    sentence: str
    """All of it for people."""
    sprites: str
    """Name of the sprite folder."""
    outside_networks: list[str]
    """Networks trained by others that took part in training or judging; empty means none."""
    files: list[TrainingFile]
    ancestors: list[Ancestor] = []

    def seen(self) -> dict[Digest, TrainingFile]:
        """sha256 → file, of this model and its ancestors."""
        every = [self.files, *(ancestor.files or [] for ancestor in self.ancestors)]
        return {file.sha256: file for files in reversed(every) for file in files}


def read_credits(folder: Path) -> dict[str, Credit]:
    """File → credit, of a folder's ``credits.csv``; empty where there is none.

    Raises:
        SpriteError: it can't be read, names a file that isn't there, or says neither yes nor no; the message names the
            line.
    """
    table = folder / CREDITS
    if not table.is_file():
        return {}
    try:
        data = table.read_bytes()
    except OSError as error:
        raise SpriteError(f"{table}: can't be read ({error.strerror}). Check its permissions.") from None
    return parse_credits(data, str(table), lambda name: _inside(folder, name))


def parse_credits(data: bytes, where: str, known: Callable[[str], bool]) -> dict[str, Credit]:
    """File → credit, of the bytes of a ``credits.csv`` called ``where``; ``known`` says whether a file is there.

    Raises:
        SpriteError: as ``read_credits``.
    """
    try:
        reader = csv.DictReader(data.decode("utf-8-sig").splitlines())
        columns, rows = reader.fieldnames or [], list(reader)
    except (UnicodeDecodeError, csv.Error) as error:
        raise SpriteError(f"{where}: can't be read as CSV in UTF-8 ({error}). Save it again as such.") from None
    if "file" not in columns:
        raise SpriteError(f"{where}: needs the columns file,author,licence,source,licensed. Name them on line 1.")
    credited: dict[str, Credit] = {}
    for line, row in enumerate(rows, start=2):
        said = {name: (row.get(name) or "").strip() for name in ("file", "author", "licence", "source", "licensed")}
        name, allowed = said["file"], said["licensed"].lower()
        if not known(name):
            raise SpriteError(f"{where}, line {line}: there is no file {name!r}. Correct the name, or remove the line.")
        name = PurePosixPath(name).as_posix()
        if name in credited:
            raise SpriteError(f"{where}, line {line}: {name!r} stands there twice. Remove one of the lines.")
        if allowed not in ("yes", "no", ""):
            raise SpriteError(f"{where}, line {line}: licensed is {allowed!r}. Write yes or no, or leave it empty.")
        credited[name] = Credit(
            author=said["author"],
            licence=said["licence"],
            source=said["source"],
            licensed="yes" if allowed == "yes" else "no" if allowed == "no" else "unstated",
        )
    return credited


def _inside(folder: Path, name: str) -> bool:
    """Whether a name is that of a file below the folder."""
    try:
        path = (folder / name).resolve()
        return bool(name) and path.is_relative_to(folder.resolve()) and path.is_file()
    except (OSError, ValueError):
        return False


def check_licensed(folder: Path, files: Iterable[str], credited: Mapping[str, Credit]) -> None:
    """Raises SpriteError, which lists them, where files to train on are marked as not licensed."""
    barred = [file for file in files if file in credited and credited[file].licensed == "no"]
    if barred:
        listed = "".join(f"\n  {file} ({credited[file].author or 'no author named'})" for file in barred[:20])
        more = f"\n  and {len(barred) - 20} more" if len(barred) > 20 else ""
        raise SpriteError(
            f"{folder / CREDITS}: {len(barred)} files are marked as not licensed. Train with --without FILE for each, "
            f"or take them out of {folder}:{listed}{more}"
        )


def make_card(
    folder: Path,
    typed: Sequence[tuple[str, Sequence[str]]],
    credited: Mapping[str, Credit],
    outside_networks: Sequence[str],
    ancestors: Sequence[Ancestor] = (),
) -> DataCard:
    """The card of a training on files of ``folder`` with their types.

    Raises:
        SpriteError: a file can't be read.
    """
    files = []
    for file, types in typed:
        try:
            digest = sha256((folder / file).read_bytes()).hexdigest()
        except OSError as error:
            raise SpriteError(f"{folder / file}: can't be read ({error.strerror}). Check its permissions.") from None
        credit = msgspec.structs.asdict(credited.get(file, Credit()))
        name = file.encode("utf-8", "backslashreplace").decode()  # a name that isn't UTF-8 is shown, not lost
        files.append(TrainingFile(file=name, sha256=digest, types=list(types), **credit))
    card = DataCard(
        format=FORMAT,
        sentence="",
        sprites=folder.name,
        outside_networks=list(outside_networks),
        files=files,
        ancestors=list(ancestors),
    )
    return msgspec.structs.replace(card, sentence=sentence(card))


def licence_of(card: DataCard | None) -> str:
    """The licences of the files, where every file has one; otherwise ``unstated``."""
    named = dict.fromkeys(file.licence for file in card.files) if card else {}
    return " and ".join(named) if named and all(named) else "unstated"


def sentence(card: DataCard) -> str:
    """The card for people, in one sentence."""
    licences = _named(Counter(file.licence for file in card.files), "without a stated licence")
    authors = _named(Counter(file.author for file in card.files), "without a named author")
    start = ""
    for ancestor in card.ancestors:
        seen = "an unknown set (it has no data card)" if ancestor.files is None else f"{len(ancestor.files)} files"
        start += f", starting from the model {ancestor.name}, which was trained on {seen},"
    outside = ", ".join(card.outside_networks) or "no network trained by others"
    return (
        f"Trained on {len(card.files)} files of {card.sprites} (authors: {authors}; licences: {licences}){start} with "
        f"the help of {outside}."
    )


def _named(counts: Counter[str], unnamed: str) -> str:
    """``Ada 30, Bob 5, 2 without a named author``."""
    known = [f"{name} {number}" for name, number in counts.most_common() if name]
    more = [f"{len(known) - MOST_NAMED} others"] if len(known) > MOST_NAMED else []
    absent = [f"{counts['']} {unnamed}"] if counts[""] else []
    return ", ".join([*known[:MOST_NAMED], *more, *absent])


def encode_card(card: DataCard) -> bytes:
    """Indented JSON with a final newline."""
    return msgspec.json.format(msgspec.json.encode(card), indent=1) + b"\n"


def read_card(folder: Path) -> DataCard | None:
    """The data card of a run or bundle; None where it has none, as those of earlier versions.

    Raises:
        ModelError: it is damaged, or of another format.
    """
    path = folder / NAME
    try:
        card = msgspec.json.decode(path.read_bytes(), type=DataCard)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (OSError, msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise ModelError(f"{path}: can't be read as a data card ({error}). Restore it, or train again.") from None
    if card.format != FORMAT:
        raise ModelError(f"{path}: has format {card.format}, and this assetgen reads format {FORMAT}. Update assetgen.")
    return card


def ancestry(name: str, digest: Digest, card: DataCard | None) -> list[Ancestor]:
    """What a model that starts from another has as ancestors."""
    first = Ancestor(name=name, sha256=digest, files=card.files if card else None)
    return [first, *(card.ancestors if card else [])]
