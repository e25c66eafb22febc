"""A list behind a filter says where its neighbouring stretches begin, and takes no other cursor than its own."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from payfirst.api.paging import paged, position
from payfirst.api.request import Request
from payfirst.domain.clock import Deadline
from payfirst.domain.errors import InvalidInputError
from payfirst.storage.lists import Position, Slice

PATH = "/api/cart/carts"


def key() -> bytes:
    return b"a key"


def asked(path: str = PATH, **parameters: str) -> Request:
    event = {"rawPath": path, "queryStringParameters": parameters}
    return Request(event, datetime(2026, 3, 2, tzinfo=UTC), Deadline(lambda: 10.0))


def cursor(address: str) -> str:
    return parse_qs(urlsplit(address).query)["cursor"][0]


def answer(*, older: bool, newer: bool = False) -> Any:
    page = Slice((), 9, older, newer, (4713, 4711))
    return paged(asked(status="ACTIVE"), key, "https://shop.example", page, [], is_filtered=True)


def test_the_first_stretch_begins_with_the_newest_entry() -> None:
    assert position(asked(status="ACTIVE"), key) is None


def test_a_stretch_without_a_match_still_leads_to_both_sides() -> None:
    found = answer(older=True, newer=True)
    for address, after, older in ((found["next"], 4711, True), (found["previous"], 4713, False)):
        assert urlsplit(address)._replace(query="").geturl() == f"https://shop.example{PATH}"
        assert parse_qs(urlsplit(address).query)["status"] == ["ACTIVE"]
        assert position(asked(status="ACTIVE", cursor=cursor(address)), key) == Position(after, older)


def test_the_only_stretch_leads_nowhere_and_counts_what_it_shows() -> None:
    assert answer(older=False) == {"count": 0, "next": None, "previous": None, "results": []}


def test_a_cursor_of_another_list_is_refused() -> None:
    with pytest.raises(InvalidInputError):
        position(asked("/api/payments/sessions", cursor=cursor(answer(older=True)["next"])), key)
