"""The commands for those who pack and deliver: the orders of a day, and each step of one of them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Annotated, Final
from zoneinfo import ZoneInfo

import typer
from rich.table import Column

from ops import words
from ops.deployed import Home, StackName
from ops.operate import By, table_in, who
from ops.printing import hand_over, hand_over_json, say, show_table
from ops.running import HOME
from ops.sentences import in_one_sentence
from ops.slip import slips
from payfirst.api.wire.operators_orders import OrderDetailOut, ShopOrderOut
from payfirst.domain import locations
from payfirst.domain.clock import SHOP_ZONE, utc_now
from payfirst.domain.moves import OrderStatus
from payfirst.domain.order import Order
from payfirst.domain.paid_back import PaymentStatus
from payfirst.domain.session import RefundShown
from payfirst.storage.dynamodb.table import Table
from payfirst.usecases.fulfilment.orders import cancel_order, move_order, undo_step
from payfirst.usecases.operators import deliveries

orders_app: Final = typer.Typer(name="orders", help="See, pack, send out, deliver and cancel orders.", no_args_is_help=True)

LONGEST_PAGE: Final = 500
_ABOUT: Final = ("Total", "What", "Where")

Code = Annotated[str, typer.Argument(help="The order: ORD-YYYYMMDD-NNN.")]


@orders_app.command("list")
def list_command(
    day: Annotated[str, words.option(help="The last day in Nairobi, YYYY-MM-DD.", show_default="today")] = "",
    days: Annotated[int, typer.Option(min=1, max=92, help="How many days up to that one.")] = 7,
    status: Annotated[OrderStatus | None, typer.Option(help="Only orders of this status.", show_default="all")] = None,
    as_json: words.AsJson = False,
    stack_name: StackName = None,
    home: Home = HOME,
) -> None:
    """List the orders of some days.

    Oldest first, with what is in them and where they go.
    """
    with in_one_sentence():
        last = words.day(day, utc_now()) if day else datetime.now(ZoneInfo(SHOP_ZONE)).date()
        table = table_in(home, stack_name)
        first = last - timedelta(days=days - 1)
        found = list(every_order(first, last, status, table))
    if as_json:
        hand_over_json([ShopOrderOut.of(*each).model_dump(mode="json") for each in found])
        return
    if not found:
        say(f"No {f'{status} ' if status else ''}orders from {first} to {last}.")
        return
    columns = [*(Column(title, no_wrap=True) for title in ("Order", "Status", "Phone")), *map(Column, _ABOUT)]
    show_table(
        columns,
        (
            (order.code, order.status, order.delivery.phone_number, _total(order), content(order), _place(order))
            for order, _ in found
        ),
    )


def every_order(
    first: date, last: date, status: OrderStatus | None, table: Table
) -> Iterator[tuple[Order, RefundShown | None]]:
    """Every order of the days, with the latest refund where something of it goes back."""
    after: str | None = ""
    while after is not None:
        page = deliveries.of_days(first, last, status, table=table, most=LONGEST_PAGE, after=after)
        yield from ((order, page.refunds.get(order.session)) for order in page.orders)
        after = page.next


def _total(order: Order) -> str:
    """What it cost, and how its payment stands where something of it goes back."""
    status = "" if order.payment_status is PaymentStatus.PAID else f", {order.payment_status}"
    return f"{order.amount} {order.amount.currency}{status}"


def content(order: Order) -> str:
    return ", ".join(f"{line.quantity.normalize():f} {line.unit} {line.product_name}" for line in order.lines)


def _place(order: Order) -> str:
    delivery = order.delivery
    county, place = locations.county(delivery.county_id), locations.subcounty(delivery.subcounty_id)
    when = delivery.estimated_delivery_date.isoformat() if delivery.estimated_delivery_date else ""
    return ", ".join(
        word
        for word in (
            delivery.full_name,
            delivery.detailed_address,
            place.name if place else "",
            county.name if county else "",
            when,
            delivery.delivery_time_slot,
            delivery.special_instructions,
        )
        if word
    )


@orders_app.command("show")
def show_command(code: Code, as_json: words.AsJson = False, stack_name: StackName = None, home: Home = HOME) -> None:
    """Show an order.

    With the number to call, where it goes, its receipt, its refunds, and what cancelling it now would give back.
    """
    with in_one_sentence():
        found = deliveries.show(table_in(home, stack_name), words.order_code(code))
    if as_json:
        hand_over_json(OrderDetailOut.of_found(found).model_dump(mode="json"))
        return
    order = found.order
    say(f"{order.code} is {order.status}: {content(order)}", f"to: {_place(order)}", f"phone: {order.delivery.phone_number}")
    say(f"paid: {_total(order)}", f"receipt: {order.receipt or 'not known'}")
    say(*(f"refund {refund.refund_id} of {refund.amount} is {refund.status}" for refund in found.refunds))
    if found.gives_back is not None:
        say(f"cancelling gives back {found.gives_back}")


@orders_app.command("slip")
def slip_command(
    codes: Annotated[list[str], typer.Argument(help="The orders: ORD-YYYYMMDD-NNN.")],
    stack_name: StackName = None,
    home: Home = HOME,
) -> None:
    """Print slips for packer and rider as a page of HTML.

    One sheet for each order: `payfirst orders slip ORD-… > slip.html`.
    """
    with in_one_sentence():
        wanted, table = [words.order_code(code) for code in codes], table_in(home, stack_name)
        found = [deliveries.show(table, code) for code in wanted]
    hand_over(slips(found))


@orders_app.command("pack")
def pack_command(code: Code, by: By = "", stack_name: StackName = None, home: Home = HOME) -> None:
    """Say that an order is packed."""
    _move(code, OrderStatus.PACKED, by, home, stack_name)


@orders_app.command("dispatch")
def dispatch_command(code: Code, by: By = "", stack_name: StackName = None, home: Home = HOME) -> None:
    """Say that a packed order is out for delivery."""
    _move(code, OrderStatus.OUT_FOR_DELIVERY, by, home, stack_name)


@orders_app.command("deliver")
def deliver_command(code: Code, by: By = "", stack_name: StackName = None, home: Home = HOME) -> None:
    """Say that an order has reached its customer."""
    _move(code, OrderStatus.DELIVERED, by, home, stack_name)


@orders_app.command("undo")
def undo_command(
    code: Code,
    step: Annotated[OrderStatus, typer.Argument(help="The step to take back: packed, out_for_delivery or delivered.")],
    by: By = "",
    stack_name: StackName = None,
    home: Home = HOME,
) -> None:
    """Take back an order's last step, once however often it is said.

    For what was packed, sent out or delivered by mistake: the order is where it was before. Its customer gets no e-mail.
    """
    with in_one_sentence():
        wanted, acting = words.order_code(code), who(by, stack_name)
        order = undo_step(table_in(home, stack_name), wanted, step, utc_now(), by=acting)
    say(f"{order.code} is {order.status} again.")


def _move(code: str, to: OrderStatus, by: str, home: Path, stack_name: str | None) -> None:
    with in_one_sentence():
        wanted, acting = words.order_code(code), who(by, stack_name)
        order = move_order(table_in(home, stack_name), wanted, to, utc_now(), by=acting)
    say(f"{order.code} is {order.status}.")


@orders_app.command("cancel")
def cancel_command(
    code: Code,
    why: Annotated[
        str,
        typer.Option(
            help="The reason, for the shop's own people; its customer reads that the shop had to cancel.", prompt=True
        ),
    ],
    refund: Annotated[
        str, words.option(help="What goes back, as `show` says it; without it you are told and asked.", show_default=False)
    ] = "",
    by: By = "",
    stack_name: StackName = None,
    home: Home = HOME,
) -> None:
    """Cancel an order and give its money back.

    What goes back is said first; if that has changed when you agree, nothing happens. Its stock is for sale again, and the next
    sweep asks the gateway to pay.
    """
    with in_one_sentence():
        wanted, reason, acting = words.order_code(code), words.reason(why), who(by, stack_name)
        table = table_in(home, stack_name)
        found = deliveries.show(table, wanted)
        said = words.amount_or_nothing(refund, found.order.amount.currency) if refund else found.gives_back
        if said is not None and not refund:
            order, unit = found.order, said.currency
            paid, whom = f"Of {order.amount} {unit} that were paid", order.delivery.full_name
            say(f"{wanted}: {content(order)}, {whom}. {paid}, {said} {unit} go back.")
            typer.confirm("Cancel it?", abort=True, err=True)
        owed = cancel_order(table, wanted, utc_now(), by=acting, why=reason, said=None if said is None else said.major)
    if owed is None:
        say(f"{wanted} is cancelled; an earlier refund covers what was paid.")
        return
    amount = f"{owed.amount} {owed.amount.currency}"
    say(f"{wanted} is cancelled; {amount} go back as {owed.refund_id}, which is {owed.status}.")
