"""Reads gettext's `.po` files: pairs of an English sentence and what it is in another language.

The standard library reads their compiled form only, which would be a second file to keep in step with each.
"""

from __future__ import annotations

import json
import re
from typing import Final

_ENTRY: Final = re.compile(r'^msgid ((?:"[^\n]*"\n)+)msgstr ((?:"[^\n]*"(?:\n|\Z))+)', re.MULTILINE)


def read_words(text: str) -> dict[str, str]:
    """What each sentence of a catalogue is called; those without a translation, and the file's own header, are left out."""
    pairs = [(_joined(found[1]), _joined(found[2])) for found in _ENTRY.finditer(text)]
    return {sentence: translated for sentence, translated in pairs if sentence and translated}


def _joined(lines: str) -> str:
    return "".join(json.loads(line) for line in lines.splitlines())  # its escapes are those of JSON
