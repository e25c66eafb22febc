"""Compares an answer with the answer that a document prints, field by field.

An answer may add keys but never lack one; a value has exactly the printed JSON type (numbers are compared as JSON
compares them: 150.00 is 150.0, while "150.00" is a string) and exactly the printed value, except where a pattern is
named for it. A pattern is named by its path, `order.order_id` or `cart_snapshot.items[].cart_item_id`, as `integer` or,
when the same thing appears in several exchanges, as `integer as order_id`: the first one seen is remembered, all others
must equal it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, MutableMapping
from datetime import datetime
from typing import Any, Final

_TYPE_NAMES: Final = {dict: "object", list: "array", str: "string", bool: "boolean", int: "number", float: "number"}

LARGEST_INTEGER: Final = 2**53 - 1

TEXTS: Final[Mapping[str, re.Pattern[str]]] = {
    "uuid": re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"),
    "transaction_code": re.compile(r"TXN[0-9A-F]{10}"),
    "merchant_code": re.compile(r"MT[0-9a-f]{13}"),
    "booking_code": re.compile(r"BK-[0-9A-F]{8}"),
    "order_number": re.compile(r"ORD-\d{8}-\d{3,}"),
    "checkout_request_id": re.compile(r"ws_CO_\w+"),
    "url": re.compile(r"https?://[^\s/]+/\S*"),
    "PhonePe's refusal": re.compile(r"PhonePe payment failed: \S.*"),
    "words": re.compile(r"\S.*", re.DOTALL),
}


def is_instant(value: object) -> bool:
    """Whether this is an instant as every answer writes it: `YYYY-MM-DDTHH:MM:SSZ`."""
    if not isinstance(value, str) or not re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", value, re.ASCII):
        return False
    try:
        datetime.strptime(value, "%Y-%m-%dT%H:%M:%S%z")
    except ValueError:
        return False
    return True


def matches(pattern: str, value: object) -> bool:
    """Whether the value fits the named pattern; ValueError when there is no such pattern."""
    match pattern:
        case "integer":
            return isinstance(value, int) and not isinstance(value, bool) and 0 < value <= LARGEST_INTEGER
        case "instant":
            return is_instant(value)
        case "object":
            return isinstance(value, dict) and bool(value)
        case "object or null":
            return value is None or isinstance(value, dict)
        case _:
            pass
    if pattern not in TEXTS:
        raise ValueError(f"there is no pattern {pattern!r}")
    return isinstance(value, str) and TEXTS[pattern].fullmatch(value) is not None


def differences(
    expected: Any,
    actual: Any,
    *,
    patterns: Mapping[str, str] | None = None,
    known: MutableMapping[str, Any] | None = None,
) -> list[str]:
    """One sentence for each place where `actual` is not what the document prints; empty when it is.

    `patterns` maps paths to the names of patterns; `known` holds what earlier exchanges have named and receives what
    this one names. An array whose pattern is `sample` holds at least the printed elements, in any order, among others.
    ValueError when a pattern is named for a path that the expected answer does not have.
    """
    patterns = patterns or {}
    unused = set(patterns) - set(_paths(expected, ""))
    if unused:
        raise ValueError(f"patterns are named for paths that the document does not print: {sorted(unused)}")
    return list(_compare(expected, actual, "", patterns, {} if known is None else known))


def _paths(expected: Any, path: str) -> Iterator[str]:
    yield path
    if isinstance(expected, dict):
        for key, value in expected.items():
            yield from _paths(value, f"{path}.{key}" if path else key)
    elif isinstance(expected, list):
        for value in expected:
            yield from _paths(value, f"{path}[]")


def _compare(
    expected: Any, actual: Any, path: str, patterns: Mapping[str, str], known: MutableMapping[str, Any]
) -> Iterator[str]:
    where = path or "the answer"
    named = patterns.get(path)
    if named == "sample":
        yield from _compare_sample(expected, actual, path, patterns, known)
    elif named is not None:
        yield from _compare_pattern(named, actual, where, known)
    elif json_type(expected) != json_type(actual):
        yield f"{where} is {json_type(actual)} {actual!r}, printed as {json_type(expected)} {expected!r}"
    elif isinstance(expected, dict):
        for key, value in expected.items():
            inner = f"{path}.{key}" if path else key
            if key not in actual:
                yield f"{inner} is missing"
            else:
                yield from _compare(value, actual[key], inner, patterns, known)
    elif isinstance(expected, list):
        if len(expected) != len(actual):
            yield f"{where} has {len(actual)} elements, printed with {len(expected)}"
        for value, found in zip(expected, actual, strict=False):
            yield from _compare(value, found, f"{path}[]", patterns, known)
    elif expected != actual:
        yield f"{where} is {actual!r}, printed as {expected!r}"


def _compare_pattern(named: str, actual: Any, where: str, known: MutableMapping[str, Any]) -> Iterator[str]:
    pattern, _, name = named.partition(" as ")
    if not matches(pattern, actual):
        yield f"{where} is {actual!r}, which is not {pattern}"
    elif name and known.setdefault(name, actual) != actual:
        yield f"{where} is {actual!r}, but {name} was {known[name]!r}"


def _compare_sample(
    expected: Any, actual: Any, path: str, patterns: Mapping[str, str], known: MutableMapping[str, Any]
) -> Iterator[str]:
    if not isinstance(actual, list):
        yield f"{path} is {json_type(actual)} {actual!r}, printed as array"
        return
    for element in expected:
        attempts = []
        for found in actual:
            tried = dict(known)
            attempts.append(list(_compare(element, found, f"{path}[]", patterns, tried)))
            if not attempts[-1]:
                known.update(tried)
                break
        else:
            closest = min(attempts, key=len, default=["it is empty"])
            yield f"{path} lacks the printed element {element!r}; closest: {'; '.join(closest)}"


def shape_differences(shown: Any, given: Any, path: str = "") -> list[str]:
    """One sentence for each place where `given` has other keys or JSON types than `shown`, an example of it.

    Values do not count; null stands for any type, and every element of a list looks like one of those shown.
    """
    where = path or "the answer"
    if shown is None or given is None:
        return []
    if json_type(shown) != json_type(given):
        return [f"{where} is {json_type(given)}, shown as {json_type(shown)}"]
    if isinstance(shown, dict):
        other = sorted(set(shown) ^ set(given))
        named = [f"{where} {'lacks' if key in shown else 'adds'} {key}" for key in other]
        for key in [key for key in shown if key in given]:
            named += shape_differences(shown[key], given[key], f"{path}.{key}" if path else key)
        return named
    if isinstance(shown, list) and shown:
        return [said for each in given for said in min((shape_differences(one, each, f"{path}[]") for one in shown), key=len)]
    return []


def json_type(value: object) -> str:
    """The JSON type of a value: null, boolean, number, string, array or object."""
    return "null" if value is None else _TYPE_NAMES[type(value)]
