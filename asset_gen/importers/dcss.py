"""Which of Dungeon Crawl's public tiles are whole creatures and items, and of which types?

``dcss.csv`` lists 1,054 tiles of 32×32 pixels of the archive ``crawl/tiles`` (CC0 1.0), each with its type and the
sha256 of what shows of it: RGBA row by row, noughts where nothing shows. Pixels, not bytes, since those facts were
taken from files that had been saved again.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from importlib.resources import files
from io import BytesIO
from pathlib import Path, PurePosixPath

from asset_gen.data_card import Credit
from asset_gen.errors import SpriteError
from asset_gen.images import Rgba, read_rgba
from asset_gen.importers.archive import opened
from asset_gen.importers.download import Patience, fetch
from asset_gen.importers.sprite_set import Labelled, SetImport, check_free, counts_of, free_name, write_set

COMMIT = "a6ea1655db5c044829d9eea19a232fa6fcac87b0"
URL = f"https://github.com/crawl/tiles/archive/{COMMIT}.zip"
ROOT = PurePosixPath("releases/Nov-2015")
PATIENCE = Patience(most_bytes=512 * 2**20)
CREDIT = Credit(
    author="Dungeon Crawl Stone Soup artists",
    licence="CC0-1.0",
    source=f"https://github.com/crawl/tiles/tree/{COMMIT}/{ROOT}",
    licensed="yes",
)
NOTE = f"""\
Imported by assetgen from the tiles of Dungeon Crawl Stone Soup, https://github.com/crawl/tiles at commit
{COMMIT}, {ROOT}.

CC0 1.0: their artists have given up their rights; see ARTISTS.md there.
"""


@dataclass(frozen=True, slots=True)
class Tile:
    """A tile of the archive."""

    name: str
    """Without folder and ending."""
    type: str
    source: PurePosixPath
    """Its path below ``ROOT``."""
    look: str
    """sha256 of ``looks``."""


@cache
def tiles() -> tuple[Tile, ...]:
    """The table, in the order of types and names."""
    text = files("asset_gen.importers").joinpath("dcss.csv").read_text(encoding="utf-8")
    return tuple(
        Tile(row["name"], row["type"], PurePosixPath(row["source"]), row["pixels_sha256"])
        for row in csv.DictReader(text.splitlines())
    )


def look_of(picture: Rgba) -> str:
    """sha256 of what shows of a picture."""
    return sha256((picture * (picture[..., 3:] > 0)).tobytes()).hexdigest()


def import_dcss(
    out: Path, cache_folder: Path, archive: Path | None = None, merge: Mapping[str, str] | None = None, url: str = URL
) -> SetImport:
    """Fetch the archive and copy the tiles of the table into a set.

    Args:
        out: a folder that isn't there yet.
        cache_folder: where the download is kept.
        archive: a copy of the archive, or an unpacked one, instead of a download.
        merge: types to join, from → to.
        url: where the archive is.

    Raises:
        DownloadError: it can't be fetched.
        SpriteError: it isn't that archive.
        UsageError: ``out`` exists.
        ProjectError: ``out`` can't be written.
    """
    check_free(out)
    known = {tile.type for tile in tiles()}
    for source in merge or {}:
        if source not in known:
            raise SpriteError(f"--merge: there is no type {source!r}: {', '.join(sorted(known))}.")
    path = archive or fetch(url, cache_folder, f"crawl-tiles-{COMMIT[:8]}.zip", PATIENCE)
    try:
        sprites, refused = _read(path, merge or {})
    except SpriteError:
        if archive is None:
            path.unlink(missing_ok=True)  # so that the next try fetches it again
        raise
    write_set(out, sprites, NOTE)
    return SetImport(out, counts_of(sprites), [], refused)


def _read(path: Path, merge: Mapping[str, str]) -> tuple[list[Labelled], list[str]]:
    with opened(path) as members:
        found = {}
        for member in members:
            parts = member.path.parts
            for start in range(len(parts) - 2):
                if parts[start : start + 2] == ROOT.parts:
                    found[PurePosixPath(*parts[start + 2 :])] = member
        sprites, refused = [], []
        taken: set[str] = set()
        for tile in tiles():
            if tile.source not in found:
                refused.append(f"{tile.source}: isn't in {path.name}.")
                continue
            try:
                data = found[tile.source].read()
                look = look_of(read_rgba(Path(tile.source), BytesIO(data)))
            except SpriteError as error:
                refused.append(str(error))
                continue
            if look != tile.look:
                refused.append(f"{tile.source}: isn't the picture that the table describes.")
                continue
            kind = merge.get(tile.type, tile.type)
            sprites.append(Labelled(free_name(f"{kind}/{tile.name}", taken), (kind,), data, CREDIT))
    if not sprites:
        raise SpriteError(f"{path}: holds none of the tiles. Get {URL} again. The first reason: {refused[0]}")
    return sorted(sprites, key=lambda sprite: sprite.file), refused
