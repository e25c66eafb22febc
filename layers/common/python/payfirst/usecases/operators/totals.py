"""The shop's money by day, and each payment and refund behind it."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from typing import Final, NamedTuple

from payfirst.domain.attempt import Attempt
from payfirst.domain.refund import Refund
from payfirst.domain.session import Session
from payfirst.domain.totals import Column, Totals, together
from payfirst.storage import refunds, totals
from payfirst.storage.due import batches
from payfirst.storage.dynamodb import keys
from payfirst.storage.dynamodb.expressions import Item
from payfirst.storage.dynamodb.table import Table, batch_get, write
from payfirst.storage.items import attempt_from_item, session_from_item

MOST_ROUNDS: Final = 5
_AT_ONCE: Final = 100


@dataclass(frozen=True, slots=True)
class Report:
    """Each day on which money moved, by gateway and currency, and all these days together."""

    days: tuple[Totals, ...]
    together: tuple[Totals, ...]


def of_days(table: Table, first: date, last: date) -> Report:
    """The days from `first` to `last` on the shop's clock; the cost depends on their number, and not on how much was sold."""
    days = totals.of_days(table, first, last)
    return Report(days, together(days))


class Paid(NamedTuple):
    """What has come, with what it was for."""

    attempt: Attempt
    session: Session


class WentBack(NamedTuple):
    """What has gone back, with what it was paid for."""

    refund: Refund
    session: Session


def payments_of_day(table: Table, day: date) -> Iterator[Paid]:
    """The payments that came on `day`, oldest first: as many and as much as its `captured` says."""
    for some in batches(totals.entries(table, Column.CAPTURED, day), _AT_ONCE):
        found = [attempt_from_item(item) for item in batch_get(table, [keys.attempt(each.ref) for each in some]) if item]
        yield from map(Paid, found, _sessions(table, found))


def refunds_of_day(table: Table, day: date) -> Iterator[WentBack]:
    """The refunds that went back on `day`, oldest first: as many and as much as its `refunded` says."""
    for some in batches(totals.entries(table, Column.REFUNDED, day), _AT_ONCE):
        places = [keys.refund(each.ref, each.number or 0) for each in some]
        found = [refunds.refund_from_item(item) for item in batch_get(table, places) if item]
        yield from map(WentBack, found, _sessions(table, found))


def _sessions(table: Table, found: Iterable[Attempt | Refund]) -> list[Session]:
    places = [keys.owned(each.owner, keys.SESSION, each.session_number) for each in found]
    return [session_from_item(item) for item in batch_get(table, places) if item]


def recount(table: Table, items: Callable[[], Iterable[Item]]) -> int | None:
    """Make the counters and entries what the table holds, as no release before them wrote any; how many counters were wrong.

    `items` reads the whole table. The shop may go on meanwhile: whatever moves money moves its counter, so that one which
    stands as it did before the items were read is set to what they come to, and another one is looked at again. None where
    there was no end of it.
    """
    corrected = 0
    for _ in range(MOST_ROUNDS):
        wrong = _recounted(table, items)
        if not wrong:
            return corrected
        corrected += wrong
    return None


def _recounted(table: Table, items: Callable[[], Iterable[Item]]) -> int:
    seen = {(item["pk"], item["sk"]): item for item in totals.counters(table)}
    sums: defaultdict[tuple[str, str], Counter[str]] = defaultdict(Counter)
    for item in items():
        for change in totals.standing(found) if (found := _read(item)) else ():
            if change.name == totals.ENTRY:
                write(table, change)
            else:
                sums[change.key["pk"], change.key["sk"]].update(change.add)
    places = sorted(seen.keys() | sums.keys())
    return sum(totals.set_counter(table, place, seen.get(place), sums[place]) for place in places)


def _read(item: Item) -> Attempt | Refund | None:
    if not item["pk"].startswith("ATT#"):
        return None
    if item["sk"] == keys.Thing.ATTEMPT:
        return attempt_from_item(item)
    return refunds.refund_from_item(item) if item["sk"].startswith(f"{keys.Thing.REFUND}#") else None
