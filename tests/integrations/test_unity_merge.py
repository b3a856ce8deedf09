"""A ``.meta`` that Unity or a person has changed keeps their changes and its ids, and gets the new sprites."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from asset_gen.sheet import Delivery, Sheet
from integrations.unity.merge import merge
from integrations.unity.writer import TARGET, write
from tests.integrations.deliveries import CELL, region

PATH = "imp/imp.png.meta"
PITCH = CELL + 2

BY_UNITY = b"""\
fileFormatVersion: 2
guid: 5f0c9de4b8a14e0d9f6a3f6a5d3c2b1a
TextureImporter:
  internalIDToNameTable: []
  externalObjects: {}
  serializedVersion: 13
  mipmaps:
    mipMapMode: 0
    enableMipMap: 1
  isReadable: 0
  maxTextureSize: 2048
  textureSettings:
    serializedVersion: 2
    filterMode: 1
    aniso: 1
  spriteMode: 0
  alignment: 0
  textureType: 0
  platformSettings:
  - serializedVersion: 4
    buildTarget: Android
    maxTextureSize: 256
    overridden: 1
  - serializedVersion: 4
    buildTarget: DefaultTexturePlatform
    maxTextureSize: 1024
    overridden: 0
  spriteSheet:
    serializedVersion: 2
    sprites: []
    outline: []
    customData:
    spriteID:
    internalID: 0
    secondaryTextures: []
    spriteCustomMetadata:
      entries: []
    nameFileIdTable: {}
  mipmapLimitGroupName:
  userData:
  assetBundleName:
  assetBundleVariant:
"""
"""What Unity 6 writes of a picture that it finds without a ``.meta``, in a 3D project; abridged."""


def wanted(slots: list[int], columns: int = 4, identity: str = "a" * 32, height: int = 0) -> bytes:
    """Our ``.meta`` of a sheet with sprites in these slots."""
    regions = [region("imp", slot, 2 + slot % columns * PITCH, 2 + slot // columns * PITCH) for slot in slots]
    height = height or 2 + (max(slots) // columns + 1) * PITCH
    sheet = Sheet("imp", "Imp", "imp/imp.png", 2 + columns * PITCH, height, (CELL, CELL), columns, tuple(regions))
    return write(Delivery((sheet,), "Assets/Generated", identity))[PATH]


def importer(data: bytes) -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load(data)["TextureImporter"]
    return loaded


def sprites(data: bytes) -> dict[str, dict[str, Any]]:
    """Name → entry; every table must agree with it."""
    loaded = importer(data)
    found: dict[str, dict[str, Any]] = {sprite["name"]: sprite for sprite in loaded["spriteSheet"]["sprites"]}
    assert len(found) == len(loaded["spriteSheet"]["sprites"])
    numbers = {name: sprite["internalID"] for name, sprite in found.items()}
    assert {row["second"]: row["first"][213] for row in loaded["internalIDToNameTable"]} == numbers
    assert loaded["spriteSheet"]["nameFileIdTable"] == numbers
    assert len(set(numbers.values())) == len(numbers)
    return found


def edit(data: bytes, pattern: str, replacement: str, count: int = 1) -> bytes:
    """The text with ``count`` (0: any number of) replacements."""
    text, done = re.subn(pattern, replacement, data.decode(), count=count, flags=re.MULTILINE | re.DOTALL)
    assert done >= max(1, count), pattern
    return text.encode()


def test_our_own_file_stays_byte_for_byte() -> None:
    assert merge(PATH, wanted([0, 1, 5]), wanted([0, 1, 5])) == wanted([0, 1, 5])
    assert TARGET.merge is merge and TARGET.merged == (".meta",)


def test_a_file_of_ours_becomes_the_next_one_of_ours() -> None:
    assert merge(PATH, wanted([0, 1]), wanted([0, 1, 2, 3, 9])) == wanted([0, 1, 2, 3, 9])
    assert merge(PATH, wanted([0, 1, 2, 3, 9]), wanted([0, 1])) == wanted([0, 1])


def test_what_a_person_has_set_stays() -> None:
    held = edit(wanted([0, 1]), "filterMode: 0", "filterMode: 2")
    held = edit(held, "spritePixelsToUnits: 8", "spritePixelsToUnits: 100")
    held = edit(
        held, r"(name: imp_000001.*?)alignment: 0(.*?)pivot: \{[^}]*\}", r"\1alignment: 7\2pivot: {x: 0.5, y: 0}"
    )
    held = edit(held, r"userData: ", "userData: mine")
    held = edit(held, r"- assetgen\n- imp\n", "- monsters\n")
    merged = merge(PATH, held, wanted([0, 1, 4]))
    text = merged.decode()
    assert "filterMode: 2" in text and "spritePixelsToUnits: 100" in text and "userData: mine" in text
    assert "labels:\n- monsters\nTextureImporter:" in text
    assert sprites(merged)["imp_000001"]["pivot"] == {"x": 0.5, "y": 0}
    assert list(sprites(merged)) == ["imp_000000", "imp_000001", "imp_000004"]


def test_ids_that_are_not_ours_are_kept() -> None:
    """As of a sheet that Unity's Sprite Editor has cut, or that came from another project."""
    held = wanted([0, 1], identity="b" * 32)
    merged = merge(PATH, held, wanted([0, 1, 2]))
    before, after, derived = sprites(held), sprites(merged), sprites(wanted([0, 1, 2]))
    for name in before:
        assert after[name]["internalID"] == before[name]["internalID"]
        assert after[name]["spriteID"] == before[name]["spriteID"]
    assert after["imp_000002"] == derived["imp_000002"]
    assert merged.splitlines()[1] == held.splitlines()[1], "the guid"


