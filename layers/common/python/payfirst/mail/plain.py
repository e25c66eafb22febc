"""Customers' own words, made harmless before a message carries them: nobody uses the shop's mail for their own."""

from __future__ import annotations

import re
import unicodedata
from typing import Final

LONGEST_NAME: Final = 40
LONGEST_TEXT: Final = 300
_IN_NAMES: Final = frozenset(" '\u2019-.")
_JOINERS: Final = frozenset("\u200c\u200d")
"""They shape letters of India's scripts and stand between them."""

_SCHEME: Final = re.compile(r"(?i)\b([a-z][a-z0-9+-]*):(?=/)")
_DOMAIN: Final = re.compile(r"(?<=\w)([.\u3002\uff0e\uff61])(?=[^\W\d_])")
_DOTTED: Final = re.compile(r"[^\W\d_]\.(?:[^\W\d_]\.)*[^\W\d_]?")
"""Initials, `J.R.`: the only dots inside a word of a name, since programs for mail make a link of any other."""


def plain_name(text: str | None) -> str | None:
    """`text` as an e-mail may greet somebody by it; None for what is no short and plain name.

    Letters with their marks, blanks, apostrophes, hyphens and dots, 40 characters at most, nothing that could become a link.
    """
    name = unicodedata.normalize("NFC", (text or "").strip(" "))
    if not 1 <= len(name) <= LONGEST_NAME or not any(char.isalpha() for char in name):
        return None
    for before, char in zip(" " + name, name, strict=False):
        if char in _JOINERS and unicodedata.category(before)[0] in "LM":
            continue
        if char not in _IN_NAMES and unicodedata.category(char)[0] not in "LM":
            return None
    dotted = [word for word in name.split(" ") if "." in word.rstrip(".")]
    return name if all(_DOTTED.fullmatch(word) for word in dotted) else None


def harmless(text: str) -> str:
    """`text` in one line of 300 characters at most, without controls and marks of direction, and with nothing to click on."""
    seen = "".join(" " if char.isspace() else char for char in text if char.isspace() or unicodedata.category(char)[0] != "C")
    line = " ".join(seen.split())
    line = _DOMAIN.sub(r"\1 ", _SCHEME.sub(r"\1 :", line)).replace("://", ": //")
    return line if len(line) <= LONGEST_TEXT else line[: LONGEST_TEXT - 1].rstrip() + "…"
