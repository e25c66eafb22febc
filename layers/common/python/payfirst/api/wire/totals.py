"""The shop's money by day, as its own people see it."""

from __future__ import annotations

from datetime import date

from payfirst.api.wire.fields import Out
from payfirst.domain.totals import Column, Totals
from payfirst.usecases.operators.totals import Report


class SumOut(Out):
    """What one gateway's money of one currency came to; amounts in whole units.

    `captured` and `refunded` are what came and went back. `on_its_way_back` is owed or under way, and `waiting_for_a_person` is
    money of which nothing could be made and refunds under review: both as they are now, whenever the day was.
    """

    gateway: str
    currency: str
    captured: str
    refunded: str
    on_its_way_back: str
    waiting_for_a_person: str


class DayOut(SumOut):
    """What stands on one day: payments on the day on which they came, what went back on the day on which it did, and what is
    owed on the day from which on it is."""

    day: str


class TotalsOut(Out):
    """The days from `first` to `last` in Nairobi on which money moved, and all of them together."""

    first: str
    last: str
    days: list[DayOut]
    together: list[SumOut]

    @classmethod
    def of(cls, first: date, last: date, report: Report) -> TotalsOut:
        days = [DayOut(day=str(each.day), **_sums(each)) for each in report.days]
        together = [SumOut(**_sums(each)) for each in report.together]
        return cls(first=first.isoformat(), last=last.isoformat(), days=days, together=together)


def _sums(found: Totals) -> dict[str, str]:
    amounts = {column.value: str(found[column]) for column in Column}
    return {"gateway": found.gateway, "currency": found.currency, **amounts}
