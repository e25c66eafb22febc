"""A list behind a filter says where its next stretch begins, and takes no other cursor than its own."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from payfirst.api.paging import before, filtered, paged
from payfirst.api.request import Request
from payfirst.domain.clock import Deadline
from payfirst.domain.errors import InvalidInputError
from payfirst.storage.lists import Slice

PATH = "/api/cart/carts"


def key() -> bytes:
    return b"a key"


def asked(path: str = PATH, **parameters: str) -> Request:
    event = {"rawPath": path, "queryStringParameters": parameters}
    return Request(event, datetime(2026, 3, 2, tzinfo=UTC), Deadline(lambda: 10.0))


def cursor(address: str) -> str:
    return parse_qs(urlsplit(address).query)["cursor"][0]


def answer(more_before: int | None) -> Any:
    return filtered(asked(status="ACTIVE"), key, "https://shop.example", [], more_before)


def test_the_first_stretch_begins_with_the_newest_entry() -> None:
    assert before(asked(status="ACTIVE"), key) is None


def test_a_stretch_without_a_match_still_leads_to_the_next() -> None:
    following = answer(4711)["next"]
    assert urlsplit(following)._replace(query="").geturl() == f"https://shop.example{PATH}/"
    assert parse_qs(urlsplit(following).query)["status"] == ["ACTIVE"]
    assert before(asked(status="ACTIVE", cursor=cursor(following)), key) == 4711


def test_the_last_stretch_leads_nowhere() -> None:
    assert answer(None) == {"count": 0, "next": None, "previous": None, "results": []}


def test_a_cursor_of_another_list_is_refused() -> None:
    with pytest.raises(InvalidInputError):
        before(asked("/api/payments/sessions", cursor=cursor(answer(4711)["next"])), key)


def test_a_cursor_towards_newer_entries_is_refused() -> None:
    page = Slice((), 3, older=False, newer=True)
    previous = paged(asked(cursor="x"), key, "https://shop.example", page, [], [9])["previous"]
    with pytest.raises(InvalidInputError):
        before(asked(cursor=cursor(previous)), key)
