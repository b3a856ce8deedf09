"""Is what was published still there, whole, and as assetgen wrote it? Reads only; ``mend`` puts right what it can."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path, PurePosixPath

from asset_gen.candidates import FOLDER
from asset_gen.decisions import read_decisions
from asset_gen.deliver import TOOL, merge_held, target_files
from asset_gen.errors import ProjectError, SpriteError, TooLargeError, UsageError
from asset_gen.files import file_sha256
from asset_gen.images import read_whole
from asset_gen.layout import enlarged, sheet_of
from asset_gen.manifest import NAME, Manifest, SheetRecord, read_manifest
from asset_gen.publish import Place
from asset_gen.sheet import Target
from asset_gen.targets import load_targets

HARMFUL = ("missing", "damaged", "moved", "rejected", "stale")
SIDECARS = (".import", ".meta", ".uid", ".new", ".gdignore", ".gitignore", ".gitattributes", ".gitkeep", ".DS_Store")
"""Ends of names of files that engines, git and file managers put beside others, and of our own proposals."""


@dataclass(frozen=True, slots=True)
class Finding:
    """Something a person should know of."""

    path: str
    """Relative to the output folder."""
    kind: str
    """``missing``, ``damaged`` (breaks off), ``moved`` (pictures that don't fit the manifest), ``rejected`` (a sprite
    that somebody rejected), ``stale`` (an engine's file that doesn't fit the sheets), ``edited``, ``waiting``,
    ``foreign`` (a file that assetgen doesn't know) or ``unread`` (what couldn't be compared)."""
    message: str

    @property
    def harmful(self) -> bool:
        """Whether a game would show something wrong; edits and files of their own are a person's right."""
        return self.kind in HARMFUL


@dataclass(frozen=True, slots=True)
class Verdict:
    """What was found."""

    place: Place
    files: int
    sprites: int
    findings: list[Finding]


def verify(place: Place) -> Verdict:
    """Compare an output folder with its manifest, the manifest with the decisions, and engine files with the sheets.

    Raises:
        ProjectError: nothing is published there, the manifest is damaged or contradicts itself (a rectangle that
            doesn't lie on its sheet), or the decisions can't be read.
    """
    manifest = read_manifest(place.out)
    if manifest is None:
        raise ProjectError(f"{place.out / NAME}: nothing is published there. Give the folder with --out.")
    findings = [
        *_files(place.out, manifest),
        *_foreign(place.out, manifest),
        *_decisions(place, manifest),
        *_engine_files(place, manifest),
    ]
    sprites = sum(len(sheet.sprites) for sheet in manifest.sheets)
    return Verdict(place, len(manifest.files), sprites, findings)


def regenerated(place: Place, manifest: Manifest) -> tuple[dict[str, tuple[bytes, Target]], str | None]:
    """(the engine files that belong to the manifest's sheets, why they can't be made or None)."""
    try:
        targets = load_targets(manifest.targets, place.project)
        sheets = [sheet_of(one, manifest.labels.get(one.type, ""), manifest.layout) for one in manifest.sheets]
        variants = [enlarged(sheet, factor) for sheet in sheets for factor in manifest.layout.variants]
        base = place.out.relative_to(place.project).as_posix()
        return target_files(sheets, targets, place.project, base, variants), None
    except UsageError as error:
        return {}, str(error)


def _files(out: Path, manifest: Manifest) -> Iterator[Finding]:
    sheets = {sheet.image: sheet for sheet in manifest.sheets}
    listed = {entry.path for entry in manifest.files}
    for image in sorted(set(sheets) - listed):
        yield Finding(image, "moved", "the manifest lists a sheet, but no such file. Run assetgen batch again.")
    for entry in manifest.files:
        found = file_sha256(out / entry.path)
        if found is None:
            yield Finding(entry.path, "missing", "assetgen verify --fix restores it, or the same assetgen batch.")
        elif found != entry.sha256:
            yield _changed(out, entry.path, sheets.get(entry.path))
        elif entry.path in sheets:
            yield from _misfit(out, entry.path, sheets[entry.path])
        if (out / f"{entry.path}.new").is_file():
            message = f"{entry.path} was edited by hand; take over what you want, and remove one of the two."
            yield Finding(f"{entry.path}.new", "waiting", message)


