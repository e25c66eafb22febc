"""A gateway's notice as people of the shop may read it: nothing in it that says who the payer is, or that opens anything.

Only what a gateway declares as harmless is shown; a field that nobody knows is not.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any, Final

from payfirst.gateways.declaration import Readable
from payfirst.gateways.lenient import detail, json_object

LONGEST: Final = 4000
"""Characters of one notice that are shown."""

DEEPEST: Final = 12
MOST_LISTED: Final = 30
_LABELS: Final = ("Name", "Key")
"""Where one of these stands beside a `Value`, it names it."""

_NAME: Final = re.compile(r"(?=.{1,40}\Z)[A-Za-z][A-Za-z_]*[0-9]{0,2}", re.ASCII)
"""A field's name as gateways give them: no token, number or address."""

_FORMS: Final[Mapping[Readable, re.Pattern[str]]] = {
    "amount": re.compile(r"[0-9]{1,8}(\.[0-9]{1,2})?", re.ASCII),
    "time": re.compile(r"[0-9]{13,14}|[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:.]{5,16}(Z|[+-][0-9:]{4,6})?", re.ASCII),
    "code": re.compile(r"[A-Za-z0-9._-]{1,64}", re.ASCII),
}
"""What a value of each kind looks like: an amount has fewer digits than a telephone's number, an instant more."""

_PHONE: Final = re.compile(r"[0-9]{9,12}|(0|254|91)[0-9_.-]{8,18}", re.ASCII)
"""What could be a telephone's number among them."""

_NUMBER: Final = re.compile(r"\+?[0-9 ()._-]{9,20}", re.ASCII)
_HIDDEN: Final = "\N{HORIZONTAL ELLIPSIS}"


def redacted(raw: bytes, shown: Mapping[str, Readable]) -> str:
    """`raw` as indented JSON, at most LONGEST characters of ASCII and ellipses, with the values of the fields `shown` alone,
    each where it has the form of its kind.

    Of a number that could be a telephone's the last three digits stay, of any other value or name its length.
    """
    body = json_object(raw)
    if body is None:
        return f"no JSON object, {len(raw)} bytes"
    text = json.dumps(_mapping(body, shown, DEEPEST), indent=1, default=str).replace(r"\u2026", _HIDDEN)
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}{_HIDDEN}"


def _mapping(body: Mapping[str, Any], shown: Mapping[str, Readable], depth: int) -> dict[str, Any]:
    label = next((body[each] for each in _LABELS if isinstance(body.get(each), str)), None) if "Value" in body else None
    told: dict[str, Any] = {}
    for name, value in list(body.items())[:MOST_LISTED]:
        if label is not None and name in _LABELS and isinstance(value, str):
            told[name] = _name(value)
        else:
            told[_name(name)] = _value(label if label is not None and name == "Value" else name, value, shown, depth)
    return told if len(body) <= MOST_LISTED else {**told, _HIDDEN: f"{len(body) - MOST_LISTED} more"}


def _value(name: str, value: Any, shown: Mapping[str, Readable], depth: int) -> Any:  # noqa: ANN401 - whatever JSON can hold
    if isinstance(value, (dict, list)) and not depth:
        return _HIDDEN
    if isinstance(value, dict):
        return _mapping(value, shown, depth - 1)
    if isinstance(value, list):
        told = [_value(name, each, shown, depth - 1) for each in value[:MOST_LISTED]]
        return told if len(value) <= MOST_LISTED else [*told, f"{_HIDDEN} {len(value) - MOST_LISTED} more"]
    if value is None or isinstance(value, bool):
        return value
    text, kind = str(value), shown.get(name)
    if kind == "words":
        return detail(text)
    if kind is not None and _FORMS[kind].fullmatch(text) and not _PHONE.fullmatch(text):
        return text
    return f"{_HIDDEN}{text[-3:]}" if _NUMBER.fullmatch(text) else _length(text)


def _name(text: str) -> str:
    return text if _NAME.fullmatch(text) else _length(text)


def _length(text: str) -> str:
    return f"{_HIDDEN} ({len(text)} characters)"
