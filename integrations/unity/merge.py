"""How does a sheet's ``.meta`` that Unity or a person has changed get the sprites that are published now?

Line by line: what isn't ours stays byte for byte. Ours are the sprites whose names have the form ``<type>_<slot>``
with their rectangles, that the texture is cut into sprites at all, and that it isn't shrunk. Their ids, and everything
else that the file says of them (pivots, borders, outlines, physics shapes), are kept: scenes refer to those.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import pairwise

from integrations.unity.meta import CUSTOM, SPRITE_CLASS, quote

OURS = re.compile(r"[a-z0-9_]{1,64}_[0-9]{6}")
"""Names that assetgen gives. A sprite of another name was cut by a person."""

Lines = list[str]
Span = tuple[int, int]
"""First line, and the line after the last."""


@dataclass
class Sprite:
    """An entry of ``spriteSheet.sprites``."""

    name: str
    lines: Lines

    def value(self, key: str) -> str:
        """A field's value; empty where there is none."""
        span = block(self.lines, key, 6)
        return self.lines[span[0]].partition(":")[2].strip() if span else ""

    def put(self, key: str, lines: Lines) -> None:
        """Another text for a field; added where there is none."""
        first, last = block(self.lines, key, 6) or (len(self.lines), len(self.lines))
        self.lines[first:last] = lines


@dataclass
class Meta:
    """A texture's ``.meta``: its lines, and what they say of sprites."""

    lines: Lines
    sprites: list[Sprite] = field(default_factory=list)
    ids: dict[str, int] = field(default_factory=dict)
    """Name → internal id, of every sprite that one of the three tables names."""


def merge(path: str, held: bytes, wanted: bytes) -> bytes:
    """What shall stand at ``path``: the held ``.meta`` with the sprites of the wanted one.

    Raises:
        ValueError: the held file is no texture's ``.meta``, or its ids contradict each other or the new ones.
    """
    old, new = parse(held), parse(wanted)
    ids = choose_ids(old, new)
    sprites = merge_sprites(old.sprites, new.sprites, ids)
    lines = old.lines
    replace(lines, "sprites", 4, [line for sprite in sprites for line in sprite.lines], empty="[]")
    merge_tables(lines, ids, gone={name for name in old.ids if OURS.fullmatch(name) and name not in ids})
    for key in ("spriteMode", "textureType"):
        set_scalar(lines, key, 2, value_of(new.lines, key, 2))
    raise_side(lines, int(value_of(new.lines, "maxTextureSize", 2)))
    if not any(OURS.fullmatch(sprite.name) for sprite in old.sprites):
        set_scalar(lines, "filterMode", 4, "0")  # Unity has made the file by itself: the filter was nobody's choice
    text = "\n".join(lines)
    return held if text == decode(held) else encode(text, held)


def choose_ids(old: Meta, new: Meta) -> dict[str, int]:
    """Name → id of every sprite that shall be there: the id that the held file knows, else the derived one.

    Raises:
        ValueError: a derived id is somebody else's.
    """
    ids = {sprite.name: old.ids.get(sprite.name, 0) for sprite in old.sprites if not OURS.fullmatch(sprite.name)}
    ids = {name: number for name, number in ids.items() if number}
    owners = {number: name for name, number in old.ids.items() if not OURS.fullmatch(name) or name in new.ids}
    for name, derived in new.ids.items():
        ids[name] = old.ids.get(name, derived)
        if owners.setdefault(ids[name], name) != name:
            raise ValueError(f"the id of {name}, {ids[name]}, belongs to {owners[ids[name]]} there.")
    return ids


def merge_sprites(old: list[Sprite], new: list[Sprite], ids: dict[str, int]) -> list[Sprite]:
    """The held sprites, ours in their wanted rectangles and without those that are gone; then those that are new."""
    wanted = {sprite.name: sprite for sprite in new}
    kept = {sprite.name for sprite in old}
    merged = []
    for sprite in old + [sprite for sprite in new if sprite.name not in kept]:
        if sprite.name in wanted:
            merged.append(update(sprite, wanted[sprite.name], ids[sprite.name]))
        elif not OURS.fullmatch(sprite.name):
            merged.append(sprite)
    return merged


