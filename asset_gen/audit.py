"""May these sprites be shipped? Where each comes from, whether it is a copy, and what people approved and changed.

Reads what is published (manifest, provenance, sheets), what people decided, and, where it is at hand, what the model
remembers of its training sprites. Draws nothing, so it needs no ONNX Runtime.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from hashlib import sha256
from pathlib import Path
from typing import Literal

import msgspec
import numpy as np
from numpy.typing import NDArray

from asset_gen import palette
from asset_gen.bundle import BUILT_IN
from asset_gen.candidates import FOLDER, Near
from asset_gen.decisions import Decisions, read_decisions
from asset_gen.errors import ProjectError, SpriteError
from asset_gen.images import read_rgba
from asset_gen.manifest import NAME, Finish, Manifest, Origin, Provenance, SheetRecord, SpriteRecord, read_manifest
from asset_gen.neighbours import Known
from asset_gen.pictures import untrimmed
from asset_gen.publish import Place, locate
from asset_gen.recipe import Settings, project_sets, read_recipe
from asset_gen.sheet import cut

PROVENANCE = "provenance.json"
HASH = re.compile("[0-9a-f]{64}")

Level = Literal["error", "note"]


@dataclass(frozen=True, slots=True)
class Rule:
    """Something that is checked of every published sprite."""

    summary: str
    cure: str
    level: Level = "error"
    """``note``: said, and counts with ``--strict`` only."""


RULES = {
    "origin": Rule(
        "Every published sprite has a record of its origin.",
        "Publish the sprites again with assetgen batch, or restore manifest.json and provenance.json.",
    ),
    "copy": Rule(
        "No published sprite is a copy of a training sprite.",
        "Reject the sprite: assetgen batch --reject TYPE:SLOT puts another in its place.",
    ),
    "copy-unchecked": Rule(
        "Copies can be looked for.",
        "Give the sprites' bundle with --model (assetgen calibrate adds what is needed to an older one), or the "
        "training sprites with --sprites.",
        "note",
    ),
    "approval": Rule(
        "Where approval is required, somebody has kept every published sprite.",
        "Look at the sprite, and keep it with assetgen catalogue keep, or reject it.",
    ),
    "rejected": Rule(
        "No rejected sprite is published.",
        "Run assetgen batch again, which puts another sprite in its place, or take the rejection back.",
    ),
    "palette": Rule(
        "Every visible pixel has a colour of the palette.",
        "Run assetgen batch again, or give an edited sprite colours of the palette.",
    ),
    "alpha": Rule(
        "Where alpha is hard, every pixel is opaque or transparent.",
        "Run assetgen batch again, or harden the edges of an edited sprite.",
    ),
    "edit": Rule(
        "No sheet was changed by hand without a note.",
        "Note what was changed, and why, for a sprite of the sheet, or run assetgen batch on the sheet of before.",
    ),
    "unreadable": Rule(
        "Every published sheet is there and can be read.",
        "Run the same assetgen batch again, which restores it.",
    ),
    "foreign": Rule(
        "Every picture among the published ones is in the manifest.",
        "Move the picture out of the folder of generated sprites.",
        "note",
    ),
}


@dataclass(frozen=True, slots=True)
class Finding:
    """A rule that isn't kept."""

    rule: str
    """A key of ``RULES``."""
    path: str
    """A file, relative to the project, with forward slashes."""
    message: str
    sprite: str | None = None
    line: int = 1
    """In ``path``."""
    level: Level = "error"


@dataclass(frozen=True, slots=True)
class Audited:
    """What is known of a published sprite."""

    name: str
    type: str
    sheet: str
    """Its picture, relative to the project."""
    rect: tuple[int, int, int, int]
    """x, y, width, height on it, in pixels."""
    origin: Origin
    finish: Finish
    score: float
    approver: str | None
    """Who kept it, or None."""
    notes: int
    nearest: tuple[Near, ...] | None
    """Training sprites, nearest first; None where that couldn't be told."""


@dataclass(frozen=True, slots=True)
class Part:
    """A folder of published sprites, and what the recipe says of them."""

    place: Place
    model: Path
    """The bundle they are drawn with."""
    approval: bool
    """Whether every sprite must have been kept by somebody."""


@dataclass(frozen=True, slots=True)
class Audit:
    """What was found in a project."""

    sprites: list[Audited] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    approval: bool = False
    """Whether approval is required, at least of a set."""
    edited: tuple[str, ...] = ()
    """Sheets that somebody changed, relative to the project."""

    @property
    def failures(self) -> list[Finding]:
        """What must not be shipped."""
        return [finding for finding in self.findings if finding.level == "error"]


def parts_of(project: Path, out: str | None = None) -> list[Part]:
    """What there is to audit in a project by its recipe; ``out``: this folder in place of the recipe's.

    Raises:
        UsageError, ProjectError: the recipe or a folder isn't what it should be.
    """
    if out is not None:
        recipe = read_recipe(project)
        return [_part(project, locate(project, out), recipe)]
    return [_part(project, one.place, one.settings) for one in project_sets(project)]