def _changed(out: Path, path: str, sheet: SheetRecord | None) -> Finding:
    """A file that isn't what assetgen wrote: broken on its way, or edited."""
    misfits = list(_misfit(out, path, sheet)) if path.endswith(".png") else []
    for finding in misfits:
        if finding.kind == "damaged":
            return finding
    if sheet is not None and misfits:
        return Finding(path, "edited", "its pixels or its size were changed; assetgen leaves it alone.")
    return Finding(path, "edited", "was changed since assetgen wrote it; assetgen leaves it alone.")


def _misfit(out: Path, path: str, sheet: SheetRecord | None) -> Iterator[Finding]:
    """What is wrong with a picture: it can't be read to its end, or isn't the one in the manifest."""
    try:
        picture = read_whole(out / path)
    except TooLargeError as error:
        yield Finding(path, "edited", f"{str(error).removeprefix(f'{out / path}: ')} assetgen leaves it alone.")
        return
    except SpriteError as error:
        reason = str(error).removeprefix(f"{out / path}: ")
        yield Finding(path, "damaged", f"{reason} Or let assetgen verify --fix restore it, or the same assetgen batch.")
        return
    if sheet is None:
        return
    height, width = picture.shape[:2]
    if (width, height) != sheet.size or sha256(picture.tobytes()).hexdigest() != sheet.pixels_sha256:
        message = (
            f"is {width}×{height} pixels, and not the picture that the manifest describes. Run assetgen batch again."
        )
        yield Finding(path, "moved", message)


def _foreign(out: Path, manifest: Manifest) -> Iterator[Finding]:
    """Files beside ours that nobody lists; those that engines keep beside each of them belong to it."""
    known = {NAME, *(entry.path for entry in manifest.files)}
    for path in _below(out, PurePosixPath()):
        if str(path) not in known and not path.name.endswith(SIDECARS):
            yield Finding(str(path), "foreign", "assetgen doesn't know it, and leaves it alone.")


def _below(folder: Path, base: PurePosixPath) -> Iterator[PurePosixPath]:
    for path in sorted(folder.iterdir()):
        if path.name == FOLDER or path.is_symlink():
            continue
        if path.is_dir():
            yield from _below(path, base / path.name)
        else:
            yield base / path.name


def _decisions(place: Place, manifest: Manifest) -> Iterator[Finding]:
    """Published sprites that somebody rejected."""
    rejected = read_decisions(place.project).rejected
    for sheet in manifest.sheets:
        for sprite in sheet.sprites:
            if sprite.origin in rejected:
                message = f"{sprite.name} was rejected and is still published. Run assetgen batch, which replaces it."
                yield Finding(sheet.image, "rejected", message)


def _engine_files(place: Place, manifest: Manifest) -> Iterator[Finding]:
    """Files for engines that don't fit the sheets: they would be written otherwise now."""
    files, reason = regenerated(place, manifest)
    if reason is not None:
        yield Finding(NAME, "unread", f"the engine files can't be compared with the sheets: {reason}")
    listed = {entry.path: entry.sha256 for entry in manifest.files}
    for path, (data, target) in files.items():
        if path not in listed or file_sha256(place.out / path) != listed[path]:
            continue  # told already: missing, or edited
        together = merge_held(target, path, place, data)[0]
        if sha256(data if together is None else together).hexdigest() != listed[path]:
            if manifest.tool != TOOL:
                yield Finding(path, "unread", f"was written by {manifest.tool}; this is {TOOL}, which writes it anew.")
            else:
                yield Finding(path, "stale", "doesn't fit the sheets of the manifest. Run assetgen batch again.")


def harmful(verdicts: Sequence[Verdict]) -> list[Finding]:
    """What a game would show wrongly, of all sets."""
    return [finding for verdict in verdicts for finding in verdict.findings if finding.harmful]


def restorable(verdict: Verdict) -> Mapping[str, str]:
    """Path → kind of what can be put back without anybody losing anything."""
    return {finding.path: finding.kind for finding in verdict.findings if finding.kind in ("missing", "damaged")}
