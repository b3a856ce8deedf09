"""A type's label becomes a name that every file system takes, or is refused with the cure."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asset_gen.errors import SpriteError
from asset_gen.names import SLUG, nearest, slugs_of, type_slug


@pytest.mark.parametrize(
    ("label", "slug"),
    [
        ("dragon", "dragon"),
        ("Fire Dragon", "fire_dragon"),
        ("health-potion_2", "health_potion_2"),
        ("Élan", "elan"),
        ("Đá", "u111a"),  # đ is a letter of its own, á an accented a
        ("火", "u706b"),
        ("  imp  ", "imp"),
        ("STRASSE", "strasse"),
        ("Straße", "strasse"),
        ("x" * 64, "x" * 64),
    ],
)
def test_labels_become_slugs(label: str, slug: str) -> None:
    assert type_slug(label, "sprites") == slug


@pytest.mark.parametrize(
    "label",
    ["", "   ", "../x", "a/b", "a\\b", ".hidden", "CON", "nul.png", "com1", "😀", "a:b", "x" * 65, "tab\there", "\x00"],
)
def test_labels_that_make_no_file_name_are_refused_with_the_cure(label: str) -> None:
    with pytest.raises(SpriteError, match=r"sprites: .*Rename it in sprites"):
        type_slug(label, "sprites")


@given(st.text(max_size=80))
def test_a_slug_is_always_safe_whatever_the_label(label: str) -> None:
    try:
        slug = type_slug(label, "sprites")
    except SpriteError as error:
        assert "Rename it in sprites" in str(error)
    else:
        assert SLUG.fullmatch(slug)
        assert type_slug(slug, "sprites") == slug  # a slug is its own slug


def test_both_ways_of_writing_an_accent_are_one_type() -> None:
    assert type_slug("e\N{COMBINING ACUTE ACCENT}lan", "sprites") == type_slug("élan", "sprites")


def test_two_labels_that_would_share_a_folder_are_refused() -> None:
    assert slugs_of(["Fire", "Ice", "Fire"], "sprites") == {"Fire": "fire", "Ice": "ice"}
    with pytest.raises(SpriteError, match="'Fire' and 'fire' would share the folder 'fire'"):
        slugs_of(["Fire", "fire"], "sprites")


def test_a_near_miss_is_suggested_and_nonsense_is_not() -> None:
    assert nearest("dragn", ["dragon", "potion"]) == " Did you mean 'dragon'?"
    assert nearest("xyz", ["dragon", "potion"]) == ""