def test_a_sprite_that_only_a_table_remembers_gets_its_id_back() -> None:
    """Unity's tables keep the names of sprites that a person has deleted, so that references find them again."""
    held = wanted([0, 1], identity="b" * 32)
    remembered = sprites(held)["imp_000001"]["internalID"]
    held = edit(held, r"    - serializedVersion: 2\n      name: imp_000001.*?(?=^    outline)", "")
    assert sprites(merge(PATH, held, wanted([0, 1])))["imp_000001"]["internalID"] == remembered


def test_a_file_that_unity_made_by_itself_gets_all() -> None:
    merged = merge(PATH, BY_UNITY, wanted([0, 1, 2]))
    loaded = importer(merged)
    assert sprites(merged) == sprites(wanted([0, 1, 2]))
    assert (loaded["spriteMode"], loaded["textureType"], loaded["textureSettings"]["filterMode"]) == (2, 8, 0)
    assert loaded["serializedVersion"] == 13
    assert loaded["spriteSheet"]["spriteCustomMetadata"] == {"entries": []}
    assert merged.splitlines()[1] == BY_UNITY.splitlines()[1]


def test_no_sheet_is_shrunk_and_what_a_platform_overrides_is_left() -> None:
    loaded = importer(merge(PATH, BY_UNITY, wanted([0], height=3000)))
    sides = {row["buildTarget"]: row["maxTextureSize"] for row in loaded["platformSettings"]}
    assert loaded["maxTextureSize"] == 4096
    assert sides == {"Android": 256, "DefaultTexturePlatform": 4096}
    larger = edit(wanted([0]), "maxTextureSize: 2048", "maxTextureSize: 8192", count=2)
    assert merge(PATH, larger, wanted([0])) == larger


def test_a_sprite_that_a_person_cut_stays() -> None:
    """Its name doesn't have the form of ours."""
    held = merge(PATH, wanted([0], identity="c" * 32), wanted([0]))
    held = held.replace(b"imp_000000", b"the whole: 'sheet'").replace(
        b": the whole: 'sheet'", b": \"the whole: 'sheet'\""
    )
    held = edit(held, r"^      the whole: 'sheet':", "      \"the whole: 'sheet'\":")
    merged = merge(PATH, held, wanted([0, 1]))
    assert list(sprites(merged)) == ["the whole: 'sheet'", "imp_000000", "imp_000001"]
    assert sprites(merged)["the whole: 'sheet'"] == sprites(held)["the whole: 'sheet'"]


def test_the_pivot_of_a_trimmed_sprite_follows_its_picture() -> None:
    trimmed = region("imp", 0, 2, 2, width=5, height=6, offset=(1, 2), source=(CELL, CELL))
    sheet = Sheet("imp", "Imp", "imp/imp.png", 42, 12, (CELL, CELL), 4, (trimmed,))
    want = write(Delivery((sheet,), "Assets/Generated", "a" * 32))[PATH]
    assert merge(PATH, wanted([0]), want) == want


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda text: text.replace("guid: ", "GUID "), "no guid"),
        (lambda text: text[: len(text) // 4], "no spriteSheet"),
        (lambda text: text.replace("TextureImporter:", "AudioImporter:"), "of AudioImporter"),
        (lambda text: text.replace("TextureImporter:", "Importers:"), "of no importer"),
        (lambda text: text.replace("  spriteMode: 2", "<<<<<<< HEAD\n  spriteMode: 2"), "merge conflict"),
        (
            lambda text: re.sub(r"^      imp_000001: -?\d+", "      imp_000001: 7", text, flags=re.M),
            "disagree.*imp_000001",
        ),
        (lambda text: text.replace("name: imp_000001", "name: imp_000000"), "disagree|two sprites called"),
        (lambda text: text.replace("internalIDToNameTable:", "fileIDToRecycleName:"), "before 2019.4"),
    ],
)
def test_a_file_that_cannot_be_understood_is_refused_with_the_reason(change: Any, told: str) -> None:
    with pytest.raises(ValueError, match=told):
        merge(PATH, change(wanted([0, 1]).decode()).encode(), wanted([0, 1, 2]))