def _part(project: Path, place: Place, settings: Settings) -> Part:
    model = project / settings.model if settings.model else BUILT_IN
    return Part(place, model, settings.approval == "required")


def audit(parts: Sequence[Part], known: Known, strict: bool = False) -> Audit:
    """Check every published sprite of a project; reads only.

    Args:
        parts: where the project's sprites are published.
        known: training sprites to compare with.
        strict: notes count as errors.

    Raises:
        ProjectError: nothing is published, or a manifest or the decisions are damaged.
    """
    decisions = read_decisions(parts[0].place.project)
    auditors = []
    for part in parts:
        manifest = read_manifest(part.place.out)
        if manifest is None:
            raise ProjectError(f"{part.place.out / NAME}: nothing is published there. Run assetgen batch first.")
        auditor = _Auditor(part, manifest, decisions, known)
        auditor.check_records()
        auditor.check_sheets()
        auditor.check_strangers()
        auditors.append(auditor)
    findings = [finding for auditor in auditors for finding in auditor.findings]
    return Audit(
        sprites=[sprite for auditor in auditors for sprite in auditor.sprites],
        findings=[replace(finding, level="error") for finding in findings] if strict else findings,
        approval=any(part.approval for part in parts),
        edited=tuple(sheet for auditor in auditors for sheet in auditor.edited),
    )


