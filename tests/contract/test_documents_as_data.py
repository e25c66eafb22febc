"""The data itself: every exchange can be sent, compared and walked, and the collection is the one that newman runs."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from payfirst.api.routes import methods_of
from tests.contract.compare import differences
from tests.contract.exchanges import DOCUMENTS, Exchange, document

NAMES = ("payment_sessions", "bookings", "postman")
EXCHANGES = [pytest.param(exchange, id=f"{name}: {exchange.name}") for name in NAMES for exchange in document(name).values()]
SAMPLES = {
    "session_id": "0190f3a1-5c1e-7abc-8def-0123456789ab",
    "extended_id": "0190f3a1-5c1e-7abc-8def-0123456789ac",
    "checkout_request_id": "ws_CO_15012024103045123",
    "cart_number": 123,
    "cart_id": 123,
    "payment_id": 456,
    "booking_id": 789,
}


@pytest.mark.parametrize("exchange", EXCHANGES)
def test_every_printed_request_goes_to_a_route(exchange: Exchange) -> None:
    assert exchange.method in methods_of(exchange.path_with(SAMPLES))


@pytest.mark.parametrize("exchange", EXCHANGES)
def test_every_printed_request_can_be_sent_as_json(exchange: Exchange) -> None:
    body = exchange.body_with(SAMPLES)
    assert json.loads(json.dumps(body)) == body
    assert (body is None) == (exchange.method == "GET" or exchange.name == "extend_session")


@pytest.mark.parametrize("exchange", EXCHANGES)
def test_every_pattern_belongs_to_a_printed_path_and_is_one_that_exists(exchange: Exchange) -> None:
    differences(exchange.expected(), exchange.expected(), patterns=exchange.patterns)


@pytest.mark.parametrize("exchange", EXCHANGES)
def test_an_empty_object_is_printed_only_where_the_document_leaves_it_out(exchange: Exchange) -> None:
    left_out = {path for path, value in _values(exchange.answer, "") if value == {}}
    assert left_out == {path for path, pattern in exchange.patterns.items() if pattern.startswith("object")}


def test_the_contract_differs_from_the_documents_in_one_word() -> None:
    decided = [(e.name, dict(e.decided)) for name in NAMES for e in document(name).values() if e.decided]
    assert decided == [("session_status", {"session_status": "order_created"})]


def test_the_collection_sends_what_the_data_says_in_the_same_order() -> None:
    collection = json.loads((DOCUMENTS / "okpuja.postman_collection.json").read_text(encoding="utf-8"))
    sent = [
        (folder["name"], item["name"], item["request"]["method"], _path(item), _body(item))
        for folder in collection["item"]
        for item in folder["item"]
    ]
    known = {"cart_id": 123, "payment_id": 456, "booking_id": 789}
    assert sent == [
        (exchange.stands, exchange.name, exchange.method, exchange.path_with(known), exchange.body_with(known))
        for exchange in document("postman").values()
    ]


def _path(item: dict[str, Any]) -> str:
    raw: str = item["request"]["url"]["raw"]
    return _filled(raw.removeprefix("{{base_url}}"))


def _body(item: dict[str, Any]) -> Any:
    body = item["request"].get("body")
    return None if body is None else json.loads(_filled(body["raw"]))


def _filled(text: str) -> str:
    return text.replace("{{cart_id}}", "123").replace("{{payment_id}}", "456").replace("{{booking_id}}", "789")


def _values(value: Any, path: str) -> Iterator[tuple[str, Any]]:
    yield path, value
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _values(inner, f"{path}.{key}" if path else key)
    elif isinstance(value, list):
        for inner in value:
            yield from _values(inner, f"{path}[]")


def test_a_reference_that_nothing_has_made_stops_the_walk() -> None:
    with pytest.raises(KeyError, match="session_id"):
        document("payment_sessions")["session_status"].path_with({})
    with pytest.raises(KeyError, match="cart_number"):
        document("bookings")["process_payment"].body_with({})


def test_sending_an_exchange_leaves_the_data_as_it_is() -> None:
    exchange = document("bookings")["process_payment"]
    assert exchange.body_with({"cart_number": 9})["cart_id"] == 9
    assert exchange.body["cart_id"] == 123
