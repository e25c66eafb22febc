"""`payfirst export`: orders, bookings, payments and refunds of some days as CSV, for a spreadsheet or an accountant."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import date, datetime, timedelta
from typing import Annotated, Final
from zoneinfo import ZoneInfo

import typer

from ops import words
from ops.deployed import Home, StackName
from ops.operate import table_in
from ops.orders import content, every_order
from ops.printing import hand_over_rows
from ops.running import HOME
from ops.sentences import in_one_sentence
from payfirst.domain.booking import Booking
from payfirst.domain.clock import SHOP_ZONE, utc_now
from payfirst.domain.order import Order
from payfirst.domain.refund import GATEWAY
from payfirst.domain.session import Session
from payfirst.storage.dynamodb.table import Table
from payfirst.usecases.operators import appointments, totals

export_app: Final = typer.Typer(name="export", help="Write what happened on some days as CSV.", no_args_is_help=True)

MOST_DAYS: Final = 366
PAGE: Final = 100
First = Annotated[str, words.option("--from", help="The first day, YYYY-MM-DD.")]
Last = Annotated[str, words.option("--to", help="The last day, YYYY-MM-DD.", show_default="the first")]

ORDER_COLUMNS: Final = (
    *("order", "made", "status", "payment_status", "currency", "items_total", "discount", "delivery_fee", "rounding", "total"),
    *("promo_code", "receipt", "name", "phone_number", "what"),
)
BOOKING_COLUMNS: Final = (
    *("booking", "made", "status", "currency", "price", "discount", "total", "cancellation_refund", "promo_code", "receipt"),
    *("service", "package", "day", "time", "zone", "name", "phone_number"),
)
PAYMENT_COLUMNS: Final = (
    *("payment", "transaction", "received", "gateway", "receipt", "currency", "amount", "order_or_booking"),
)
REFUND_COLUMNS: Final = (
    *("refund", "went_back", "gateway", "currency", "amount", "by", "reason", "payment", "order_or_booking"),
)


@export_app.command("orders")
def orders_command(since: First, until: Last = "", stack_name: StackName = None, home: Home = HOME) -> None:
    """Export the orders of some days in Nairobi.

    One line each, oldest first, on standard output: by the days on which they were paid, in whole units, and without taxes,
    which the shop's accountant knows.
    """
    with in_one_sentence():
        _export(since, until, ORDER_COLUMNS, table_in(home, stack_name), _orders)


@export_app.command("bookings")
def bookings_command(since: First, until: Last = "", stack_name: StackName = None, home: Home = HOME) -> None:
    """Export the bookings of some days.

    One line each on standard output: by the days on their services' clocks on which they take place.
    """
    with in_one_sentence():
        _export(since, until, BOOKING_COLUMNS, table_in(home, stack_name), _bookings)


@export_app.command("payments")
def payments_command(since: First, until: Last = "", stack_name: StackName = None, home: Home = HOME) -> None:
    """Export the payments that came on some days in Nairobi.

    One line each, oldest first, on standard output, with the order or booking that one was kept for. The amounts add
    up to what `payfirst totals` says was captured.
    """
    with in_one_sentence():
        _export(since, until, PAYMENT_COLUMNS, table_in(home, stack_name), _payments)


@export_app.command("refunds")
def refunds_command(since: First, until: Last = "", stack_name: StackName = None, home: Home = HOME) -> None:
    """Export the refunds that went back on some days in Nairobi.

    One line each, oldest first, on standard output; the amounts add up to what `payfirst totals` says was refunded.
    """
    with in_one_sentence():
        _export(since, until, REFUND_COLUMNS, table_in(home, stack_name), _refunds)


def _export(
    since: str, until: str, columns: Sequence[str], table: Table, of_day: Callable[[Table, date], Iterator[Sequence[str]]]
) -> None:
    now = utc_now()
    first = words.day(since, now)
    last = words.day(until, now) if until else first
    days = (last - first).days + 1
    if not 1 <= days <= MOST_DAYS:
        raise words.WrongInputError(f"From {first} to {last} is no time of 1 to {MOST_DAYS} days.")
    hand_over_rows(columns, ((of_day(table, first + timedelta(days=ahead))) for ahead in range(days)), parts=days)


def _orders(table: Table, day: date) -> Iterator[Sequence[str]]:
    return (_order(order) for order, _ in every_order(day, day, None, table))


def _bookings(table: Table, day: date) -> Iterator[Sequence[str]]:
    after: str | None = ""
    while after is not None:
        page = appointments.of_day(day, table=table, most=PAGE, after=after)
        yield from map(_booking, page.bookings)
        after = page.next


def _payments(table: Table, day: date) -> Iterator[Sequence[str]]:
    return map(_payment, totals.payments_of_day(table, day))


def _refunds(table: Table, day: date) -> Iterator[Sequence[str]]:
    return map(_refund, totals.refunds_of_day(table, day))


def _made(moment: datetime) -> str:
    return f"{moment.astimezone(ZoneInfo(SHOP_ZONE)):%Y-%m-%d %H:%M:%S}"


def _order(order: Order) -> Sequence[str]:
    amounts = (order.items_total, order.discount, order.delivery_fee, order.rounding, order.amount)
    return (
        *(order.code, _made(order.created_at), order.status, order.payment_status, order.amount.currency),
        *(str(amount or "0.00") for amount in amounts),
        *(order.promo_code or "", order.receipt or "", order.delivery.full_name, order.delivery.phone_number, content(order)),
    )


def _booking(booking: Booking) -> Sequence[str]:
    content = booking.content
    return (
        *(booking.code, _made(booking.created_at), booking.status, booking.amount.currency),
        *(str(amount or "0.00") for amount in (content.price, content.discount, booking.amount, booking.refund)),
        *(content.promo_code or "", booking.receipt or "", content.service_name, content.package_name or ""),
        *(
            content.day.isoformat(),
            f"{content.at:%H:%M}",
            content.zone,
            content.customer_name or "",
            content.phone_number or "",
        ),
    )


def _payment(paid: totals.Paid) -> Sequence[str]:
    attempt, amount = paid.attempt, paid.attempt.collected
    return (
        *(attempt.ref, attempt.transaction, _made(attempt.captured_at or attempt.created_at), attempt.gateway),
        *(attempt.receipt or "", amount.currency, str(amount), _became(paid.session, attempt.ref)),
    )


def _refund(back: totals.WentBack) -> Sequence[str]:
    refund, amount = back.refund, back.refund.amount
    by = GATEWAY if refund.ended_by == GATEWAY else "hand"
    return (
        *(refund.refund_id, _made(refund.ended_at or refund.created_at), refund.gateway, amount.currency, str(amount)),
        *(by, refund.reason, refund.ref, _became(back.session, refund.ref)),
    )


def _became(session: Session, ref: str) -> str:
    """The order or booking that this payment, and no other of the session, was kept for."""
    return session.outcome.code if session.outcome and session.captured == ref else ""
