"""Where writes really race, one payment is one order and the last unit is sold once."""

from __future__ import annotations

from typing import Any, Final

import pytest

from local.embedded_aws import EmbeddedAws
from tests.clients import chosen, table_client
from tests.faults import storms
from tests.faults.book import Book
from tests.faults.world import TOMATOES

NOTICES: Final = 1000
BUYERS: Final = 200
UNITS: Final = 10


@pytest.mark.short_form
def test_a_thousand_identical_notices_make_one_order(table_clients: list[Any], table_name: str) -> None:
    book = Book.of(storms.identical_notices(table_clients[0], table_name, NOTICES).items())
    assert len(book.outcomes) == 1
    assert book.listings[TOMATOES]["sold"] == 2


@pytest.mark.short_form
def test_two_hundred_buyers_of_the_last_ten_make_ten_orders(table_clients: list[Any], table_name: str) -> None:
    world = storms.buyers_of_the_last(table_clients[-1], table_name, BUYERS, UNITS)
    book = Book.of(world.items())
    paid = [payment for payment in world.ledger.payments.values() if payment.state == "paid"]
    assert len(book.outcomes) == UNITS
    assert book.listings[TOMATOES]["available"] == 0
    assert len(paid) == BUYERS
    assert len(book.refunds) == BUYERS - UNITS


@pytest.mark.short_form
def test_four_processes_that_tell_and_sweep_at_once_make_one_order(
    embedded_aws: EmbeddedAws, table_name: str, pytestconfig: pytest.Config
) -> None:
    client = chosen(pytestconfig.getoption("client"))[0]
    world = storms.notices_against_sweeps(lambda: table_client(embedded_aws, client), table_name, 25)
    book = Book.of(world.items())
    assert len(book.outcomes) == 1
    assert book.listings[TOMATOES]["sold"] == 2
