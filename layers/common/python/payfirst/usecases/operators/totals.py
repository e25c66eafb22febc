"""The shop's money by day, and each payment and refund behind it."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final, NamedTuple

from payfirst.domain.attempt import Attempt
from payfirst.domain.refund import Refund
from payfirst.domain.session import Session
from payfirst.domain.totals import Column, Totals, together
from payfirst.storage import refunds, totals
from payfirst.storage.due import batches
from payfirst.storage.dynamodb import due_index, keys, shop_keys
from payfirst.storage.dynamodb.expressions import Item, Update
from payfirst.storage.dynamodb.table import Table, batch_get, write
from payfirst.storage.items import attempt_from_item, session_from_item
from payfirst.storage.totals import Recounted

MOST_ROUNDS: Final = 10
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
        found = [attempt_from_item(item) for item in _all_of(table, [keys.attempt(each.ref) for each in some])]
        yield from map(Paid, found, _sessions(table, found))


def refunds_of_day(table: Table, day: date) -> Iterator[WentBack]:
    """The refunds that went back on `day`, oldest first: as many and as much as its `refunded` says."""
    for some in batches(totals.entries(table, Column.REFUNDED, day), _AT_ONCE):
        places = [keys.refund(each.ref, each.number or 0) for each in some]
        found = [refunds.refund_from_item(item) for item in _all_of(table, places)]
        yield from map(WentBack, found, _sessions(table, found))


def _sessions(table: Table, found: Iterable[Attempt | Refund]) -> list[Session]:
    places = [keys.owned(each.owner, keys.SESSION, each.session_number) for each in found]
    return [session_from_item(item) for item in _all_of(table, places)]


def _all_of(table: Table, places: Sequence[keys.Key]) -> Iterator[Item]:
    for place, item in zip(places, batch_get(table, places), strict=True):
        if item is None:  # a line less would be money less
            raise LookupError(f"{due_index.name_of(place)} is gone")
        yield item


def recount(table: Table, items: Callable[[], Iterable[Item]]) -> int | None:
    """Make the counters and entries what the table holds, as no release before them wrote any; how many counters were wrong.

    `items` reads the whole table. The shop may go on meanwhile: whatever moves money moves its counter, so that one which
    stands as it did before the items were read is set to what they come to, and stays right from then on; another one is looked
    at again. None where there was no end of it.
    """
    right: set[keys.Place] = set()
    corrected = 0
    for _ in range(MOST_ROUNDS):
        seen = {keys.place_of(item): item for item in totals.counters(table)}
        sums, missing = _come_to(items())
        said = {
            place: totals.set_counter(table, place, seen.get(place), sums[place])
            for place in sorted((seen.keys() | sums.keys()) - right)
        }
        for entry in missing:
            write(table, entry)
        corrected += sum(each is Recounted.SET for each in said.values())
        right |= {place for place, each in said.items() if each is not Recounted.MOVED}
        if said.keys() <= right:
            return corrected
    return None


def _come_to(items: Iterable[Item]) -> tuple[defaultdict[keys.Place, Counter[str]], list[Update]]:
    """What the counters have to say, and the entries that are not there."""
    sums: defaultdict[keys.Place, Counter[str]] = defaultdict(Counter)
    entries: dict[keys.Place, Update] = {}
    there: set[keys.Place] = set()
    for item in items:
        if shop_keys.is_money(item):
            there.add(keys.place_of(item))
        for change in totals.standing(found) if (found := _read(item)) else ():
            place = keys.place_of(change.key)
            if change.name == totals.ENTRY:
                entries[place] = change
            else:
                sums[place].update(change.add)
    return sums, [entry for place, entry in entries.items() if place not in there]


def _read(item: Item) -> Attempt | Refund | None:
    if keys.is_attempt(item):
        return attempt_from_item(item)
    return refunds.refund_from_item(item) if keys.is_refund(item) else None
