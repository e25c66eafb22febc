"""The bookings of a day, found by an entry beside each of them that moves with it.

The entry only says where the booking lies: status and content are read from the booking itself.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Final

from payfirst.domain.booking import Booking
from payfirst.storage.bookings import booking_from_item
from payfirst.storage.dynamodb import keys, shop_keys
from payfirst.storage.dynamodb.table import Table, batch_get, query

AT_ONCE: Final = 100
_FIRST: Final = "!"
_LAST: Final = "~"


def place_of(booking: Booking) -> str:
    """Where `booking` stands among those of its day; `of_day` goes on behind it."""
    return keys.sort_key(shop_keys.appointment(*booking.slot, booking.code))


def of_day(table: Table, day: date, *, after: str = "") -> Iterator[Booking]:
    """The bookings of `day`, by their time, those behind the place `after`; two requests for each hundred of them."""
    partition, first = shop_keys.appointments(day), f"{after}{_FIRST}"
    while True:
        page = query(table, partition, first=first, last=_LAST, limit=AT_ONCE, newest_first=False)
        found = batch_get(table, [keys.owned(entry["owner"], keys.BOOKING, int(entry["number"])) for entry in page.items])
        for entry, item in zip(page.items, found, strict=True):
            booking = booking_from_item(item) if item else None
            if booking is not None and booking.content.day == day and place_of(booking) == keys.sort_key(entry):
                yield booking  # one that has moved since the entry was read stands elsewhere
        if not page.more:
            return
        first = f"{keys.sort_key(page.items[-1])}{_FIRST}"
