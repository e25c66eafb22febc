"""Orders as items and back."""

from __future__ import annotations

from payfirst.domain.clock import read_instant
from payfirst.domain.money import Currency, Money
from payfirst.domain.order import Order
from payfirst.storage import keys
from payfirst.storage.bookings import timeline
from payfirst.storage.expressions import Item
from payfirst.storage.items import delivery_from_map, line_from_map
from payfirst.storage.table import Table, get


def read(table: Table, sub: str, number: int) -> Order | None:
    """The customer's order of that number; None when there is none."""
    item = get(table, keys.owned(sub, keys.ORDER, number))
    return order_from_item(item) if item else None


def order_from_item(item: Item) -> Order:
    """The order of an item."""
    currency = Currency(item["currency"])
    return Order(
        number=int(item["sk"].split("#")[1]),
        code=item["order_number"],
        session=item["session"],
        status=item["status"],
        payment_status=item["payment_status"],
        amount=Money(int(item["amount"]), currency),
        lines=tuple(line_from_map(line, currency) for line in item["lines"]),
        delivery=delivery_from_map(item["delivery"]),
        items_total=Money(int(item["items_total"]), currency),
        delivery_fee=Money(int(item["delivery_fee"]), currency),
        rounding=Money(int(item["rounding"]), currency),
        created_at=read_instant(item["created_at"]),
        timeline=timeline(item),
        receipt=item.get("receipt"),
    )
