"""What is a type called in a path?

A type's label is whatever its artist wrote; its slug is the part of a path that every file system and engine takes:
``[a-z0-9_]{1,64}``. Labels that can't be mapped without guessing are refused with the cure.
"""

from __future__ import annotations

import difflib
import re
import unicodedata
from collections.abc import Iterable

from asset_gen.errors import SpriteError

MAX_LENGTH = 64
SLUG = re.compile(r"[a-z0-9_]{1,64}")
_RESERVED = {"con", "prn", "aux", "nul", *(f"{port}{n}" for port in ("com", "lpt") for n in range(1, 10))}


def type_slug(label: str, where: str) -> str:
    """The slug of a type's label; ``where`` names the file or folder the label was found in.

    Accents are dropped, other scripts become code points (``u706b``), blanks and hyphens become ``_``.

    Raises:
        SpriteError: the label is empty, longer than 64 characters, reserved by Windows, or holds a separator, a dot
            in front, or a symbol such as an emoji.
    """
    label = unicodedata.normalize("NFC", label).strip()
    cure = f"Rename it in {where}: letters, digits, blanks, '-' and '_', at most {MAX_LENGTH} characters."
    if not label:
        raise SpriteError(f"{where}: a type has no name. {cure}")
    if len(label) > MAX_LENGTH:
        raise SpriteError(f"{where}: the type name {label[:20]!r}… has {len(label)} characters. {cure}")
    if label.casefold().split(".")[0] in _RESERVED:
        raise SpriteError(f"{where}: the type name {label!r} is reserved by Windows. {cure}")
    slug = ""
    for character in unicodedata.normalize("NFKD", label.casefold()):
        kind = unicodedata.category(character)
        if character.isascii() and character.isalnum():
            slug += character
        elif character in " -_":
            slug += "_"
        elif kind[0] in "LN":
            slug += f"u{ord(character):x}"
        elif kind != "Mn":
            raise SpriteError(f"{where}: the type name {label!r} holds {character!r}. {cure}")
    if slug in _RESERVED:  # as COM¹ and fullwidth ＣＯＮ become
        raise SpriteError(f"{where}: the type name {label!r} makes {slug!r}, which is reserved by Windows. {cure}")
    if not SLUG.fullmatch(slug):
        raise SpriteError(f"{where}: the type name {label!r} makes no file name ({slug!r}). {cure}")
    return slug


def slugs_of(labels: Iterable[str], where: str) -> dict[str, str]:
    """Slug of every label, refusing two labels that would share a folder (``Fire`` and ``fire``)."""
    slugs: dict[str, str] = {}
    owner: dict[str, str] = {}
    for label in labels:
        slug = type_slug(label, where)
        other = owner.setdefault(slug, label)
        if other != label:
            raise SpriteError(
                f"{where}: the types {other!r} and {label!r} would share the folder {slug!r}. "
                f"Rename one, or join them with --merge '{label}={other}'."
            )
        slugs[label] = slug
    return slugs


def nearest(word: str, known: Iterable[str]) -> str:
    """`` Did you mean 'dragon'?``, or nothing where no known word is close."""
    close = difflib.get_close_matches(word, list(known), n=1)
    return f" Did you mean {close[0]!r}?" if close else ""