def update(held: Sprite, wanted: Sprite, number: int) -> Sprite:
    """The held sprite in the wanted rectangle, with this id."""
    merged = Sprite(held.name, list(held.lines))
    keys = ["rect"]
    if wanted.value("alignment") == str(CUSTOM):  # it was trimmed: the pivot says where its middle was
        keys += ["alignment", "pivot"]
    if not held.value("spriteID"):
        keys.append("spriteID")
    for key in keys:
        first, last = block(wanted.lines, key, 6) or (0, 0)
        merged.put(key, wanted.lines[first:last])
    merged.put("internalID", [f"      internalID: {number}"])
    return merged


def decode(data: bytes) -> str:
    """A file's text with LF.

    Raises:
        ValueError: it isn't UTF-8, or not merged.
    """
    try:
        text = data.decode("utf-8").replace("\r\n", "\n")
    except UnicodeDecodeError:
        raise ValueError("it isn't UTF-8 text.") from None
    if re.search(r"^(<{7}|={7}|>{7})( |$)", text, re.MULTILINE):
        raise ValueError("it holds the marks of a merge conflict. Resolve it first.")
    return text


def encode(text: str, like: bytes) -> bytes:
    """The text with the line ends of the file that it was."""
    return (text.replace("\n", "\r\n") if b"\r\n" in like else text).encode()


def parse(data: bytes) -> Meta:
    """A texture's ``.meta``.

    Raises:
        ValueError: it is none, or two of its tables disagree about an id.
    """
    lines = decode(data).split("\n")
    if not any(re.fullmatch(r"guid: [0-9a-f]{32} *", line) for line in lines):
        raise ValueError("it has no guid: it is no .meta of Unity's, or a damaged one.")
    importers = [line for line in lines if re.fullmatch(r"[A-Za-z]*Importer: *", line)]
    if importers != ["TextureImporter:"]:
        found = importers[0].rstrip(": ") if importers else "no importer"
        raise ValueError(f"it is of {found}, not of a TextureImporter.")
    for key, indent in (("internalIDToNameTable", 2), ("spriteSheet", 2), ("sprites", 4), ("assetBundleVariant", 2)):
        if block(lines, key, indent) is None:
            raise ValueError(f"it has no {key}: it is cut off, or of a Unity before 2019.4.")
    meta = Meta(lines)
    for name, number, _ in (*name_table(lines), *id_table(lines)):
        note_id(meta, name, number)
    for span in items(lines, block(lines, "sprites", 4), 4):
        sprite = Sprite("", lines[slice(*span)])
        sprite.name = unquote(sprite.value("name"))
        written = sprite.value("internalID")
        note_id(meta, sprite.name, int(written) if re.fullmatch(r"-?[0-9]+", written) else 0)
        meta.sprites.append(sprite)
    names = [sprite.name for sprite in meta.sprites]
    if len(set(names)) < len(names):
        raise ValueError(f"it has two sprites called {max(names, key=names.count)!r}.")
    return meta


def note_id(meta: Meta, name: str, number: int) -> None:
    """Another table's word on a sprite's id; 0 says nothing.

    Raises:
        ValueError: a former table said something else.
    """
    if number and meta.ids.setdefault(name, number) != number:
        raise ValueError(f"its tables disagree about the id of {name}: {meta.ids[name]} and {number}.")


def block(lines: Lines, key: str, indent: int) -> Span | None:
    """The lines of the first mapping entry ``key`` at a depth: its own and all that is indented or listed below."""
    head = " " * indent + key + ":"
    starts = (n for n, line in enumerate(lines) if line == head or line.startswith(head + " "))
    first = next(starts, None)
    if first is None:
        return None
    last = first + 1
    while last < len(lines) and lines[last].startswith((" " * (indent + 1), " " * indent + "- ")):
        last += 1
    return first, last


def items(lines: Lines, span: Span | None, indent: int) -> Iterator[Span]:
    """The entries of a list whose dashes stand at a depth."""
    first, last = span or (0, 0)
    starts = [n for n in range(first + 1, last) if lines[n].startswith(" " * indent + "- ")]
    yield from pairwise([*starts, last])


