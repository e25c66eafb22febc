"""`payfirst funnel`: how far sessions came, as a table with bars."""

from __future__ import annotations

from typing import Annotated, Final

import typer
from rich.bar import Bar
from rich.table import Column

from ops import words
from ops.deployed import Home, StackName
from ops.operate import table_in
from ops.printing import Cell, hand_over_json, say, show_table
from ops.running import HOME
from ops.sentences import in_one_sentence
from ops.times import local
from payfirst.api.wire.funnel import FunnelOut
from payfirst.domain.clock import utc_now
from payfirst.domain.session import Kind
from payfirst.usecases.operators.funnel import Funnel, Rate, Stage, funnel

BAR: Final = 40
_WORDS: Final = {
    Stage.CREATED: "Sessions made",
    Stage.INITIATED: "Payment started",
    Stage.PAID: "Payment received",
    Stage.FULFILLED: "Order or booking",
    Stage.EXPIRED: "Expired",
}


def funnel_command(
    since: Annotated[str, words.option(help="How far back, to the minute: 90m, 24h or 7d.")] = "24h",
    kind: Annotated[Kind | None, typer.Option(help="Only orders, or only bookings.", show_default="both")] = None,
    as_json: words.AsJson = False,
    stack_name: StackName = None,
    home: Home = HOME,
) -> None:
    """Show how far the sessions of the last hours came.

    `Order or booking` is the success rate: of the sessions made in that time, those that became one. The second table shows
    each of these sessions under the status that it has now.
    """
    with in_one_sentence():
        back = words.time_back(since)
        found = funnel(table_in(home, stack_name), utc_now(), back, kind)
    if as_json:
        hand_over_json(FunnelOut.of(found).model_dump(mode="json"))
        return
    if not found.counts[Stage.CREATED]:
        say(f"No sessions were made since {local(found.since)}; what happened in the last minute may be missing.")
        return
    columns = ("Stage", Column("Sessions", justify="right"), Column("Rate", justify="right"), Column("", width=BAR))
    most = max(found.counts.values())
    rows: list[tuple[Cell, ...]] = []
    for stage, count in found.counts.items():
        rate = found.rate(stage)
        share = "" if rate is None else f"{rate:.1%}"
        rows.append((_WORDS[stage], str(count), share, Bar(most or 1, 0, count, width=BAR)))
    show_table(columns, rows)
    _show_rates(found)
    _show_by_status(found)
    say(f"Of the sessions made since {local(found.since)}; what happened in the last minute may be missing.")


def _show_rates(found: Funnel) -> None:
    """Document B's five rates, each with what is divided by what."""
    columns = ("Rate", Column("Of", justify="right"), Column("", justify="right"))
    rows = []
    for rate, share in found.rates.items():
        value = "" if share.value is None else f"{share.value * 60:.1f} an hour" if rate is Rate.SESSION_CREATION else ""
        value = value or ("" if share.value is None else f"{share.value:.1%}")
        minutes = " minutes" if rate is Rate.SESSION_CREATION else ""
        rows.append((rate.replace("_", " "), f"{share.part} of {share.of}{minutes}", value))
    show_table(columns, rows)


def _show_by_status(found: Funnel) -> None:
    """Each of these sessions under the status that it has now; those without any session are left out."""
    columns = ("Status now", Column("Sessions", justify="right"), Column("Share", justify="right"), Column("", width=BAR))
    total = sum(found.by_status.values())
    rows = [
        (status.value, str(count), f"{count / total:.1%}", Bar(total, 0, count, width=BAR))
        for status, count in found.by_status.items()
        if count
    ]
    show_table(columns, rows)
