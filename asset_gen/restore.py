"""How does a project go back to what it published before?

Going back is a change like any other: journaled, kept in the history itself, and so undone by going back once more.
Recipe and decisions stay as they are.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass

import msgspec

from asset_gen.deliver import merge_held
from asset_gen.errors import ProjectError, UsageError
from asset_gen.history import KEPT_SETS, MANIFEST, History, PastSet
from asset_gen.manifest import Manifest, read_manifest
from asset_gen.publish import Change, Place, Published, opened
from asset_gen.sheet import Target
from asset_gen.targets import load_targets


@dataclass(frozen=True, slots=True)
class Restored:
    """What going back did."""

    past: PastSet
    sprites: int
    files: Published
    lost: list[str]
    """Files of the past set that were not kept, or are damaged: ``assetgen batch`` makes them again."""


def history_of(place: Place) -> History:
    """The past sets of an output folder."""
    return History(place.state, place.out.relative_to(place.project).as_posix())


def manifest_of(place: Place, past: PastSet) -> Manifest:
    """The manifest of a past set.

    Raises:
        ProjectError: it wasn't kept, or is damaged.
    """
    data = history_of(place).content(past.manifest)
    try:
        return msgspec.json.decode(data or b"", type=Manifest)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise ProjectError(
            f"{place.state / 'history'}: the manifest of the set of {past.replaced:%Y-%m-%d %H:%M} is damaged "
            f"({error}). Choose another (assetgen restore --list)."
        ) from None


def restore(place: Place, number: int) -> Restored:
    """Publish again what was published ``number`` sets ago; 1 is the set before the present one.

    Files that somebody edited since stay as they are, as always.

    Raises:
        UsageError: so many sets aren't kept.
        ProjectError: nothing is published there, or the past set's manifest is damaged.
    """
    with opened(place):
        history = history_of(place)
        kept = history.sets()
        if not kept:
            raise UsageError(f"{place.out}: no earlier set is kept; there is nothing to go back to.")
        if not 1 <= number <= len(kept):
            raise UsageError(
                f"{place.out}: {len(kept)} earlier sets are kept (at most {KEPT_SETS}), and number {number} is not "
                f"among them. assetgen restore --list shows them."
            )
        past = kept[number - 1]
        manifest = manifest_of(place, past)
        present = read_manifest(place.out)
        ours = {entry.path: entry.sha256 for entry in present.files} if present else {}
        targets: list[Target] = []
        with suppress(UsageError):  # one that isn't installed any more has nothing to merge with
            targets = load_targets(manifest.targets, place.project)
        change = Change(place, ours)
        lost = [entry.path for entry in manifest.files if entry.path not in past.files]
        for path, digest in past.files.items():
            if path == MANIFEST:
                continue
            data = history.content(digest)
            if data is None:
                lost.append(path)
                continue
            together = next(
                (found for target in targets if (found := merge_held(target, path, place, data)[0]) is not None), None
            )
            change.put(path, data if together is None else together, merged=together is not None)
        for path in sorted(set(ours) - set(past.files) - set(lost)):
            change.remove(path)
        change.put_own(MANIFEST, history.content(past.manifest) or b"")
        sprites = sum(len(sheet.sprites) for sheet in manifest.sheets)
        return Restored(past, sprites, change.commit(), lost)
