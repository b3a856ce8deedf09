"""What does Unity want to know of a sheet? Its ``.meta``: the settings of a TextureImporter, in Unity's kind of YAML.

All ids are derived from the project, the sheet's path and the sprite's name, so that they are the same on every
machine and in every run, and differ between projects.
"""

from __future__ import annotations

import re
from hashlib import sha256

from asset_gen.sheet import Delivery, Region, Sheet

SPRITE_CLASS = 213
"""Unity's class id of Sprite, under which ``internalIDToNameTable`` lists them."""
DEFAULT_SIDE = 2048
"""Unity's own default of ``maxTextureSize``, in pixels; larger sheets would be shrunk in silence."""
CUSTOM = 9
"""``SpriteAlignment.Custom``; 0 is Center."""

META = """\
fileFormatVersion: 2
guid: {guid}
labels:
{labels}TextureImporter:
  internalIDToNameTable:
{id_to_name}  externalObjects: {{}}
  serializedVersion: 12
  mipmaps:
    mipMapMode: 0
    enableMipMap: 0
    sRGBTexture: 1
    linearTexture: 0
    fadeOut: 0
    borderMipMap: 0
    mipMapsPreserveCoverage: 0
    alphaTestReferenceValue: 0.5
    mipMapFadeDistanceStart: 1
    mipMapFadeDistanceEnd: 3
  isReadable: 0
  textureFormat: 1
  maxTextureSize: {side}
  textureSettings:
    serializedVersion: 2
    filterMode: 0
    aniso: 1
    mipBias: 0
    wrapU: 1
    wrapV: 1
    wrapW: 1
  nPOTScale: 0
  compressionQuality: 50
  spriteMode: 2
  spriteExtrude: 1
  spriteMeshType: 0
  alignment: 0
  spritePivot: {{x: 0.5, y: 0.5}}
  spritePixelsToUnits: {pixels_to_units}
  spriteBorder: {{x: 0, y: 0, z: 0, w: 0}}
  spriteGenerateFallbackPhysicsShape: 1
  alphaUsage: 1
  alphaIsTransparency: 1
  spriteTessellationDetail: -1
  textureType: 8
  textureShape: 1
  platformSettings:
  - serializedVersion: 3
    buildTarget: DefaultTexturePlatform
    maxTextureSize: {side}
    resizeAlgorithm: 0
    textureFormat: -1
    textureCompression: 0
    compressionQuality: 50
    crunchedCompression: 0
    allowsAlphaSplitting: 0
    overridden: 0
    androidETC2FallbackOverride: 0
    forceMaximumCompressionQuality_BC6H_BC7: 0
  spriteSheet:
    serializedVersion: 2
    sprites:
{sprites}    outline: []
    physicsShape: []
    bones: []
    spriteID: {sheet_id}
    internalID: 0
    vertices: []
    indices:{blank}
    edges: []
    weights: []
    secondaryTextures: []
    nameFileIdTable:
{name_to_id}  userData:{blank}
  assetBundleName:{blank}
  assetBundleVariant:{blank}
"""

SPRITE = """\
    - serializedVersion: 2
      name: {name}
      rect:
        serializedVersion: 2
        x: {x}
        y: {y}
        width: {width}
        height: {height}
      alignment: {alignment}
      pivot: {{x: {pivot_x}, y: {pivot_y}}}
      border: {{x: 0, y: 0, z: 0, w: 0}}
      outline: []
      physicsShape: []
      tessellationDetail: -1
      bones: []
      spriteID: {sprite_id}
      internalID: {internal_id}
      vertices: []
      indices:{blank}
      edges: []
      weights: []
"""


def place(delivery: Delivery, sheet: Sheet) -> str:
    """The sheet's path in the project: ``Assets/Generated/dragon/dragon.png``."""
    return "/".join(part for part in (delivery.base.strip("/"), sheet.image) if part and part != ".")


def texture_guid(identity: str, path: str) -> str:
    """The asset's guid: 32 hexadecimal digits."""
    return _digest("guid", identity, path).hex()[:32]


def sprite_id(identity: str, path: str, name: str) -> str:
    """The sprite's id in the Sprite Editor: 32 hexadecimal digits."""
    return _digest("spriteID", identity, path, name).hex()[:32]


def internal_id(identity: str, path: str, name: str) -> int:
    """The sprite's id in its file, which scenes and prefabs refer to: a 64-bit integer, signed, not 0."""
    return int.from_bytes(_digest("internalID", identity, path, name)[:8], "big", signed=True) or 1


def _digest(*parts: str) -> bytes:
    return sha256("\0".join(parts).encode()).digest()


def bottom(sheet: Sheet, region: Region) -> int:
    """The region's lower edge in pixels from the sheet's lower edge: Unity's y axis points up."""
    return sheet.height - region.y - region.height


def pivot(region: Region) -> tuple[float, float]:
    """The middle of the untrimmed sprite as a part of the region's width and height, from its lower left corner."""
    width, height = region.source or (region.width, region.height)
    left, top = region.offset
    return (width / 2 - left) / region.width, 1 - (height / 2 - top) / region.height


def quote(text: str) -> str:
    """A scalar of YAML 1.1: plain, unless a reader could take it for a number."""
    return f"'{text}'" if re.match(r"[0-9+.-]", text) else text


def texture_meta(delivery: Delivery, sheet: Sheet) -> str:
    """The text of the sheet's ``.meta``."""
    path = place(delivery, sheet)
    ids = {region.name: internal_id(delivery.identity, path, region.name) for region in sheet.regions}
    kinds = sorted({region.type for region in sheet.regions})
    return META.format(
        guid=texture_guid(delivery.identity, path),
        labels="".join(f"- {quote(label)}\n" for label in ("assetgen", *kinds)),
        id_to_name="".join(table_entry(name, number) for name, number in ids.items()),
        side=max(DEFAULT_SIDE, 1 << (max(sheet.width, sheet.height) - 1).bit_length()),
        pixels_to_units=sheet.cell[1],  # a sprite is one unit tall
        sprites="".join(_sprite(delivery, sheet, region, ids[region.name]) for region in sheet.regions),
        sheet_id=sprite_id(delivery.identity, path, ""),
        name_to_id="".join(f"      {quote(name)}: {number}\n" for name, number in ids.items()),
        blank=" ",  # Unity writes an empty value with a blank
    )


def table_entry(name: str, number: int) -> str:
    """An entry of ``internalIDToNameTable``."""
    return f"  - first:\n      {SPRITE_CLASS}: {number}\n    second: {quote(name)}\n"


def _sprite(delivery: Delivery, sheet: Sheet, region: Region, number: int) -> str:
    x, y = pivot(region)
    return SPRITE.format(
        name=quote(region.name),
        x=region.x,
        y=bottom(sheet, region),
        width=region.width,
        height=region.height,
        alignment=0 if (x, y) == (0.5, 0.5) else CUSTOM,
        pivot_x=f"{x:g}",
        pivot_y=f"{y:g}",
        sprite_id=sprite_id(delivery.identity, place(delivery, sheet), region.name),
        internal_id=number,
        blank=" ",
    )
