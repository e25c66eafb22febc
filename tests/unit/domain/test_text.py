"""Text as phones and browsers paste it."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from payfirst.domain.text import clean, folded


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("Jane Doe", "Jane Doe"),
        (" Jane\u00a0\u202f Doe\u3000", "Jane Doe"),
        ("Jane\r\n\tDoe\x0b\x0c\x85\u2028\u2029", "Jane Doe"),
        ("\u202aJane\u202c \u2066Doe\u2069\u200e\u200f\u061c", "Jane Doe"),
        ("J\u200ba\u200cn\u200de\u2060\ufeff\u00ad D\u034foe", "Jane Doe"),
        ("Jane \u200b Doe", "Jane Doe"),
        ("Ame\u0301lie", "Am\u00e9lie"),
        ("Ame\u034f\u0301lie", "Am\u00e9lie"),
        ("\u2764\ufe0f", "\u2764"),
        ("\u05e9\u05dc\u05d5\u05dd \u0928\u092e\u0938\u094d", "\u05e9\u05dc\u05d5\u05dd \u0928\u092e\u0938\u094d"),
        *((blank, "") for blank in ("", " ", "\u00a0", "\u3000", "\u2800", "\u3164", "\u115f\u1160", "\uffa0", "\u17b4")),
        *((mark, "") for mark in ("\u200b", "\u200d", "\u2060", "\ufeff", "\u202e", "\u180e", "\U000e0041", "\ufe0f")),
    ],
)
def test_what_nobody_sees_is_taken_away_and_blanks_are_one_space(given: str, kept: str) -> None:
    assert clean(given) == kept


@pytest.mark.parametrize("control", ["\x00", "\x07", "\x1b", "\x1c", "\x7f", "\x9b", "\ud800"])
def test_control_characters_are_refused(control: str) -> None:
    with pytest.raises(ValueError, match="Control characters"):
        clean(f"Ja{control}ne")


@given(st.text())
def test_what_is_folded_once_is_folded(text: str) -> None:
    once = folded(text)
    assert folded(once) == once
    assert unicodedata.is_normalized("NFC", once)
    assert once == once.strip(" ")
    assert len(once) <= 3 * len(text)
