"""`payfirst funnel`: how far sessions came, as a table with bars."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Annotated, Final

import typer
from rich.bar import Bar
from rich.console import Console
from rich.table import Column, Table

from ops.operate import Home, table_in
from ops.running import HOME
from ops.sentences import in_one_sentence
from payfirst.domain.clock import instant, utc_now
from payfirst.domain.errors import RefusedError
from payfirst.domain.session import Kind
from payfirst.usecases.funnel import Stage, funnel

BAR: Final = 40
_WORDS: Final = {
    Stage.CREATED: "Sessions made",
    Stage.INITIATED: "Payment started",
    Stage.PAID: "Payment received",
    Stage.FULFILLED: "Order or booking",
    Stage.EXPIRED: "Expired",
}


def funnel_command(
    since: Annotated[str, typer.Option(help="How far back: 24h or 7d.")] = "24h",
    kind: Annotated[Kind | None, typer.Option(help="Only orders, or only bookings.", show_default="both")] = None,
    home: Home = HOME,
) -> None:
    """Show how far the sessions of the last hours came. `Order or booking` is the success rate."""
    with in_one_sentence():
        found = funnel(table_in(home), utc_now(), _back(since), kind)
    grid = Table("Stage", Column("Sessions", justify="right"), Column("Rate", justify="right"), Column("", width=BAR))
    most = max(found.counts.values())
    for stage, count in found.counts.items():
        rate = found.rate(stage)
        share = "" if rate is None else f"{rate:.1%}"
        grid.add_row(_WORDS[stage], str(count), share, Bar(most or 1, 0, count, width=BAR))
    Console().print(grid)
    print(f"Of the sessions made since {instant(found.since)}; what happened in the last minute may be missing.")


def _back(given: str) -> timedelta:
    read = re.fullmatch(r"([1-9][0-9]{0,3})([hd])", given)
    if read is None:
        raise RefusedError(f"{given} is no time; write it as 24h or 7d.")
    return timedelta(hours=int(read[1])) if read[2] == "h" else timedelta(days=int(read[1]))


def register(app: typer.Typer) -> None:
    """Make this command one of `app`."""
    app.command("funnel")(funnel_command)
