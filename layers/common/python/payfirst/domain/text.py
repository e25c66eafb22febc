"""Text as people paste it, brought into the one form that is checked, counted and stored."""

from __future__ import annotations

import re
from typing import Final
from unicodedata import normalize

_INVISIBLE: Final = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff"
    "\uffa0\ufff0-\ufffb\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff]"
)
"""Unicode's Default_Ignorable_Code_Point (marks without width or with a direction, fillers), and annotations' anchors."""

_BLANKS: Final = re.compile("[\t-\r \x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u2800\u3000]+")
_CONTROLS: Final = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff]")
"""Also halves of characters, which no UTF-8 can hold."""


def folded(text: str) -> str:
    """`text` in NFC without marks that nobody sees; each run of blanks (line breaks too) is one space, none at an end."""
    return _BLANKS.sub(" ", normalize("NFC", _INVISIBLE.sub("", text))).strip(" ")


def clean(text: str) -> str:
    """`text`, folded; ValueError if control characters are left in it."""
    found = folded(text)
    if _CONTROLS.search(found):
        raise ValueError("Control characters are not allowed.")
    return found
