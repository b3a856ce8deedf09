"""Where does a candidate's picture lie? In its candidate set, or on the sheet on which it is published."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from threading import Lock

import numpy as np
from numpy.typing import NDArray

from asset_gen.candidates import FOLDER, CandidateReader, Near, encode_png, read_rows
from asset_gen.catalogue import Entry
from asset_gen.errors import AssetgenError, SpriteError
from asset_gen.images import read_rgba
from asset_gen.manifest import SpriteRecord, read_manifest
from asset_gen.publish import Place
from asset_gen.sheet import cut

LARGEST = 4_000_000
"""Bytes of a picture that is sent on."""
SHEETS_KEPT = 4


class Pictures:
    """Reads pictures of candidates; what it has read stays while the project's candidates are the same."""

    def __init__(self, places: Mapping[str, Place] | None = None) -> None:
        """``places``: by the name of the recipe's set."""
        self.places = places or {}
        self._lock = Lock()
        self._readers: dict[Path, CandidateReader] = {}
        self._records: dict[str, dict[str, tuple[str, SpriteRecord]]] = {}
        self._sheets: dict[Path, NDArray[np.uint8]] = {}
        self._nearest: dict[Path, dict[str, tuple[Near, ...]]] = {}

    def png(self, entry: Entry) -> bytes:
        """The candidate's PNG file.

        Raises:
            SpriteError: it isn't here, or can't be read.
        """
        place = self.places.get(entry.part)
        if place is None:
            raise SpriteError(f"{entry.subject}: its set isn't in the recipe any more.")
        if entry.run:
            try:
                return self._candidate(place, entry)
            except (OSError, SpriteError):
                if not entry.slot:
                    raise SpriteError(f"{entry.subject}: its picture isn't in the candidate set any more.") from None
        return self._published(place, entry)

    def nearest(self, entry: Entry) -> tuple[Near, ...]:
        """The training sprites that are nearest to it; none where its candidate set doesn't tell."""
        place = self.places.get(entry.part)
        if place is None or not entry.run:
            return ()
        folder = place.out / FOLDER / entry.run
        with self._lock:
            if folder not in self._nearest:
                try:
                    self._nearest[folder] = {row.name: row.nearest for row in read_rows(folder) if row.nearest}
                except (OSError, LookupError, ValueError):
                    self._nearest[folder] = {}
        return self._nearest[folder].get(entry.name, ())

    def _candidate(self, place: Place, entry: Entry) -> bytes:
        folder = place.out / FOLDER / entry.run
        with self._lock:
            if folder not in self._readers:
                self._readers[folder] = CandidateReader(folder)
        return self._readers[folder].png(entry.origin.type, entry.name, LARGEST)

    def _published(self, place: Place, entry: Entry) -> bytes:
        """The picture as it was finished, cut from its sheet."""
        with self._lock:
            if entry.part not in self._records:
                manifest = read_manifest(place.out)
                self._records[entry.part] = {
                    sprite.name: (sheet.image, sprite)
                    for sheet in (manifest.sheets if manifest else ())
                    for sprite in sheet.sprites
                }
            found = self._records[entry.part].get(entry.slot)
            if found is None:
                raise SpriteError(f"{entry.subject}: neither its candidate set nor its sheet is here.")
            image, sprite = found
            path = place.out / image
            if not path.resolve().is_relative_to(place.out.resolve()):
                raise SpriteError(f"{path}: lies outside {place.out}.")
            if path not in self._sheets:
                while len(self._sheets) >= SHEETS_KEPT:
                    self._sheets.pop(next(iter(self._sheets)))
                self._sheets[path] = read_rgba(path)
            return encode_png(np.ascontiguousarray(cut(self._sheets[path], *sprite.rect)))

    def pixels(self, entry: Entry) -> NDArray[np.uint8] | None:
        """The picture as RGBA uint8 [h, w, 4], or None where it isn't here."""
        from io import BytesIO

        try:
            return read_rgba(Path(entry.subject), BytesIO(self.png(entry)))
        except (AssetgenError, OSError):
            return None
