"""What is published? ``manifest.json`` is written last, so what it lists is there; ``provenance.json`` says whence."""

from __future__ import annotations

from pathlib import Path, PurePosixPath
from typing import Annotated, Any, Literal

import msgspec

from asset_gen.errors import ProjectError

FORMAT = 1
NAME = "manifest.json"

FIRST_EXPLORED = 10**12
"""The least index of a sprite that was explored; those of drawn ones stay below."""

Natural = Annotated[int, msgspec.Meta(ge=0, le=2**63 - 1)]


class Model(msgspec.Struct, frozen=True, kw_only=True):
    """A model that published sprites come from."""

    name: str
    sha256: str
    licence: str


class Figure(msgspec.Struct, frozen=True, kw_only=True):
    """Inception Score of a set; null where it isn't defined (one type, or fewer sprites than splits)."""

    n: int
    mean: float | None
    std: float | None


class ChooserRecord(msgspec.Struct, frozen=True, kw_only=True):
    """The network by which a filter chose, beside the classifier: the same model may come with another one."""

    file: str
    """Its name in the bundle."""
    network: str
    """What it is, as the bundle says."""
    sha256: str


class ScorerRecord(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What judged the sprites, and what it found."""

    name: str
    splits: int
    kept: Figure
    all: Figure
    """Mean over ten random sets with the kept set's size and quotas."""
    best: Figure | None = None
    """The greatest there is under the same quotas, which is what the filter ``is`` would keep; left out: not known."""
    chooser: ChooserRecord | None = None
    """Left out where the filter needs no network of its own, and in sets from before this was recorded."""


class Parameters(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What an operation of ``asset_gen.explore`` was told; each uses some of these."""

    strength: float = 0
    """Of a variation, 0–1: the part of the way to an unrelated sprite."""
    position: float = 0
    """Between two sprites, 0–1."""
    truncation: float = 1
    """What is left of the way from the type's mean."""
    level: Natural = 0
    """The first level that a mixture has from its second parent."""
    amount: float = 0
    """How far along a direction; of a mixture, how far towards the second parent."""
    direction: str = ""
    """Name of the direction, for people."""
    vector: str = ""
    """The direction itself, as ``asset_gen.explore.packed``."""
    codes: str = ""
    """What was found for an artist's picture, as ``asset_gen.explore.packed``."""
    picture: str = ""
    """sha256 of that picture's file."""
    seed: Natural = 0
    index: Natural = 0
    """Counter within the seed, of a variation."""


class Origin(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """From this the picture can be made again alone."""

    model: str
    """sha256 of the model."""
    seed: Natural
    """Of what was drawn; of an explored sprite, that of the set to which it was added."""
    type: str
    index: Natural
    """Of what was drawn, the counter within seed and type; of an explored sprite a hash of the following, from 10¹²."""
    operation: str = ""
    """One of ``asset_gen.explore.OPERATIONS``; left out: drawn from (seed, type, index)."""
    parents: tuple[Origin, ...] = ()
    """What it was made of."""
    parameters: Parameters = Parameters()


class SpriteRecord(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A published sprite: a slot and what fills it."""

    name: str
    type: str
    slot: Natural
    rect: tuple[Natural, Natural, Natural, Natural]
    """x, y, width, height on the sheet, in pixels."""
    origin: Origin
    score: float
    """p(type | sprite), 0–1."""
    offset: tuple[Natural, Natural] = (0, 0)
    """Where the rectangle lies inside the untrimmed sprite: x, y."""
    source: tuple[Natural, Natural] | None = None
    """Width and height of the untrimmed sprite; left out where it isn't trimmed."""


class SheetRecord(msgspec.Struct, frozen=True, kw_only=True):
    """A published sheet."""

    type: str
    """Empty where several types share the sheet."""
    image: str
    size: tuple[int, int]
    cell: tuple[int, int]
    """Width and height of every sprite before anything is trimmed off."""
    columns: Annotated[int, msgspec.Meta(ge=0)]
    """Of the grid on which the sprites lie; 0: they lie on none."""
    pixels_sha256: str
    """Of the decoded RGBA bytes, row by row; PNG bytes differ between encoders."""
    sprites: list[SpriteRecord]


class FileEntry(msgspec.Struct, frozen=True, kw_only=True):
    """A file that assetgen wrote, relative to the manifest."""

    path: str
    sha256: str


class Choice(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What decides which sprites are chosen; a change of any of these would replace pictures."""

    model: str
    seed: int
    oversample: int
    scorer: str
    filter: str
    min_score: Annotated[float, msgspec.Meta(ge=0, le=1)] = 0
    """Least p(type | sprite); left out where nothing is asked."""


class Finish(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What decides how chosen sprites are rendered."""

    alpha: str
    scale: int
    palette: list[Annotated[str, msgspec.Meta(pattern="^#[0-9a-f]{6}$")]]
    """Colours as ``#rrggbb``; empty: as the generator drew them."""
    palette_asked: str
    """The ``--palette`` argument the colours were computed from or read from."""
    optimize: bool = False
    """Whether sheets are as small as oxipng makes them; left out where they aren't."""


class Layout(msgspec.Struct, frozen=True, kw_only=True):
    """What decides where sprites lie; a change of any of these moves them."""

    sheets: Literal["type", "all", "strip"] = "type"
    """A sheet for every type, one for all types, or every type in one row."""
    padding: Annotated[int, msgspec.Meta(ge=0, le=64)] = 2
    """Empty pixels between sprites and around them."""
    extrude: Annotated[int, msgspec.Meta(ge=0, le=16)] = 0
    """How many pixels a sprite's border is repeated outwards."""
    trim: bool = False
    """Whether transparent borders are left out."""
    power_of_two: bool = False
    """Whether sheets have such sides."""
    max_side: Annotated[int, msgspec.Meta(ge=16, le=16384)] = 4096
    """Pixels; every GPU since 2010 takes textures of 4096."""
    variants: list[Annotated[int, msgspec.Meta(ge=2, le=8)]] = []
    """Further scales in which every sheet is written: 2 for ``dragon@2x.png``."""

    @property
    def packed(self) -> bool:
        """Whether sprites are packed as they fit, and lie on no grid."""
        return self.trim or self.sheets == "all"


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """``manifest.json``."""

    format: int
    tool: str
    models: list[Model]
    seed: int
    run: Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{16}$")]
    """Name of the candidate set the last sprites were chosen from."""
    choice: Choice
    finish: Finish
    layout: Layout = Layout()
    quotas: dict[str, int]
    labels: dict[str, str]
    """Slug → the type as its artist wrote it."""
    targets: list[str]
    scorer: ScorerRecord
    sheets: list[SheetRecord]
    files: list[FileEntry]
    """Every file beside the manifest itself."""


class Provenance(msgspec.Struct, frozen=True, kw_only=True):
    """``provenance.json``: for store disclosures and for whoever asks."""

    format: int
    tool: str
    models: list[Model]
    training_data: list[dict[str, Any]]
    outside_networks: list[str]
    seed: int
    choice: Choice
    finish: Finish
    digital_source_type: str
    """IPTC term, also embedded in every sheet."""
    disclosure: str
    """A sentence to paste where a store asks about generated content."""


def encode(document: msgspec.Struct) -> bytes:
    """Indented JSON with a final newline, the same bytes for the same content."""
    return msgspec.json.format(msgspec.json.encode(document), indent=1) + b"\n"


def read_manifest(out: Path) -> Manifest | None:
    """The manifest in an output folder, or None where nothing is published.

    Raises:
        ProjectError: it is damaged, contradicts itself, or is of another format.
    """
    path = out / NAME
    cure = "Restore it from version control, or move the folder aside to publish anew."
    try:
        manifest = msgspec.json.decode(path.read_bytes(), type=Manifest)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (OSError, msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise ProjectError(f"{path}: can't be read as a manifest ({error}). {cure}") from None
    if manifest.format != FORMAT:
        raise ProjectError(
            f"{path}: has format {manifest.format}, and this assetgen reads format {FORMAT}. "
            f"Use the assetgen that wrote it, or move the folder aside to publish anew."
        )
    if contradiction := _contradiction(manifest):
        raise ProjectError(f"{path}: {contradiction}. {cure}")
    return manifest


def _contradiction(manifest: Manifest) -> str | None:
    """What assetgen would never have written, or None."""
    for path in [*(entry.path for entry in manifest.files), *(sheet.image for sheet in manifest.sheets)]:
        if PurePosixPath(path).is_absolute() or ".." in PurePosixPath(path).parts or "\0" in path:
            return f"names a file outside its folder: {path!r}"
    filled: dict[str, set[int]] = {}
    for sheet in manifest.sheets:
        for sprite in sheet.sprites:
            x, y, width, height = sprite.rect
            left, top = sprite.offset
            whole = sprite.source or (width, height)
            if sheet.type not in ("", sprite.type) or sprite.slot in filled.setdefault(sprite.type, set()):
                return f"the sprite {sprite.name!r} is out of order"
            if x + width > sheet.size[0] or y + height > sheet.size[1]:
                return f"the sprite {sprite.name!r} does not lie on its sheet"
            if whole != sheet.cell or left + width > whole[0] or top + height > whole[1]:
                return f"the sprite {sprite.name!r} has another size than its sheet's"
            filled[sprite.type].add(sprite.slot)
    for kind, slots in filled.items():
        if len(slots) <= max(slots):
            return f"a slot of the type {kind!r} is empty"
    return None
