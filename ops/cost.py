"""`payfirst cost`: an estimate with its arithmetic."""

from __future__ import annotations

import json
from dataclasses import replace
from decimal import Decimal
from typing import Annotated

import typer
from rich.table import Column

from ops import words
from ops.estimate import PRICES, Assumed, Line, each, read_prices, regions, standing, total
from ops.printing import hand_over_json, say, show_table
from payfirst.settings import Watching


def cost_command(
    orders: Annotated[float, typer.Option(min=0, help="Orders in a month, in thousands.")] = 1.0,
    bookings: Annotated[float, typer.Option(min=0, help="Bookings in a month, in thousands.")] = 0.0,
    requests: Annotated[int, typer.Option(min=1, help="Calls that a customer makes for each.")] = Assumed().requests,
    watching: Annotated[Watching, typer.Option(help="How closely the shop is watched.")] = Watching.SMALL,
    region: Annotated[str, words.option("--region", help="Whose prices: us-east-1 or ap-south-1.")] = "ap-south-1",
    seconds: Annotated[float, typer.Option(min=0, help="Seconds that functions work for each.")] = float(Assumed().seconds),
    as_json: words.AsJson = False,
) -> None:
    """Estimate what the stack costs in a month.

    The arithmetic is shown. It asks no AWS account; prices change.
    """
    told = json.loads(PRICES.read_text(encoding="utf-8"))
    assumed = replace(Assumed(), requests=requests, seconds=Decimal(str(seconds)))
    if region not in regions():
        raise typer.BadParameter(f"Prices are known of {', '.join(regions())} only.", param_hint="--region")
    prices = read_prices(region)
    rest = {how: standing(assumed, prices, how) for how in Watching}
    parts = {f"standing, whoever buys, watched in {watching}": rest[watching]}
    for kind, thousands in (("order", orders), ("booking", bookings)):
        if thousands:
            many = Decimal(str(thousands))
            parts[f"{many * 1000:,.0f} {kind}s"] = each(kind, many, assumed, prices)
    sums = [total(lines) for lines in parts.values()]
    if as_json:
        shown = {title: [_line(line) for line in lines] for title, lines in parts.items()}
        head = {"region": region, "currency": told["currency"], "looked_up": told["looked_up"]}
        hand_over_json({**head, "parts": shown, "month": f"{sum(sums):.4f}"})
        return
    say(f"List prices in {told['currency']} of {region}, looked up on {told['looked_up']}; no free tier.")
    unknown = [price.unit for price in prices.values() if not price.known]
    if unknown:
        say(f"For {'; '.join(unknown)}: those of {told['region']}, for no source told this region's.")
    for title, lines in parts.items():
        _show(title, lines)
    at_rest = ", ".join(f"{total(lines):,.2f} in {how}" for how, lines in rest.items())
    say(f"A month in which nobody buys: {at_rest}.")
    say(f"A month: {sum(sums):,.2f} {told['currency']}. Tests measured the table's units and events; docs/cost.md says what is")
    say("assumed. Gateways' fees, data transfer, sign-ins and taxes are not in it.")


def _show(title: str, lines: list[Line]) -> None:
    columns = ("What", Column("Count", justify="right"), Column("Price", justify="right"), Column("USD", justify="right"))
    rows = [
        (
            line.price.unit,
            f"{line.count:,.2f}".rstrip("0").rstrip("."),
            f"{line.price.usd} / {line.price.per:,}",
            f"{line.usd:.4f}",
        )
        for line in lines
    ]
    show_table(columns, [*rows, ("together", "", "", f"{total(lines):.4f}")], title=title)


def _line(line: Line) -> dict[str, str]:
    """A line as text, so that no reader rounds it."""
    return {"what": line.price.unit, "count": str(line.count), "usd": f"{line.usd:.4f}"}