class _Auditor:
    """Goes through one output folder, and collects what it finds."""

    def __init__(self, part: Part, manifest: Manifest, decisions: Decisions, known: Known) -> None:
        self.place, self.approval = part.place, part.approval
        self.manifest, self.decisions, self.known = manifest, decisions, known
        place = part.place
        self.sprites: list[Audited] = []
        self.findings: list[Finding] = []
        self.edited: list[str] = []
        self.lines = _lines((place.out / NAME).read_text(encoding="utf-8"))

    def report(self, rule: str, message: str, sprite: str | None = None, file: str = NAME, about: str = "") -> None:
        """``file``: relative to the output folder; ``about``: what the manifest names on the line that is meant."""
        line = self.lines.get(sprite or about, 1) if file == NAME else 1
        self.findings.append(Finding(rule, self.path(file), message, sprite, line, RULES[rule].level))

    def path(self, file: str) -> str:
        """A file of the output folder, relative to the project."""
        return (self.place.out.relative_to(self.place.project) / file).as_posix()

    def check_records(self) -> None:
        """Origin, model and finishing of every sprite are on record."""
        manifest = self.manifest
        models = {model.sha256 for model in manifest.models}
        for record in (sprite for sheet in manifest.sheets for sprite in sheet.sprites):
            origin = record.origin
            if not HASH.fullmatch(origin.model) or origin.model not in models:
                self.report("origin", f"its model {origin.model[:16]!r} isn't one of the manifest's", record.name)
            elif origin.type != record.type:
                self.report("origin", f"was drawn as {origin.type!r}, and stands for {record.type!r}", record.name)
            elif not 0 <= record.score <= 1:
                self.report("origin", f"its score {record.score} is no probability", record.name)
        try:
            told = msgspec.json.decode((self.place.out / PROVENANCE).read_bytes(), type=Provenance)
        except (OSError, msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
            self.report("origin", f"can't be read ({getattr(error, 'strerror', None) or error})", file=PROVENANCE)
            return
        if (told.models, told.choice, told.finish) != (manifest.models, manifest.choice, manifest.finish):
            self.report("origin", "speaks of other models or another finish than the manifest", file=PROVENANCE)
        elif not told.training_data:
            self.report("origin", "doesn't say what the model was trained on", file=PROVENANCE)

    def check_sheets(self) -> None:
        """What the pictures show, and what people decided about them."""
        unchecked: dict[str, int] = {}
        for sheet in self.manifest.sheets:
            pictures = self._pictures(sheet)
            nearest: list[tuple[Near, ...] | None] = [None] * len(sheet.sprites)
            if pictures is not None:
                self._check_pixels(sheet, pictures)
                nearest = self._nearest(sheet, pictures)
            for record, near in zip(sheet.sprites, nearest, strict=True):
                if near is None and pictures is not None:
                    unchecked[record.origin.model] = unchecked.get(record.origin.model, 0) + 1
                self._check_copy(record, near)
                self._check_decisions(sheet, record, near)
        for model, count in unchecked.items():
            message = f"{count} sprites of the model {model[:16]} couldn't be compared with training sprites: "
            self.report("copy-unchecked", message + self.known.missing)

    def _pictures(self, sheet: SheetRecord) -> NDArray[np.uint8] | None:
        """The sheet's sprites [n, h, w, 4], trimmed ones whole again; None where it has none, or can't be read."""
        path = self.place.out / sheet.image
        try:
            picture = read_rgba(path)
        except SpriteError as error:
            self.report("unreadable", f"{sheet.image}: {str(error).removeprefix(f'{path}: ')}", about=sheet.image)
            return None
        height, width = picture.shape[:2]
        if sha256(picture.tobytes()).hexdigest() != sheet.pixels_sha256:
            self.edited.append(self.path(sheet.image))
            lines = (line for record in sheet.sprites for line in self.decisions.about(record.origin))
            if not any(line.action == "note" for line in lines):
                self.report("edit", f"{sheet.image} was changed, and no note says why", about=sheet.image)
        if (width, height) != sheet.size:
            size = f"{width}×{height} pixels, and was published with {sheet.size[0]}×{sheet.size[1]}"
            self.report("unreadable", f"{sheet.image} is {size}", about=sheet.image)
            return None
        whole = []
        for record in sheet.sprites:
            piece = cut(picture, *record.rect)
            whole.append(piece if record.source is None else untrimmed(piece, *record.offset, sheet.cell[0]))
        return np.stack(whole) if whole else None

    def _check_pixels(self, sheet: SheetRecord, pictures: NDArray[np.uint8]) -> None:
        finish = self.manifest.finish
        alpha = pictures[..., 3]
        if finish.palette:
            colours = _packed(palette.from_hex(finish.palette))
            off = ((alpha > 0) & ~np.isin(_packed(pictures), colours)).sum(axis=(1, 2))
            for row in np.flatnonzero(off):
                message = f"{off[row]} visible pixels have none of the palette's {len(colours)} colours"
                self.report("palette", message, sheet.sprites[row].name)
        if finish.alpha == "hard":
            soft = ((alpha > 0) & (alpha < 255)).sum(axis=(1, 2))
            for row in np.flatnonzero(soft):
                self.report("alpha", f"{soft[row]} pixels are half transparent", sheet.sprites[row].name)

    def _nearest(self, sheet: SheetRecord, pictures: NDArray[np.uint8]) -> list[tuple[Near, ...] | None]:
        """For every sprite of a sheet its training sprites; None where its model's aren't known."""
        found: list[tuple[Near, ...] | None] = [None] * len(pictures)
        for model in {record.origin.model for record in sheet.sprites}:
            training = self.known.of(model)
            rows = [row for row, record in enumerate(sheet.sprites) if record.origin.model == model]
            if training is not None:
                for row, near in zip(rows, training.near(pictures[rows]), strict=True):
                    found[row] = near
        return found

    def _check_copy(self, record: SpriteRecord, near: tuple[Near, ...] | None) -> None:
        training = self.known.of(record.origin.model)
        if near and training and near[0].distance < training.copy_limit:
            apart = f"{near[0].distance:.4f} apart, and copies are below {training.copy_limit:.4f}"
            self.report("copy", f"is a copy of {near[0].name} ({apart})", record.name)

    def _check_decisions(self, sheet: SheetRecord, record: SpriteRecord, near: tuple[Near, ...] | None) -> None:
        standing = self.decisions.standing.get(record.origin)
        approver = standing.who if standing and standing.action == "keep" else None
        if standing and standing.action == "reject":
            why = f": {standing.why}" if standing.why else ""
            self.report("rejected", f"was rejected by {standing.who} on {standing.when:%Y-%m-%d}{why}", record.name)
        elif self.approval and approver is None:
            self.report("approval", "nobody has approved it", record.name)
        self.sprites.append(
            Audited(
                name=record.name,
                type=record.type,
                sheet=self.path(sheet.image),
                rect=record.rect,
                origin=record.origin,
                finish=self.manifest.finish,
                score=record.score,
                approver=approver,
                notes=sum(line.action == "note" for line in self.decisions.about(record.origin)),
                nearest=near,
            )
        )

    def check_strangers(self) -> None:
        """No picture lies there that nobody knows the origin of."""
        listed = {entry.path for entry in self.manifest.files}
        for path in sorted(self.place.out.rglob("*.png")):
            name = path.relative_to(self.place.out).as_posix()
            if name not in listed and not name.startswith(f"{FOLDER}/"):
                self.report("foreign", "lies among the published pictures, and isn't in the manifest", file=name)


def _packed(pixels: NDArray[np.uint8]) -> NDArray[np.uint32]:
    """Colours [..., 3 or more] as one number each."""
    red, green, blue = (pixels[..., channel].astype(np.uint32) for channel in range(3))
    return np.asarray(red << 16 | green << 8 | blue, np.uint32)


def _lines(text: str) -> dict[str, int]:
    """Name of a sprite, or path of a sheet → the line of the manifest that it stands on."""
    named = re.compile(r'\s*"(?:name|image)": "([^"]+)"')
    found: dict[str, int] = {}
    for number, line in enumerate(text.splitlines(), 1):
        if match := named.match(line):
            found.setdefault(match[1], number)
    return found
