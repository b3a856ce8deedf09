"""The targets ``tiled`` and ``tiled-collection``: tilesets whose tiles have type, name, slot and score.

<type>/<type>.tsx              ``tiled``: a tileset on the sheet's grid; a tile's id is its place, which never changes
<type>/<type>_collection.tsx   ``tiled-collection``: a collection of rectangles, a tile's id is its slot

Sheets that are no grid (trimmed, or shared by types) give collections with both targets. Tiled reads the rectangles of
a collection's tiles from 1.9 on; older versions would show the whole sheet. Files are of format 1.8, in which a tile's
type is called ``type``: 1.9 called it ``class``, and reads older files as they are meant.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path, PurePosixPath
from posixpath import relpath

from asset_gen.sheet import Delivery, Region, Sheet, Target

GRID_VERSION = 'version="1.8" tiledversion="1.8.2"'
COLLECTION_VERSION = 'version="1.10" tiledversion="1.10.0"'

Placed = tuple[Sheet, Region]


def _quoted(text: str) -> str:
    """An attribute's value."""
    from xml.sax.saxutils import quoteattr  # loads a web client, for which nobody should wait who has no Tiled

    return quoteattr(text)


def write(delivery: Delivery) -> Mapping[str, bytes]:
    """Tilesets of grids, and collections for types of which some sheet is no grid."""
    files: dict[str, bytes] = {}
    loose: dict[str, list[Placed]] = {}
    for kind, placed in _by_type(delivery.sheets).items():
        sheets = list({sheet.image: sheet for sheet, _ in placed}.values())
        if all(sheet.type == kind and _is_grid(sheet) for sheet in sheets):
            for sheet in sheets:
                files[str(PurePosixPath(sheet.image).with_suffix(".tsx"))] = _grid(sheet).encode()
        else:
            loose[kind] = placed
    for kind, placed in loose.items():
        path = f"{kind}/{kind}.tsx"
        files[path] = _collection(kind, placed, path).encode()
    return files


def write_collections(delivery: Delivery) -> Mapping[str, bytes]:
    """A collection for every type."""
    files: dict[str, bytes] = {}
    for kind, placed in _by_type(delivery.sheets).items():
        path = f"{kind}/{kind}_collection.tsx"
        files[path] = _collection(kind, placed, path).encode()
    return files


def _by_type(sheets: Iterable[Sheet]) -> dict[str, list[Placed]]:
    """Type → its regions with their sheets, by slot."""
    types: dict[str, list[Placed]] = {}
    for sheet in sheets:
        for region in sheet.regions:
            types.setdefault(region.type, []).append((sheet, region))
    return {kind: sorted(placed, key=lambda pair: pair[1].slot) for kind, placed in types.items()}


def _is_grid(sheet: Sheet) -> bool:
    """Whether Tiled, which counts columns by the image's width, finds the sheet's own columns."""
    pitch = sheet.cell[0] + sheet.spacing
    found = (sheet.width - sheet.margin + sheet.spacing) // pitch
    return sheet.columns == found and all((region.x - sheet.margin) % pitch == 0 for region in sheet.regions)


def _grid(sheet: Sheet) -> str:
    width, height = sheet.cell
    across, down = width + sheet.spacing, height + sheet.spacing
    rows = (sheet.height - sheet.margin + sheet.spacing) // down
    name = PurePosixPath(sheet.image).stem
    lines = [
        '<?xml version="1.0" encoding="UTF-8"?>',
        f'<tileset {GRID_VERSION} name={_quoted(name)} tilewidth="{width}" tileheight="{height}" '
        f'spacing="{sheet.spacing}" margin="{sheet.margin}" tilecount="{sheet.columns * rows}" '
        f'columns="{sheet.columns}">',
        f' <image source={_quoted(PurePosixPath(sheet.image).name)} width="{sheet.width}" height="{sheet.height}"/>',
    ]
    for region in sheet.regions:
        place = (region.y - sheet.margin) // down * sheet.columns + (region.x - sheet.margin) // across
        lines += [f' <tile id="{place}" type={_quoted(region.type)}>', *_properties(region), " </tile>"]
    return "\n".join([*lines, "</tileset>"]) + "\n"


def _collection(kind: str, placed: Sequence[Placed], path: str) -> str:
    width = max(region.width for _, region in placed)
    height = max(region.height for _, region in placed)
    lines = [
        '<?xml version="1.0" encoding="UTF-8"?>',
        f'<tileset {COLLECTION_VERSION} name={_quoted(PurePosixPath(path).stem)} tilewidth="{width}" '
        f'tileheight="{height}" tilecount="{len(placed)}" columns="0">',
        ' <grid orientation="orthogonal" width="1" height="1"/>',
    ]
    for sheet, region in placed:
        source = relpath(sheet.image, PurePosixPath(path).parent)
        lines += [
            f' <tile id="{region.slot}" type={_quoted(kind)} x="{region.x}" y="{region.y}" '
            f'width="{region.width}" height="{region.height}">',
            *_properties(region),
            f'  <image source={_quoted(source)} width="{sheet.width}" height="{sheet.height}"/>',
            " </tile>",
        ]
    return "\n".join([*lines, "</tileset>"]) + "\n"


def _properties(region: Region) -> list[str]:
    return [
        "  <properties>",
        f'   <property name="name" value={_quoted(region.name)}/>',
        f'   <property name="score" type="float" value="{region.score:.4f}"/>',
        f'   <property name="slot" type="int" value="{region.slot}"/>',
        "  </properties>",
    ]


def detect(project: Path) -> bool:
    """Whether the folder holds a Tiled project."""
    try:
        return any(path.is_file() for path in project.glob("*.tiled-project"))
    except (OSError, ValueError):
        return False


NEXT_STEP = "In Tiled, open the project and agree to its extension; then use File ▸ Generate Sprites."
TARGET = Target(
    name="tiled",
    summary="Tiled: a tileset for each sheet, with type, name and score, and an extension",
    write=write,
    detect=detect,
    next_step=NEXT_STEP,
)
COLLECTION = Target(
    name="tiled-collection",
    summary="Tiled 1.9 and newer: a collection of rectangles for each type",
    write=write_collections,
    next_step=NEXT_STEP,
)
