"""A list of everybody's bookings or orders fits into one answer, however long one customer's words are."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import date

import pytest

from ops.api_reference import samples
from payfirst.api.wire.operators_bookings import BookingsOut
from payfirst.api.wire.operators_orders import OrdersOut
from payfirst.usecases.operators.appointments import DayPage
from payfirst.usecases.operators.deliveries import OrdersPage

DAY = date(2026, 12, 29)
LAMBDA_ANSWERS = 6 * 1024 * 1024
LONG = "\N{PILE OF POO}" * 500
PARTS: Mapping[str, str] = {f"k{number}": LONG for number in range(20)}


def bookings(count: int, address: Mapping[str, str]) -> DayPage:
    content = replace(samples.BOOKING.content, address=address)
    found = (replace(samples.BOOKING, code=f"BK-{number:08d}", content=content) for number in range(count))
    return DayPage(DAY, tuple(found), "the next day's")


def test_long_addresses_make_a_short_page_behind_which_the_next_begins() -> None:
    page = bookings(200, PARTS)

    shown = BookingsOut.of(page)

    assert len(json.dumps(shown.model_dump_json())) < LAMBDA_ANSWERS
    assert 0 < len(shown.bookings) < 200
    assert shown.next is not None
    assert shown.next.endswith(shown.bookings[-1].book_id)


def test_usual_addresses_are_one_page() -> None:
    shown = BookingsOut.of(bookings(200, {"street": "1 Temple Road"}))
    assert (len(shown.bookings), shown.next) == (200, "the next day's")


@pytest.mark.parametrize(("instructions", "whole"), [("Ring twice", True), (LONG * 20, False)])
def test_a_page_of_orders_ends_likewise(instructions: str, *, whole: bool) -> None:
    delivery = replace(samples.ORDER.delivery, special_instructions=instructions)
    found = tuple(replace(samples.ORDER, code=f"ORD-20261229-{number:03d}", delivery=delivery) for number in range(200))

    shown = OrdersOut.of(DAY, DAY, OrdersPage(found, {}, None))

    assert len(json.dumps(shown.model_dump_json())) < LAMBDA_ANSWERS
    assert (len(shown.orders) == 200) is whole
    assert shown.next == (None if whole else shown.orders[-1].order_number)