def test_text_that_is_not_utf_8_is_refused() -> None:
    with pytest.raises(ValueError, match="UTF-8"):
        merge(PATH, b"\xff\xfe" + BY_UNITY, wanted([0]))


def test_an_id_that_belongs_to_somebody_elses_sprite_is_refused() -> None:
    taken = str(sprites(wanted([0, 1]))["imp_000001"]["internalID"])
    held = wanted([0]).decode().replace(str(sprites(wanted([0]))["imp_000000"]["internalID"]), taken)
    held = held.replace("imp_000000", "my own")
    with pytest.raises(ValueError, match=f"id of imp_000001, {taken}, belongs to my own"):
        merge(PATH, held.encode(), wanted([0, 1]))


slots = st.lists(st.integers(0, 30), min_size=1, max_size=12, unique=True).map(sorted)


@st.composite
def edited(draw: st.DrawFn) -> tuple[bytes, Mapping[str, Any]]:
    """A ``.meta`` after Unity and a person had it: the file, and what must be found in it later."""
    old = draw(slots)
    text = wanted(old, identity=draw(st.sampled_from(["a" * 32, "b" * 32]))).decode()
    marks: dict[str, Any] = {}
    for key in draw(st.sets(st.sampled_from(["filterMode", "spriteExtrude", "aniso", "spritePixelsToUnits"]))):
        marks[key] = draw(st.integers(3, 99))
        text = re.sub(rf"(\n *{key}): \d+", rf"\1: {marks[key]}", text)
    marks["userData"] = draw(st.text("abc {}", max_size=9)).strip()
    text = text.replace("  userData: ", f"  userData: '{marks['userData']}'")
    if draw(st.booleans()):
        text = text.replace("  spriteSheet:", "  somethingNew:\n    list:\n    - a: 1\n      b: []\n  spriteSheet:")
    if draw(st.booleans()):  # Unity before 2021.2
        text = re.sub(r"    nameFileIdTable:\n(      .*\n)+", "", text)
    if draw(st.booleans()):  # a person's own sprite, instead of one of ours
        name = f"imp_{old[0]:06d}"
        text = text.replace(str(importer(text.encode())["spriteSheet"]["sprites"][0]["internalID"]), "-2147483648")
        text = text.replace(name, "face")
        marks["face"] = True
    return (text.replace("\n", "\r\n") if draw(st.booleans()) else text).encode(), marks


@settings(max_examples=50)  # PyYAML takes its time
@given(edited(), slots)
def test_whatever_was_edited_the_sprites_are_the_wanted_ones_and_the_rest_stays(
    file: tuple[bytes, Mapping[str, Any]], new: list[int]
) -> None:
    held, marks = file
    want = wanted(new)
    merged = merge(PATH, held, want)
    before = {sprite["name"]: sprite for sprite in importer(held)["spriteSheet"]["sprites"]}
    after, aim = sprites(merged), sprites(want)
    assert set(after) == set(aim) | ({"face"} if "face" in marks else set())
    for name, sprite in aim.items():
        assert after[name]["rect"] == sprite["rect"]
        kept = before.get(name, sprite)
        assert (after[name]["internalID"], after[name]["spriteID"]) == (kept["internalID"], kept["spriteID"])
    old, now = importer(held), importer(merged)
    for loaded in (old, now):
        del loaded["internalIDToNameTable"], loaded["spriteSheet"]["sprites"]
        loaded["spriteSheet"].pop("nameFileIdTable", None)
    if not any(name.startswith("imp_") for name in before):  # adopted: see BY_UNITY
        old["textureSettings"]["filterMode"] = 0
    assert now == old
    assert (b"\r\n" in merged) == (b"\r\n" in held) and merged.count(b"\r\n") in (0, merged.count(b"\n"))
    assert merged.splitlines()[1] == held.splitlines()[1]
    assert merge(PATH, merged, want) == merged, "once is enough"


@settings(max_examples=25)
@given(slots, slots)
def test_what_goes_and_comes_back_has_its_id_again(fewer: list[int], more: list[int]) -> None:
    held = wanted(more)
    assert sprites(merge(PATH, merge(PATH, held, wanted(fewer)), held)) == sprites(held)


@given(st.binary(max_size=200) | st.text(max_size=200).map(str.encode), st.integers(0, 100))
def test_garbage_and_a_file_that_was_cut_off_are_refused(garbage: bytes, length: int) -> None:
    want = wanted([0, 1])
    whole = want.index(b"  assetBundleVariant")  # the last line
    for damaged in (garbage, want[: length * whole // 100]):
        with pytest.raises(ValueError):
            merge(PATH, damaged, want)
