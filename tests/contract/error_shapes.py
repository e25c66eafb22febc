"""The shapes in which each family of routes answers an error."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import requests

from payfirst.api.routes import Family

NOTICE_KEYS: Final = {"status", "message", "ResultCode", "ResultDesc"}
ADDED: Final = {"error_code"}


def shape_problem(family: Family, response: requests.Response) -> str | None:
    """What is wrong with the shape of an error answer, or None when it is the family's own."""
    kind = response.headers.get("Content-Type", "")
    if not kind.startswith("application/json"):
        return f"the answer is {kind or 'of no type'}"
    try:
        answer = response.json()
    except requests.JSONDecodeError:
        return "the answer is not JSON"
    if not isinstance(answer, dict):
        return "the answer is not an object"
    match family:
        case Family.ORDERS:
            return _orders_problem(answer)
        case Family.NOTICE:
            if not response.ok:
                return _orders_problem(answer)
            return None if set(answer) >= NOTICE_KEYS else f"{NOTICE_KEYS - set(answer)} are missing"
        case Family.PAYMENTS | Family.BOOKINGS:
            return _bookings_problem(answer, details=family is Family.PAYMENTS)


def _orders_problem(answer: Mapping[str, Any]) -> str | None:
    if answer.get("status") != "error":
        return "status is not error"
    if not _is_text(answer.get("message")) or not _is_text(answer.get("error_code")):
        return "message or error_code is no text"
    return None


def _bookings_problem(answer: Mapping[str, Any], *, details: bool) -> str | None:
    if "error" in answer:
        if not _is_text(answer["error"]):
            return "error is no text"
        if details and not _is_text(answer.get("details")):
            return "details is no text"
        return None
    fields = {key: value for key, value in answer.items() if key not in ADDED}
    if not fields:
        return "neither an error nor a field is named"
    for key, value in fields.items():
        if not isinstance(value, list) or not value or not all(_is_text(each) for each in value):
            return f"{key} has no list of messages"
    return None


def _is_text(value: object) -> bool:
    return isinstance(value, str) and bool(value.strip())