def name_table(lines: Lines) -> Iterator[tuple[str, int, Span]]:
    """``nameFileIdTable``, which Unity has since 2021.2: name, id, line."""
    first, last = block(lines, "nameFileIdTable", 4) or (0, 0)
    for n in range(first + 1, last):
        if found := re.fullmatch(r" {6}(\S.*): (-?[0-9]+) *", lines[n]):
            yield unquote(found[1]), int(found[2]), (n, n + 1)


def id_table(lines: Lines) -> Iterator[tuple[str, int, Span]]:
    """The sprites of ``internalIDToNameTable``: name, id, lines."""
    pattern = rf"  - first:\n +{SPRITE_CLASS}: (-?[0-9]+) *\n    second: (.*)"
    for span in items(lines, block(lines, "internalIDToNameTable", 2), 2):
        if found := re.fullmatch(pattern, "\n".join(lines[slice(*span)])):
            yield unquote(found[2].strip()), int(found[1]), span


def merge_tables(lines: Lines, ids: dict[str, int], gone: set[str]) -> None:
    """Both tables without what is gone, and with what is new at their ends; other lines stay."""
    spans = [span for table in (id_table, name_table) for name, _, span in table(lines) if name in gone]
    for first, last in sorted(spans, reverse=True):
        del lines[first:last]
    listed = {name for name, _, _ in id_table(lines)}
    rows = [
        ["  - first:", f"      {SPRITE_CLASS}: {number}", f"    second: {quote(name)}"]
        for name, number in ids.items()
        if name not in listed
    ]
    append(lines, "internalIDToNameTable", 2, [line for row in rows for line in row], empty="[]")
    if block(lines, "nameFileIdTable", 4) is None:  # Unity before 2021.2, which has none and passes it over
        _, end = block(lines, "spriteSheet", 2) or (0, 0)
        lines.insert(end, "    nameFileIdTable: {}")
    listed = {name for name, _, _ in name_table(lines)}
    rows = [[f"      {quote(name)}: {number}"] for name, number in ids.items() if name not in listed]
    append(lines, "nameFileIdTable", 4, [line for row in rows for line in row], empty="{}")


def append(lines: Lines, key: str, indent: int, more: Lines, empty: str) -> None:
    """More lines at the end of an entry."""
    first, last = block(lines, key, indent) or (0, 0)
    replace(lines, key, indent, lines[first + 1 : last] + more, empty)


def replace(lines: Lines, key: str, indent: int, body: Lines, empty: str) -> None:
    """Other lines below an entry's key, which has the value ``empty`` where there are none."""
    first, last = block(lines, key, indent) or (0, 0)
    lines[first:last] = [" " * indent + key + (":" if body else f": {empty}"), *body]


def value_of(lines: Lines, key: str, indent: int) -> str:
    first, _ = block(lines, key, indent) or (0, 0)
    return lines[first].partition(":")[2].strip()


def set_scalar(lines: Lines, key: str, indent: int, value: str) -> None:
    """Another value for an entry; of a missing one Unity would take its default, so it is added to the importer."""
    first, last = block(lines, key, indent) or (lines.index("TextureImporter:") + 1,) * 2
    if last > first or indent == 2:
        lines[first:last] = [f"{' ' * indent}{key}: {value}"]


def raise_side(lines: Lines, side: int) -> None:
    """``maxTextureSize`` of the texture and of Unity's default platform, at least ``side`` pixels.

    What other platforms override is somebody's choice.
    """
    spans = [(0, len(lines))]
    for span in items(lines, block(lines, "platformSettings", 2), 2):
        if any(line.strip() == "buildTarget: DefaultTexturePlatform" for line in lines[slice(*span)]):
            spans.append(span)
    for (first, last), indent in zip(spans, (2, 4), strict=False):
        part = lines[first:last]
        value = value_of(part, "maxTextureSize", indent) if block(part, "maxTextureSize", indent) else ""
        if value.isdecimal() and int(value) < side:
            set_scalar(part, "maxTextureSize", indent, str(side))
            lines[first:last] = part


def unquote(text: str) -> str:
    """The string that a YAML scalar stands for."""
    if len(text) >= 2 and text[0] == text[-1] == "'":
        return text[1:-1].replace("''", "'")
    if len(text) >= 2 and text[0] == text[-1] == '"':
        try:
            return str(json.loads(text))
        except ValueError:
            return text[1:-1]
    return text
