"""`payfirst cost`: an estimate with its arithmetic."""

from __future__ import annotations

import json
from dataclasses import replace
from decimal import Decimal
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Column
from rich.table import Table as Grid

from ops import panels
from ops.estimate import PRICES, Assumed, Line, each, read_prices, standing, total


def cost_command(
    orders: Annotated[float, typer.Option(min=0, help="Orders in a month, in thousands.")] = 1.0,
    bookings: Annotated[float, typer.Option(min=0, help="Bookings in a month, in thousands.")] = 0.0,
    requests: Annotated[int, typer.Option(min=1, help="Calls that a customer makes for each.")] = Assumed().requests,
    seconds: Annotated[float, typer.Option(min=0, help="Seconds that functions work for each.")] = float(Assumed().seconds),
) -> None:
    """Estimate what the stack costs in a month.

    The arithmetic is shown. It asks no AWS account; prices change.
    """
    told = json.loads(PRICES.read_text(encoding="utf-8"))
    assumed = replace(Assumed(), requests=requests, seconds=Decimal(str(seconds)))
    prices = read_prices()
    console = Console()
    console.print(f"List prices in {told['currency']} of {told['region']}, looked up on {told['looked_up']}; no free tier.")
    sums = [_show(console, "standing, whoever buys", standing(assumed, prices))]
    for kind, thousands in (("order", orders), ("booking", bookings)):
        if thousands:
            many = Decimal(str(thousands))
            sums.append(_show(console, f"{many * 1000:,.0f} {kind}s", each(kind, many, assumed, prices)))
    console.print(
        f"A month: {sum(sums):,.2f} {told['currency']}. Tests measured the table's units and events; docs/cost.md says what is"
    )
    console.print("assumed. Gateways' fees, data transfer, sign-ins and taxes are not in it.")


def _show(console: Console, title: str, lines: list[Line]) -> Decimal:
    grid = Grid(
        "What", Column("Count", justify="right"), Column("Price", justify="right"), Column("USD", justify="right"), title=title
    )
    for line in lines:
        price = f"{line.price.usd} / {line.price.per:,}"
        grid.add_row(line.price.unit, f"{line.count:,.2f}".rstrip("0").rstrip("."), price, f"{line.usd:.4f}")
    grid.add_row("together", "", "", f"{total(lines):.4f}", end_section=True)
    console.print(grid)
    return total(lines)


def register(app: typer.Typer) -> None:
    """Make this a command of `app`."""
    app.command("cost", rich_help_panel=panels.SETTING_UP)(cost_command)
