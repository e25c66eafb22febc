"""Both flows by the generated Python client: `walk.py API PHONES`, with the customer's token in TOKEN; nothing is printed.

It is copied beside the package `payfirst_client`, which is generated there, and type-checked with it.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import TypeVar

import httpx
from payfirst_client import AuthenticatedClient, Client
from payfirst_client.api.booking_carts import create_cart
from payfirst_client.api.bookings import get_booking
from payfirst_client.api.catalogue import get_config, get_listing
from payfirst_client.api.payments import check_booking, process_cart
from payfirst_client.api.produce_orders import add_item, create_session, get_order, initiate_payment, session_status
from payfirst_client.models import (
    AddItemIn,
    BookingError,
    CreateCartIn,
    CreateCartInServiceType,
    CreateSessionIn,
    DeliveryIn,
    FieldErrors,
    OrderError,
    ProcessCartIn,
    SessionStatus,
)
from payfirst_client.types import UNSET

T = TypeVar("T")
Error = BookingError | FieldErrors | OrderError
LONGEST_S = 90.0


def good(answer: T | Error | None) -> T:
    """The answer that was hoped for; an error says its stable code."""
    if isinstance(answer, Error):
        raise SystemExit(f"refused: {answer.error_code}")
    if answer is None:
        raise SystemExit("an answer that the description does not have")
    return answer


def until(ask: Callable[[], T], done: Callable[[T], bool]) -> T:
    """What `ask` answers once it is `done`."""
    ends = time.monotonic() + LONGEST_S
    while not done(answer := ask()):
        if time.monotonic() > ends:
            raise SystemExit(f"not after {LONGEST_S:.0f} s: {answer}")
        time.sleep(0.3)
    return answer


def pay(phones: str, gateway: str, which: str) -> None:
    """The payer agrees, at the simulator."""
    httpx.post(f"{phones}/control/{gateway}/{which}", json={"outcome": "pay"}, timeout=20).raise_for_status()


def an_order(client: AuthenticatedClient, phones: str, phone: str) -> None:
    """Tomatoes by M-Pesa."""
    assert good(add_item.sync(client=client, body=AddItemIn(123, 2))).total_cost == "300.00"
    to = DeliveryIn("John Doe", phone, 1, 5, "123 Main Street")
    session = good(create_session.sync(client=client, body=CreateSessionIn(to)))
    prompt = good(initiate_payment.sync(session.session_id, client=client)).checkout_request_id
    assert prompt
    pay(phones, "mpesa", prompt)
    ended = until(
        lambda: good(session_status.sync(session.session_id, client=client)),
        lambda told: told.session_status is SessionStatus.ORDER_CREATED,
    )
    assert ended.order is not None
    assert good(get_order.sync(ended.order.order_number, client=client)).order_number == ended.order.order_number


def a_booking(client: AuthenticatedClient, phones: str) -> None:
    """A puja through PhonePe."""
    day = datetime.now(UTC).date() + timedelta(days=30)
    wanted = CreateCartIn(CreateCartInServiceType.PUJA, day, "10:30", puja_service=1, package_id=2)
    cart = good(create_cart.sync(client=client, body=wanted))
    payment = good(process_cart.sync(client=client, body=ProcessCartIn(cart.id)))
    pay(phones, "phonepe", payment.merchant_transaction_id)
    ended = until(lambda: good(check_booking.sync(payment.payment_id, client=client)), lambda told: told.booking_created)
    assert ended.booking not in (None, UNSET)
    book_id = ended.booking.book_id if ended.booking else ""
    assert good(get_booking.sync(book_id, client=client)).book_id == book_id


def main(api: str, phones: str, phone: str) -> None:
    """Walk both flows, and meet an error of each family."""
    anybody = Client(base_url=api)
    assert good(get_config.sync(client=anybody)).currencies == ["INR", "KES"]
    client = AuthenticatedClient(base_url=api, token=os.environ["TOKEN"], timeout=httpx.Timeout(30))
    missing = get_listing.sync(10**9, client=anybody)
    assert isinstance(missing, OrderError)
    assert missing.error_code == "NOT_FOUND"
    refused = process_cart.sync(client=client, body=ProcessCartIn(1))
    assert isinstance(refused, BookingError)
    an_order(client, phones, phone)
    a_booking(client, phones)


if __name__ == "__main__":
    main(*sys.argv[1:4])
