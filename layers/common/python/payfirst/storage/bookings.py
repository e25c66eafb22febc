"""Bookings as items and back."""

from __future__ import annotations

from payfirst.domain.booking import Booking
from payfirst.domain.clock import read_instant
from payfirst.domain.money import Currency, Money
from payfirst.domain.moves import BookingStatus
from payfirst.storage import keys
from payfirst.storage.expressions import Item
from payfirst.storage.items import booking_snapshot
from payfirst.storage.table import Table, get


def read(table: Table, sub: str, number: int) -> Booking | None:
    """The customer's booking of that number; None when there is none."""
    item = get(table, keys.owned(sub, keys.BOOKING, number))
    return booking_from_item(item) if item else None


def booking_from_item(item: Item) -> Booking:
    """The booking of an item."""
    currency, user_id = Currency(item["currency"]), item.get("user_id")
    return Booking(
        number=int(item["sk"].split("#")[1]),
        code=item["book_id"],
        owner=item["pk"].removeprefix("U#"),
        user_id=None if user_id is None else int(user_id),
        email=item.get("email"),
        session_number=int(item["session_number"]),
        status=BookingStatus(item["status"]),
        amount=Money(int(item["amount"]), currency),
        content=booking_snapshot(item["content"], currency),
        version=int(item["version"]),
        created_at=read_instant(item["created_at"]),
        reason=item.get("reason"),
    )
