"""A gateway's notice as people of the shop may read it: nothing in it that says who the payer is, or that opens anything.

Only what a gateway declares as harmless is shown; a field that nobody knows is not.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Mapping
from typing import Any, Final

from payfirst.gateways.lenient import detail, json_object

LONGEST: Final = 4000
"""Characters of one notice that are shown."""

DEEPEST: Final = 12
MOST_LISTED: Final = 30
_NAMES: Final = ("Name", "Key")
"""Where a list holds pairs, these name the value beside them."""

_LONGEST_NAME: Final = 60
_WORD: Final = re.compile(r"[A-Za-z0-9._-]{1,64}", re.ASCII)
_NUMBER: Final = re.compile(r"\+?[0-9 ()-]{9,20}", re.ASCII)
_HIDDEN: Final = "\N{HORIZONTAL ELLIPSIS}"


def redacted(raw: bytes, shown: Collection[str]) -> str:
    """`raw` as indented JSON, at most LONGEST characters of ASCII and ellipses, with the values of the fields `shown` alone.

    Of a number that could be a telephone's the last three digits stay, of any other value its length.
    """
    body = json_object(raw)
    if body is None:
        return f"no JSON object, {len(raw)} bytes"
    text = json.dumps(_mapping(body, frozenset(shown), DEEPEST), indent=1, default=str).replace(r"\u2026", _HIDDEN)
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}{_HIDDEN}"


def _mapping(body: Mapping[str, Any], shown: frozenset[str], depth: int) -> dict[str, Any]:
    named = next((str(body[name]) for name in _NAMES if isinstance(body.get(name), str)), "")
    told: dict[str, Any] = {}
    for name, value in list(body.items())[:MOST_LISTED]:
        known = name if not named or name != "Value" else named
        told[_name(name)] = _name(value) if name in _NAMES and isinstance(value, str) else _value(known, value, shown, depth)
    return told if len(body) <= MOST_LISTED else {**told, _HIDDEN: f"{len(body) - MOST_LISTED} more"}


def _value(name: str, value: Any, shown: frozenset[str], depth: int) -> Any:  # noqa: ANN401 - whatever JSON can hold
    if isinstance(value, (dict, list)) and not depth:
        return _HIDDEN
    if isinstance(value, dict):
        return _mapping(value, shown, depth - 1)
    if isinstance(value, list):
        told = [_value(name, each, shown, depth - 1) for each in value[:MOST_LISTED]]
        return told if len(value) <= MOST_LISTED else [*told, f"{_HIDDEN} {len(value) - MOST_LISTED} more"]
    if value is None or isinstance(value, bool):
        return value
    text = str(value)
    if name in shown:
        return text if _WORD.fullmatch(text) else detail(text)
    return f"{_HIDDEN}{text[-3:]}" if _NUMBER.fullmatch(text) else f"{_HIDDEN} ({len(text)} characters)"


def _name(text: str) -> str:
    return detail(text)[:_LONGEST_NAME]
