"""The commands for those who pack and deliver: the orders of a day, and each step of one of them."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from typing import Annotated, Final
from zoneinfo import ZoneInfo

import typer
from rich.table import Column

from ops import words
from ops.deployed import StackName
from ops.operate import By, Home, table_in, who
from ops.printing import say, show_table
from ops.running import HOME
from ops.sentences import in_one_sentence
from payfirst.domain.clock import SHOP_ZONE, utc_now
from payfirst.domain.moves import OrderStatus
from payfirst.domain.order import Order
from payfirst.domain.paid_back import PaymentStatus
from payfirst.usecases.fulfilment.orders import cancel_order, move_order, orders_of_day

orders_app: Final = typer.Typer(name="orders", help="Pack, send out, deliver and cancel orders.", no_args_is_help=True)

Code = Annotated[str, typer.Argument(help="The order: ORD-YYYYMMDD-NNN.")]


@orders_app.command("list")
def list_command(
    day: Annotated[str, words.option(help="The last day in Nairobi, YYYY-MM-DD.", show_default="today")] = "",
    days: Annotated[int, typer.Option(min=1, max=92, help="How many days up to that one.")] = 7,
    status: Annotated[OrderStatus | None, typer.Option(help="Only orders of this status.", show_default="all")] = None,
    stack_name: StackName = None,
    home: Home = HOME,
) -> None:
    """List the orders of some days.

    Oldest first, with what is in them and where they go.
    """
    with in_one_sentence():
        last = words.day(day, utc_now()) if day else datetime.now(ZoneInfo(SHOP_ZONE)).date()
        table = table_in(home, stack_name)
        wanted = [last - timedelta(days=back) for back in reversed(range(days))]
        found = [order for each in wanted for order in orders_of_day(each, status, table=table)]
    if not found:
        say(f"No {f'{status} ' if status else ''}orders from {wanted[0]} to {last}.")
        return
    columns = (Column("Order", no_wrap=True), Column("Status", no_wrap=True), "Total", "What", "Where")
    show_table(
        columns,
        ((order.code, order.status, _total(order), _content(order), _place(order)) for order in found),
    )


def _total(order: Order) -> str:
    """What it cost, and how its payment stands where something of it goes back."""
    status = "" if order.payment_status is PaymentStatus.PAID else f", {order.payment_status}"
    return f"{order.amount} {order.amount.currency}{status}"


def _content(order: Order) -> str:
    return ", ".join(f"{line.quantity.normalize():f} {line.unit} {line.product_name}" for line in order.lines)


def _place(order: Order) -> str:
    delivery = order.delivery
    when = delivery.estimated_delivery_date.isoformat() if delivery.estimated_delivery_date else ""
    return ", ".join(
        word for word in (delivery.full_name, delivery.detailed_address, when, delivery.delivery_time_slot) if word
    )


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
    by: By = "",
    stack_name: StackName = None,
    home: Home = HOME,
) -> None:
    """Cancel an order and give its money back.

    Its stock is for sale again; the next sweep asks the gateway to pay back what was paid for it.
    """
    with in_one_sentence():
        wanted, said, acting = words.order_code(code), words.reason(why), who(by, stack_name)
        refund = cancel_order(table_in(home, stack_name), wanted, utc_now(), by=acting, why=said)
    if refund is None:
        say(f"{code} is cancelled; an earlier refund covers what was paid.")
        return
    amount = f"{refund.amount} {refund.amount.currency}"
    say(f"{code} is cancelled; {amount} go back as {refund.refund_id}, which is {refund.status}.")
