"""`payfirst totals`: the shop's money by day, gateway and currency."""

from __future__ import annotations

from datetime import timedelta
from functools import partial
from typing import Annotated, Final

import typer
from rich.table import Column

from ops import words
from ops.deployed import Home, StackName
from ops.operate import table_in
from ops.printing import hand_over_json, say, show_table
from ops.running import HOME, items_of
from ops.sentences import fail, in_one_sentence
from payfirst.api.wire.totals import TotalsOut
from payfirst.domain import totals as money
from payfirst.domain.clock import utc_now
from payfirst.usecases.operators import totals

MOST_DAYS: Final = 366
_WORDS: Final = {
    money.Column.CAPTURED: "Captured",
    money.Column.REFUNDED: "Refunded",
    money.Column.ON_ITS_WAY_BACK: "On its way back",
    money.Column.WAITING: "Waits for a person",
}


def totals_command(
    since: Annotated[str, words.option("--from", help="The first day, YYYY-MM-DD.", show_default="today, or the last")] = "",
    until: Annotated[str, words.option("--to", help="The last day, YYYY-MM-DD.", show_default="the first")] = "",
    recount: Annotated[bool, typer.Option("--recount", help="Read the whole table first, and set right what differs.")] = False,
    as_json: words.AsJson = False,
    stack_name: StackName = None,
    home: Home = HOME,
) -> None:
    """Show the money of some days in Nairobi.

    A payment stands on the day on which it came, a refund on the day on which it went back; what is owed back stands on the day
    from which on it is. Recount once after an upgrade from a release that did not count.
    """
    with in_one_sentence():
        now = utc_now()
        named = [words.day(each, now) for each in (since, until) if each] or [money.day_of(now)]
        first, last = named[0], named[-1]
        if not first <= last < first + timedelta(days=MOST_DAYS):
            raise words.WrongInputError(f"From {first} to {last} is no time of 1 to {MOST_DAYS} days.")
        table = table_in(home, stack_name)
        wrong = totals.recount(table, partial(items_of, table)) if recount else 0
        if wrong is None:
            fail("Money moves faster than it can be counted; try again when there is less to do.")
        report = totals.of_days(table, first, last)
    if as_json:
        hand_over_json(TotalsOut.of(first, last, report).model_dump(mode="json"))
        return
    if recount:
        say(f"{wrong} counters were set right.")
    if not report.days:
        say(f"No money moved from {first} to {last}.")
        return
    shown = [*report.days, *(report.together if first < last else ())]
    columns = [*map(Column, ("Day", "Gateway", "Currency")), *(Column(word, justify="right") for word in _WORDS.values())]
    rows = ((str(each.day or "All"), each.gateway, each.currency, *(str(each[at]) for at in _WORDS)) for each in shown)
    show_table(columns, rows)
