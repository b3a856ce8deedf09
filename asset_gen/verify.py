"""Is what was published still there, whole, and as assetgen wrote it?"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from asset_gen.errors import ProjectError, SpriteError
from asset_gen.files import file_sha256
from asset_gen.images import read_rgba
from asset_gen.manifest import NAME, Manifest, SheetRecord, read_manifest
from asset_gen.publish import Place, locate
from asset_gen.recipe import read_recipe
from asset_gen.targets import default_out, load_targets


@dataclass(frozen=True, slots=True)
class Finding:
    """Something a person should know of."""

    path: str
    """Relative to the output folder."""
    kind: str
    """``missing``, ``damaged``, ``edited``, ``moved`` (pictures that don't fit the manifest) or ``waiting``."""
    message: str

    @property
    def harmful(self) -> bool:
        """Whether a game would show something wrong; edits are a person's right."""
        return self.kind in ("missing", "damaged", "moved")


@dataclass(frozen=True, slots=True)
class Verdict:
    """What was found."""

    place: Place
    files: int
    sprites: int
    findings: list[Finding]


def verify(project: Path, out: str | None = None) -> Verdict:
    """Compare an output folder with its manifest; reads only.

    Raises:
        ProjectError: nothing is published there, or the manifest is damaged or contradicts itself (a rectangle that
            doesn't lie on its sheet).
    """
    recipe = read_recipe(project)
    place = locate(project, out or recipe.out or default_out(project, load_targets(recipe.targets or (), project)))
    manifest = read_manifest(place.out)
    if manifest is None:
        raise ProjectError(f"{place.out / NAME}: nothing is published there. Give the folder with --out.")
    findings = list(_findings(place.out, manifest))
    sprites = sum(len(sheet.sprites) for sheet in manifest.sheets)
    return Verdict(place, len(manifest.files), sprites, findings)


def _findings(out: Path, manifest: Manifest) -> Iterator[Finding]:
    sheets = {sheet.image: sheet for sheet in manifest.sheets}
    listed = {entry.path for entry in manifest.files}
    for image in sorted(set(sheets) - listed):
        yield Finding(image, "moved", "the manifest lists a sheet, but no such file. Run assetgen batch again.")
    for entry in manifest.files:
        found = file_sha256(out / entry.path)
        if found is None:
            yield Finding(entry.path, "missing", "run the same assetgen batch again to restore it.")
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
        picture = read_rgba(out / path)
    except SpriteError as error:
        reason = str(error).removeprefix(f"{out / path}: ")
        yield Finding(path, "damaged", f"{reason} Or run the same assetgen batch again, which restores it.")
        return
    if sheet is None:
        return
    height, width = picture.shape[:2]
    if (width, height) != sheet.size or sha256(picture.tobytes()).hexdigest() != sheet.pixels_sha256:
        message = (
            f"is {width}×{height} pixels, and not the picture that the manifest describes. Run assetgen batch again."
        )
        yield Finding(path, "moved", message)
