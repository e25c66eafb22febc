"""A customer who signed up with a phone number alone buys in both shops; letters are left out, and nothing waits for them."""

from __future__ import annotations

from typing import Any, Final
from uuid import uuid4

from payfirst.storage.dynamodb import keys
from tests.conftest import RunningStack
from tests.contract.possessions import possessions_of
from tests.contract.stack_table import content, raw_items, table_of
from tests.contract.walk import Customer, wait_until

UNKNOWN: Final = {"email": None, "email_verified": None, "custom:user_id": None}
"""Claims that the token of somebody who signed up with a phone does not have."""

TWO_SWEEPS_S: Final = 200.0
"""One sweep tells an event, the next one sees to its letter; deployed, they run once a minute."""


def test_a_customer_with_a_phone_alone_pays_in_both_shops_and_sees_what_was_bought(stack: RunningStack) -> None:
    sub = str(uuid4())
    claims: dict[str, Any] = {**UNKNOWN, "phone_number": "+254712345678", "phone_number_verified": True}
    customer = Customer(stack.base_url, stack.token(sub=sub, **claims))
    bought = possessions_of(customer, stack)

    [booking] = customer.get("/api/booking/bookings")["results"]
    assert (booking["id"], booking["user"]) == (bought.booking_id[0], {"id": sub, "email": None})
    [order] = customer.get("/api/orders")["results"]
    assert order["order_id"] == bought.order_id[0]
    assert bought.session_id[0] in {each["session_id"] for each in customer.get("/api/payments/sessions")["results"]}

    def events() -> list[dict[str, Any]]:
        found = [content(item) for item in raw_items(table_of(stack), keys.owner(sub))]
        return [item for item in found if item["sk"].startswith("E#")]

    def all_told(found: list[dict[str, Any]]) -> bool:
        return bool(found) and not any("due_pk" in item for item in found)

    told = {item["event"]: item.get("mail") for item in wait_until(events, all_told, seconds=TWO_SWEEPS_S)}
    assert {event: word for event, word in told.items() if word} == {
        "booking.created": "no_address",
        "order.created": "no_address",
    }
